"""The body or query of each route (Poloniex documentation, "Orders", "Smart Orders", "Trades").

What is asked of a field in the light of others, or of the rules of its pair, is in `parse_orders`
and `queries`, in the order in which Poloniex documents the fields.
"""

from typing import Final

from marshmallow import validate

from app.dialects.poloniex.candles import INTERVALS
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import (
    CallerId,
    Distance,
    Ids,
    Limit,
    Shape,
    Switch,
    Timeout,
    Word,
    Words,
    YesNo,
)
from app.dialects.poloniex.notation import (
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


def _account_types(data_key: str) -> Words:
    return Words({SPOT: SPOT}, Code.INVALID_ACCOUNT_TYPE, quotes=True, data_key=data_key)


def _pairs() -> Words:
    return Words(symbol_from, Code.INVALID_SYMBOL, quotes=True)


def _ids(data_key: str) -> Ids:
    described = {"type": ["string", "array"], "items": {"type": "string"}}
    return Ids(Code.INVALID_VALUE, data_key=data_key, metadata=described)


def _proceeds() -> YesNo:
    described = {"type": ["boolean", "string"], "default": False}
    return YesNo(data_key="proceedOnFailure", metadata=described)


class Figures(Shape):
    """What creates an order and what amends one have in common."""

    time_in_force = Word(
        TIMES_IN_FORCE,
        Code.INVALID_TIME_IN_FORCE,
        data_key="timeInForce",
        metadata={"default": "GTC"},
    )
    price = Number()
    quantity = Number(metadata={"description": "In base currency."})
    amount = Number(metadata={"description": "In quote currency: what a market buy spends."})
    caller_id = CallerId()


class Amendment(Figures):
    """What a plain order is replaced by; what is not named is inherited."""

    type = Word(ORDER_TYPES, Code.INVALID_TYPE)
    proceeds = _proceeds()


class Placing(Shape):
    """What is bought or sold, which no amendment changes."""

    symbol = Word(symbol_from, Code.INVALID_SYMBOL, required=True, metadata={"example": "BTC_USDT"})
    side = Word(SIDES, Code.INVALID_SIDE, required=True)
    account_type = _account_types("accountType")


class PlainOrder(Placing, Figures):
    """A plain order."""

    type = Word(ORDER_TYPES, Code.INVALID_TYPE, metadata={"default": "MARKET"})


class Stops(Figures):
    """When a smart order triggers."""

    type = Word(SMART_TYPES, Code.INVALID_TYPE)
    stop = Number(data_key="stopPrice")
    trail = Distance("trailingOffset")
    limit_offset = Distance("limitOffset", may_be_zero=True)
    operator = Word(OPERATORS, Code.INVALID_VALUE)


class SmartAmendment(Stops):
    """What a smart order is replaced by; what is not named is inherited."""

    proceeds = _proceeds()


class SmartOrderBody(Placing, Stops):
    """A smart order."""


class Named(Shape):
    """Orders that are to be canceled, each by its name."""

    order_ids = _ids("orderIds")
    caller_ids = _ids("clientOrderIds")


class Described(Shape):
    """Orders that are to be canceled. The SDK writes `symbol` and `accountType`, ccxt `symbols`."""

    symbol = _pairs()
    symbols = _pairs()
    account_type = _account_types("accountType")
    account_types = _account_types("accountTypes")
    order_types = Words(PLAIN_TYPES, Code.INVALID_TYPE, data_key="orderTypes")


class SmartDescribed(Described):
    """The same of smart orders."""

    order_types = Words(ALL_SMART_TYPES, Code.INVALID_TYPE, data_key="orderTypes")


class KillSwitch(Shape):
    """In how many seconds to cancel everything."""

    timeout = Timeout(10, 600, OFF)


class Account(Shape):
    """Balances of which account."""

    account_type = _account_types("accountType")


class OpenList(Shape):
    """A page of the orders that are open, newest first."""

    limit = Limit(LIMIT_DEFAULT, OPEN_LIMIT_MAX)
    start = WholeNumber(data_key="from")
    newer = Word(_DIRECTIONS, Code.INVALID_PARAMETER, data_key="direction")
    types = Words(PLAIN_TYPES, Code.INVALID_TYPE)
    type = Words(PLAIN_TYPES, Code.INVALID_TYPE)
    symbol = _pairs()
    symbols = _pairs()
    side = Word(SIDES, Code.INVALID_SIDE)


class OpenSmartList(OpenList):
    """The same of smart orders."""

    types = Words(ALL_SMART_TYPES, Code.INVALID_TYPE)
    type = Words(ALL_SMART_TYPES, Code.INVALID_TYPE)


class Past(Shape):
    """A span of time, and an account."""

    account_type = _account_types("accountType")
    since_ms = WholeNumber(validate=_TIME, data_key="startTime")
    until_ms = WholeNumber(validate=_TIME, data_key="endTime")


class TradeList(Past, OpenList):
    """A page of the trades of an account."""

    limit = Limit(LIMIT_DEFAULT, HISTORY_LIMIT_MAX)


class ClosedList(TradeList):
    """A page of the orders that are over."""

    states = Words(_STATES, Code.INVALID_PARAMETER)
    hides_canceled = Switch(data_key="hideCancel", metadata={"type": "boolean"})


class ClosedSmartList(Past, OpenSmartList):
    """The same of smart orders."""

    limit = Limit(LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    states = Words(_SMART_STATES, Code.INVALID_PARAMETER)
    hides_canceled = Switch(data_key="hideCancel", metadata={"type": "boolean"})


class Book(Shape):
    """How many levels of the book."""

    limit = Limit(10, 150)


class PublicTrades(Shape):
    """How many of the last trades."""

    limit = Limit(500, 1000)


class Candles(Shape):
    """Which candles."""

    interval = Word(INTERVALS, Code.INVALID_PARAMETER, required=True)
    limit = Limit(100, 500)
    since_ms = WholeNumber(validate=_TIME, data_key="startTime")
    until_ms = WholeNumber(validate=_TIME, data_key="endTime")


PLAIN_ORDER, AMENDMENT = PlainOrder(), Amendment()
SMART_ORDER, SMART_AMENDMENT = SmartOrderBody(), SmartAmendment()
NAMED, DESCRIBED, SMART_DESCRIBED = Named(), Described(), SmartDescribed()
KILL_SWITCH, ACCOUNT = KillSwitch(), Account()
OPEN_LIST, OPEN_SMART_LIST = OpenList(), OpenSmartList()
CLOSED_LIST, CLOSED_SMART_LIST, TRADE_LIST = ClosedList(), ClosedSmartList(), TradeList()
BOOK, PUBLIC_TRADES, CANDLES = Book(), PublicTrades(), Candles()
