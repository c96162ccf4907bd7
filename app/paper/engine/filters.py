"""What the venue refuses at the door, each refusal with its figures."""

from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Direction, Market, OrderType, PositionMode, ReasonCode, Side
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.domain.reason import Reason
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import HOLDS, PaperOrder
from app.paper.engine.depth import fires, reaches

_NOTHING = Decimal(0)


def refusal(
    account: PaperAccount, order: PaperOrder, instrument: Instrument | None, quote: Quote | None
) -> Reason | None:
    """Return why the order is not even looked at, or None if it is.

    Args:
        account: as it is before the order.
        order: newly arrived.
        instrument: None when the symbol is not traded in the order's market.
        quote: None when no price is known.
    """
    if instrument is None or order.market is not account.market:
        return Reason(
            ReasonCode.UNKNOWN_INSTRUMENT,
            f"{order.symbol} is not traded in the {order.market} market of this account",
        )
    return (
        _market(account, order)
        or _stop(order)
        or _steps(order, instrument)
        or _position(account, order)
        or _price(order, instrument, quote)
        or _level(order, quote)
        or _size(order, instrument, quote)
    )


def _market(account: PaperAccount, order: PaperOrder) -> Reason | None:
    if order.market is Market.SPOT or account.position_mode is PositionMode.ONEWAY:
        return None
    if order.position_side is None:
        return _refused("a hedge account needs the position side: LONG or SHORT")
    if order.reduce_only and order.reduces is None:
        return _refused(f"a {order.side} opens a {order.position_side}, it cannot reduce it")
    return None


def _stop(order: PaperOrder) -> Reason | None:
    """Return why a stop cannot rest here."""
    condition = order.condition
    if condition is None:
        return None
    if order.reduces is None and (order.market, order.side) != (Market.SPOT, Side.SELL):
        return _refused("a stop may rest here only if it sells coins or reduces a position")
    if condition.source not in HOLDS[order.market]:
        return _refused(f"no stop of the {order.market} market waits for the {condition.source}")
    return None


def _steps(order: PaperOrder, instrument: Instrument) -> Reason | None:
    # Not by `%`, which gives up where the quotient has more digits than its context.
    if instrument.quantity(order.quantity) != order.quantity:
        return _off_step("quantity", order.quantity, instrument.quantity_step)
    level = None if order.condition is None else order.condition.level
    for name, price in (("price", order.price), ("level", level)):
        if price is not None and (price <= 0 or instrument.price(price, order.side) != price):
            return _off_step(name, price, instrument.price_step)
    return None


def _off_step(name: str, value: Decimal, step: Decimal) -> Reason:
    return Reason(
        ReasonCode.AGAINST_RULES, f"{name} was {plain(value)}, not a multiple of {plain(step)}"
    )


def _position(account: PaperAccount, order: PaperOrder) -> Reason | None:
    """Return why an order reduces nothing, or more than there is, which hedge mode refuses.

    In one-way mode what is too much is cut off when it fills (Binance, "New Order", reduceOnly).
    """
    if order.reduces is None:
        return None
    held = account.leg(order.symbol, order.reduces).size
    is_hedged = account.position_mode is PositionMode.HEDGE
    if held > 0 and not (is_hedged and order.quantity > held):
        return None
    return Reason(
        ReasonCode.WOULD_NOT_REDUCE,
        f"quantity was {plain(order.quantity)}, the {order.reduces} in {order.symbol} "
        f"is {plain(held)}",
    )


def _price(order: PaperOrder, instrument: Instrument, quote: Quote | None) -> Reason | None:
    if quote is None:
        if order.type is OrderType.MARKET:
            return Reason(ReasonCode.NO_PRICE, f"no price of {order.symbol} is known")
        return None
    if order.price is None:
        return None
    if order.type is OrderType.LIMIT_MAKER and reaches(quote, order.side, order.price):
        return Reason(
            ReasonCode.WOULD_TAKE,
            f"post only, and it would have taken: price was {plain(order.price)}, "
            f"the opposite touch {plain(quote.touch(order.side))}",
        )
    return instrument.beyond_band(order.price, order.side, quote.last)


def _level(order: PaperOrder, quote: Quote | None) -> Reason | None:
    """Return why a stop would not wait at all.

    There is no other bound: those of limits are about prices at which something trades, and a stop
    is far from the price as a rule.
    """
    condition = order.condition
    if condition is None or quote is None or not fires(quote, condition):
        return None
    word = "rise" if condition.direction is Direction.RISING else "fall"
    return Reason(
        ReasonCode.WOULD_TRIGGER,
        f"it would trigger at once: it waits for the {condition.source} to {word} to "
        f"{plain(condition.level)}, which was {plain(quote.of(condition.source))}",
    )


def _size(order: PaperOrder, instrument: Instrument, quote: Quote | None) -> Reason | None:
    price = order.price
    if price is None:
        price = quote.touch(order.side) if quote is not None else _NOTHING
        if order.condition is not None:  # about where it will trade
            price = order.condition.level
        instrument = instrument.at_market()
    if order.amount is not None:
        return _amount(order, order.amount, instrument, price)
    if order.reduces is not None:  # what only reduces is exempt from the minimums, as elsewhere
        instrument = instrument.reducing()
    return instrument.refusal(order.quantity, price)


def _amount(
    order: PaperOrder, amount: Decimal, instrument: Instrument, price: Decimal
) -> Reason | None:
    """Return why an amount of quote currency is too small or too large; it is its own notional."""
    if order.market is not Market.SPOT:
        return _refused("an amount of quote currency can be spent in the spot market only")
    if amount < instrument.min_notional:
        return Reason(
            ReasonCode.BELOW_MINIMUM,
            f"amount was {plain(amount)}, the least notional is {plain(instrument.min_notional)}",
        )
    bought = instrument.quantity(amount / price)
    return replace(instrument, min_notional=_NOTHING).refusal(bought, price)


def _refused(message: str) -> Reason:
    return Reason(ReasonCode.VENUE_REJECTED, message)
