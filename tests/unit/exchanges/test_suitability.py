"""What exchanges that ccxt alone knows have and lack, and what their figures count in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import ccxt
import pytest

from app.domain.enums import Market, PositionMode, Side
from app.domain.errors import MarketNotTraded
from app.domain.identifiers import VenueName
from app.exchanges import parse
from app.exchanges.catalog import lacks_of
from app.exchanges.profiles import PROFILES
from app.exchanges.suitability import Buys, suitability_of
from scripts import exchanges
from tests.support.builders import BTC, a_live_account, must

SPOT, USDM = Market.SPOT, Market.USDM


def lacks(venue: str, market: Market, mode: PositionMode = PositionMode.ONEWAY) -> tuple[str, ...]:
    account = a_live_account(venue=VenueName(venue), market=market, position_mode=mode)
    return tuple(lacks_of(account))


def test_the_page_has_the_table_as_it_is() -> None:
    page = Path(exchanges.PAGE).read_text()

    assert exchanges.written(page) == exchanges.table()


@pytest.mark.parametrize("venue", ["bitstamp", "upbit", "kraken", "okx", "gate", "bitfinex"])
def test_an_exchange_that_has_all_is_taken(venue: str) -> None:
    assert lacks(venue, SPOT) == ()


@pytest.mark.parametrize(
    ("venue", "market", "lack"),
    [
        ("bydfi", USDM, "cancelOrder"),
        ("btcturk", SPOT, "fetchOrder"),
        ("cryptomus", SPOT, "fetchTicker"),
        ("deribit", USDM, "setLeverage"),
        ("bitrue", USDM, "fetchPositions"),
        ("p2b", SPOT, "market orders"),
        ("bitvavo", SPOT, "limit orders"),
        ("coinbase", SPOT, "a client order id"),
        ("hyperliquid", USDM, "nothing else is sent"),
    ],
)
def test_what_is_missing_is_named(venue: str, market: Market, lack: str) -> None:
    assert any(lack in one for one in lacks(venue, market))


def test_hedge_mode_needs_an_exchange_that_has_it() -> None:
    assert lacks("okx", USDM) == ()
    assert "ONEWAY" in lacks("okx", USDM, PositionMode.HEDGE)[0]
    assert lacks("bingx", USDM, PositionMode.HEDGE) == ()


@pytest.mark.parametrize(
    ("venue", "market"), [("kraken", USDM), ("krakenfutures", SPOT), ("binancecoinm", USDM)]
)
def test_a_market_that_there_is_not_is_said(venue: str, market: Market) -> None:
    with pytest.raises(MarketNotTraded):
        lacks(venue, market)


def test_our_own_lack_nothing() -> None:
    for name, profile in PROFILES.items():
        for market in profile.market_types:
            is_one_way = market is Market.COINM and name.startswith("bybit")
            mode = PositionMode.ONEWAY if is_one_way else PositionMode.HEDGE
            assert lacks(name, market, mode) == ()


@pytest.mark.parametrize("precision_mode", [None, 7])
def test_a_precision_of_which_nobody_knows_how_it_counts_is_named(
    precision_mode: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt.kraken, "precisionMode", precision_mode, raising=False)
    describe = ccxt.kraken.describe
    monkeypatch.setattr(
        ccxt.kraken, "describe", lambda one: {**describe(one), "precisionMode": precision_mode}
    )

    found = suitability_of.__wrapped__("kraken", SPOT)

    assert any("precision" in one for one in found.lacks)


@pytest.mark.parametrize(
    ("venue", "buys"),
    [
        ("kraken", Buys.BY_QUANTITY),
        ("okx", Buys.BY_QUANTITY),
        ("gate", Buys.BY_COST),
        ("bitget", Buys.BY_COST),
        ("htx", Buys.BY_QUANTITY),
        ("xt", Buys.BY_COST),
        ("bigone", Buys.AT_TOUCH),
        ("bithumb", Buys.AT_TOUCH),
    ],
)
def test_a_market_buy_says_how_much_as_the_library_takes_it(venue: str, buys: Buys) -> None:
    assert suitability_of(venue, SPOT).buys is buys


def row(mode: int | None, price: object, amount: object) -> dict[str, object]:
    found: dict[str, object] = {"precision": {"price": price, "amount": amount}, "spot": True}
    return found if mode is None else {**found, parse.PRECISION_MODE: mode}


@pytest.mark.parametrize(
    ("found", "price_step", "quantity_step"),
    [
        (row(None, "0.01", "0.0001"), "0.01", "0.0001"),
        (row(ccxt.TICK_SIZE, "0.01", "0.0001"), "0.01", "0.0001"),
        (row(ccxt.DECIMAL_PLACES, 2, 4), "0.01", "0.0001"),
        (row(ccxt.DECIMAL_PLACES, "0", "0"), "1", "1"),
        (row(ccxt.SIGNIFICANT_DIGITS, 5, 8), "0.00000001", "0.00000001"),
    ],
)
def test_a_precision_counts_as_its_exchange_says(
    found: dict[str, object], price_step: str, quantity_step: str
) -> None:
    told = must(parse.instrument_of(BTC, SPOT, found))

    assert (told.price_step, told.quantity_step) == (Decimal(price_step), Decimal(quantity_step))


def test_significant_digits_are_no_steps() -> None:
    told = must(parse.instrument_of(BTC, SPOT, row(ccxt.SIGNIFICANT_DIGITS, 5, 8)))

    assert told.quantity(Decimal("0.5")) == Decimal("0.5")
    assert told.price(Decimal("61234.56"), Side.BUY) == Decimal(61234)
    assert told.price(Decimal("61234.56"), Side.SELL) == Decimal(61235)
    assert told.price(Decimal("1.234567"), Side.BUY) == Decimal("1.2345")
    assert told.price(Decimal("99999.9"), Side.SELL) == Decimal(100_000)
    assert told.price(Decimal("0.0000123456"), Side.BUY) == Decimal("0.00001234")


@pytest.mark.parametrize("venue", ["bitfinex", "bithumb"])
def test_quantities_are_cut_as_the_library_cuts_them(venue: str) -> None:
    """Prices count by significant digits there, and amounts by decimals."""
    api = getattr(ccxt, venue)()
    precision = {"price": 5, "amount": 4}
    api.set_markets(
        [
            {
                "id": "x",
                "symbol": BTC,
                "base": "BTC",
                "quote": "USDT",
                "spot": True,
                "type": "spot",
                "precision": precision,
                "limits": {},
                "info": {},
            }
        ]
    )
    told = must(parse.instrument_of(BTC, SPOT, row(api.precisionMode, 5, 4)))

    for wanted in ("0.5", "123.456789", "0.00012345", "98765.43219"):
        cut = told.quantity(Decimal(wanted))
        assert Decimal(str(api.amount_to_precision(BTC, wanted))) == cut
