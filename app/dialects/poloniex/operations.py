"""The Poloniex routes, as the documentation tells of them."""

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema

from app.dialects.poloniex import schemas
from app.web.json_schema import Json, object_schema

#: Method, rule, summary, and the fields of the operation.
OperationRow = tuple[str, str, str, Mapping[str, object]]

_TEXT: Final[Json] = {"type": "string"}
_WHOLE: Final[Json] = {"type": "integer"}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


_ID_PAIR: Final = _object(id=_TEXT, clientOrderId=_TEXT)
_RESULT: Final = _object(
    orderId=_TEXT, clientOrderId=_TEXT, state=_TEXT, code=_WHOLE, message=_TEXT
)
_KILL_STATUS: Final = _object(startTime=_WHOLE, cancellationTime=_WHOLE)
_BALANCES: Final = _array(
    _object(
        accountId=_TEXT,
        accountType=_TEXT,
        balances=_array(_object(currencyId=_TEXT, currency=_TEXT, available=_TEXT, hold=_TEXT)),
    )
)

_SIGNED: Final[Mapping[int, str]] = {
    200: "As asked. Errors are `code` and `message`.",
    400: "Refused, or signed at another time; `code` says which.",
    401: "Key or signature.",
}


def _signed(
    *, body: Schema | None = None, is_list: bool = False, **details: object
) -> Mapping[str, object]:
    """Return what signed operations have: their credentials are in headers of their own."""
    described: dict[str, object] = {"is_open": True, "answers": _SIGNED, **details}
    if body is not None:
        shape = object_schema(body)
        described["body"] = _array(shape) if is_list else shape
    return described


def _public(**details: object) -> Mapping[str, object]:
    return {"is_open": True, **details}


ROWS: Final[tuple[OperationRow, ...]] = (
    (
        "POST",
        "/smartorders",
        "Create a smart order.",
        _signed(body=schemas.SMART_ORDER, answer=_ID_PAIR),
    ),
    ("GET", "/smartorders", "Smart orders that wait.", _signed(query=schemas.OPEN_SMART_LIST)),
    (
        "DELETE",
        "/smartorders",
        "Cancel all smart orders that wait, or some.",
        _signed(body=schemas.SMART_DESCRIBED, answer=_array(_RESULT)),
    ),
    (
        "GET",
        "/smartorders/history",
        "Smart orders that wait no more.",
        _signed(query=schemas.CLOSED_SMART_LIST),
    ),
    (
        "DELETE",
        "/smartorders/cancelByIds",
        "Cancel smart orders by their ids.",
        _signed(body=schemas.NAMED, answer=_array(_RESULT)),
    ),
    ("GET", "/smartorders/<order_id>", "One smart order, with the order it placed.", _signed()),
    (
        "PUT",
        "/smartorders/<order_id>",
        "Cancel a smart order and create another in its place.",
        _signed(body=schemas.SMART_AMENDMENT, answer=_ID_PAIR),
    ),
    ("DELETE", "/smartorders/<order_id>", "Cancel a smart order.", _signed(answer=_RESULT)),
    (
        "POST",
        "/orders",
        "Create an order.",
        _signed(body=schemas.PLAIN_ORDER, answer=_ID_PAIR),
    ),
    ("GET", "/orders", "Orders that are not closed.", _signed(query=schemas.OPEN_LIST)),
    (
        "DELETE",
        "/orders",
        "Cancel all orders of this dialect, or some.",
        _signed(body=schemas.DESCRIBED, answer=_array(_RESULT)),
    ),
    (
        "POST",
        "/orders/batch",
        "Create up to 20 orders.",
        _signed(body=schemas.PLAIN_ORDER, is_list=True),
    ),
    ("GET", "/orders/history", "Orders that are closed.", _signed(query=schemas.CLOSED_LIST)),
    (
        "DELETE",
        "/orders/cancelByIds",
        "Cancel orders by their ids.",
        _signed(body=schemas.NAMED, answer=_array(_RESULT)),
    ),
    (
        "POST",
        "/orders/killSwitch",
        "Cancel everything after a time, unless it is set again.",
        _signed(body=schemas.KILL_SWITCH, answer=_KILL_STATUS),
    ),
    (
        "GET",
        "/orders/killSwitchStatus",
        "When the kill switch cancels.",
        _signed(answer=_KILL_STATUS),
    ),
    ("GET", "/orders/<order_id>", "One order.", _signed()),
    (
        "PUT",
        "/orders/<order_id>",
        "Cancel an order and create another in its place.",
        _signed(body=schemas.AMENDMENT, answer=_ID_PAIR),
    ),
    ("DELETE", "/orders/<order_id>", "Cancel an order.", _signed(answer=_RESULT)),
    ("GET", "/orders/<order_id>/trades", "The trades of one order.", _signed()),
    ("GET", "/trades", "The trades of the account.", _signed(query=schemas.TRADE_LIST)),
    ("GET", "/accounts", "The account of the key.", _signed()),
    (
        "GET",
        "/accounts/balances",
        "What the account has.",
        _signed(query=schemas.ACCOUNT, answer=_BALANCES),
    ),
    (
        "GET",
        "/accounts/<account_id>/balances",
        "The same.",
        _signed(query=schemas.ACCOUNT, answer=_BALANCES),
    ),
    ("GET", "/feeinfo", "The fees of the account.", _signed()),
    ("GET", "/timestamp", "The time.", _public(answer=_object(serverTime=_WHOLE))),
    ("GET", "/currencies", "All currencies.", _public()),
    ("GET", "/currencies/<code>", "One currency.", _public()),
    ("GET", "/v2/currencies", "All currencies.", _public()),
    ("GET", "/v2/currencies/<code>", "One currency.", _public()),
    ("GET", "/v3/market/allInstruments", "Futures: none.", _public()),
    ("GET", "/markets", "The rules of all pairs.", _public()),
    ("GET", "/markets/price", "The last prices of all pairs.", _public()),
    ("GET", "/markets/ticker24h", "The last 24 hours of all pairs.", _public()),
    ("GET", "/markets/<symbol>", "The rules of one pair.", _public()),
    ("GET", "/markets/<symbol>/price", "The last price of one pair.", _public()),
    ("GET", "/markets/<symbol>/ticker24h", "The last 24 hours of one pair.", _public()),
    ("GET", "/markets/<symbol>/orderBook", "The book.", _public(query=schemas.BOOK)),
    ("GET", "/markets/<symbol>/candles", "Candles.", _public(query=schemas.CANDLES)),
    ("GET", "/markets/<symbol>/trades", "What was traded.", _public(query=schemas.PUBLIC_TRADES)),
)
