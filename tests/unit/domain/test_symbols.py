"""Every spelling means exactly one symbol, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import Market
from app.domain.errors import MarketsUnknown, NotFound
from app.domain.identifiers import Symbol
from app.domain.symbols import Listed, chosen, resolved
from tests.support.searching import times

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
    with pytest.raises(NotFound, match="BTC/USDT in SPOT, BTC/USDT in USDM"):
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


#: Put together from what spellings are made of: of texts at random, hardly one means anything.
SPELLINGS = st.tuples(
    st.sampled_from(["", "", "BINANCE:", "a:"]),
    st.sampled_from(["BTC", "btc", "ETH", "1000PEPE", "XYZ"]),
    st.sampled_from(["", "/", "-", "_", "//"]),
    st.sampled_from(["USDT", "usdt", "USD", "BTC", ""]),
    st.sampled_from(["", "", ".P", "PERP", "-SWAP", ":USDT", ":BTC", "."]),
).map("".join)
TEXTS = SPELLINGS | st.text(max_size=80)


@times(4)
@given(TEXTS, st.sampled_from([None, *Market]))
def test_any_text_is_one_symbol_or_refused(text: str, market: Market | None) -> None:
    try:
        found = resolved(text, LISTED, market)
    except NotFound:
        return
    assert found in LISTED
    assert market in {None, found.market}


# A refusal names what could have been meant


@pytest.mark.parametrize(
    ("text", "market", "hint"),
    [
        ("BTCUSDT.P", Market.SPOT, "traded are BTC/USDT in SPOT, BTC/USDT in USDM"),
        ("BTCUSD", Market.SPOT, "BTC/USD in COINM, BTC/USDT in SPOT"),
        ("BTC", Market.USDM, "traded are BTC/USDT in USDM"),
        ("ETHEUR", Market.SPOT, "traded are ETH/BTC in SPOT, ETH/USDT in SPOT"),
    ],
)
def test_a_refusal_names_what_could_have_been_meant(text: str, market: Market, hint: str) -> None:
    with pytest.raises(NotFound, match=hint):
        resolved(text, LISTED, market)


def test_two_pairs_that_are_spelled_alike_are_ambiguous_in_one_market() -> None:
    alike = [Listed(Symbol(one), Market.SPOT) for one in ("ABC/DEF", "AB/CDEF")]

    with pytest.raises(NotFound, match="ABC/DEF in SPOT, AB/CDEF in SPOT"):
        resolved("ABCDEF", alike, Market.SPOT)


# Where nothing is known of what a venue trades


@pytest.mark.parametrize(
    ("text", "market", "symbol"),
    [
        ("BTC/USDT", Market.SPOT, "BTC/USDT"),
        ("btc/usdt", Market.USDM, "BTC/USDT"),
        ("1INCH/USDT", Market.SPOT, "1INCH/USDT"),
        ("BTC/USDT:USDT", Market.USDM, "BTC/USDT"),
        ("BTC/USD:BTC", Market.COINM, "BTC/USD"),
    ],
)
def test_a_spelling_that_says_base_and_quote_needs_no_list(
    text: str, market: Market, symbol: str
) -> None:
    assert chosen(text, [], market) == symbol
    assert chosen(text, [one for one in LISTED if one.market is not market], market) == symbol


@pytest.mark.parametrize(
    ("text", "market"),
    [
        ("BTCUSDT", Market.SPOT),
        ("btc-usdt", Market.SPOT),
        ("BTC_USDT", Market.USDM),
        ("BTCUSDT_240329", Market.USDM),
        ("BTC-29MAR24", Market.USDM),
        ("BTC/29MAR24", Market.USDM),
        ("BTC/USDT:USDT-240329", Market.USDM),
        ("BTCTUSD", Market.SPOT),
        ("XRPRLUSD", Market.SPOT),
        ("BTCPYUSD", Market.SPOT),
        ("BINANCE:BTCUSDT.P", Market.USDM),
        ("BTCUSDTPERP", Market.USDM),
        ("BTCUSD", Market.COINM),
        ("BTC", Market.SPOT),
        ("A/B/C", Market.SPOT),
    ],
)
def test_nothing_is_guessed_while_nobody_knows_what_is_traded(text: str, market: Market) -> None:
    with pytest.raises(MarketsUnknown):
        chosen(text, [], market)


@pytest.mark.parametrize(
    ("text", "market"),
    [
        ("BTCUSDT.P", Market.SPOT),
        ("BTC/USDT:USDT", Market.SPOT),
        ("BTC/USDT:BTC", Market.USDM),
        ("", Market.SPOT),
        ("a b", Market.SPOT),
    ],
)
def test_what_cannot_be_traded_there_is_refused_at_once(text: str, market: Market) -> None:
    with pytest.raises(NotFound):
        chosen(text, [], market)


def test_what_people_have_set_needs_no_list_either() -> None:
    assert chosen("xbt", [], Market.SPOT, {"XBT": Symbol("BTC/USDT")}) == "BTC/USDT"


def test_what_is_known_goes_before_what_a_spelling_says() -> None:
    with pytest.raises(NotFound):
        chosen("DOGE/USDT", LISTED, Market.SPOT)


@times(4)
@given(TEXTS, st.sampled_from(Market))
def test_any_text_means_a_symbol_by_itself_or_is_refused(text: str, market: Market) -> None:
    try:
        found = chosen(text, [], market)
    except (NotFound, MarketsUnknown):
        return
    base, quote = found.split("/")
    assert base.isalnum()
    assert quote.isalnum()
