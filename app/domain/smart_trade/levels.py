"""At which prices the exits of a smart trade rest at its venue, and where ours stands beside them.

Coins of what rests are held there, so a trade has resting profits or a resting stop, never both.
"""

from decimal import Decimal

from app.domain.enums import OrderType, PriceSource, Side
from app.domain.instrument import on_tick
from app.domain.smart_trade.enums import StepKind, StepStatus, TakeProfitType
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.trigger import protective_direction

_HUNDRED = Decimal(100)

#: A trailing stop of the venue follows when its level would move by this share of the distance that
#: it keeps from ours: while it is replaced, none is there.
_FOLLOWS_BY = Decimal("0.1")


def limit_price(trade: SmartTrade, step: Step) -> Decimal | None:
    """Return the limit at which a take-profit step sells; None at the market."""
    terms = trade.take_profit
    if step.order_type is OrderType.MARKET or terms is None:
        return None
    wanted = step.price if terms.type is TakeProfitType.STEP_SELL else terms.order_price
    return None if wanted is None else trade.instrument.price(wanted, trade.type.exit_side)


def rest_price(trade: SmartTrade, step: Step) -> Decimal | None:
    """Return the limit at which a step's order rests from the entry on; None if it does not.

    No worse than the step's condition either, which nobody waits for: an order price on its near
    side could fill at once. What sells coins that are not bought by the trade locks none of them.
    """
    limit = limit_price(trade, step)
    if limit is None or step.price is None or trade.entry is None or not trade.exits.profits_rest:
        return None
    condition = trade.instrument.price(step.price, trade.type.exit_side)
    return max(limit, condition) if trade.type.exit_side is Side.SELL else min(limit, condition)


def stop_of(trade: SmartTrade) -> Step | None:
    """Return the stop that is watched, if there is one."""
    steps = trade.steps_of(StepKind.STOP_LOSS)
    return next((one for one in steps if one.status is StepStatus.IDLE), None)


def venue_level(trade: SmartTrade) -> Decimal | None:
    """Return the last price at which the venue is to stop the loss; None if it is not to.

    It does so for coins that the trade has bought, unless take-profits of it rest on the book.
    """
    stop = stop_of(trade)
    if stop is None or stop.price is None or trade.stop_loss is None:
        return None
    if trade.entry is None or trade.type.exit_side is Side.BUY:
        return None
    further = _beyond(trade, stop.price)
    if further is None:
        return None
    profits = trade.steps_of(StepKind.TAKE_PROFIT)
    if any(rest_price(trade, one) is not None for one in profits if not one.is_final):
        return None
    price = stop.price if _is_venue_first(trade, stop) else further
    # As the venue takes it, and no nearer than it is.
    level = on_tick(price, trade.instrument.step_at(price), Side.BUY)
    return level if level > 0 else None


def our_level(trade: SmartTrade, stop: Step, price: Decimal) -> Decimal:
    """Return the price at which ours fires: beyond the venue's while that rests and goes first."""
    resting = trade.resting_stop
    is_held = resting is not None and resting.rests and resting.level == venue_level(trade)
    further = _beyond(trade, price) if is_held and _is_venue_first(trade, stop) else None
    return price if further is None else further


def follow_level(trade: SmartTrade, stop: Step) -> Decimal | None:
    """Return the best price at which the venue's stop follows a trailing one; None if it does not.

    Its order is taken off and placed anew, so it does not follow each step of the price.
    """
    percent, best = trade.exits.beyond_percent, stop.extreme
    is_followed = trade.venue_stop.again_at_ms is None and trade.resting_stop is not None
    if percent is None or best is None or not is_followed:
        return None
    return best * (1 + percent * _FOLLOWS_BY / _HUNDRED)


def _is_venue_first(trade: SmartTrade, stop: Step) -> bool:
    """Tell whether the venue can do all that the stop is to do: a fixed last price, and at once."""
    terms = trade.stop_loss
    is_plain = stop.source is PriceSource.LAST and stop.order_type is OrderType.MARKET
    has_timeout = terms is not None and terms.timeout_seconds is not None
    return trade.exits.venue_first and is_plain and not (stop.is_trailing or has_timeout)


def _beyond(trade: SmartTrade, price: Decimal) -> Decimal | None:
    return trade.exits.beyond(price, protective_direction(trade.type.exit_side))
