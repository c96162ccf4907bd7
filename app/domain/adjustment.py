"""What is set at a venue for an account rather than for an order: leverage, position mode."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.enums import PositionMode
from app.domain.identifiers import AccountId, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A wish about an account at its venue. Twice is once.

    Attributes:
        symbol: whose leverage it is.
        leverage: with which it shall be traded; None leaves it alone.
        position_mode: in which positions shall be held; None leaves it alone.
    """

    account: AccountId
    symbol: Symbol | None = None
    leverage: int | None = None
    position_mode: PositionMode | None = None

    def __post_init__(self) -> None:
        """Let it say one thing only."""
        if (self.leverage is None) is not (self.symbol is None):
            raise ValueError(f"a leverage of {self.leverage} for symbol {self.symbol}")
        if (self.leverage is None) is (self.position_mode is None):
            raise ValueError("neither leverage nor position mode, or both")

    def sentence(self) -> str:
        """Return, for instance, `set leverage of BTC/USDT to 5`."""
        if self.leverage is None:
            return f"set position mode to {self.position_mode}"
        return f"set leverage of {self.symbol} to {self.leverage}"


class Outcome(StrEnum):
    """What became of an adjustment."""

    DONE = "DONE"
    REJECTED = "REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN = "UNKNOWN"
