"""The routes of the 3Commas dialect, as the documentation tells of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from marshmallow import Schema

from app.dialects.three_commas import schemas
from app.dialects.three_commas.entering import Call
from app.dialects.three_commas.listing import QUERY
from app.dialects.three_commas.parameters import STEPS
from app.dialects.three_commas.routes import ENTITIES, PREFIXES
from app.web.json_schema import Json, object_schema

Row = tuple[str, str, str, Mapping[str, Any]]

_ENTRY: Final = (schemas.ENTERED, schemas.INFORMED, schemas.CONDITIONAL)
_TRAILING: Final = (schemas.TRAILED, schemas.TRAILING_ENTRY)
_EXITS: Final = (
    schemas.SWITCHES,
    schemas.TAKE_PROFIT,
    schemas.CLASSIC_TAKE_PROFIT,
    schemas.LIMIT_TAKE_PROFIT,
    schemas.TRAILING_TAKE_PROFIT,
    schemas.STOP_LOSS,
    schemas.LIMIT_STOP_LOSS,
    schemas.STOP_LOSS_TIMEOUT,
)


def _parts(call: Call) -> tuple[Schema, ...]:
    match call:
        case Call.SIMPLE_BUY | Call.SIMPLE_SELL:
            return schemas.OPENED, *_ENTRY, schemas.NOTED
        case Call.SMART_SELL:
            return schemas.OPENED, schemas.HELD, *_EXITS, schemas.NOTED
        case Call.SMART_TRADE | Call.SMART_COVER:
            return schemas.OPENED, *_ENTRY, *_TRAILING, *_EXITS, schemas.NOTED


def _body(*parts: Schema, step: Schema | None = None) -> Json:
    """Return one schema of several parts; which of them are mandatory, depends on the values."""
    shapes = [object_schema(part) for part in parts]
    body: Json = {
        "type": "object",
        "properties": {name: one for shape in shapes for name, one in shape["properties"].items()},
        "required": [name for shape in shapes for name in shape.get("required", ())],
        "additionalProperties": True,
    }
    if step is not None:
        body["properties"][STEPS] = {"type": "array", "items": object_schema(step)}
    return body


#: Call → what it makes.
_MADE: Final[Mapping[Call, str]] = {
    Call.SIMPLE_BUY: "Buy, without exits.",
    Call.SIMPLE_SELL: "Sell, without exits.",
    Call.SMART_SELL: "Guard coins that are held already, by take-profit and stop-loss.",
    Call.SMART_COVER: "Sell first, and buy back by take-profit or stop-loss.",
    Call.SMART_TRADE: "Buy, then sell by take-profit or stop-loss.",
}

_CREATED: Final = {201: "Stored durably; the trade as it is.", 422: "Against the market's rules."}
_DONE: Final = {201: "The trade as it is now.", 422: "Not in this state."}

_WITH_KEY: Final[Mapping[str, Any]] = {"is_open": True}


def _trades(prefix: str) -> Iterator[Row]:
    yield "GET", prefix, "Smart trades of the key, oldest first.", {**_WITH_KEY, "query": QUERY}
    for call, made in _MADE.items():
        step = schemas.STEP if call.has_exits else None
        details = {**_WITH_KEY, "body": _body(*_parts(call), step=step), "answers": _CREATED}
        yield "POST", f"{prefix}/{call}", made, details
    one = f"{prefix}/<trade_id>"
    yield "GET", f"{one}/show", "One smart trade.", _WITH_KEY
    update = _body(
        schemas.REENTERED, schemas.BASIS, *_EXITS, schemas.NOTED, step=schemas.NUMBERED_STEP
    )
    changed = {200: "The trade as it is now.", 422: "Not in this state."}
    details = {**_WITH_KEY, "body": update, "answers": changed}
    yield "PATCH", f"{one}/update", "Change what is named of its terms.", details
    step_id, funds = _body(schemas.ONE_STEP), _body(schemas.FUNDS, schemas.FUNDS_LIMIT)
    for path, summary, body in (
        ("cancel", "Stop it; its coins stay as they are.", None),
        ("panic_sell", "Close everything at market.", None),
        ("force_process", "Look at its orders and at the price now.", None),
        ("cancel_order", "Take one step off.", step_id),
        ("step_panic_sell", "Close the share of one take-profit step at market.", step_id),
        ("add_funds", "Enter with more.", funds),
    ):
        yield "POST", f"{one}/{path}", summary, {**_WITH_KEY, "body": body, "answers": _DONE}


def _neighbors(prefix: str) -> Iterator[Row]:
    for path, summary in (
        ("ping", "Whether somebody is here; open to everybody."),
        ("time", "The time in seconds; open to everybody."),
        ("accounts/currency_rates", "Prices and steps of one pair; open to everybody."),
        ("validate", "Whether key and signature are good."),
        ("accounts", "Accounts of the key."),
        ("accounts/market_pairs", "What can be traded at an exchange."),
    ):
        yield "GET", f"{prefix}/{path}", summary, _WITH_KEY


def _rows() -> Iterator[Row]:
    for prefix in PREFIXES:
        for entity in ENTITIES:
            yield from _trades(f"{prefix}/{entity}")
        yield from _neighbors(prefix)


#: Method, rule, summary, details of each route.
ROWS: Final = tuple(_rows())
