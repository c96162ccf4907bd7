"""The Hummingbot routes, as the documentation tells of them."""

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema

from app.dialects.hummingbot import schemas
from app.web.json_schema import Json, object_schema

#: Method, rule, summary, and the fields of the operation.
OperationRow = tuple[str, str, str, Mapping[str, object]]

_TEXT: Final[Json] = {"type": "string"}

_PLACED: Final[Json] = {
    "type": "object",
    "properties": {
        "order_id": _TEXT,
        "account_name": _TEXT,
        "connector_name": _TEXT,
        "trading_pair": _TEXT,
        "trade_type": _TEXT,
        "amount": _TEXT,
        "order_type": _TEXT,
        "price": {"type": ["string", "null"]},
        "status": {"const": "submitted"},
    },
}
_PAGE: Final[Json] = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": {"type": "object"}},
        "pagination": {
            "type": "object",
            "properties": {
                "limit": {"type": "integer"},
                "has_more": {"type": "boolean"},
                "next_cursor": {"type": ["string", "null"]},
                "total_count": {"type": "integer"},
            },
        },
    },
}

#: Errors are `{"detail": ...}`: a sentence, or for 422 a list of what is wrong with which field.
_STRANGER: Final = {401: "User or password.", 503: "The store was not reached; send it again."}
_UNKNOWN: Final = {404: "There is no such account, connector or order."}
_INVALID: Final = {422: "`detail` lists what is wrong with which field."}
_REFUSED: Final = {400: "It cannot be done; `detail` says why."}


def _answers(*parts: Mapping[int, str], good: str = "As asked.") -> dict[int, str]:
    answers = {200: good}
    for part in parts:
        answers |= part
    return answers


def _list(path: str, summary: str, filters: Schema) -> OperationRow:
    details = {
        "scheme": "basic",
        "body": object_schema(filters),
        "answer": _PAGE,
        "answers": _answers(_REFUSED, _STRANGER, _INVALID),
    }
    return "POST", path, summary, details


_READ: Final = {"scheme": "basic", "answers": _answers(_STRANGER)}
_READ_ONE: Final = {"scheme": "basic", "answers": _answers(_STRANGER, _UNKNOWN, _REFUSED)}
_SET: Final = _answers(_REFUSED, _STRANGER, _UNKNOWN, _INVALID)
_ONE: Final = "/trading/<account_name>/<connector_name>"

ROWS: Final[tuple[OperationRow, ...]] = (
    (
        "POST",
        "/trading/orders",
        "Take in an order. The header `Idempotency-Key` makes it safe to send again.",
        {
            "scheme": "basic",
            "body": object_schema(schemas.ORDER),
            "answer": _PLACED,
            "answers": {
                201: "Stored durably; the lists tell what becomes of it.",
                **_REFUSED,
                **_STRANGER,
                **_UNKNOWN,
                **_INVALID,
            },
        },
    ),
    (
        "POST",
        f"{_ONE}/orders/<order_id>/cancel",
        "Ask an order to end.",
        {"scheme": "basic", "answers": _answers(_STRANGER, _UNKNOWN)},
    ),
    _list("/trading/orders/active", "Orders that are not closed.", schemas.ACTIVE),
    _list("/trading/orders/search", "Orders of every status, newest first.", schemas.SEARCH),
    _list("/trading/trades", "Fills, newest first.", schemas.TRADES),
    _list("/trading/positions", "Positions in derivatives.", schemas.POSITIONS),
    _list(
        "/trading/funding-payments", "Nothing: no funding is paid here.", schemas.FUNDING_PAYMENTS
    ),
    ("GET", f"{_ONE}/position-mode", "HEDGE or ONEWAY.", _READ_ONE),
    (
        "POST",
        f"{_ONE}/position-mode",
        "Set the position mode.",
        {"scheme": "basic", "body": object_schema(schemas.POSITION_MODE), "answers": _SET},
    ),
    (
        "POST",
        f"{_ONE}/leverage",
        "Set the leverage of a pair.",
        {"scheme": "basic", "body": object_schema(schemas.LEVERAGE), "answers": _SET},
    ),
    ("GET", "/accounts/", "Names of the accounts.", _READ),
    ("GET", "/connectors/", "Names of the connectors.", _READ),
    (
        "GET",
        "/connectors/<connector_name>/trading-rules",
        "Steps and minimums of each pair; `trading_pairs` in the query chooses some.",
        _READ_ONE,
    ),
    (
        "GET",
        "/connectors/<connector_name>/order-types",
        "Types of orders that a connector has.",
        _READ_ONE,
    ),
    (
        "POST",
        "/portfolio/state",
        "Balances by account and connector.",
        {
            "scheme": "basic",
            "body": object_schema(schemas.PORTFOLIO),
            "answers": _answers(_REFUSED, _STRANGER, _INVALID),
        },
    ),
)
