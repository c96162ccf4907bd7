"""Why something ended as it did: a code for machines, a sentence for people."""

from dataclasses import dataclass

from app.domain.enums import ReasonCode


@dataclass(frozen=True, slots=True)
class Reason:
    """A code from the one enum, and a sentence with the figures."""

    code: ReasonCode
    message: str
