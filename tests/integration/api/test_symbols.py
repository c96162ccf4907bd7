"""What a spelling means at a venue, and how people change that."""

import json
from urllib.parse import urlencode

import pytest

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.domain.identifiers import VenueName
from tests.support.caller import Caller, Json
from tests.support.each_dialect import open_for_all, order, signed_by

pytestmark = pytest.mark.integration


@pytest.fixture
def traded(api: Caller, wiring: Wiring) -> Caller:
    """A caller of an installation whose paper venue trades BTC/USDT in two markets, and ETH."""
    wiring.paper.seed_instruments()
    return api


def resolve(**query: str) -> str:
    return f"/api/symbols/resolve?{urlencode({'venue': 'paper', **query})}"


def spelled(spelling: str, symbol: str | None, venue: str = "paper") -> Json:
    return {"venue": venue, "spelling": spelling, "symbol": symbol}


@pytest.mark.parametrize(
    ("spelling", "market"),
    [("BINANCE:BTCUSDT.P", "USDM"), ("btc-usdt", "SPOT"), ("BTC/USDT:USDT", "USDM")],
)
def test_a_spelling_means_one_symbol(traded: Caller, spelling: str, market: str) -> None:
    answer = traded.call("GET", resolve(symbol=spelling, market=market))

    assert answer == {
        "spelling": spelling,
        "venue": "paper",
        "symbol": "BTC/USDT",
        "market": market,
    }


def test_one_that_may_be_several_is_refused(traded: Caller) -> None:
    status, code, _ = traded.refusal("GET", resolve(symbol="BTCUSDT"))

    assert (status, code) == (404, "not_found")


def test_a_venue_that_nobody_has_looked_at(api: Caller) -> None:
    path = resolve(symbol="BTCUSDT", venue="binance")

    assert api.refusal("GET", path)[:2] == (503, "not_ready")


def test_a_venue_that_is_known_by_its_play_money_alone(api: Caller, wiring: Wiring) -> None:
    row = {"symbol": "BTC/USDT", "spot": True, "active": True}
    wiring.memory.keep_markets(VenueName("binance:testnet"), "SPOT", json.dumps([row]))

    answer = api.call("GET", resolve(symbol="BTCUSDT", venue="binance"))

    assert (answer["symbol"], answer["market"]) == ("BTC/USDT", "SPOT")


def test_people_set_what_a_spelling_means(traded: Caller) -> None:
    nothing = traded.call("GET", "/api/symbols?venue=paper")
    put = traded.call("PUT", "/api/symbols", spelled("xbtusd", "BTC/USDT"))
    traded.call("PUT", "/api/symbols", spelled("ETHUSDT", "BTC/USDT"))

    assert nothing == {"venue": "paper", "spellings": {}}
    assert put == {"venue": "paper", "spellings": {"XBTUSD": "BTC/USDT"}}
    for spelling in ("XBTUSD", "ETHUSDT"):  # one of them against our own rules
        found = traded.call("GET", resolve(symbol=spelling, market="SPOT"))
        assert found["symbol"] == "BTC/USDT"
    assert traded.call("GET", "/api/symbols?venue=binance")["spellings"] == {}


def test_null_takes_it_away(traded: Caller) -> None:
    traded.call("PUT", "/api/symbols", spelled("ETHUSDT", "BTC/USDT"))

    answer = traded.call("PUT", "/api/symbols", spelled("ethusdt", None))

    assert answer["spellings"] == {}
    assert traded.call("GET", resolve(symbol="ETHUSDT", market="SPOT"))["symbol"] == "ETH/USDT"


def test_what_a_venue_does_not_trade_is_no_meaning(traded: Caller) -> None:
    status, code, _ = traded.refusal("PUT", "/api/symbols", spelled("DOGE", "DOGE/USDT"))

    assert (status, code) == (404, "not_found")
    assert traded.call("GET", "/api/symbols?venue=paper")["spellings"] == {}


def test_it_can_be_set_before_the_venue_is_known(api: Caller) -> None:
    body = spelled("XBTUSD", "BTC/USD", venue="binance")

    assert api.call("PUT", "/api/symbols", body)["spellings"] == {"XBTUSD": "BTC/USD"}


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("GET", "/api/symbols", None, ["venue"]),
        ("GET", "/api/symbols/resolve?venue=paper", None, ["symbol"]),
        ("GET", "/api/symbols/resolve?venue=paper&symbol=B&market=MOON", None, ["market"]),
        ("PUT", "/api/symbols", {"venue": "paper", "spelling": "B"}, ["symbol"]),
        ("PUT", "/api/symbols", {**spelled("B", "BTC/USDT"), "more": 1}, ["more"]),
    ],
)
def test_what_is_wrong_is_said_by_field(
    api: Caller, method: str, path: str, body: Json | None, fields: list[str]
) -> None:
    assert api.refusal(method, path, body)[2] == fields


@pytest.mark.parametrize(
    ("spelling", "account"),
    [
        *(
            (spelling, "demo-net")
            for spelling in (
                "BTCUSDTPERP",
                "BTC-USDT-SWAP",
                "BTCUSDT_PERP",
                "btcusdt.p",
                "BTC/USDT:USDT",
                "BYBIT:BTC.USDT",
            )
        ),
        *((spelling, "demo-coin") for spelling in ("BTCUSD_PERP", "BTCUSD", "BTC/USD:BTC")),
    ],
)
def test_paper_takes_the_spellings_that_exchanges_have(
    spelling: str, account: str, demo: Caller
) -> None:
    open_for_all(demo)
    coins = {"market": "COINM", "position_mode": "ONEWAY", "balances": {"BTC": "1"}}
    demo.call("PUT", "/paper/accounts/demo-coin", coins)
    demo.call("PUT", "/api/clients/apisify/each-dialect", {"accounts": ["demo-net", "demo-coin"]})
    sent = signed_by(
        Dialect.APISIFY, "/v1/order", order(order_type="Market", qty=1, symbol=spelling)
    )

    answer = sent.to(demo.client)

    assert answer.status_code == 200, answer.text
    [row] = demo.rows()
    assert row["account"] == account
    assert row["symbol"] == ("BTC/USDT" if account == "demo-net" else "BTC/USD")


@pytest.mark.parametrize("spelling", ["BTCUSDTPERP", "BTC-USDT-SWAP", "BTCUSDT_PERP", "BTCUSDT.P"])
def test_so_do_connectors_of_paper_accounts(spelling: str, demo: Caller) -> None:
    open_for_all(demo)

    made = demo.call("PUT", "/api/connectors/perp", {"account": "demo-net", "symbol": spelling})

    assert made["symbol"] == "BTC/USDT"
    status, _, fields = demo.refusal(
        "PUT", "/api/connectors/spot", {"account": "demo", "symbol": spelling}
    )
    assert (status, fields) == (400, ["symbol"])


@pytest.mark.parametrize("spelling", ["DOGE/USDT", "BTCUSD", "BTCUSD_PERP", "USDT"])
def test_what_no_instrument_has_is_not_traded_on_paper(spelling: str, demo: Caller) -> None:
    open_for_all(demo)
    sent = signed_by(
        Dialect.APISIFY, "/v1/order", order(order_type="Market", qty=1, symbol=spelling)
    )

    answer = sent.to(demo.client)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (400, ["symbol"])
    assert demo.rows() == []
