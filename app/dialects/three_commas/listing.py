"""Which trades a list shows, and in which order (SmartTrades Api, "Get SmartTrade history")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.names import symbol_of, type_name
from app.domain.identifiers import AccountId, Symbol
from app.domain.search import Moment
from app.domain.smart_trade.enums import FINAL, FINISHED, TradeStatus, TradeType

#: Trades of a list that asks for no number, and at most (3Commas docs, deals_api.md, 2019).
LIMIT: Final = 50
LIMIT_MAX: Final = 1000

#: Beyond all trades that there can be.
_OFFSET_MAX: Final = 2**53

_STATUSES: Final[Mapping[str, frozenset[TradeStatus]]] = {
    "active": frozenset(TradeStatus) - FINAL,
    "finished": FINISHED,
    "cancelled": frozenset({TradeStatus.CANCELLED}),
    "failed": frozenset({TradeStatus.FAILED}),
}

_TYPES: Final = {type_name(one): one for one in TradeType}

#: py3cw writes a list as Python shows it, `['USDT_BTC']`.
_PAIRS = re.compile(r"[0-9A-Za-z]+_[0-9A-Za-z]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list shows.

    Attributes:
        limit, offset: how many trades, after how many others.
        account: None is all accounts.
        statuses: None is any.
        types, symbols: None is any, an empty set is none.
        order: by what it is sorted, oldest first.
    """

    limit: int = LIMIT
    offset: int = 0
    account: AccountId | None = None
    statuses: frozenset[TradeStatus] | None = None
    types: frozenset[TradeType] | None = None
    symbols: frozenset[Symbol] | None = None
    order: Moment = Moment.CREATED_AT


def listing_from(parameters: Mapping[str, object]) -> Listing:
    """Return what a list is to show.

    Raises:
        InvalidParameters: a number is none, or out of bounds.
    """
    found = Findings()
    # The page says "pass null (default)", and there is no other way to write it in a query.
    given = {name: value for name, value in parameters.items() if value != "null"}
    shape = found.shape(schemas.LISTED, given)
    found.refuse()
    wanted, order = shape.get("type"), shape.get("order")
    return Listing(
        limit=min(shape.get("limit", LIMIT), LIMIT_MAX),
        offset=min(shape["offset"], _OFFSET_MAX),
        account=shape.get("account_id"),
        statuses=_STATUSES.get(shape.get("scope", "")),
        types=None if wanted is None else frozenset({_TYPES[wanted]} if wanted in _TYPES else ()),
        symbols=_symbols(parameters.get("pairs")),
        order=Moment(order) if order in set(Moment) else Moment.CREATED_AT,
    )


def _symbols(pairs: object) -> frozenset[Symbol] | None:
    """Return the pairs of `pairs[]`, a later addition (3Commas docs, 2020)."""
    if pairs is None:
        return None
    named = _PAIRS.findall(" ".join(map(str, pairs)) if isinstance(pairs, list) else str(pairs))
    symbols = (symbol_of(pair) for pair in named)
    return frozenset(symbol for symbol in symbols if symbol is not None)
