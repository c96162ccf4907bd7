"""Every spelling means exactly one symbol, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound
from app.domain.identifiers import Symbol
from app.domain.symbols import AmbiguousSymbol, Listed, resolved
from app.domain.words import Market

SPOT = Listed(Symbol("BTC/USDT"), Market.SPOT)
USDM = Listed(Symbol("BTC/USDT"), Market.USDM)
COINM = Listed(Symbol("BTC/USD"), Market.COINM)
LISTED = [
    SPOT,
    USDM,
    COINM,
    Listed(Symbol("ETH/USDT"), Market.SPOT),
    Listed(Symbol("ETH/BTC"), Market.SPOT),
    Listed(Symbol("1000PEPE/USDT"), Market.USDM),
]


@pytest.mark.parametrize(
    "text",
    ["BTCUSDT", "btcusdt", "BTC-USDT", "BTC_USDT", "BTC/USDT", "BINANCE:BTCUSDT", " BTC/USDT "],
)
def test_spellings_of_a_pair(text: str) -> None:
    assert resolved(text, LISTED, Market.SPOT) == SPOT
    assert resolved(text, LISTED, Market.USDM) == USDM


@pytest.mark.parametrize(
    "text",
    [
        "BINANCE:BTCUSDT.P",
        "BTCUSDT.P",
        "BTCUSDTPERP",
        "BTC-USDT-PERP",
        "BTC_USDT_PERP",
        "BTC-USDT-SWAP",
        "BTC/USDT:USDT",
        "bybit:btcusdt.p",
    ],
)
def test_spellings_of_a_perpetual(text: str) -> None:
    assert resolved(text, LISTED) == USDM
    assert resolved(text, LISTED, Market.USDM) == USDM
    with pytest.raises(NotFound):
        resolved(text, LISTED, Market.SPOT)


def test_the_settle_currency_tells_the_market() -> None:
    assert resolved("BTC/USD:BTC", LISTED) == COINM
    with pytest.raises(NotFound):
        resolved("BTC/USD:USD", LISTED)


def test_what_two_markets_trade_is_ambiguous_without_a_market() -> None:
    with pytest.raises(AmbiguousSymbol, match="BTC/USDT in SPOT, BTC/USDT in USDM"):
        resolved("BTCUSDT", LISTED)


def test_what_one_market_trades_needs_none() -> None:
    assert resolved("ETHBTC", LISTED).symbol == "ETH/BTC"
    assert resolved("1000PEPEUSDT", LISTED).market is Market.USDM


def test_what_people_have_set_comes_first() -> None:
    spellings = {"XBTUSDT": Symbol("BTC/USDT"), "BTCUSDT": Symbol("ETH/USDT")}

    assert resolved("xbtusdt", LISTED, Market.SPOT, spellings) == SPOT
    assert resolved("BTCUSDT", LISTED, Market.SPOT, spellings).symbol == "ETH/USDT"


@pytest.mark.parametrize(
    "text", ["DOGEUSDT", "BTC", "USDTBTC", "BTC//USDT", "", "B TC", "€", "." * 99]
)
def test_what_is_not_traded_is_refused(text: str) -> None:
    with pytest.raises(NotFound):
        resolved(text, LISTED, Market.SPOT)


@given(st.text(max_size=80), st.sampled_from([None, *Market]))
def test_any_text_is_one_symbol_or_refused(text: str, market: Market | None) -> None:
    try:
        found = resolved(text, LISTED, market)
    except NotFound:
        return
    assert found in LISTED
    assert market in {None, found.market}
