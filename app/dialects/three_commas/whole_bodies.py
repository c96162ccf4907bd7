"""The body of each call as a whole, as the documentation tells of it.

It is read part by part: which fields are mandatory depends on the values of others.
"""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields

from app.dialects.three_commas import schemas
from app.dialects.three_commas.entering import Call
from app.dialects.three_commas.parameters import STEPS
from app.web.fields import Lenient

_ENTRY: Final = (schemas.Entered, schemas.Informed, schemas.Conditional)
_EXITS: Final = (
    schemas.Switches,
    schemas.TakeProfit,
    schemas.ClassicTakeProfit,
    schemas.LimitTakeProfit,
    schemas.TrailingTakeProfit,
    schemas.StopLoss,
    schemas.LimitStopLoss,
    schemas.StopLossTimeout,
)
_TRADE: Final = (*_ENTRY, schemas.Trailed, schemas.TrailingEntry, *_EXITS)

Part = type[Schema]


def _whole(*parts: Part, step: Part | None = None) -> Schema:
    declared: dict[str, Any] = {
        name: field for part in parts for name, field in part().declared_fields.items()
    }
    if step is not None:
        declared[STEPS] = fields.List(fields.Nested(step))
    whole: Schema = Lenient.from_dict(declared)()
    return whole


def _created(*parts: Part, step: Part | None = None) -> Schema:
    return _whole(schemas.Opened, *parts, schemas.Noted, step=step)


CREATED: Final[Mapping[Call, Schema]] = {
    Call.SIMPLE_BUY: _created(*_ENTRY),
    Call.SIMPLE_SELL: _created(*_ENTRY),
    Call.SMART_SELL: _created(schemas.Held, *_EXITS, step=schemas.Step),
    Call.SMART_TRADE: _created(*_TRADE, step=schemas.Step),
    Call.SMART_COVER: _created(*_TRADE, step=schemas.Step),
}

UPDATED: Final = _whole(
    schemas.Reentered, schemas.Basis, *_EXITS, schemas.Noted, step=schemas.NumberedStep
)
ADDED: Final = _whole(schemas.Funds, schemas.FundsLimit)
ONE_STEP: Final = schemas.ONE_STEP
