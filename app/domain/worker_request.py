"""What a worker shall do for an account at its venue while somebody waits, and its answer."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.effects import Effect, EffectKind
from app.domain.enums import PositionMode
from app.domain.finding import Finding
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market_data import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What shall be set for an account rather than for an order. Twice is once.

    Attributes:
        symbol: whose leverage it is.
        leverage: with which it shall be traded; None leaves it alone.
        position_mode: in which positions shall be held; None leaves it alone.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What shall be asked of a venue; its trading rules are in any case.

    Attributes:
        symbols: whose prices.
        view: what the account has.
        orders: how its open orders stand.
        looks: what everybody may see.
    """

    symbols: tuple[Symbol, ...] = ()
    view: bool = False
    orders: bool = False
    looks: tuple[Look, ...] = ()

    def sentence(self) -> str:
        """Return, for instance, `ask for prices of BTC/USDT`."""
        if self.looks:
            return "look at " + ", ".join(f"{one.kind} {one.symbol or ''}" for one in self.looks)
        return f"ask for prices of {', '.join(self.symbols)}" if self.symbols else "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRequest:
    """Something that a worker shall do for an account.

    Attributes:
        kind: ADJUST, INSPECT, LEARN or RECONCILE.
        asked_ms: server time at which it was wanted.
        until_ms: server time from which on nobody begins with it.
        adjustment: what shall be set, where it is to adjust.
        question: what shall be asked, where it is to learn.
    """

    id: AggregateId
    kind: EffectKind
    account: AccountId
    asked_ms: EpochMs
    until_ms: EpochMs
    adjustment: Adjustment | None = None
    question: Question | None = None

    def effect(self) -> Effect:
        """Return the message that has a worker look at it."""
        what = self.adjustment or self.question
        return Effect(
            kind=self.kind,
            target=self.id,
            # Questions are as many as people ask: they leave threads to cancels and exits.
            urgent=self.kind is EffectKind.ADJUST,
            about=str(self.kind) if what is None else what.sentence(),
            account=self.account,
        )


class Outcome(StrEnum):
    """What became of a request."""

    DONE = "DONE"
    REJECTED = "REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAnswer:
    """What a worker has to say about a request.

    Attributes:
        message: why it was not done.
        findings: what was found, where it was to inspect.
    """

    outcome: Outcome = Outcome.DONE
    message: str = ""
    findings: tuple[Finding, ...] = ()
