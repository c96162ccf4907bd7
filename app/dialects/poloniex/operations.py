"""The Poloniex routes, as the documentation tells of them."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from app.dialects.poloniex.enums import ORDER_TYPES, SMART_TYPES
from app.dialects.poloniex.intervals import INTERVALS
from app.domain.enums import Side, TimeInForce
from app.web.fields import Text, WholeNumber
from app.web.json_schema import Json

#: Method, rule, summary, and the fields of the operation.
OperationRow = tuple[str, str, str, Mapping[str, object]]

_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": ["string", "number"]}
_WHOLE: Final[Json] = {"type": "integer"}
_TEXTS: Final[Json] = {"type": ["string", "array"], "items": _TEXT}
_SIDE: Final[Json] = {**_TEXT, "enum": [side.value for side in Side]}
_TIME_IN_FORCE: Final[Json] = {**_TEXT, "enum": [one.value for one in TimeInForce]}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


#: What creates an order and what amends one have in common.
_FIGURES: Final[Mapping[str, Json]] = {
    "timeInForce": {**_TIME_IN_FORCE, "default": TimeInForce.GTC.value},
    "price": _NUMBER,
    "quantity": {**_NUMBER, "description": "In base currency."},
    "amount": {**_NUMBER, "description": "In quote currency: what a market buy spends."},
    "clientOrderId": {**_TEXT, "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_STOPS: Final[Mapping[str, Json]] = {
    "type": {**_TEXT, "enum": list(SMART_TYPES)},
    "stopPrice": _NUMBER,
    "trailingOffset": {**_TEXT, "description": "A distance, or with % behind it a share."},
    "limitOffset": _TEXT,
    "operator": {**_TEXT, "enum": ["GTE", "LTE"]},
}
_PROCEED: Final[Json] = {"type": ["boolean", "string"], "default": False}
_PLAIN_TYPE: Final[Json] = {**_TEXT, "enum": list(ORDER_TYPES), "default": "MARKET"}

_SMART: Final[Json] = {
    **_object(symbol=_TEXT, side=_SIDE, **_STOPS, **_FIGURES),
    "required": ["symbol", "side"],
}
_SMART_AMENDMENT: Final = _object(**_STOPS, **_FIGURES, proceedOnFailure=_PROCEED)
_PLAIN: Final[Json] = {
    **_object(symbol=_TEXT, side=_SIDE, type=_PLAIN_TYPE, **_FIGURES),
    "required": ["symbol", "side"],
}
_AMENDMENT: Final = _object(type=_PLAIN_TYPE, **_FIGURES, proceedOnFailure=_PROCEED)
_IDS: Final = _object(orderIds=_TEXTS, clientOrderIds=_TEXTS)
_REACH: Final = _object(symbol=_TEXTS, symbols=_TEXTS, accountType=_TEXTS, orderTypes=_TEXTS)
_KILL: Final = _object(timeout={**_NUMBER, "description": "10 to 600 seconds; -1 switches it off."})

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


_Fields = dict[str, fields.Field[Any]]


def _query(named: _Fields) -> Schema:
    return Schema.from_dict(named)()


_LIMIT: Final[_Fields] = {"limit": WholeNumber()}
_PAGE: Final[_Fields] = {
    **_LIMIT,
    "from": WholeNumber(),
    "direction": Text(validate=validate.OneOf(("NEXT", "PRE"))),
    "symbol": Text(),
    "side": Text(validate=validate.OneOf([side.value for side in Side])),
    "types": Text(),
}
_PAST: Final[_Fields] = {
    **_PAGE,
    "states": Text(),
    "hideCancel": Text(),
    "startTime": WholeNumber(),
    "endTime": WholeNumber(),
}
_CANDLES: Final[_Fields] = {
    "interval": Text(required=True, validate=validate.OneOf(list(INTERVALS))),
    **_LIMIT,
    "startTime": WholeNumber(),
    "endTime": WholeNumber(),
}

_SIGNED: Final[Mapping[int, str]] = {
    200: "As asked. Errors are `code` and `message`.",
    400: "Refused, or signed at another time; `code` says which.",
    401: "Key or signature.",
}


def _signed(**details: object) -> Mapping[str, object]:
    """Return what signed operations have: their credentials are in headers of their own."""
    return {"is_open": True, "answers": _SIGNED, **details}


def _public(**details: object) -> Mapping[str, object]:
    return {"is_open": True, **details}


ROWS: Final[tuple[OperationRow, ...]] = (
    ("POST", "/smartorders", "Create a smart order.", _signed(body=_SMART, answer=_ID_PAIR)),
    ("GET", "/smartorders", "Smart orders that wait.", _signed(query=_query(_PAGE))),
    (
        "DELETE",
        "/smartorders",
        "Cancel all smart orders that wait, or some.",
        _signed(body=_REACH, answer=_array(_RESULT)),
    ),
    (
        "GET",
        "/smartorders/history",
        "Smart orders that wait no more.",
        _signed(query=_query(_PAST)),
    ),
    (
        "DELETE",
        "/smartorders/cancelByIds",
        "Cancel smart orders by their ids.",
        _signed(body=_IDS, answer=_array(_RESULT)),
    ),
    ("GET", "/smartorders/<order_id>", "One smart order, with the order it placed.", _signed()),
    (
        "PUT",
        "/smartorders/<order_id>",
        "Cancel a smart order and create another in its place.",
        _signed(body=_SMART_AMENDMENT, answer=_ID_PAIR),
    ),
    ("DELETE", "/smartorders/<order_id>", "Cancel a smart order.", _signed(answer=_RESULT)),
    ("POST", "/orders", "Create an order.", _signed(body=_PLAIN, answer=_ID_PAIR)),
    ("GET", "/orders", "Orders that are not closed.", _signed(query=_query(_PAGE))),
    (
        "DELETE",
        "/orders",
        "Cancel all orders of this dialect, or some.",
        _signed(body=_REACH, answer=_array(_RESULT)),
    ),
    ("POST", "/orders/batch", "Create up to 20 orders.", _signed(body=_array(_PLAIN))),
    ("GET", "/orders/history", "Orders that are closed.", _signed(query=_query(_PAST))),
    (
        "DELETE",
        "/orders/cancelByIds",
        "Cancel orders by their ids.",
        _signed(body=_IDS, answer=_array(_RESULT)),
    ),
    (
        "POST",
        "/orders/killSwitch",
        "Cancel everything after a time, unless it is set again.",
        _signed(body=_KILL, answer=_KILL_STATUS),
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
        _signed(body=_AMENDMENT, answer=_ID_PAIR),
    ),
    ("DELETE", "/orders/<order_id>", "Cancel an order.", _signed(answer=_RESULT)),
    ("GET", "/orders/<order_id>/trades", "The trades of one order.", _signed()),
    ("GET", "/trades", "The trades of the account.", _signed(query=_query(_PAST))),
    ("GET", "/accounts", "The account of the key.", _signed()),
    ("GET", "/accounts/balances", "What the account has.", _signed(answer=_BALANCES)),
    ("GET", "/accounts/<account_id>/balances", "The same.", _signed(answer=_BALANCES)),
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
    ("GET", "/markets/<symbol>/orderBook", "The book.", _public(query=_query(_LIMIT))),
    ("GET", "/markets/<symbol>/candles", "Candles.", _public(query=_query(_CANDLES))),
    ("GET", "/markets/<symbol>/trades", "What was traded.", _public(query=_query(_LIMIT))),
)
