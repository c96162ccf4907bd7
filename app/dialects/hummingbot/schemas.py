"""The shape of each request, once (Hummingbot spec, sections 2.1 and 3).

Problems are told in the order of the fields, which is that of the reference.
"""

from typing import Final

from marshmallow import fields

from app.dialects.hummingbot.fields import (
    ABOVE_ZERO,
    Figure,
    Texts,
    Truth,
    Whole,
    Word,
    Words,
    between,
)
from app.dialects.hummingbot.names import ORDER_TYPES
from app.domain.commands import PositionAction
from app.domain.enums import OrderType, PositionMode, Side
from app.web.fields import Flag, Lenient, Text

LIMIT_MAX: Final = 1000
LIMIT_DEFAULT: Final = 100
LEVERAGE_MAX: Final = 125

_TIME: Final = {"description": "Unix seconds or milliseconds."}


class Order(Lenient):
    """An order that is to be placed."""

    account_name = Words(required=True)
    connector_name = Words(required=True)
    trading_pair = Words(required=True, metadata={"description": "For instance BTC-USDT."})
    trade_type = Word(*Side, required=True)
    amount = Figure(required=True, validate=ABOVE_ZERO)
    order_type = Word(*ORDER_TYPES, load_default=OrderType.LIMIT)
    price = Figure(load_default=None)
    position_action = Word(*PositionAction, load_default=PositionAction.OPEN)


class Page(Lenient):
    """Which part of a list is wanted."""

    limit = Whole(validate=between(1, LIMIT_MAX), load_default=LIMIT_DEFAULT)
    cursor = Words(load_default=None, metadata={"description": "`next_cursor` of the page before."})


class Accounts(Lenient):
    """Which accounts are asked about; those that are not named are all of them."""

    account_names = Texts(load_default=None)
    connector_names = Texts(load_default=None)


class Positions(Accounts, Page):
    """Filters of the positions."""


class FundingPayments(Positions):
    """Filters of the funding payments."""

    trading_pair = Words(load_default=None)


class Active(Positions):
    """Filters of the orders that are not closed."""

    trading_pairs = Texts(load_default=None)


class Rules(Lenient):
    """Which pairs are asked for."""

    trading_pairs = Texts()


class Search(Active):
    """Filters of all orders."""

    status = Words(load_default=None)
    start_time = Whole(load_default=None, metadata=_TIME)
    end_time = Whole(load_default=None, metadata=_TIME)


class Trades(Active):
    """Filters of the fills."""

    trade_types = Texts(load_default=None)
    start_time = Whole(load_default=None, metadata=_TIME)
    end_time = Whole(load_default=None, metadata=_TIME)


class Portfolio(Accounts):
    """Which balances are wanted; they are always fresh, whatever `refresh` says."""

    skip_gateway = Truth(load_default=False)
    refresh = Truth(load_default=False)


class NewPositionMode(Lenient):
    """How positions are to be held: HEDGE or ONEWAY, in any case."""

    position_mode = Words(required=True, metadata={"enum": [*map(str, PositionMode)]})


class Leverage(Lenient):
    """The leverage that a pair is to have."""

    trading_pair = Words(required=True)
    leverage = Whole(required=True, validate=between(1, LEVERAGE_MAX))


class Placed(Lenient):
    """The answer to an order: an echo, and its id."""

    order_id = Text()
    account_name = Text()
    connector_name = Text()
    trading_pair = Text()
    trade_type = Text()
    amount = Text()
    order_type = Text()
    price = Text(allow_none=True)
    status = Text(metadata={"enum": ["submitted"]})


class Pagination(Lenient):
    """Where in a list a page is."""

    limit = fields.Integer()
    has_more = Flag()
    next_cursor = Text(allow_none=True)
    total_count = fields.Integer()


class Listed(Lenient):
    """The answer to a list."""

    data = fields.List(fields.Dict())
    pagination = fields.Nested(Pagination())


#: Made once: a schema is slow to build and safe to share between threads.
ORDER, ACTIVE, SEARCH, TRADES = Order(), Active(), Search(), Trades()
POSITIONS, FUNDING_PAYMENTS, PORTFOLIO = Positions(), FundingPayments(), Portfolio()
POSITION_MODE, LEVERAGE, RULES = NewPositionMode(), Leverage(), Rules()
