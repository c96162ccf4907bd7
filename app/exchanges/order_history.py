"""How each exchange is asked for all orders that were placed since some moment.

Every exchange bounds the time that one question may span, and the orders that one answer lists. A
question that is answered in full, so that more may have been left out, is asked for half the time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.enums import Market
from app.domain.errors import CannotAsk, VenueUnavailable
from app.domain.identifiers import Symbol
from app.exchanges import smart_orders
from app.exchanges.apart import are_apart
from app.exchanges.exchange import Exchange
from app.exchanges.look_up import BYBIT_CATEGORIES, NEWEST_ORDERS
from app.exchanges.profiles import LookUp
from app.exchanges.stops import followed, joined, placed_between
from app.exchanges.templates import Json

_DAY_MS = 86_400_000
_WEEK = dict.fromkeys(Market, 7 * _DAY_MS)

#: Clocks differ, and a span that is too long by a millisecond is refused.
_SLACK_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Manner:
    """How one exchange lists orders, closed ones included.

    Attributes:
        ask: the question: api, exchange, symbol, from, to; both times the exchange's, in ms.
        span_ms: the longest time between the two, by market.
        most: an answer with so many may have left out some, by market.
        open: those that are open, where they are not listed there as well.
    """

    ask: Callable[[Json, Exchange, Symbol, int, int], list[Json]]
    span_ms: Mapping[Market, int]
    most: Mapping[Market, int]
    open: Callable[[Json, Exchange, Symbol], list[Json]] | None = None


def orders_placed(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int, now_ms: int
) -> tuple[list[Json], int | None]:
    """Return ccxt's orders from a moment on, and up to when all are there; None is until now.

    Args:
        api: of the exchange.
        exchange: to ask.
        symbol: whose orders.
        since_ms: the exchange's time.
        now_ms: the same.

    Raises:
        CannotAsk: nothing is known about how this exchange lists orders.
        VenueUnavailable: more were placed within a millisecond than an answer lists.
        ccxt.BaseError: the exchange could not be asked.
    """
    manner = _MANNERS.get(exchange.profile.look_up)
    if manner is None:
        raise CannotAsk(f"{exchange.venue} cannot be asked what was placed there")
    newest = _newest_at_binance(api, exchange, symbol, since_ms)
    if newest is not None:
        return newest, None
    last_ms = now_ms + _SLACK_MS
    until_ms = min(since_ms + manner.span_ms[exchange.account.market], last_ms)
    rows = manner.ask(api, exchange, symbol, since_ms, until_ms)
    while len(rows) >= manner.most[exchange.account.market]:
        if until_ms - since_ms <= 1:
            raise VenueUnavailable(f"{exchange.venue} lists more orders than it can")
        until_ms = since_ms + (until_ms - since_ms) // 2
        rows = manner.ask(api, exchange, symbol, since_ms, until_ms)
    if until_ms < last_ms:
        return _since(rows, since_ms), until_ms
    if manner.open is not None:
        rows = [*rows, *manner.open(api, exchange, symbol)]
    return _since(rows, since_ms), None


def _since(rows: list[Json], since_ms: int) -> list[Json]:
    """Leave out what was placed before: some list by the time of the last change."""
    return [one for one in rows if int(one.get("timestamp") or since_ms) >= since_ms]


def _newest_at_binance(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int
) -> list[Json] | None:
    """Return what spot's one question for the newest orders tells, or None if it is not enough.

    "All Orders" of Binance: the newest unless a time is named, of futures those of seven days.
    Spot's windows are a day each; an account that traded little since would be asked about each.
    """
    is_spot = exchange.account.market is Market.SPOT
    if exchange.profile.look_up is not LookUp.ORIGINAL_ID or not is_spot:
        return None
    most = NEWEST_ORDERS[Market.SPOT]
    rows: list[Json] = api.fetch_orders(exchange.unified(symbol), None, most)
    is_all = len(rows) < most
    if is_all or any(int(one.get("timestamp") or since_ms) < since_ms for one in rows):
        return _since(rows, since_ms)
    return None


def _at_binance(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int, until_ms: int
) -> list[Json]:
    unified, most = exchange.unified(symbol), NEWEST_ORDERS[exchange.account.market]
    found: list[Json] = api.fetch_orders(unified, since_ms, most, {"until": until_ms})
    if not are_apart(exchange) or len(found) >= most:
        return found  # a span that is too long is asked for in part, and then for its stops
    rows = joined(found, placed_between(api, exchange, symbol, since_ms, until_ms))
    if len(rows) >= most:
        return rows
    return [followed(api, row) for row in rows]  # what was made of a stop may be newer


#: "Get Order History" of Bybit: pages of fifty, seven days at once, with a cursor to the next one.
_BYBIT_PAGE = 50

#: A span with so many is asked for anew in part, so this is little: one call has twenty seconds.
_BYBIT_MOST = 250
_BYBIT_OPEN_MOST = 1_000


def _at_bybit(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int, until_ms: int
) -> list[Json]:
    span = {"startTime": since_ms, "endTime": until_ms}
    question = api.privateGetV5OrderHistory
    return _pages_at_bybit(question, span, _BYBIT_MOST, api, exchange, symbol)


def open_at_bybit(api: Json, exchange: Exchange, symbol: Symbol | None = None) -> list[Json]:
    """Return ccxt's open orders of a symbol, or of all; of linear contracts it is to be named."""
    question = api.privateGetV5OrderRealtime
    rows = _pages_at_bybit(question, {}, _BYBIT_OPEN_MOST, api, exchange, symbol)
    if len(rows) >= _BYBIT_OPEN_MOST:
        raise VenueUnavailable(f"{exchange.venue} lists more open orders than are read")
    return rows


def _pages_at_bybit(
    question: Json,
    span: Mapping[str, int],
    most: int,
    api: Json,
    exchange: Exchange,
    symbol: Symbol | None,
) -> list[Json]:
    market = None if symbol is None else api.market(exchange.unified(symbol))
    asked = {
        "category": BYBIT_CATEGORIES[exchange.account.market],
        **({} if market is None else {"symbol": market["id"]}),
        "limit": _BYBIT_PAGE,
        **span,
    }
    rows: list[Json] = []
    while len(rows) < most:
        result = question(asked)["result"]
        rows += [api.parse_order(one, market) for one in result["list"]]
        cursor = result.get("nextPageCursor")
        if not cursor or not result["list"]:
            break
        asked = {**asked, "cursor": cursor}
    return rows


#: "Orders History" and "Smart Orders History" of Poloniex: by the time of the last change, seven
#: days at once.
_POLONIEX_MOST = 100


def _at_poloniex(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int, until_ms: int
) -> list[Json]:
    market = api.market(exchange.unified(symbol))
    asked = {
        "symbol": market["id"],
        "startTime": since_ms,
        "endTime": until_ms,
        "limit": _POLONIEX_MOST,
    }
    found = [api.parse_order(one, market) for one in api.privateGetOrdersHistory(asked)]
    if not are_apart(exchange) or len(found) >= _POLONIEX_MOST:
        return found  # a span that is too long is asked for in part, and then for its stops
    ended = smart_orders.ended_between(api, exchange, symbol, asked)
    if len(ended) >= _POLONIEX_MOST:
        return ended
    return smart_orders.joined(api, exchange, symbol, found, ended)


#: "Open Orders" of Poloniex: the most that one answer lists.
_POLONIEX_OPEN_MOST = 2_000


def _open_at_poloniex(api: Json, exchange: Exchange, symbol: Symbol) -> list[Json]:
    unified = exchange.unified(symbol)
    found: list[Json] = api.fetch_open_orders(unified, None, _POLONIEX_OPEN_MOST)
    if are_apart(exchange):
        found += smart_orders.waiting_stops(api, exchange, [symbol])
    return found


_MANNERS: Mapping[LookUp, _Manner] = {
    LookUp.ORIGINAL_ID: _Manner(_at_binance, {**_WEEK, Market.SPOT: _DAY_MS}, NEWEST_ORDERS),
    LookUp.BYBIT: _Manner(_at_bybit, _WEEK, dict.fromkeys(Market, _BYBIT_MOST), open_at_bybit),
    LookUp.POLONIEX: _Manner(
        _at_poloniex, _WEEK, dict.fromkeys(Market, _POLONIEX_MOST), _open_at_poloniex
    ),
}
