"""The parameters of each call, in the parts that are read one after the other.

What a part asks for depends on what the part before it says: a block that is switched off is not
looked at, and which of its fields are mandatory depends on how the trade enters. So a field is
`required` here only where it always is (SmartTrades Api, parameter tables).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from marshmallow import Schema, fields, validate

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas.fields import (
    ABOVE_ZERO,
    Figure,
    Whole,
    Words,
    YesNo,
    amount,
    choice,
    distance,
)
from app.dialects.three_commas.parameters import STEPS
from app.domain.enums import OrderType, PriceSource
from app.domain.smart_trade.enums import EntryMethod, TakeProfitType
from app.web.fields import Lenient

#: One day.
TIMEOUT_SECONDS_MAX = 86_400

NOTE_CHARACTERS_MAX = 1000

_PAIR_CHARACTERS_MAX = 64

_AT_LEAST_ONE: Final = validate.Range(min=1, error=findings.NOT_ABOVE_ZERO)


class Call(StrEnum):
    """The calls that create a trade."""

    SIMPLE_BUY = "create_simple_buy"
    SIMPLE_SELL = "create_simple_sell"
    SMART_SELL = "create_smart_sell"
    SMART_COVER = "create_smart_cover"
    SMART_TRADE = "create_smart_trade"


class _OrderKind(StrEnum):
    """How an exit is priced."""

    MARKET = "market"
    LIMIT = "limit"


class ResponseType(StrEnum):
    """What `add_funds` answers with."""

    EMPTY = "empty"
    SMART_TRADE = "smart_trade"
    ORDER = "order"
    STEP = "step"


def _part(**declared: Any) -> Schema:  # noqa: ANN401 - a field for each parameter
    part: Schema = Lenient.from_dict(declared)()
    return part


#: What every trade begins with; the amount is always in base currency.
OPENED: Final = _part(
    account_id=Whole(required=True),
    pair=Words(_PAIR_CHARACTERS_MAX, required=True),
    units_to_buy=amount(required=True),
)

#: Coins that are held already, and what they cost on average.
HELD: Final = _part(average_buy_price=amount(required=True))

#: How a trade enters.
ENTERED: Final = _part(buy_method=choice(EntryMethod, load_default=EntryMethod.LIMIT))

#: The limit, or the level at which a condition is met.
PRICED: Final = _part(buy_price=amount(required=True))

#: The price beside a market order, which is only shown.
INFORMED: Final = _part(buy_price=Figure())

#: The limit of the order that a condition places.
CONDITIONAL: Final = _part(conditional_limit_price=amount())

#: Whether the entry trails.
TRAILED: Final = _part(trailing_buy_enabled=YesNo(load_default=False))

#: By how much it trails, in percent.
TRAILING_ENTRY: Final = _part(trailing_buy_step=distance())

#: Which exits there are.
SWITCHES: Final = _part(
    take_profit_enabled=YesNo(required=True), stop_loss_enabled=YesNo(required=True)
)

#: How profit is taken.
TAKE_PROFIT: Final = _part(
    take_profit_type=choice(TakeProfitType),
    take_profit_sell_method=choice(_OrderKind, post_load=lambda kind: OrderType[kind.name]),
    trailing_take_profit=YesNo(),
)

#: By how much the take-profit trails, in percent.
TRAILING_TAKE_PROFIT: Final = _part(trailing_take_profit_step=distance())

#: The one condition of a classic take-profit; the percentage has a sign.
CLASSIC_TAKE_PROFIT: Final = _part(
    take_profit_price_condition=amount(),
    take_profit_percentage_condition=Figure(),
    take_profit_price_method=choice(PriceSource),
)

#: The limit that a classic take-profit places.
LIMIT_TAKE_PROFIT: Final = _part(take_profit_sell_order_price=amount())

#: How a loss is stopped.
STOP_LOSS: Final = _part(
    stop_loss_price_condition=amount(),
    stop_loss_percentage_condition=Figure(),
    stop_loss_price_method=choice(PriceSource),
    stop_loss_sell_method=choice(_OrderKind, post_load=lambda kind: OrderType[kind.name]),
    trailing_stop_loss=YesNo(),
    stop_loss_timeout_enabled=YesNo(),
)

#: The limit that a stop-loss places.
LIMIT_STOP_LOSS: Final = _part(stop_loss_sell_order_price=amount())

#: How long after the first hit it is looked at again.
STOP_LOSS_TIMEOUT: Final = _part(
    stop_loss_timeout_seconds=Whole(
        validate=[
            _AT_LEAST_ONE,
            validate.Range(max=TIMEOUT_SECONDS_MAX, error=findings.INVALID),
        ]
    )
)

#: One step of a take-profit in steps; without a price it has a percentage, with a sign.
STEP: Final = _part(
    percent=Figure(
        required=True, validate=[ABOVE_ZERO, validate.Range(max=100, error=findings.INVALID)]
    ),
    price=amount(),
    price_percentage=Figure(),
    price_method=choice(PriceSource),
)

#: A step of an update, which is known by its number.
NUMBERED_STEP: Final[Schema] = STEP.from_dict(
    {"position": Whole(required=True, validate=_AT_LEAST_ONE)}
)()

#: The caller's own words; the page lists them for some calls, clients send them with all.
NOTED: Final = _part(note=Words(NOTE_CHARACTERS_MAX))

#: What an update may change of an entry that waits for its price, and of held coins.
REENTERED: Final = _part(
    buy_price=amount(),
    conditional_limit_price=amount(),
    trailing_buy_enabled=YesNo(),
    trailing_buy_step=distance(),
    average_buy_price=amount(),
)

#: More of the same.
FUNDS: Final = _part(
    quantity=amount(required=True),
    is_market=YesNo(required=True),
    response_type=choice(ResponseType, load_default=ResponseType.EMPTY),
)

#: The limit of what is added.
FUNDS_LIMIT: Final = _part(rate=amount(required=True))

#: The step that is meant; 3Commas writes it as text or as a number.
ONE_STEP: Final = _part(step_id=Whole(required=True))

#: Of a list. Words that are not known ask for nothing.
LISTED: Final = _part(
    limit=Whole(validate=_AT_LEAST_ONE),
    offset=Whole(
        validate=validate.Range(min=0, error="must be greater than or equal to 0"), load_default=0
    ),
    account_id=Whole(),
    scope=Words(),
    type=Words(),
    order=Words(),
)


# Queries about markets, and the body of each call as a whole, as the documentation tells of them.

RATES: Final = _part(pretty_display_type=Words(required=True), pair=Words(required=True))
PAIRS: Final = _part(pretty_display_type=Words())


def _whole(*parts: Schema, step: Schema | None = None) -> Schema:
    declared = {name: one for part in parts for name, one in part.declared_fields.items()}
    if step is not None:
        declared[STEPS] = fields.List(fields.Nested(step))
    return _part(**declared)


_SIMPLE: Final = (OPENED, ENTERED, INFORMED, CONDITIONAL)
_EXITS: Final = (
    SWITCHES,
    TAKE_PROFIT,
    CLASSIC_TAKE_PROFIT,
    LIMIT_TAKE_PROFIT,
    TRAILING_TAKE_PROFIT,
    STOP_LOSS,
    LIMIT_STOP_LOSS,
    STOP_LOSS_TIMEOUT,
)
_TRADE: Final = _whole(*_SIMPLE, TRAILED, TRAILING_ENTRY, *_EXITS, NOTED, step=STEP)

CREATED: Final[Mapping[Call, Schema]] = {
    Call.SIMPLE_BUY: _whole(*_SIMPLE, NOTED),
    Call.SIMPLE_SELL: _whole(*_SIMPLE, NOTED),
    Call.SMART_SELL: _whole(OPENED, HELD, *_EXITS, NOTED, step=STEP),
    Call.SMART_TRADE: _TRADE,
    Call.SMART_COVER: _TRADE,
}
UPDATED: Final = _whole(REENTERED, *_EXITS, NOTED, step=NUMBERED_STEP)
ADDED: Final = _whole(FUNDS, FUNDS_LIMIT)
