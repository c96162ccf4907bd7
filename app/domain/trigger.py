"""Tell me when price source S of (venue, symbol) crosses a level, fixed or trailing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.enums import Direction, PriceSource, Side
from app.domain.identifiers import AggregateId, EpochMs, Symbol, VenueName

_HUNDRED = Decimal(100)

#: Digits after the point that a percentage may have: the trigger book counts in these.
PERCENT_PLACES = 10


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance from a price: in quote currency, or in percent of that price.

    Attributes:
        value: not below 0; a percentage is below 100, with at most `PERCENT_PLACES` places.
    """

    value: Decimal
    is_percent: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no distance."""
        if not self.value.is_finite() or self.value < 0:
            raise ValueError(f"an offset was {self.value}, below 0")
        if self.is_percent and self.value >= _HUNDRED:
            raise ValueError(f"an offset was {self.value} percent, not below 100")

    def of(self, price: Decimal) -> Decimal:
        """Return the distance that it is at this price, in full precision."""
        return price * self.value / _HUNDRED if self.is_percent else self.value

    def below(self, price: Decimal) -> Decimal:
        """Return the price that lies this far below."""
        return price - self.of(price)

    def above(self, price: Decimal) -> Decimal:
        """Return the price that lies this far above."""
        return price + self.of(price)

    def __str__(self) -> str:
        """Return, for instance, `500` or `1.5%`."""
        return f"{self.value:f}%" if self.is_percent else f"{self.value:f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A price to wait for. `owner` is told once when it is crossed.

    A fixed trigger has a `level` and no `trail`. A trailing one has a `trail`: a falling one fires
    at the highest price since it is active less the trail, a rising one at the lowest price plus
    it. It is active from the start, or from when the price has crossed `activation`.

    Attributes:
        direction: which way the price must go for it to fire.
        price_step: tick of the symbol, in which the book counts.
        trail: above 0.
        activates: which way the price must go for it to become active.
        looks_now: it is first compared with the newest price there is, if that is not stale, and a
            trailing one trails from there. Else the next tick is the first.
        slot: tells the triggers of one owner apart; no more than a word.
    """

    owner: AggregateId
    venue: VenueName
    symbol: Symbol
    source: PriceSource
    direction: Direction
    level: Decimal | None = None
    price_step: Decimal
    trail: Offset | None = None
    activation: Decimal | None = None
    activates: Direction | None = None
    looks_now: bool = False
    slot: str = ""

    def __post_init__(self) -> None:
        """Refuse what is neither a fixed level nor a trailing one."""
        if (self.level is None) is (self.trail is None):
            raise ValueError(f"trigger {self.owner} has level {self.level} and trail {self.trail}")
        if self.trail is not None and self.trail.value <= 0:
            raise ValueError(f"trigger {self.owner} trails by {self.trail}, not above 0")
        if (self.activation is None) is not (self.activates is None):
            raise ValueError(
                f"trigger {self.owner} activates {self.activates} at {self.activation}"
            )

    @property
    def stop(self) -> Decimal | None:
        """The price that its owner has named: its level, or that at which it becomes active."""
        return self.activation if self.level is None else self.level

    def sentence(self) -> str:
        """Return, for instance, `last reaches 1900` or `last falls 1.5% from 62000 on`."""
        if self.trail is None:
            return f"{self.source} reaches {self.level:f}"
        word = "falls" if self.direction is Direction.FALLING else "rises"
        since = "" if self.activation is None else f" from {self.activation:f} on"
        return f"{self.source} {word} {self.trail}{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerState:
    """Where an armed trigger stands now.

    Attributes:
        extreme: the highest or lowest price that it trails from; None unless it trails.
        level: the price at which it fires; None until its activation, or its first price, has come.
    """

    extreme: Decimal | None = None
    level: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What one tick has fired of one owner.

    Attributes:
        tick: number of the tick.
        prices: slot → price of the trigger's own source at that tick.
        extremes: slot of each that trailed → the best price that it had followed.
        at_ms: business time of the tick, or None where that is not known any more.
    """

    owner: AggregateId
    symbol: Symbol
    tick: int
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    extremes: Mapping[str, Decimal] = field(default_factory=dict)
    at_ms: EpochMs | None = field(default=None, compare=False)


def trailing_level(trigger: Trigger, extreme: Decimal) -> Decimal | None:
    """Return the price at which a trailing trigger fires, in full precision; None for a fixed one.

    Source: Poloniex documentation, "Create Smart Order" (trailingOffset).
    """
    if trigger.trail is None:
        return None
    if trigger.direction is Direction.FALLING:
        return trigger.trail.below(extreme)
    return trigger.trail.above(extreme)


def protective_direction(side: Side) -> Direction:
    """Return which way the price must go for a stop on this side: down for a sale."""
    return Direction.FALLING if side is Side.SELL else Direction.RISING
