"""Plain orders as callers create and amend them (Poloniex documentation, "Orders")."""

from decimal import Decimal

from app.dialects.poloniex.enums import ORDER_TYPES, SIDES, TIMES_IN_FORCE, caller_id_from
from app.dialects.poloniex.errors import Code, missing
from app.dialects.poloniex.parse_amounts import Figures, InstrumentOf, instrument_for
from app.dialects.poloniex.payload import Payload
from app.domain.enums import OrderType, Side, TimeInForce
from app.domain.exact_order import ExactOrder
from app.domain.order import Order


def order_from(body: Payload, instrument_of: InstrumentOf) -> ExactOrder:
    """Return what a `POST /orders` asks for; the first thing that is wrong is told.

    A market buy names what it spends, everything else what it trades.

    Raises:
        Problem: with the code of the first field that is wrong.
    """
    symbol = body.symbol()
    instrument = instrument_for(symbol, instrument_of)
    side = body.word("side", SIDES, Code.INVALID_SIDE)
    if side is None:
        raise missing("side")
    kind = body.word("type", ORDER_TYPES, Code.INVALID_TYPE) or OrderType.MARKET
    time_in_force = body.word("timeInForce", TIMES_IN_FORCE, Code.INVALID_TIME_IN_FORCE)
    body.check_account_type()
    figures = Figures(body, instrument)
    is_market = kind is OrderType.MARKET
    spends = is_market and side is Side.BUY
    price = figures.price("price", Code.PRICE_NOT_POSITIVE, required=not is_market)
    quantity = figures.quantity(required=not spends)
    amount = figures.amount(required=spends)
    if not is_market and price is not None and quantity is not None:
        figures.check_notional(price, quantity)
    return ExactOrder(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force or TimeInForce.GTC,
        quantity=Decimal(0) if spends or quantity is None else quantity,
        amount=amount if spends else None,
        price=None if is_market else price,
        caller_id=caller_id_from(body),
    )


def amendment_from(body: Payload, old: Order, instrument_of: InstrumentOf) -> ExactOrder:
    """Return what takes the place of an order; what the body does not name is inherited.

    Of an order that is filled in part, what is left is inherited. A change to a market order drops
    the price.

    Raises:
        Problem: with the code of the first field that is wrong in the new one.
    """
    inherited: dict[str, object] = {
        "symbol": old.symbol.replace("/", "_"),
        "side": old.side.value,
        "type": old.type.value,
        "timeInForce": old.time_in_force.value,
        "quantity": None if old.amount is not None else old.remaining_quantity,
        "amount": old.amount,
        "price": old.price,
    }
    names = ("type", "timeInForce", "quantity", "amount", "price", "clientOrderId")
    named = {name: body.value(name) for name in names if body.value(name) is not None}
    return order_from(Payload({**inherited, **named}), instrument_of)
