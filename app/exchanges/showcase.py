"""What an exchange shows everybody, as ccxt tells it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from app.domain.enums import Side
from app.domain.identifiers import EpochMs, Symbol
from app.domain.market_data import Candle, Look, LookKind, PublicTrade, Shown, Ticker
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.templates import Json

#: Levels of a book; every exchange that was looked at takes this number.
LEVELS: Final = 100

#: What each look asks, by ccxt's names.
_METHODS: Final[Mapping[LookKind, str]] = {
    LookKind.TICKERS: "fetchTickers",
    LookKind.BOOK: "fetchOrderBook",
    LookKind.TRADES: "fetchTrades",
    LookKind.CANDLES: "fetchOHLCV",
}

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}

#: What an exchange does not show.
_NOTHING: Final = Shown(is_told=False)


def seen(look: Look, api: Json, exchange: Exchange) -> Shown:
    """Look at what an exchange shows, with one request; what it never shows is not asked for."""
    if look.symbol is not None and look.kind is LookKind.TICKERS:
        return _one_ticker(look.symbol, api, exchange)
    if not api.has.get(_METHODS[look.kind]):
        return _NOTHING
    return _SEEN[look.kind](look, api, exchange)


def _one_ticker(symbol: Symbol, api: Json, exchange: Exchange) -> Shown:
    found = ticker_of(api.fetch_ticker(exchange.unified(symbol)))
    return Shown(tickers={} if found is None else {symbol: found})


def _tickers(_: Look, api: Json, exchange: Exchange) -> Shown:
    found = {}
    for unified, row in api.fetch_tickers().items():
        symbol, ticker = _symbol_of(unified, exchange), ticker_of(row)
        if symbol is not None and ticker is not None:
            found[symbol] = ticker
    return Shown(tickers=found)


def _symbol_of(unified: str, exchange: Exchange) -> Symbol | None:
    """Return our symbol, or None of what belongs to another market."""
    symbol = Symbol(unified.partition(":")[0])
    return symbol if exchange.unified(symbol) == unified else None


def ticker_of(row: Json) -> Ticker | None:
    """Return what ccxt's ticker says, or None if it knows no price."""
    quote = parse.quote_of(row)
    if quote is None:
        return None
    mark = parse.number(row.get("markPrice"))
    own = row.get("info")
    return Ticker(
        quote=replace(quote, mark=mark),
        bid_quantity=parse.number(row.get("bidVolume")),
        ask_quantity=parse.number(row.get("askVolume")),
        open=parse.number(row.get("open")),
        high=parse.number(row.get("high")),
        low=parse.number(row.get("low")),
        quantity=parse.or_zero(row.get("baseVolume")),
        amount=parse.or_zero(row.get("quoteVolume")),
        count=int(parse.or_zero(_count_in(own))),
    )


def _count_in(own: object) -> object:
    """Return how many trades there were, where an exchange says: Poloniex, then Binance."""
    if not isinstance(own, Mapping):
        return None
    return own.get("tradeCount") or own.get("count")


def _book(look: Look, api: Json, exchange: Exchange) -> Shown:
    told = api.fetch_order_book(_wanted(look, exchange), LEVELS)
    bids, asks = (_levels(told.get(side) or ()) for side in ("bids", "asks"))
    best = [one[0][0] if one else None for one in (bids, asks)]
    quote = parse.quote_of({"bid": best[0], "ask": best[1]})
    return Shown(book=None if quote is None else replace(quote, bids=bids, asks=asks))


def _levels(rows: Json) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((parse.or_zero(row[0]), parse.or_zero(row[1])) for row in rows)


def _trades(look: Look, api: Json, exchange: Exchange) -> Shown:
    rows = api.fetch_trades(_wanted(look, exchange))
    found = [one for one in map(_trade_of, rows) if one is not None]
    return Shown(trades=tuple(sorted(found, key=lambda one: one.at_ms)))


def _trade_of(row: Json) -> PublicTrade | None:
    price, quantity = parse.number(row.get("price")), parse.number(row.get("amount"))
    side, at_ms = _SIDES.get(str(row.get("side"))), parse.moment_of(row)
    if price is None or quantity is None or side is None or at_ms is None:
        return None
    return PublicTrade(
        id=str(row.get("id") or at_ms),
        at_ms=EpochMs(at_ms),
        price=price,
        quantity=quantity,
        taker_side=side,
    )


def _candles(look: Look, api: Json, exchange: Exchange) -> Shown:
    if look.interval not in (api.timeframes or {}):
        return _NOTHING
    # The end is named only where others may have come since: not every exchange takes it.
    until = {} if look.until_ms is None else {"until": int(look.until_ms)}
    rows = api.fetch_ohlcv(_wanted(look, exchange), look.interval, look.since_ms, look.most, until)
    return Shown(candles=tuple(map(_candle_of, rows)))


def _candle_of(row: Json) -> Candle:
    begin_ms, *figures = row
    opened, high, low, close, quantity = map(parse.or_zero, figures[:5])
    return Candle(
        begin_ms=EpochMs(int(begin_ms)),
        open=opened,
        high=high,
        low=low,
        close=close,
        quantity=quantity,
    )


def _wanted(look: Look, exchange: Exchange) -> str:
    return exchange.unified(look.symbol or Symbol(""))


_SEEN: Final[Mapping[LookKind, Callable[[Look, Json, Exchange], Shown]]] = {
    LookKind.TICKERS: _tickers,
    LookKind.BOOK: _book,
    LookKind.TRADES: _trades,
    LookKind.CANDLES: _candles,
}
