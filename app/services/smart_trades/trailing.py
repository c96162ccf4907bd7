"""What of a smart trade only the trigger book and the venue know: live levels, the newest price."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.enums import Direction
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market import Quote
from app.domain.smart_trade.enums import StepKind
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watch import Watch
from app.domain.smart_trade.watching import trailing_level, trigger_of
from app.ports import Ports

#: Account and symbol → the newest prices, None if none are known.
Quotes = dict[tuple[AccountId, Symbol], Quote | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingPrice:
    """How far a trailing step has come.

    Attributes:
        extreme: the best price since it trails.
        level: the price at which it fires.
        at_ms: when an extreme was last stored with the trade.
    """

    extreme: Decimal
    level: Decimal
    at_ms: EpochMs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeView:
    """A trade with what is not stored with it.

    Attributes:
        quote: the newest prices, None if none are known.
        trailing: id of a step that trails now → how far it has come; steps that have ended keep
            what is stored with them.
    """

    trade: SmartTrade
    quote: Quote | None
    trailing: Mapping[AggregateId, TrailingPrice]

    @property
    def stop_level(self) -> Decimal | None:
        """Where a trailing stop stands now; None if none trails."""
        stops = self.trade.steps_of(StepKind.STOP_LOSS)
        return next((self.trailing[one.id].level for one in stops if one.id in self.trailing), None)


def view_of(trade: SmartTrade, ports: Ports, known: Quotes | None = None) -> TradeView:
    """Return the trade with the newest prices and live trailing levels.

    Args:
        trade: to look at.
        ports: tell the rest.
        known: account and symbol → prices that were looked up for others of one list, and gain what
            is looked up for this one.
    """
    quotes = {} if known is None else known
    where = trade.account, trade.symbol
    if where not in quotes:
        venue = ports.venues.of(ports.accounts.account(trade.account))
        quotes[where] = venue.quote(trade.symbol)
    trailing: dict[AggregateId, TrailingPrice] = {}
    for watch in trade.watches:
        step = trade.step(watch.aim.step_id)
        if watch.is_wanted and watch.aim.trailing_percent is not None and step is not None:
            found = _trailing(trade, step, watch, ports)
            if found is not None:
                trailing[step.id] = found
    return TradeView(trade=trade, quote=quotes[where], trailing=trailing)


def _trailing(trade: SmartTrade, step: Step, watch: Watch, ports: Ports) -> TrailingPrice | None:
    """Return the better of what the book has followed and what is stored with the step."""
    if step.extreme is None or step.trailing_percent is None:
        return None
    standing = ports.book.standing(trigger_of(trade, watch))
    direction = watch.aim.direction
    best = max if direction is Direction.FALLING else min
    extreme, seen = step.extreme, None if standing is None else standing.extreme
    if seen is not None:
        extreme = best(extreme, seen)
    level = trailing_level(extreme, step.trailing_percent, direction)
    if step.kind is StepKind.STOP_LOSS and step.price is not None:
        level = best(level, step.price)  # where it began: a stop never loosens
    return TrailingPrice(
        extreme=extreme,
        level=level,
        at_ms=step.extreme_at_ms,
    )
