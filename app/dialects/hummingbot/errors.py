"""What is wrong with a body, in the shape that pydantic gives it (Hummingbot spec 2.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import CommandError, MalformedPayload

#: Where a problem lies: `("body", "amount")`.
Location = tuple[str | int, ...]

BODY: Location = ("body",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: the word of the reference, for instance `missing`.
        message: its sentence.
        given: the value that was wrong.
        context: figures of the rule that was broken, where it has some.
    """

    kind: str
    message: str
    location: Location
    given: object
    context: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the problem as one entry of `detail`."""
        shape = {
            "type": self.kind,
            "loc": list(self.location),
            "msg": self.message,
            "input": self.given,
        }
        return shape if self.context is None else {**shape, "ctx": self.context}


class InvalidBody(MalformedPayload):
    """The body does not have the shape that the route asks for.

    Attributes:
        problems: at least one, in the order of the fields.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        names = [".".join(map(str, problem.location)) for problem in problems]
        super().__init__("validation_failed", f"invalid: {', '.join(names)}")
        self.problems = tuple(problems)


class UnusableKey(CommandError):
    """An idempotency key that nobody could keep."""


class Impossible(CommandError):
    """What is asked for makes no sense with this connector; its sentence is for the caller."""
