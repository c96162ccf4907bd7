"""What the venue refuses at the door, each refusal with its figures."""

from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Market, OrderType, PositionMode, ReasonCode
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.domain.reason import Reason
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.depth import reaches

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
        or _steps(order, instrument)
        or _position(account, order)
        or _price(order, quote)
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


def _steps(order: PaperOrder, instrument: Instrument) -> Reason | None:
    # Not by `%`, which gives up where the quotient has more digits than its context.
    if instrument.quantity(order.quantity) != order.quantity:
        return _refused(
            f"quantity was {plain(order.quantity)}, "
            f"not a multiple of {plain(instrument.quantity_step)}"
        )
    price = order.price
    if price is not None and (price <= 0 or instrument.price(price, order.side) != price):
        return _refused(
            f"price was {plain(price)}, not a multiple of {plain(instrument.price_step)}"
        )
    return None


def _position(account: PaperAccount, order: PaperOrder) -> Reason | None:
    if order.reduces is None or account.leg(order.symbol, order.reduces).size > 0:
        return None
    return Reason(ReasonCode.NO_POSITION, f"no {order.reduces} in {order.symbol} to reduce")


def _price(order: PaperOrder, quote: Quote | None) -> Reason | None:
    if quote is None:
        if order.type is OrderType.MARKET:
            return Reason(ReasonCode.NO_PRICE, f"no price of {order.symbol} is known")
        return None
    takes = order.price is not None and reaches(quote, order.side, order.price)
    if order.type is OrderType.LIMIT_MAKER and takes:
        return Reason(
            ReasonCode.WOULD_TAKE,
            f"price was {plain(order.price or _NOTHING)}, "
            f"the opposite touch {plain(quote.touch(order.side))}",
        )
    return None


def _size(order: PaperOrder, instrument: Instrument, quote: Quote | None) -> Reason | None:
    price = order.price
    if price is None:
        price = quote.touch(order.side) if quote is not None else _NOTHING
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
