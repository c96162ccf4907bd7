"""One variable of the environment, and the table of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from app.settings.kinds import Kind

Value = TypeVar("Value")


class BadSetting(ValueError):
    """A variable has a value that cannot be used; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the table of settings.

    Attributes:
        default: the text that counts when the variable is absent or empty.
        fast: the default under `HOOKFILL_FAST`, where it differs.
        otherwise: what happens without a value, where the default is not a text.
    """

    name: str
    kind: Kind[object]
    default: str
    meaning: str
    fast: str | None = None
    otherwise: str = ""

    def read(self, text: str) -> object:
        """Return the value that a text stands for.

        Raises:
            BadSetting: there is none.
        """
        try:
            return self.kind.read(text)
        except ValueError as error:
            was = f"was {text!r}" if self.kind.is_shown else "has a value that cannot be used"
            raise BadSetting(f"{self.name} {was}, but must be {self.kind.must_be}.") from error


def variable(
    name: str,
    kind: Kind[Value],
    default: str,
    meaning: str,
    *,
    fast: str | None = None,
    otherwise: str = "",
) -> Value:
    """Return a field of a dataclass that a variable fills: a `Variable`, in its metadata."""
    row = Variable(name, kind, default, meaning, fast, otherwise)
    filled: Value = field(metadata={"variable": row})
    return filled


def markdown_table(variables: Iterable[Variable]) -> str:
    """Return the table of these variables in Markdown."""
    lines = ["| Variable | Kind | Default | Meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_row(each) for each in variables)])


def _row(variable: Variable) -> str:
    default = f"`{variable.default}`" if variable.default else variable.otherwise or "none"
    if variable.fast is not None:
        default += f", fast `{variable.fast}`"
    return f"| `{variable.name}` | {variable.kind.name} | {default} | {variable.meaning} |"
