"""The Hummingbot routes, as the documentation tells of them."""

from collections.abc import Mapping
from typing import Final

from app.dialects.hummingbot.schemas import (
    ACTIVE,
    FUNDING_PAYMENTS,
    LEVERAGE_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    ORDER_TYPES,
    PORTFOLIO,
    POSITIONS,
    SEARCH,
    TRADES,
)
from app.dialects.hummingbot.shapes import Field
from app.domain.commands import PositionAction
from app.domain.enums import PositionMode, Side
from app.web.json_schema import Json

#: Method, rule, summary, and the fields of the operation.
OperationRow = tuple[str, str, str, Mapping[str, object]]

_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": ["number", "string"]}
_TEXTS: Final[Json] = {"type": ["array", "null"], "items": _TEXT}
_TIME: Final[Json] = {"type": ["integer", "null"], "description": "Unix seconds or milliseconds."}

#: Filter → what it takes. Absent, null and empty ask nothing.
_FILTERS: Final[Mapping[str, Json]] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": LIMIT_MAX,
        "default": LIMIT_DEFAULT,
    },
    "cursor": {"type": ["string", "null"], "description": "`next_cursor` of the page before."},
    "account_names": _TEXTS,
    "connector_names": _TEXTS,
    "trading_pairs": _TEXTS,
    "trade_types": _TEXTS,
    "status": {"type": ["string", "null"]},
    "trading_pair": {"type": ["string", "null"]},
    "start_time": _TIME,
    "end_time": _TIME,
    "skip_gateway": {"type": "boolean"},
    "refresh": {"type": "boolean"},
}

_ORDER: Final[Json] = {
    "type": "object",
    "properties": {
        "account_name": _TEXT,
        "connector_name": _TEXT,
        "trading_pair": {**_TEXT, "description": "For instance BTC-USDT."},
        "trade_type": {**_TEXT, "enum": [str(one) for one in Side]},
        "amount": {**_NUMBER, "exclusiveMinimum": 0},
        "order_type": {
            **_TEXT,
            "enum": [str(one) for one in ORDER_TYPES],
            "default": str(ORDER_TYPES[0]),
        },
        "price": {"type": ["number", "string", "null"]},
        "position_action": {
            **_TEXT,
            "enum": [str(one) for one in PositionAction],
            "default": str(PositionAction.OPEN),
        },
    },
    "required": ["account_name", "connector_name", "trading_pair", "trade_type", "amount"],
}
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
_MODE: Final[Json] = {
    "type": "object",
    "properties": {"position_mode": {**_TEXT, "enum": [str(one) for one in PositionMode]}},
    "required": ["position_mode"],
}
_LEVERAGE: Final[Json] = {
    "type": "object",
    "properties": {
        "trading_pair": _TEXT,
        "leverage": {"type": "integer", "minimum": 1, "maximum": LEVERAGE_MAX},
    },
    "required": ["trading_pair", "leverage"],
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


def _list(path: str, summary: str, fields: tuple[Field, ...]) -> OperationRow:
    properties = {field.name: _FILTERS[field.name] for field in fields}
    details = {
        "scheme": "basic",
        "body": {"type": "object", "properties": properties},
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
            "body": _ORDER,
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
    _list("/trading/orders/active", "Orders that are not closed.", ACTIVE),
    _list("/trading/orders/search", "Orders of every status, newest first.", SEARCH),
    _list("/trading/trades", "Fills, newest first.", TRADES),
    _list("/trading/positions", "Positions in derivatives.", POSITIONS),
    _list("/trading/funding-payments", "Nothing: no funding is paid here.", FUNDING_PAYMENTS),
    ("GET", f"{_ONE}/position-mode", "HEDGE or ONEWAY.", _READ_ONE),
    (
        "POST",
        f"{_ONE}/position-mode",
        "Set the position mode.",
        {"scheme": "basic", "body": _MODE, "answers": _SET},
    ),
    (
        "POST",
        f"{_ONE}/leverage",
        "Set the leverage of a pair.",
        {"scheme": "basic", "body": _LEVERAGE, "answers": _SET},
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
            "body": {
                "type": "object",
                "properties": {field.name: _FILTERS[field.name] for field in PORTFOLIO},
            },
            "answers": _answers(_REFUSED, _STRANGER, _INVALID),
        },
    ),
)
