"""Orders and smart orders as callers create and amend them.

Source: Poloniex documentation, "Orders", "Smart Orders"; polo-sdk-python, `smartorders()`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import TypeGuard, TypeVar

from app.dialects.poloniex import schemas
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Content, Reading
from app.dialects.poloniex.notation import SMART_TYPES, pair_of
from app.domain.commands import PlaceOrder, PlaceSmartOrder
from app.domain.enums import OrderType, Side, SmartOrderType, TimeInForce
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.domain.order import Order

Value = TypeVar("Value")

#: Tells the rules of a pair, or None if it is not traded.
InstrumentOf = Callable[[Symbol], Instrument | None]

#: Tells the last price of a pair, or None if none is known.
LastOf = Callable[[Symbol], Decimal | None]

#: More than a number from outside (40 digits) divided by a step can need.
_DIGITS = 120

#: What an amendment of a smart order may change, besides its type.
_AMENDABLE = (
    "time_in_force",
    "stop",
    "price",
    "quantity",
    "amount",
    "caller_id",
    "trail",
    "limit_offset",
    "operator",
)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Checks the figures of an order against the rules of its pair, each with codes of its own.

    Each check returns what it was given: None is absent. What is wrong is raised as `Problem`.
    """

    instrument: Instrument
    last_of: LastOf

    def price(
        self, name: str, value: Decimal | None, not_positive: Code, *, required: bool
    ) -> Decimal | None:
        """Check a price, which has steps."""
        if not _is_given(value, name, not_positive, required=required):
            return None
        if not _fits(value, self.instrument.price_step):
            raise Problem(Code.PRICE_SCALE, name)
        return value

    def check_band(self, limit: Decimal, side: Side, stop: Decimal | None = None) -> None:
        """Check that a limit is not too far from the price.

        A stop fires at its own price, or at once: a limit that fits one of both is none to refuse.
        """
        if not self.instrument.has_band:
            return
        known = [one for one in (self.last_of(self.instrument.symbol), stop) if one is not None]
        if known and all(self.instrument.beyond_band(limit, side, one) for one in known):
            raise Problem(Code.PRICE_ABOVE_MAX if side is Side.BUY else Code.PRICE_BELOW_MIN)

    def quantity(self, value: Decimal | None, *, required: bool) -> Decimal | None:
        """Check a quantity in base currency, which has lots and bounds."""
        if not _is_given(value, "quantity", Code.QUANTITY_NOT_POSITIVE, required=required):
            return None
        if not _fits(value, self.instrument.quantity_step):
            raise Problem(Code.QUANTITY_SCALE, "quantity")
        if value < self.instrument.min_quantity:
            raise Problem(Code.QUANTITY_BELOW_MIN)
        most = self.instrument.max_quantity
        if most and value > most:
            raise Problem(Code.SIZE_ABOVE_MAX)
        return value

    def amount(self, value: Decimal | None, *, required: bool = False) -> Decimal | None:
        """Check an amount in quote currency, which has steps and a least one."""
        if not _is_given(value, "amount", Code.AMOUNT_NOT_POSITIVE, required=required):
            return None
        if not _fits(value, self.instrument.quote_step):
            raise Problem(Code.AMOUNT_SCALE, "amount")
        if value < self.instrument.min_notional:
            raise Problem(Code.AMOUNT_BELOW_MIN)
        return value

    def check_notional(self, price: Decimal | None, quantity: Decimal | None) -> None:
        """Check what a limit order is worth."""
        if (price or Decimal(0)) * (quantity or Decimal(0)) < self.instrument.min_notional:
            raise Problem(Code.AMOUNT_BELOW_MIN)


def order_from(content: Content, instrument_of: InstrumentOf, last_of: LastOf) -> PlaceOrder:
    """Return what a `POST /orders` asks for; the first thing that is wrong is told.

    Raises:
        Problem: with the code of the first field that is wrong.
    """
    return _order(Reading(schemas.PLAIN_ORDER, content), instrument_of, last_of)


def amended_order(
    content: Content, old: Order, instrument_of: InstrumentOf, last_of: LastOf
) -> PlaceOrder:
    """Return what takes the place of an order; what the body does not name is inherited.

    Of an order that is filled in part, what is left is inherited. A change to a market order drops
    the price.

    Raises:
        Problem: with the code of the first field that is wrong in the new one.
    """
    inherited = {
        "symbol": old.symbol,
        "side": old.side,
        "type": old.type,
        "time_in_force": old.time_in_force,
        "quantity": None if old.amount is not None else old.remaining_quantity,
        "amount": old.amount,
        "price": old.price,
    }
    return _order(Reading(schemas.AMENDMENT, content, inherited), instrument_of, last_of)


def smart_order_from(
    content: Content, instrument_of: InstrumentOf, last_of: LastOf
) -> PlaceSmartOrder:
    """Return what a `POST /smartorders` asks for; the first thing that is wrong is told.

    Raises:
        Problem: with the code of the first field that is wrong.
    """
    body = Reading(schemas.SMART_ORDER, content)
    symbol = body["symbol"]
    instrument = instrument_for(symbol, instrument_of)
    side = body["side"]
    kind = body["type"] or SMART_TYPES["STOP_LIMIT" if "price" in body else "STOP"]
    time_in_force = body["time_in_force"] or TimeInForce.GTC
    body.check("account_type")
    command = PlaceSmartOrder(
        symbol=symbol,
        side=side,
        type=kind.type,
        post_only=kind.post_only,
        time_in_force=time_in_force,
    )
    return _filled(command, body, _Figures(instrument, last_of))


def amended_smart_order(
    content: Content, old: PlaceSmartOrder, instrument_of: InstrumentOf, last_of: LastOf
) -> PlaceSmartOrder:
    """Return what takes the place of a smart order; what the body does not name is inherited.

    Raises:
        Problem: with the code of the first field that is wrong in the new one.
    """
    body = Reading(schemas.SMART_AMENDMENT, content)
    kind = body["type"]
    changes = {name: body[name] for name in _AMENDABLE}
    if kind is not None:
        changes |= {"type": kind.type, "post_only": kind.post_only}
    wanted = old.amended(changes)
    if not wanted.type.is_trailing:
        wanted = replace(wanted, trail=None, limit_offset=None)
    merged = Reading(
        schemas.SMART_AMENDMENT, {}, {name: getattr(wanted, name) for name in _AMENDABLE}
    )
    return _filled(wanted, merged, _Figures(instrument_for(wanted.symbol, instrument_of), last_of))


def proceeds(content: Content) -> bool:
    """Tell whether a replacement goes on where the old order could not be canceled.

    Raises:
        Problem: it is neither true nor false.
    """
    return bool(Reading(schemas.AMENDMENT, content)["proceeds"])


def instrument_for(symbol: Symbol, instrument_of: InstrumentOf) -> Instrument:
    """Return the rules of a pair.

    Raises:
        Problem: it is not traded.
    """
    found = instrument_of(symbol)
    if found is None:
        raise Problem(Code.INVALID_SYMBOL, pair_of(symbol))
    return found


def _order(body: Reading, instrument_of: InstrumentOf, last_of: LastOf) -> PlaceOrder:
    """Return the order; a market buy names what it spends, everything else what it trades.

    A figure that the order has no use for is not judged: an order that is read has 0 for what is
    not set, and may be sent as it was read.
    """
    symbol = body["symbol"]
    instrument = instrument_for(symbol, instrument_of)
    side, kind = body["side"], body["type"] or OrderType.MARKET
    time_in_force = body["time_in_force"] or TimeInForce.GTC
    body.check("account_type")
    is_market = kind is OrderType.MARKET
    spends = is_market and side is Side.BUY
    figures = _Figures(instrument.at_market() if is_market else instrument, last_of)
    body.check("price")
    limit = None if is_market else body["price"]
    price = figures.price("price", limit, Code.PRICE_NOT_POSITIVE, required=not is_market)
    if price is not None:
        figures.check_band(price, side)
    body.check("quantity")
    quantity = figures.quantity(None if spends else body["quantity"], required=not spends)
    body.check("amount")
    amount = figures.amount(body["amount"] if spends else None, required=spends)
    if not is_market:
        figures.check_notional(price, quantity)
    return PlaceOrder(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force,
        quantity=quantity or Decimal(0),
        amount=amount,
        price=price,
        caller_id=body["caller_id"],
    )


def _filled(command: PlaceSmartOrder, body: Reading, figures: _Figures) -> PlaceSmartOrder:
    """Return the command with the figures of the body, each checked in its turn."""
    kind = command.type
    spends = command.side is Side.BUY and not kind.is_limit and "amount" in body
    stop = figures.price(
        "stopPrice",
        body["stop"],
        Code.STOP_PRICE_NOT_POSITIVE,
        required=not kind.is_trailing,
    )
    is_limit = kind is SmartOrderType.STOP_LIMIT
    has_limit_offset = kind is SmartOrderType.TRAILING_STOP_LIMIT
    price = figures.price("price", body["price"], Code.PRICE_NOT_POSITIVE, required=is_limit)
    if price is not None and is_limit:
        figures.check_band(price, command.side, stop)
    filled = replace(
        command,
        stop=stop,
        price=price,
        quantity=figures.quantity(body["quantity"], required=not spends),
        amount=figures.amount(body["amount"]),
        caller_id=body["caller_id"],
        trail=_required("trailingOffset", body["trail"]) if kind.is_trailing else None,
        limit_offset=_required("limitOffset", body["limit_offset"]) if has_limit_offset else None,
        operator=body["operator"],
    )
    if is_limit:
        figures.check_notional(filled.price, filled.quantity)
    return filled


def _is_given(
    value: Decimal | None, name: str, not_positive: Code, *, required: bool
) -> TypeGuard[Decimal]:
    """Tell whether a figure is there, which must be above 0."""
    if value is None and required:
        raise Problem(Code.MISSING_PARAMETER, name)
    if value is not None and value <= 0:
        raise Problem(not_positive)
    return value is not None


def _required(name: str, value: Value | None) -> Value:
    if value is None:
        raise Problem(Code.MISSING_PARAMETER, name)
    return value


def _fits(value: Decimal, step: Decimal) -> bool:
    with localcontext(prec=_DIGITS):
        return value % step == 0
