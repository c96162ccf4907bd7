"""The bodies of requests and answers as JSON schemas, taken from what checks them where it can."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.admin.account_records import AccountBody
from app.admin.connector_records import ConnectorBody
from app.admin.order_outcomes import OutcomeBody
from app.admin.paper_controls import ClockBody
from app.admin.reconciliation import CancelBody
from app.admin.recovery import ReleaseBody
from app.admin.rows import KEYS
from app.admin.symbols import SpellingBody
from app.dialects.apisify.schemas import LIMIT_ORDER
from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.dialects.surfaces import SURFACES
from app.domain.commands import Action
from app.domain.enums import Market, PositionMode, Side
from app.domain.finding import Grade
from app.domain.money import plain
from app.domain.reconciliation import MismatchKind
from app.domain.venue_cancel import CancelState
from app.domain.venue_traits import AdapterClass
from app.paper.domain.fault import FaultWord, FaultyCall
from app.web.json_schema import Json, object_schema

_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": ["string", "number"]}
_FLAG: Final[Json] = {"type": "boolean"}
_MOMENT: Final[Json] = {"type": "integer", "description": "UTC epoch, in milliseconds."}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _requiring(shape: Json, *required: str) -> Json:
    return {**shape, "required": [*shape.get("required", []), *required]}


def _map(values: Json, keys: str) -> Json:
    return {"type": "object", "additionalProperties": values, "description": f"By {keys}."}


def _words(words: type[StrEnum]) -> Json:
    return {"type": "string", "enum": [str(word) for word in words]}


def _setting(default: object) -> Json:
    """Return the schema of a setting of which the default is known."""
    match default:
        case bool():
            return {"type": "boolean", "default": default}
        case int():
            return {"type": "integer", "default": default}
        case Decimal():
            return {**_NUMBER, "default": plain(default)}
        case StrEnum():
            return {**_words(type(default)), "default": str(default)}
        case _:
            return {"type": "array", "items": _TEXT, "default": []}


def _with(shape: Json, more: Mapping[str, Json]) -> Json:
    return {**shape, "properties": {**more, **shape["properties"]}}


def _or_null(shape: Json) -> Json:
    return {**shape, "type": [shape["type"], "null"]}


def _row_field(key: str) -> Json:
    if key.endswith("_ms"):
        return _or_null({"type": "integer"})
    if key in {"reason", "fees"}:
        return _or_null({"type": "object"})
    return _or_null(_FLAG if key == "reduce_only" else _TEXT)


ROW: Final = _object(**{key: _row_field(key) for key in KEYS})
ROWS: Final = _object(data={"type": "array", "items": ROW}, next_cursor=_or_null(_TEXT))
_ENTRY: Final = _object(
    event=_TEXT,
    at_ms={"type": "integer"},
    process=_TEXT,
    reason=_or_null({"type": "object"}),
)
DETAIL: Final = _with(
    ROW,
    {
        "children": {"type": "array", "items": _TEXT},
        "timeline": {"type": "array", "items": _ENTRY},
        "strategy": _or_null(_TEXT),
        "memo": _or_null(_TEXT),
        "placement": {"type": "integer"},
    },
)
CANCELED: Final = _object(requested=_FLAG, order=DETAIL)

OUTCOME: Final = object_schema(OutcomeBody())
SPELLING: Final = object_schema(SpellingBody())
FINDINGS: Final = _object(
    ok=_FLAG,
    account=_TEXT,
    venue=_TEXT,
    findings={
        "type": "array",
        "items": _object(
            account={"type": ["string", "null"]},
            check=_TEXT,
            message=_TEXT,
            grade=_words(Grade),
            fix=_TEXT,
        ),
    },
)

_STANDING: Final = _object(
    client_order_id=_TEXT,
    venue_order_id=_or_null(_TEXT),
    symbol=_TEXT,
    side=_words(Side),
    quantity=_TEXT,
    filled_quantity=_TEXT,
    price=_or_null(_TEXT),
    sentence=_TEXT,
)
_MISMATCH: Final = _object(
    kind=_words(MismatchKind),
    about=_TEXT,
    message=_TEXT,
    fix=_TEXT,
    order_id=_or_null(_TEXT),
    venue_order=_or_null(_STANDING),
)
_WAITING: Final = _object(
    order_id=_TEXT,
    client_order_id=_TEXT,
    sentence=_TEXT,
    placement={"type": "integer"},
    unknown_since_ms=_or_null(_MOMENT),
    command=_TEXT,
)
RELEASE: Final = object_schema(ReleaseBody())
VENUE_CANCEL: Final = object_schema(CancelBody())
VENUE_CANCELED: Final = _object(
    venue_order=_STANDING,
    state=_words(CancelState),
    message=_TEXT,
    is_settled=_FLAG,
    may_be_repeated=_FLAG,
    asked_at_ms=_MOMENT,
    next_check_at_ms=_or_null(_MOMENT),
)
RECONCILIATION: Final = _object(
    account=_TEXT,
    venue=_TEXT,
    adapter=_or_null(_words(AdapterClass)),
    lists_all_symbols=_FLAG,
    clock_offset_ms=_or_null({"type": "integer"}),
    at_ms=_or_null(_MOMENT),
    is_stale=_FLAG,
    agrees=_or_null(_FLAG),
    mismatches={"type": "array", "items": _MISMATCH},
    foreign_orders={"type": "array", "items": _STANDING},
    failure=_or_null(_object(at_ms=_MOMENT, message=_TEXT)),
    waiting_for_person={"type": "array", "items": _WAITING},
    cancels={"type": "array", "items": VENUE_CANCELED},
)
RECONCILED: Final = _with(RECONCILIATION, {"message": _TEXT})

ERROR: Final = _object(
    error=_object(
        code=_TEXT, message=_TEXT, fields=_map({"type": "array", "items": _TEXT}, "field")
    )
)

_SENDER: Final = {"connectorName": _TEXT, "connectorToken": _TEXT, "action": _TEXT}
WEBHOOK: Final = _requiring(_with(object_schema(SCHEMAS[Action.OPEN_LONG]), _SENDER), *_SENDER)

_SIGNED: Final[dict[str, Json]] = {
    "apikey": _TEXT,
    "timestamp": {"type": ["integer", "string"]},
    "sign": _TEXT,
}
APISIFY_ORDER: Final = _requiring(_with(object_schema(LIMIT_ORDER), _SIGNED), "apikey")
APISIFY_ORDER["required"].remove("price")
APISIFY_ACCEPTED: Final = _object(
    result=_TEXT,
    order_id=_TEXT,
    status=_TEXT,
    duplicate=_FLAG,
    strategy=_TEXT,
    exchange=_TEXT,
    symbol=_TEXT,
    side=_TEXT,
    order_type=_TEXT,
    qty=_TEXT,
    price=_or_null(_TEXT),
    memo=_TEXT,
)
ACCOUNT: Final = object_schema(AccountBody())
CONNECTOR: Final = _with(
    object_schema(ConnectorBody()),
    {one.name: _setting(one.default) for one in fields(ConnectorSettings)},
)
CLIENT: Final[Json] = {
    "oneOf": [
        {"title": str(dialect), **object_schema(one.clients.body)}
        for dialect, one in SURFACES.items()
        if one.clients is not None
    ]
}
LOGIN: Final = _requiring(_object(token=_TEXT), "token")
CLOCK: Final = object_schema(ClockBody())
SETTLED: Final = _object(settled=_FLAG)

_POSITION: Final = _object(long=_NUMBER, short=_NUMBER, entry_price=_NUMBER)
PAPER_ACCOUNT: Final = _object(
    market=_words(Market),
    balances=_map(_NUMBER, "currency"),
    positions=_map(_POSITION, "symbol"),
    leverage=_map({"type": "integer"}, "symbol"),
    position_mode=_words(PositionMode),
    fees=_object(maker=_NUMBER, taker=_NUMBER),
    reset=_FLAG,
)
_LEVELS: Final[Json] = {"type": "array", "items": {"type": "array", "items": _NUMBER}}
_QUOTE: Final = _object(bid=_NUMBER, ask=_NUMBER, last=_NUMBER, bids=_LEVELS, asks=_LEVELS)
PRICES: Final = _requiring(_object(prices=_map(_or_null(_QUOTE), "symbol")), "prices")
_INSTRUMENT: Final = _object(
    symbol=_TEXT,
    market=_words(Market),
    kind=_TEXT,
    price_step=_NUMBER,
    quantity_step=_NUMBER,
    quote_step=_NUMBER,
    min_quantity=_NUMBER,
    max_quantity=_NUMBER,
    min_notional=_NUMBER,
)
_LISTED: Final = _requiring(_INSTRUMENT, "symbol", "market", "price_step", "quantity_step")
INSTRUMENTS: Final = _requiring(
    _object(instruments={"type": "array", "items": _LISTED}), "instruments"
)
FAULTS: Final = _object(
    delay_ms={"type": "integer"},
    **{str(call): {"type": "array", "items": _words(FaultWord)} for call in FaultyCall},
)
