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

#: The limits of an account, which bound what opens or adds to something.
BY_LIMITS = frozenset(
    {
        ReasonCode.MAX_ORDER_VALUE,
        ReasonCode.MAX_POSITION_VALUE,
        ReasonCode.MAX_OPEN_ORDERS,
        ReasonCode.MAX_ORDERS_PER_MINUTE,
        ReasonCode.MAX_DAILY_LOSS,
        ReasonCode.ALLOWED_SYMBOLS,
        ReasonCode.COOLDOWN_SECONDS,
        ReasonCode.PRICE_COLLAR_PERCENT,
        ReasonCode.TRADING_HOURS,
        ReasonCode.LIMITS_UNCHECKED,
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

    @property
    def is_by_limits(self) -> bool:
        """Whether the limits of its account refuse it, or cannot be checked."""
        return self.code in BY_LIMITS
