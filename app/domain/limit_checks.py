"""Whether the limits of an account let an order go: what opens or adds to something, by figures."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal
from typing import Final, NamedTuple

from app.domain.enums import Market, PositionMode, ReasonCode, Side
from app.domain.identifiers import AccountName, EpochMs, OrderId, Symbol, quote_of
from app.domain.instrument import Instrument
from app.domain.limits import Limits
from app.domain.market import AccountView, Quote
from app.domain.moments import CLOCKS_APART_MS, age_ms
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.results import Results
from app.domain.status import OrderStatus
from app.domain.trading_hours import day_name

_HUNDRED: Final = Decimal(100)
_MINUTE_MS: Final = 60_000

#: Digits of a figure that was computed; one that is above a limit is told to be.
_TOLD: Final = Context(prec=12, rounding=ROUND_UP)

#: What may still trade: on its way, at the venue, or nobody knows.
_UNDER_WAY: Final = frozenset(
    {OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}
)

#: Of these nobody knows whether they have traded by now.
_IN_DOUBT: Final = frozenset({OrderStatus.PLACING, OrderStatus.UNKNOWN})


class Sent(NamedTuple):
    """An entry that was sent lately, by the business time of its newest claim."""

    order_id: OrderId
    symbol: Symbol
    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known when an order is checked; None is what nobody could tell.

    Attributes:
        now_ms: business time.
        orders: of the account, that may still trade, and that filled just now.
        sent: entries of the account, as far back as its limits look.
        shown_late_ms: how long a venue may take to show what was filled; 0 is not at all.
    """

    account: AccountName
    now_ms: EpochMs
    quote: Quote | None = None
    instrument: Instrument | None = None
    view: AccountView | None = None
    orders: Sequence[Order] | None = None
    sent: Sequence[Sent] | None = None
    results: Results | None = None
    shown_late_ms: int = 0


class _NotKnown(Exception):
    """What a limit depends on cannot be told just now."""


def refusal(limits: Limits, order: Order, known: Known) -> Reason | None:
    """Return why the limits deny an order, or None if none does.

    What only reduces is never denied; whether an order of one net position does, `opens` tells.
    What a limit depends on and is not known denies with `limits_unchecked`, unless another limit
    denies anyway.
    """
    return None if order.reduces else _first(_CHECKS, limits, order, known)


def lasting_refusal(limits: Limits, order: Order, known: Known) -> Reason | None:
    """Return why the limits will deny an order whenever it is sent, or None if none will for sure.

    Of one that waits for a price: hours, counts, and positions are others by then.
    """
    found = None if order.reduces else _first(_LASTING, limits, order, known)
    return None if found is None or found.code is ReasonCode.LIMITS_UNCHECKED else found


def is_net(order: Order) -> bool:
    """Tell whether an order works on one net position, in which it may close, open, or both."""
    return order.market is not Market.SPOT and order.position_side is None


def opens(order: Order, known: Known) -> bool | None:
    """Tell whether an order opens or adds to something as it fills; None is not certain.

    One of a net position takes from what is held on the other side. What has been filled just now,
    is being sent, or may have arrived, may be in that position already or not: on its own side it
    may have closed it, on the other side it may have opened it.
    """
    if order.reduces or not is_net(order):
        return not order.reduces
    if known.view is None or known.orders is None:
        return None
    size = _size_after(order, known.view, order.quantity)
    if size + _uncertain(order, known, order.side) <= 0:
        return False
    return True if size - _uncertain(order, known, order.side.opposite) > 0 else None


_Check = Callable[[Limits, Order, Known], str | None]


def _first(
    checks: Sequence[tuple[ReasonCode, _Check]], limits: Limits, order: Order, known: Known
) -> Reason | None:
    unknown = None
    for code, check in checks:
        try:
            message = check(limits, order, known)
        except _NotKnown as error:
            unknown = unknown or Reason(
                ReasonCode.LIMITS_UNCHECKED,
                f"{code} of account {known.account} cannot be checked: {error}",
            )
        else:
            if message is not None:
                return Reason(code, f"{message} of account {known.account}")
    return unknown


def _symbol(limits: Limits, order: Order, _: Known) -> str | None:
    if not limits.allowed_symbols or order.symbol in limits.allowed_symbols:
        return None
    allowed = ", ".join(limits.allowed_symbols[:10])
    more = len(limits.allowed_symbols) - 10
    rest = f" and {more} more" if more > 0 else ""
    return f"{order.symbol} is not among the allowed symbols {allowed}{rest}"


def _hours(limits: Limits, _: Order, known: Known) -> str | None:
    hours = limits.trading_hours
    if hours is None or hours.contains(known.now_ms):
        return None
    return f"{day_name(hours.local(known.now_ms))} is outside of the trading hours {hours}"


def _value(limits: Limits, order: Order, known: Known) -> str | None:
    most = limits.max_order_value
    if most is None:
        return None
    value = _value_of(order, known)
    return _above("order value", value, most, order.symbol) if value > most else None


def _collar(limits: Limits, order: Order, known: Known) -> str | None:
    percent = limits.price_collar_percent
    if percent is None:
        return None
    touch = _touch(order, known)
    price = touch if order.price is None else order.price
    references = {"the market's": None if order.price is None else touch}
    references["the alert's"] = order.alert_price
    for whose, reference in references.items():
        if reference is None or reference <= 0:
            continue
        off = abs(price - reference) / reference * _HUNDRED
        if off > percent:
            return (
                f"price {plain(price)} is {_told(off)} % off {whose} {plain(reference)}, "
                f"more than the collar of {plain(percent)} %"
            )
    return None


def _open_orders(limits: Limits, order: Order, known: Known) -> str | None:
    most = limits.max_open_orders
    if most is None:
        return None
    count = sum(one.status in _UNDER_WAY for one in _others(order, known))
    if count < most:
        return None
    return f"open orders were {count}, as many as the limit of {most}"


def _rate(limits: Limits, order: Order, known: Known) -> str | None:
    most = limits.max_orders_per_minute
    if most is None:
        return None
    count = sum(_age_ms(one, known) < _MINUTE_MS for one in _sent_besides(order, known))
    if count < most:
        return None
    return f"orders of the last minute were {count}, as many as the limit of {most}"


def _cooldown(limits: Limits, order: Order, known: Known) -> str | None:
    seconds = limits.cooldown_seconds
    if seconds is None:
        return None
    ages = [
        _age_ms(one, known) for one in _sent_besides(order, known) if one.symbol == order.symbol
    ]
    if not ages or min(ages) >= seconds * 1_000:
        return None
    return (
        f"the last entry of {order.symbol} was sent {_told(Decimal(min(ages)) / 1000)} s ago, "
        f"within the cooldown of {seconds} s"
    )


def _position(limits: Limits, order: Order, known: Known) -> str | None:
    most = limits.max_position_value
    if most is None:
        return None
    if known.view is None:
        raise _NotKnown("the positions are not known just now")
    touch = _touch(order, known)
    # A limit that rests fills at its own price; what is held is worth the market's.
    price = max(touch, order.price or touch)
    quantity = order.quantity if order.amount is None else order.amount / price
    certain = quantity + _under_way(order, known, _UNDER_WAY - {OrderStatus.PLACING})
    size = _size_after(order, known.view, certain)
    value = _notional(max(size, Decimal(0)), price, known)
    if value > most:
        return _above("position value", value, most, order.symbol)
    # What is being sent is perhaps in the position already, and what was filled perhaps not yet.
    placing = _under_way(order, known, frozenset({OrderStatus.PLACING}))
    doubtful = size + placing + _shown_late(order, known, order.side)
    if _notional(max(doubtful, Decimal(0)), price, known) > most:
        raise _NotKnown(f"orders of {order.symbol} are being sent, or were filled, just now")
    return None


def _loss(limits: Limits, order: Order, known: Known) -> str | None:
    most = limits.max_daily_loss
    if most is None:
        return None
    if known.results is None:
        raise _NotKnown("the result of today is not known")
    quote = quote_of(order.symbol)
    loss = known.results.loss(quote, known.now_ms)
    if loss < most:
        return None
    return f"{_told(loss)} {quote} were lost today, as much as the limit of {plain(most)} {quote}"


#: All of them, the plainest first.
_CHECKS: Final[Sequence[tuple[ReasonCode, _Check]]] = (
    (ReasonCode.ALLOWED_SYMBOLS, _symbol),
    (ReasonCode.TRADING_HOURS, _hours),
    (ReasonCode.MAX_DAILY_LOSS, _loss),
    (ReasonCode.MAX_ORDER_VALUE, _value),
    (ReasonCode.PRICE_COLLAR_PERCENT, _collar),
    (ReasonCode.MAX_OPEN_ORDERS, _open_orders),
    (ReasonCode.MAX_ORDERS_PER_MINUTE, _rate),
    (ReasonCode.COOLDOWN_SECONDS, _cooldown),
    (ReasonCode.MAX_POSITION_VALUE, _position),
)

#: Those that no time and no fill changes.
_LASTING: Final = ((ReasonCode.ALLOWED_SYMBOLS, _symbol), (ReasonCode.MAX_ORDER_VALUE, _value))


# Figures


def _above(what: str, value: Decimal, most: Decimal, symbol: Symbol) -> str:
    quote = quote_of(symbol)
    return f"{what} {_told(value)} {quote} is above the limit of {plain(most)} {quote}"


def _told(value: Decimal) -> str:
    return plain(_TOLD.plus(value))


def _touch(order: Order, known: Known) -> Decimal:
    touch = Decimal(0) if known.quote is None else known.quote.touch(order.side)
    if touch <= 0:
        raise _NotKnown(f"no price of {order.symbol} is known")
    return touch


def _notional(quantity: Decimal, price: Decimal, known: Known) -> Decimal:
    if known.instrument is None or known.instrument.contract_size is None:
        raise _NotKnown("how much it is worth, nobody knows")
    return known.instrument.notional(quantity, price)


def _value_of(order: Order, known: Known) -> Decimal:
    if order.amount is not None:
        return order.amount
    price = _touch(order, known) if order.price is None else order.price
    return _notional(order.quantity, price, known)


def _others(order: Order, known: Known) -> list[Order]:
    """Return the other orders of the account, but for the one that this takes the place of."""
    if known.orders is None:
        raise _NotKnown("the orders under way are not known")
    replaced = None if order.succeeds is None else order.succeeds.order_id
    return [one for one in known.orders if one.id not in {order.id, replaced}]


def _sent_besides(order: Order, known: Known) -> list[Sent]:
    if known.sent is None:
        raise _NotKnown("the orders of the last minutes are not known")
    return [one for one in known.sent if one.order_id != order.id]


def _age_ms(sent: Sent, known: Known) -> int:
    """Return how long ago it was sent; of a clock that was set back since, long ago."""
    age = known.now_ms - sent.at_ms
    return max(age, 0) if age >= -CLOCKS_APART_MS else -age


def _size_after(order: Order, view: AccountView, quantity: Decimal) -> Decimal:
    """Return the size on the side of an order when so much more is traded on it.

    Of one net position what is held on the other side counts below 0.
    """
    if order.market is Market.SPOT:
        return view.held(order.symbol, None).size + quantity
    leg = order.position_side or order.side.opens
    held = view.position(order.symbol, leg).size
    if order.position_side is None or view.position_mode is PositionMode.ONEWAY:
        held -= view.position(order.symbol, leg.opposite).size
    return held + quantity


def _works_beside(order: Order, other: Order, side: Side) -> bool:
    same = (other.symbol, other.side) == (order.symbol, side)
    return same and other.position_side is order.position_side


def _under_way(order: Order, known: Known, statuses: Collection[OrderStatus]) -> Decimal:
    """Return how much other entries may still trade on its side, as if it was traded already."""
    beside = [
        one
        for one in _others(order, known)
        if one.status in statuses and _works_beside(order, one, order.side) and not one.reduces
    ]
    return sum((_rest(one, known) for one in beside), Decimal(0))


def _uncertain(order: Order, known: Known, side: Side) -> Decimal:
    """Return how much of others on one side may be in the position already or not, exits too."""
    beside = [
        one
        for one in _others(order, known)
        if one.status in _IN_DOUBT and _works_beside(order, one, side)
    ]
    rest = sum((_rest(one, known) for one in beside), Decimal(0))
    return rest + _shown_late(order, known, side)


def _rest(order: Order, known: Known) -> Decimal:
    if order.amount is None:
        return order.remaining_quantity
    price = order.average_price or _touch(order, known)
    return max(order.amount / price - order.filled_quantity, Decimal(0))


def _shown_late(order: Order, known: Known, side: Side) -> Decimal:
    """Return what others have filled on one side that their venue may not show yet."""
    late = [
        one
        for one in _others(order, known)
        if one.filled_quantity
        and age_ms(one.updated_at_ms, known.now_ms) < known.shown_late_ms
        and _works_beside(order, one, side)
    ]
    return sum((one.filled_quantity for one in late), Decimal(0))
