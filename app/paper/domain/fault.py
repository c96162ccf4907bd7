"""Faults that a test asks the paper venue for (docs/api.md)."""

from dataclasses import dataclass
from enum import StrEnum


class FaultWord(StrEnum):
    """What becomes of one call."""

    OK = "ok"
    REJECT = "reject"
    TIMEOUT = "timeout"
    ACCEPT_THEN_TIMEOUT = "accept_then_timeout"
    ACCEPT_THEN_ERROR = "accept_then_error"
    ERROR = "error"
    NOT_FOUND = "not_found"


class FaultyCall(StrEnum):
    """The calls that take words, by their names in the body."""

    PLACE = "place"
    CANCEL = "cancel"
    FIND = "find"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """What an account's next calls meet: one word each, `ok` when a list is used up.

    Attributes:
        delay_ms: before every answer, however the call ends.
    """

    place: tuple[FaultWord, ...] = ()
    cancel: tuple[FaultWord, ...] = ()
    find: tuple[FaultWord, ...] = ()
    delay_ms: int = 0

    def words(self, call: FaultyCall) -> tuple[FaultWord, ...]:
        """Return the list of one call."""
        words: tuple[FaultWord, ...] = getattr(self, call)
        return words


@dataclass(frozen=True, slots=True)
class Fault:
    """What one call meets."""

    word: FaultWord = FaultWord.OK
    delay_ms: int = 0
