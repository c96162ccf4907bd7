"""Smart orders as callers create and amend them, and as they are named.

Source: Poloniex documentation, "Smart Orders"; polo-sdk-python, `smartorders()`.
"""

from dataclasses import replace
from decimal import Decimal

from app.dialects.poloniex.enums import (
    OPERATORS,
    SIDES,
    SMART_TYPES,
    TIMES_IN_FORCE,
    SmartType,
    caller_id_from,
    offset_from,
)
from app.dialects.poloniex.errors import Code, Problem, missing
from app.dialects.poloniex.parse_amounts import Figures, InstrumentOf, instrument_for
from app.dialects.poloniex.payload import Payload
from app.domain.enums import Side, SmartOrderType, TimeInForce
from app.domain.instrument import Instrument
from app.domain.smart_order_command import AmendSmartOrder, PlaceSmartOrder, amended
from app.domain.trigger import Offset


def command_from(body: Payload, instrument_of: InstrumentOf) -> PlaceSmartOrder:
    """Return what a `POST /smartorders` asks for; the first thing that is wrong is told.

    Raises:
        Problem: with the code of the first field that is wrong.
    """
    symbol = body.symbol()
    instrument = instrument_for(symbol, instrument_of)
    side = body.word("side", SIDES, Code.INVALID_SIDE)
    if side is None:
        raise missing("side")
    kind = body.word("type", SMART_TYPES, Code.INVALID_TYPE) or _default_type(body)
    time_in_force = body.word("timeInForce", TIMES_IN_FORCE, Code.INVALID_TIME_IN_FORCE)
    body.check_account_type()
    command = PlaceSmartOrder(
        symbol=symbol,
        side=side,
        type=kind.type,
        post_only=kind.post_only,
        time_in_force=time_in_force or TimeInForce.GTC,
    )
    return _filled(command, body, instrument)


def amendment_from(
    body: Payload, old: PlaceSmartOrder, instrument_of: InstrumentOf
) -> PlaceSmartOrder:
    """Return what takes the place of a smart order; what the body does not name is inherited.

    Raises:
        Problem: with the code of the first field that is wrong in the new one.
    """
    kind = body.word("type", SMART_TYPES, Code.INVALID_TYPE)
    amendment = AmendSmartOrder(
        type=None if kind is None else kind.type,
        post_only=None if kind is None else kind.post_only,
        time_in_force=body.word("timeInForce", TIMES_IN_FORCE, Code.INVALID_TIME_IN_FORCE),
        stop=body.number("stopPrice"),
        price=body.number("price"),
        quantity=body.number("quantity"),
        amount=body.number("amount"),
        caller_id=caller_id_from(body),
        trail=offset_from(body, "trailingOffset"),
        limit_offset=offset_from(body, "limitOffset", may_be_zero=True),
        operator=body.word("operator", OPERATORS, Code.INVALID_VALUE),
    )
    wanted = amended(old, amendment)
    if not wanted.type.is_trailing:
        wanted = replace(wanted, trail=None, limit_offset=None)
    instrument = instrument_for(wanted.symbol, instrument_of)
    return _filled(wanted, Payload(_wire(wanted)), instrument)


def _default_type(body: Payload) -> SmartType:
    return SMART_TYPES["STOP" if body.value("price") is None else "STOP_LIMIT"]


def _filled(command: PlaceSmartOrder, body: Payload, instrument: Instrument) -> PlaceSmartOrder:
    """Return the command with the figures of the body, each checked in its turn."""
    figures, kind = Figures(body, instrument), command.type
    market_buy = command.side is Side.BUY and not kind.is_limit
    filled = replace(
        command,
        stop=figures.price(
            "stopPrice", Code.STOP_PRICE_NOT_POSITIVE, required=not kind.is_trailing
        ),
        price=figures.price(
            "price", Code.PRICE_NOT_POSITIVE, required=kind is SmartOrderType.STOP_LIMIT
        ),
        quantity=figures.quantity(required=not (market_buy and body.value("amount") is not None)),
        amount=figures.amount(),
        caller_id=caller_id_from(body),
    )
    trail, limit_offset = _offsets(body, kind)
    filled = replace(
        filled,
        trail=trail,
        limit_offset=limit_offset,
        operator=body.word("operator", OPERATORS, Code.INVALID_VALUE),
    )
    if kind is SmartOrderType.STOP_LIMIT:
        figures.check_notional(filled.price or Decimal(0), filled.quantity or Decimal(0))
    return filled


def _offsets(body: Payload, kind: SmartOrderType) -> tuple[Offset | None, Offset | None]:
    """Return the offsets of a trailing order, from the extreme and from the price; else none."""
    trail = limit_offset = None
    if kind.is_trailing:
        trail = offset_from(body, "trailingOffset")
        if trail is None:
            raise missing("trailingOffset")
    if kind is SmartOrderType.TRAILING_STOP_LIMIT:
        limit_offset = offset_from(body, "limitOffset", may_be_zero=True)
        if limit_offset is None:
            raise missing("limitOffset")
    return trail, limit_offset


def _wire(command: PlaceSmartOrder) -> dict[str, object]:
    """Return a command as the fields that would make it, for they are checked once more."""
    operator = next((word for word, way in OPERATORS.items() if way is command.operator), None)
    offsets = {"trailingOffset": command.trail, "limitOffset": command.limit_offset}
    return {
        "stopPrice": command.stop,
        "price": command.price,
        "quantity": command.quantity,
        "amount": command.amount,
        "clientOrderId": command.caller_id,
        "operator": operator,
        **{name: None if one is None else str(one) for name, one in offsets.items()},
    }


def proceeds(body: Payload) -> bool:
    """Tell whether a replacement goes on where the old order could not be canceled.

    Raises:
        Problem: it is neither true nor false.
    """
    text = str(body.value("proceedOnFailure") or "false").strip().lower()
    if text not in {"true", "false"}:
        raise Problem(Code.INVALID_PARAMETER, "proceedOnFailure")
    return text == "true"
