"""What is wrong with a body, in the shape that pydantic gives it (Hummingbot spec 2.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.errors import CommandError, MalformedPayload

#: Where a problem lies: `("body", "amount")`.
Location = tuple[str | int, ...]

BODY: Location = ("body",)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: the word of the reference, for instance `missing`.
        message: its sentence.
        context: figures of the rule that was broken, where it has some.
        given: the value that was wrong.
    """

    kind: str
    message: str
    context: Mapping[str, object] | None = None
    location: Location = BODY
    given: object = None

    def as_json(self) -> dict[str, object]:
        """Return the problem as one entry of `detail`."""
        shape = {
            "type": self.kind,
            "loc": list(self.location),
            "msg": self.message,
            "input": self.given,
        }
        return shape if self.context is None else {**shape, "ctx": self.context}


#: Of a body, or of one of its fields.
MISSING: Final = Problem("missing", "Field required")


class InvalidBody(MalformedPayload):
    """The body does not have the shape that the route asks for.

    Attributes:
        problems: at least one, in the order of the fields.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        names = [".".join(map(str, problem.location)) for problem in problems]
        super().__init__("validation_failed", f"invalid: {', '.join(names)}")
        self.problems = tuple(problems)


def problems_in(messages: Mapping[str, Any], body: Mapping[str, Any]) -> list[Problem]:
    """Return what marshmallow has found, each with its place and with what was given there."""
    return [_located(name, found, body) for name, found in messages.items()]


def _located(name: str, found: Any, body: Mapping[str, Any]) -> Problem:  # noqa: ANN401
    location, given = (*BODY, name), body.get(name, body)
    if isinstance(found, Mapping):
        # By index. Only the first is told, or an answer could be many times as long as its body.
        index, found = next(iter(found.items()))
        location, given = (*location, index), given[index]
    problem: Problem = found[0]
    return replace(problem, location=location, given=given)


class UnusableKey(CommandError):
    """An idempotency key that nobody could keep."""


class Impossible(CommandError):
    """What is asked for makes no sense with this connector; its sentence is for the caller."""
