"""The body or query of each route (Poloniex documentation, "Orders", "Smart Orders", "Trades").

What is asked of a field in the light of others, or of the rules of its pair, is in `parse_orders`
and `queries`, in the order in which Poloniex documents the fields.
"""

from functools import partial
from typing import Final

from marshmallow import validate

from app.dialects.poloniex import fields
from app.dialects.poloniex.candles import INTERVALS
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.notation import (
    CALLER_ID,
    OPERATORS,
    ORDER_TYPES,
    SIDES,
    SMART_TYPES,
    SPOT,
    TIMES_IN_FORCE,
    symbol_from,
)
from app.dialects.poloniex.render_orders import STATES
from app.domain.smart_order import SmartOrderStatus
from app.web.fields import Number, WholeNumber

#: Of orders; those that wait, and those that are over.
LIMIT_DEFAULT: Final = 100
OPEN_LIMIT_MAX: Final = 2000
HISTORY_LIMIT_MAX: Final = 1000

#: What switches the kill switch off.
OFF: Final = -1

#: Types by all their names on the wire → the name of the type.
PLAIN_TYPES: Final = {word: word for word in ORDER_TYPES}
ALL_SMART_TYPES: Final = {word: one.type.value for word, one in SMART_TYPES.items()}

#: A smart order is found by its own states, and by those of the order that it has placed.
_STATES: Final = {word: word for word in sorted(STATES)}
_SMART_STATES: Final = {word: word for word in (*SmartOrderStatus, *_STATES)}

_DIRECTIONS: Final = {"NEXT": False, "PRE": True}

#: Not later than a date can say.
_TIME: Final = validate.Range(0, 10**14)

#: For the documentation.
_LIST: Final = {"type": ["string", "array"], "items": {"type": "string"}}
_DISTANCE: Final = {"type": "string", "description": "A distance, or with % behind it a share."}

_account_types = partial(fields.several, {SPOT: SPOT}, Code.INVALID_ACCOUNT_TYPE, quotes=True)
_pairs = partial(fields.several, symbol_from, Code.INVALID_SYMBOL, quotes=True)
_ids = partial(fields.Coded, fields.ids, Code.INVALID_VALUE, metadata=_LIST)
_proceeds = partial(
    fields.Coded,
    fields.truth,
    data_key="proceedOnFailure",
    metadata={"type": ["boolean", "string"], "default": False},
)
_hides_canceled = partial(
    fields.Coded, fields.is_on, data_key="hideCancel", metadata={"type": "boolean"}
)


class Figures(fields.Shape):
    """What creates an order and what amends one have in common."""

    time_in_force = fields.word(
        TIMES_IN_FORCE,
        Code.INVALID_TIME_IN_FORCE,
        data_key="timeInForce",
        metadata={"default": "GTC"},
    )
    price = Number()
    quantity = Number(metadata={"description": "In base currency."})
    amount = Number(metadata={"description": "In quote currency: what a market buy spends."})
    caller_id = fields.Coded(
        fields.caller_id,
        Code.INVALID_VALUE,
        data_key="clientOrderId",
        metadata={"type": "string", "pattern": f"^{CALLER_ID.pattern}$"},
    )


class Amendment(Figures):
    """What a plain order is replaced by; what is not named is inherited."""

    type = fields.word(ORDER_TYPES, Code.INVALID_TYPE)
    proceeds = _proceeds()


class Placing(fields.Shape):
    """What is bought or sold, which no amendment changes."""

    symbol = fields.word(
        symbol_from, Code.INVALID_SYMBOL, required=True, metadata={"example": "BTC_USDT"}
    )
    side = fields.word(SIDES, Code.INVALID_SIDE, required=True)
    account_type = _account_types(data_key="accountType")


class PlainOrder(Placing, Figures):
    """A plain order."""

    type = fields.word(ORDER_TYPES, Code.INVALID_TYPE, metadata={"default": "MARKET"})


class Stops(Figures):
    """When a smart order triggers."""

    type = fields.word(SMART_TYPES, Code.INVALID_TYPE)
    stop = Number(data_key="stopPrice")
    trail = fields.Coded(
        fields.distance, Code.INVALID_VALUE, data_key="trailingOffset", metadata=_DISTANCE
    )
    limit_offset = fields.Coded(
        partial(fields.distance, may_be_zero=True),
        Code.INVALID_VALUE,
        data_key="limitOffset",
        metadata=_DISTANCE,
    )
    operator = fields.word(OPERATORS, Code.INVALID_VALUE)


class SmartAmendment(Stops):
    """What a smart order is replaced by; what is not named is inherited."""

    proceeds = _proceeds()


class SmartOrderBody(Placing, Stops):
    """A smart order."""


class Named(fields.Shape):
    """Orders that are to be canceled, each by its name."""

    order_ids = _ids(data_key="orderIds")
    caller_ids = _ids(data_key="clientOrderIds")


class Described(fields.Shape):
    """Orders that are to be canceled. The SDK writes `symbol` and `accountType`, ccxt `symbols`."""

    symbol = _pairs()
    symbols = _pairs()
    account_type = _account_types(data_key="accountType")
    account_types = _account_types(data_key="accountTypes")
    order_types = fields.several(PLAIN_TYPES, Code.INVALID_TYPE, data_key="orderTypes")


class SmartDescribed(Described):
    """The same of smart orders."""

    order_types = fields.several(ALL_SMART_TYPES, Code.INVALID_TYPE, data_key="orderTypes")


class KillSwitch(fields.Shape):
    """In how many seconds to cancel everything."""

    timeout = fields.timeout(10, 600, OFF)


class Account(fields.Shape):
    """Balances of which account."""

    account_type = _account_types(data_key="accountType")


class OpenList(fields.Shape):
    """A page of the orders that are open, newest first."""

    limit = fields.limit(LIMIT_DEFAULT, OPEN_LIMIT_MAX)
    start = WholeNumber(data_key="from")
    newer = fields.word(_DIRECTIONS, Code.INVALID_PARAMETER, data_key="direction")
    types = fields.several(PLAIN_TYPES, Code.INVALID_TYPE)
    type = fields.several(PLAIN_TYPES, Code.INVALID_TYPE)
    symbol = _pairs()
    symbols = _pairs()
    side = fields.word(SIDES, Code.INVALID_SIDE)


class OpenSmartList(OpenList):
    """The same of smart orders."""

    types = fields.several(ALL_SMART_TYPES, Code.INVALID_TYPE)
    type = fields.several(ALL_SMART_TYPES, Code.INVALID_TYPE)


class Past(fields.Shape):
    """A span of time, and an account."""

    account_type = _account_types(data_key="accountType")
    since_ms = WholeNumber(validate=_TIME, data_key="startTime")
    until_ms = WholeNumber(validate=_TIME, data_key="endTime")


class TradeList(Past, OpenList):
    """A page of the trades of an account."""

    limit = fields.limit(LIMIT_DEFAULT, HISTORY_LIMIT_MAX)


class ClosedList(TradeList):
    """A page of the orders that are over."""

    states = fields.several(_STATES, Code.INVALID_PARAMETER)
    hides_canceled = _hides_canceled()


class ClosedSmartList(Past, OpenSmartList):
    """The same of smart orders."""

    limit = fields.limit(LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    states = fields.several(_SMART_STATES, Code.INVALID_PARAMETER)
    hides_canceled = _hides_canceled()


class Book(fields.Shape):
    """How many levels of the book."""

    limit = fields.limit(10, 150)


class PublicTrades(fields.Shape):
    """How many of the last trades."""

    limit = fields.limit(500, 1000)


class Candles(fields.Shape):
    """Which candles."""

    interval = fields.word(INTERVALS, Code.INVALID_PARAMETER, required=True)
    limit = fields.limit(100, 500)
    since_ms = WholeNumber(validate=_TIME, data_key="startTime")
    until_ms = WholeNumber(validate=_TIME, data_key="endTime")


PLAIN_ORDER, AMENDMENT = PlainOrder(), Amendment()
SMART_ORDER, SMART_AMENDMENT = SmartOrderBody(), SmartAmendment()
NAMED, DESCRIBED, SMART_DESCRIBED = Named(), Described(), SmartDescribed()
KILL_SWITCH, ACCOUNT = KillSwitch(), Account()
OPEN_LIST, OPEN_SMART_LIST = OpenList(), OpenSmartList()
CLOSED_LIST, CLOSED_SMART_LIST, TRADE_LIST = ClosedList(), ClosedSmartList(), TradeList()
BOOK, PUBLIC_TRADES, CANDLES = Book(), PublicTrades(), Candles()
