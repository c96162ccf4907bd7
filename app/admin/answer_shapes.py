"""What our own routes answer, and what the paper venue takes, as OpenAPI says it.

No schema reads these: answers are made by functions, and the paper venue reads what it is sent.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from app.admin.rows import KEYS
from app.domain.enums import Side
from app.domain.finding import Grade
from app.domain.reconciliation import MismatchKind
from app.domain.venue_cancel import CancelState
from app.domain.venue_traits import AdapterClass

_Json = Mapping[str, Any]

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": ["string", "number"]}
_FLAG: Final = {"type": "boolean"}
_MOMENT: Final = {"type": "integer", "description": "UTC epoch, in milliseconds."}


def _object(**properties: _Json) -> _Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _requiring(shape: _Json, *required: str) -> _Json:
    return {**shape, "required": [*shape.get("required", []), *required]}


def _map(values: _Json, keys: str) -> _Json:
    return {"type": "object", "additionalProperties": values, "description": f"By {keys}."}


def _words(words: type[StrEnum]) -> _Json:
    return {"type": "string", "enum": [str(word) for word in words]}


def _with(shape: _Json, more: Mapping[str, _Json]) -> _Json:
    return {**shape, "properties": {**more, **shape["properties"]}}


def _or_null(shape: _Json) -> _Json:
    return {**shape, "type": [shape["type"], "null"]}


def _row_field(key: str) -> _Json:
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
