"""Public market data as Poloniex writes it (its documentation, "Reference Data", "Market Data")."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from app.dialects.poloniex.candles import Bar, Interval
from app.dialects.poloniex.notation import pair_of, quotient, shown
from app.dialects.poloniex.render_orders import Json
from app.domain.enums import PriceSource, Side
from app.domain.identifiers import Currency, EpochMs, base_of, quote_of
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.market_data import PublicTrade
from app.domain.money import places_of, plain

#: What the book shows at the touch where any quantity is filled and nothing limits an order.
UNLIMITED: Final = Decimal(1_000_000)

_CHANGE_DIGITS = Decimal("0.0001")

_NONE: Final = "0"

Levels = Sequence[tuple[Decimal, Decimal]]


def currency_v2(number: int, code: Currency) -> Json:
    """Return a currency as `/v2/currencies` has it. There are no networks: nothing is moved."""
    return {
        "id": number,
        "coin": code,
        "delisted": False,
        "tradeEnable": True,
        "name": code,
        "networkList": [],
        "supportCollateral": False,
        "supportBorrow": False,
    }


def currency(number: int, code: Currency) -> Json:
    """Return a currency as `/currencies` has it: an object with the code as its one key."""
    return {
        code: {
            "id": number,
            "name": code,
            "description": code,
            "type": "address",
            "withdrawalFee": _NONE,
            "minConf": 0,
            "depositAddress": None,
            "blockchain": code,
            "delisted": False,
            "tradingState": "NORMAL",
            "walletState": "DISABLED",
            "walletDepositState": "DISABLED",
            "walletWithdrawalState": "DISABLED",
            "supportCollateral": False,
            "supportBorrow": False,
        }
    }


def market(instrument: Instrument) -> Json:
    """Return the rules of a pair; a greatest quantity of 0 is none."""
    pair = pair_of(instrument.symbol)
    return {
        "symbol": pair,
        "baseCurrencyName": base_of(instrument.symbol),
        "quoteCurrencyName": quote_of(instrument.symbol),
        "displayName": instrument.symbol,
        "state": "NORMAL",
        "visibleStartTime": 0,
        "tradableStartTime": 0,
        "symbolTradeLimit": {
            "symbol": pair,
            "priceScale": places_of(instrument.price_step),
            "quantityScale": places_of(instrument.quantity_step),
            "amountScale": places_of(instrument.quote_step),
            "minQuantity": plain(instrument.least_quantity),
            "minAmount": plain(instrument.min_notional),
            "maxQuantity": plain(instrument.max_quantity or Decimal(0)),
            "maxAmount": _NONE,
            "highestBid": _NONE,
            "lowestAsk": _NONE,
        },
        "crossMargin": {"supportCrossMargin": False, "maxLeverage": 1},
    }


def price(instrument: Instrument, quote: Quote, day: Bar, now_ms: EpochMs) -> Json:
    """Return the last price of a pair."""
    return {
        "symbol": pair_of(instrument.symbol),
        "price": plain(quote.last),
        "time": now_ms,
        "dailyChange": change(day),
        "ts": now_ms,
    }


def ticker(instrument: Instrument, quote: Quote, day: Bar, now_ms: EpochMs) -> Json:
    """Return the last 24 hours of a pair.

    Args:
        instrument: the pair's rules.
        quote: as it is now.
        day: the last 24 hours, whose last price is that of now.
        now_ms: business time.
    """
    bids, asks = levels(instrument, quote, Side.SELL), levels(instrument, quote, Side.BUY)
    return {
        "symbol": pair_of(instrument.symbol),
        "open": plain(day.prices[0]),
        "low": plain(min(day.prices)),
        "high": plain(max(day.prices)),
        "close": plain(quote.last),
        "quantity": shown(day.turnover.quantity),
        "amount": shown(day.turnover.amount),
        "tradeCount": day.turnover.count,
        "startTime": day.begin_ms,
        "closeTime": now_ms,
        "displayName": instrument.symbol,
        "dailyChange": change(day),
        "bid": plain(bids[0][0]),
        "bidQuantity": plain(bids[0][1]),
        "ask": plain(asks[0][0]),
        "askQuantity": plain(asks[0][1]),
        "ts": now_ms,
        "markPrice": plain(quote.of(PriceSource.MARK)),
    }


def change(day: Bar) -> str:
    """Return by which share the price has changed: `0.0102` is 1.02 %."""
    first, last = day.prices[0], day.prices[-1]
    return plain(((last - first) / first).quantize(_CHANGE_DIGITS)) if first else _NONE


def levels(instrument: Instrument, quote: Quote, taker: Side) -> Levels:
    """Return what the market offers to a taker on this side, best first.

    A book without depth fills any quantity at the touch. It shows one level then, with the greatest
    quantity of an order.
    """
    depth = quote.asks if taker is Side.BUY else quote.bids
    return depth or ((quote.touch(taker), instrument.max_quantity or UNLIMITED),)


def order_book(instrument: Instrument, quote: Quote, limit: int, now_ms: EpochMs) -> Json:
    """Return the book: prices and quantities in turn, best first."""
    return {
        "time": now_ms,
        "scale": "-1",
        "asks": _flat(levels(instrument, quote, Side.BUY)[:limit]),
        "bids": _flat(levels(instrument, quote, Side.SELL)[:limit]),
        "ts": now_ms,
    }


def _flat(offers: Levels) -> list[str]:
    return [plain(figure) for level in offers for figure in level]


def candle(bar: Bar, interval: Interval, now_ms: EpochMs) -> list[object]:
    """Return one row of the candles, in the documented order."""
    traded = bar.turnover
    is_told = traded.quantity and traded.amount
    return [
        plain(min(bar.prices)),
        plain(max(bar.prices)),
        plain(bar.prices[0]),
        plain(bar.prices[-1]),
        shown(traded.amount),
        shown(traded.quantity),
        shown(traded.bought_amount),
        shown(traded.bought_quantity),
        traded.count,
        now_ms,
        quotient(traded.amount / traded.quantity if is_told else bar.prices[-1]),
        interval.name,
        bar.begin_ms,
        bar.end_ms - 1,
    ]


def public_trade(one: PublicTrade) -> Json:
    """Return one trade of a pair."""
    return {
        "id": one.id,
        "price": plain(one.price),
        "quantity": plain(one.quantity),
        "amount": plain(one.amount),
        "takerSide": one.taker_side,
        "ts": one.at_ms,
        "createTime": one.at_ms,
    }
