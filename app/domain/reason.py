"""Why something ended as it did: a code for machines, a sentence for people."""

from dataclasses import dataclass

from app.domain.enums import ReasonCode

#: What refuses every new try, until a person or the venue changes something. All else may pass.
CANNOT_PASS = frozenset(
    {
        ReasonCode.ACCOUNT_DISABLED,
        ReasonCode.CREDENTIALS_REFUSED,
        ReasonCode.DELISTED,
        ReasonCode.UNKNOWN_INSTRUMENT,
    }
)

#: What the rules of a market refuse, perhaps rules that the venue has changed since they were read.
BY_RULES = frozenset(
    {
        ReasonCode.AGAINST_RULES,
        ReasonCode.BELOW_MINIMUM,
        ReasonCode.ABOVE_MAXIMUM,
        ReasonCode.UNKNOWN_INSTRUMENT,
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A code from the one enum, and a sentence with the figures."""

    code: ReasonCode
    message: str

    @property
    def may_pass(self) -> bool:
        """Whether the same, tried again, may be let through."""
        return self.code not in CANNOT_PASS

    @property
    def is_by_rules(self) -> bool:
        """Whether the rules of a market refuse it."""
        return self.code in BY_RULES
