"""What a check of the installation has found."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, one word for machines.
        message: what was found, with the figures.
        fix: what to do about it; empty if nothing.
    """

    check: str
    message: str
    grade: Grade = Grade.OK
    fix: str = ""
