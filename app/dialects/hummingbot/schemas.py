"""The shape of each request, once (Hummingbot spec, sections 2.1 and 3)."""

from typing import Final

from app.dialects.hummingbot.shapes import (
    Field,
    amount,
    between,
    flag,
    nullable,
    number,
    text,
    texts,
    whole,
    word,
)
from app.domain.commands import PositionAction
from app.domain.enums import OrderType, Side

LIMIT_MAX: Final = 1000
LIMIT_DEFAULT: Final = 100
LEVERAGE_MAX: Final = 125

#: In the reference's order, in which its messages list them.
ORDER_TYPES: Final = (OrderType.LIMIT, OrderType.MARKET, OrderType.LIMIT_MAKER)

ORDER: Final = (
    Field("account_name", text),
    Field("connector_name", text),
    Field("trading_pair", text),
    Field("trade_type", word(*Side)),
    Field("amount", amount),
    Field("order_type", word(*ORDER_TYPES), OrderType.LIMIT.value),
    Field("price", nullable(number), None),
    Field("position_action", word(*PositionAction), PositionAction.OPEN.value),
)

_PAGE = (
    Field("limit", between(1, LIMIT_MAX), LIMIT_DEFAULT),
    Field("cursor", nullable(text), None),
)
_ACCOUNTS = (
    Field("account_names", nullable(texts), None),
    Field("connector_names", nullable(texts), None),
)
_PAIRS = (Field("trading_pairs", nullable(texts), None),)
_TIMES = (
    Field("start_time", nullable(whole), None),
    Field("end_time", nullable(whole), None),
)

ACTIVE: Final = (*_PAGE, *_ACCOUNTS, *_PAIRS)
SEARCH: Final = (*ACTIVE, Field("status", nullable(text), None), *_TIMES)
TRADES: Final = (*ACTIVE, Field("trade_types", nullable(texts), None), *_TIMES)
POSITIONS: Final = (*_PAGE, *_ACCOUNTS)
FUNDING_PAYMENTS: Final = (*_PAGE, *_ACCOUNTS, Field("trading_pair", nullable(text), None))
PORTFOLIO: Final = (
    *_ACCOUNTS,
    Field("skip_gateway", flag, default=False),
    Field("refresh", flag, default=False),
)

POSITION_MODE: Final = (Field("position_mode", text),)
LEVERAGE: Final = (
    Field("trading_pair", text),
    Field("leverage", between(1, LEVERAGE_MAX)),
)
