"""The matching engine: pure functions from an account and an order to both of them afterwards.

A taker pays the touch, and the depth behind it if depth is known. What rests fills at its own
price when the opposite touch reaches it at a later tick. A stop rests, too, and becomes a taker at
the later tick whose price reaches its level. Depth is what each order finds: orders of different
people do not take it from one another.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.enums import (
    Market,
    OrderType,
    PositionMode,
    PositionSide,
    ReasonCode,
    TimeInForce,
)
from app.domain.identifiers import EpochMs, TradeId
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.domain.reason import Reason
from app.domain.report import Fill
from app.domain.status import OrderStatus
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.depth import fires, offered_to, reaches, takes, takes_for
from app.paper.engine.executions import traded_futures, traded_spot
from app.paper.engine.filters import refusal
from app.paper.engine.reservations import held, released, shortfall

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An account and one of its orders, after something happened to both."""

    account: PaperAccount
    order: PaperOrder


def reduced_leg(account: PaperAccount, order: PaperOrder) -> PositionSide | None:
    """Return the leg that an arriving order may only reduce, or None where it may open.

    A hedge account's close reduces even if nobody flagged it so.
    """
    if order.market is Market.SPOT:
        return None
    closes = order.side.opens.opposite
    if account.position_mode is PositionMode.HEDGE:
        return closes if order.position_side is closes else None
    return closes if order.reduce_only else None


def place(
    account: PaperAccount, order: PaperOrder, instrument: Instrument | None, quote: Quote | None
) -> Outcome:
    """Let an order arrive: it is refused, trades, rests, or is canceled, in parts if need be.

    Args:
        account: as it is now.
        order: NEW, without fills and holds.
        instrument: None when the symbol is not traded.
        quote: None when no price is known; then a limit order rests, and a stop is refused.
    """
    arrived = replace(order, reduces=reduced_leg(account, order))
    refused = refusal(account, arrived, instrument, quote)
    if refused is None and arrived.amount is not None:
        return _bought(account, arrived, instrument, quote)
    if refused is None:
        # A limit order must be good for its whole quantity at its own price, as at any exchange.
        refused = shortfall(account, held(account, arrived)[0], arrived)
    if refused is not None:
        return Outcome(account, _closed(arrived, OrderStatus.REJECTED, refused))
    if arrived.condition is not None:
        return Outcome(*held(account, arrived))
    return _executed(account, arrived, quote)


def match(
    account: PaperAccount, order: PaperOrder, quote: Quote, tick: int, at_ms: EpochMs
) -> Outcome:
    """Let a resting order meet a tick. Meeting the same tick again, or an older one, is nothing."""
    before = Outcome(account, order)
    if not order.is_open or order.tick >= tick:
        return before
    if order.condition is not None:
        fired = fires(quote, order.condition)
        met = replace(order, tick=tick, updated_at_ms=at_ms)
        return _fired(account, met, quote) if fired else before
    if order.price is None or not reaches(quote, order.side, order.price):
        return before
    met = replace(order, tick=tick, updated_at_ms=at_ms)
    wanted = _reducible(account, met)
    if wanted <= 0:
        return cancel(account, met, _no_position(met), at_ms)
    quantity = offered_to(quote, met.side, order.price, wanted)
    if quantity <= 0:
        return before
    free = Outcome(*released(account, met))
    done = _settled(_filled(free, quantity, order.price, is_maker=True))
    short = shortfall(account, done.account, met) if _costs(account, done) else None
    return done if short is None else cancel(account, met, short, at_ms)


def cancel(account: PaperAccount, order: PaperOrder, reason: Reason, at_ms: EpochMs) -> Outcome:
    """Take an open order off and give back what it holds; a closed one stays as it is."""
    if not order.is_open:
        return Outcome(account, order)
    freed, loose = released(account, replace(order, updated_at_ms=at_ms))
    return Outcome(freed, _closed(loose, OrderStatus.CANCELED, reason))


def _fired(account: PaperAccount, order: PaperOrder, quote: Quote) -> Outcome:
    """Let a stop go to the market, for no more than is there by now.

    One that finds nothing has EXPIRED, as at Binance ("Conditional Order Trigger Reject").
    """
    freed, loose = released(account, order)
    if _reducible(freed, loose) <= 0:
        return Outcome(freed, _closed(loose, OrderStatus.EXPIRED, _no_position(loose)))
    return _executed(freed, loose, quote)


def _executed(account: PaperAccount, order: PaperOrder, quote: Quote | None) -> Outcome:
    """Let an order take what the market offers to it; the rest of it may rest."""
    taken = _taken(account, order, quote)
    if order.time_in_force is TimeInForce.FOK and _sum(taken) < order.quantity:
        return Outcome(account, _out_of_time(order))
    done = Outcome(account, order)
    for price, quantity in taken:
        done = _filled(done, quantity, price, is_maker=False)
    done = _settled(done)
    refused = shortfall(account, done.account, order) if _costs(account, done) else None
    if refused is not None:
        return Outcome(account, _closed(order, OrderStatus.REJECTED, refused))
    return done


def _bought(
    account: PaperAccount, order: PaperOrder, instrument: Instrument | None, quote: Quote | None
) -> Outcome:
    """Let a market buy spend its amount, of which all must be free, down to less than a lot."""
    assert order.amount is not None  # noqa: S101 - for types; the filters have seen to the rest
    assert instrument is not None  # noqa: S101
    assert quote is not None  # noqa: S101
    free = account.free(order.pays_in)
    if free < order.amount:
        lack = f"it has {plain(free)} {order.pays_in} to spend, not {plain(order.amount)}"
        reason = Reason(ReasonCode.INSUFFICIENT_FUNDS, lack)
        return Outcome(account, _closed(order, OrderStatus.REJECTED, reason))
    taken, left = takes_for(quote, order.amount, instrument)
    rest = f"{plain(left)} of {plain(order.amount)} {order.pays_in} could not be spent at once"
    unspent = Reason(ReasonCode.TIME_IN_FORCE, rest)
    if left and order.time_in_force is TimeInForce.FOK:
        return Outcome(account, _closed(order, OrderStatus.CANCELED, unspent))
    done = Outcome(account, replace(order, quantity=_sum(taken)))
    for price, quantity in taken:
        done = _filled(done, quantity, price, is_maker=False)
    if left:
        return Outcome(done.account, _closed(done.order, OrderStatus.CANCELED, unspent))
    return Outcome(done.account, replace(done.order, status=OrderStatus.FILLED))


def _taken(
    account: PaperAccount, order: PaperOrder, quote: Quote | None
) -> tuple[tuple[Decimal, Decimal], ...]:
    if quote is None or order.type is OrderType.LIMIT_MAKER:
        return ()
    return takes(quote, order.side, order.price, _reducible(account, order))


def _reducible(account: PaperAccount, order: PaperOrder) -> Decimal:
    """Return the remaining quantity, of a reducing order no more than there is to reduce now."""
    if order.reduces is None:
        return order.remaining_quantity
    return min(order.remaining_quantity, account.leg(order.symbol, order.reduces).size)


def _filled(done: Outcome, quantity: Decimal, price: Decimal, *, is_maker: bool) -> Outcome:
    order, fees = done.order, done.account.fees
    traded = traded_spot if order.market is Market.SPOT else traded_futures
    trade = traded(done.account, order, quantity, price, fees.maker if is_maker else fees.taker)
    fill = Fill(
        trade_id=TradeId(f"{order.number}-{len(order.fills) + 1}"),
        quantity=quantity,
        price=price,
        fee=trade.fee,
        fee_currency=trade.fee_currency,
        at_ms=order.updated_at_ms,
        is_maker=is_maker,
    )
    return Outcome(
        trade.account,
        replace(order, fills=(*order.fills, fill), position_after=trade.leg_size),
    )


def _settled(done: Outcome) -> Outcome:
    """Decide what becomes of the part that is not filled."""
    account, order = done.account, done.order
    if order.remaining_quantity == 0:
        return Outcome(account, replace(order, status=OrderStatus.FILLED))
    if order.fills and _reducible(account, order) == 0:
        return Outcome(account, _closed(order, OrderStatus.CANCELED, _no_position(order)))
    if not order.may_rest:
        return Outcome(account, _out_of_time(order))
    status = OrderStatus.PARTIALLY_FILLED if order.fills else OrderStatus.NEW
    return Outcome(*held(account, replace(order, status=status)))


def _costs(before: PaperAccount, done: Outcome) -> bool:
    """Tell whether anything was spent or held, as opposed to a position merely reduced."""
    if done.order.market is Market.SPOT or done.order.hold:
        return True
    opens = done.order.side.opens
    symbol = done.order.symbol
    return done.account.leg(symbol, opens).size > before.leg(symbol, opens).size


def _out_of_time(order: PaperOrder) -> PaperOrder:
    reason = Reason(
        ReasonCode.TIME_IN_FORCE,
        f"{plain(order.remaining_quantity)} of {plain(order.quantity)} could not be had at once",
    )
    return _closed(order, OrderStatus.CANCELED, reason)


def _no_position(order: PaperOrder) -> Reason:
    return Reason(
        ReasonCode.NO_POSITION,
        f"no {order.reduces} in {order.symbol} is left to reduce, "
        f"{plain(order.remaining_quantity)} of {plain(order.quantity)} was not filled",
    )


def _closed(order: PaperOrder, status: OrderStatus, reason: Reason) -> PaperOrder:
    return replace(order, status=status, reason=reason)


def _sum(taken: tuple[tuple[Decimal, Decimal], ...]) -> Decimal:
    return sum((quantity for _, quantity in taken), _NOTHING)
