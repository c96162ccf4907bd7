"""Connectors are made, changed, shown and switched off; their tokens are shown once, if ever."""

import json
from dataclasses import replace

import pytest
import redis

from app.bootstrap import Wiring
from app.domain.enums import Market
from app.domain.identifiers import VenueName
from app.store.memory.venue_memory import RedisVenueMemory
from tests.support.builders import a_live_account, must
from tests.support.caller import Caller

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")
NEEDED = {"account": "first", "symbol": "BTC/USDT"}


@pytest.fixture
def wiring(wiring: Wiring) -> Wiring:
    """A web process that hardly waits for a worker to learn something: there is none."""
    policy = replace(wiring.ports.policy, learn_wait_ms=150)
    return replace(wiring, ports=replace(wiring.ports, policy=policy))


@pytest.fixture(autouse=True)
def _account(api: Caller) -> None:
    api.call("PUT", "/api/accounts/first")


def test_a_connector_is_made_with_a_token_that_is_shown_once(api: Caller, wiring: Wiring) -> None:
    made = api.call("PUT", "/api/connectors/My strategy", NEEDED)

    token = made.pop("token")
    assert made == {
        "name": "My strategy",
        "account": "first",
        "symbol": "BTC/USDT",
        "enabled": True,
        "leverage": 1,
        "dedup_window_seconds": 20,
        "balance_reserve": "0.01",
        "protection": "auto",
        "protection_distance_percent": "3",
        "percent_is_notional": False,
        "on_opposite": "keep",
        "late_exits": "run",
        "exit_patience_seconds": 60,
        "limit_exit_seconds": 0,
        "rate_limit_per_minute": 60,
        "allowed_ips": [],
    }
    assert api.call("GET", "/api/connectors/My strategy") == made
    assert api.call("GET", "/api/connectors") == {"data": [made]}
    stored = must(wiring.registry.connector("My strategy"))
    assert wiring.vault.matches(stored.origin, token, stored.token_hash)
    assert token not in str(stored)


def test_a_token_that_was_given_is_never_shown(api: Caller, wiring: Wiring) -> None:
    answer = api.send("PUT", "/api/connectors/mine", {**NEEDED, "token": "given-by-me"})

    assert "given-by-me" not in answer.text
    assert "token" not in answer.get_json()
    stored = must(wiring.registry.connector("mine"))
    assert wiring.vault.matches(stored.origin, "given-by-me", stored.token_hash)


def test_only_what_is_named_changes(api: Caller, wiring: Wiring) -> None:
    first = {**NEEDED, "token": "given-by-me", "leverage": 5, "allowed_ips": ["192.0.2.7"]}
    made = api.call("PUT", "/api/connectors/mine", first)

    changed = api.call("PUT", "/api/connectors/mine", {"symbol": "ETH/USDT", "leverage": "7"})

    assert changed == {**made, "symbol": "ETH/USDT", "leverage": 7}
    assert changed["allowed_ips"] == ["192.0.2.7/32"]
    stored = must(wiring.registry.connector("mine"))
    assert wiring.vault.matches(stored.origin, "given-by-me", stored.token_hash)


def test_a_connector_is_switched_off_and_on(api: Caller) -> None:
    api.call("PUT", "/api/connectors/mine", NEEDED)

    assert api.call("DELETE", "/api/connectors/mine")["enabled"] is False
    assert api.call("PUT", "/api/connectors/mine", {"enabled": True})["enabled"] is True


def test_accounts_may_name_the_one(api: Caller) -> None:
    body = {"accounts": ["first"], "symbol": "BTC/USDT"}

    assert api.call("PUT", "/api/connectors/mine", body)["account"] == "first"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_connector_that_is_not_there(api: Caller, method: str) -> None:
    assert api.refusal(method, "/api/connectors/nobody") == (404, "not_found", [])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["account", "symbol"]),
        ({"symbol": "BTC/USDT"}, ["account"]),
        ({"account": "first"}, ["symbol"]),
        ({**NEEDED, "account": "nobody"}, ["account"]),
        ({**NEEDED, "account": None}, ["account"]),
        ({**NEEDED, "accounts": ["first"]}, ["accounts"]),
        ({"symbol": "BTC/USDT", "accounts": []}, ["accounts"]),
        ({"symbol": "BTC/USDT", "accounts": ["first", "first"]}, ["accounts"]),
        ({"symbol": "BTC/USDT", "accounts": ["nobody"]}, ["accounts"]),
        ({"symbol": "BTC/USDT", "accounts": "first"}, ["accounts"]),
        ({**NEEDED, "symbol": "BTC/USDT:USDT"}, ["symbol"]),
        ({**NEEDED, "symbol": "BTCUSDT.P"}, ["symbol"]),
        ({**NEEDED, "symbol": ""}, ["symbol"]),
        ({**NEEDED, "symbol": "\x00"}, ["symbol"]),
        ({**NEEDED, "symbol": "B" * 99}, ["symbol"]),
        ({**NEEDED, "symbol": 5}, ["symbol"]),
        ({**NEEDED, "token": ""}, ["token"]),
        ({**NEEDED, "token": "x" * 257}, ["token"]),
        ({**NEEDED, "token": 5}, ["token"]),
        ({**NEEDED, "leverage": 0}, ["leverage"]),
        ({**NEEDED, "balance_reserve": "1"}, ["balance_reserve"]),
        ({**NEEDED, "on_opposite": "flip", "late_exits": 1}, ["late_exits", "on_opposite"]),
        ({**NEEDED, "color": "red"}, ["color"]),
        ({**NEEDED, "name": "other"}, ["name"]),
        ({**NEEDED, "token_hash": "00"}, ["token_hash"]),
    ],
)
def test_what_is_wrong_is_said_by_field(
    api: Caller, body: dict[str, object], fields: list[str]
) -> None:
    assert api.refusal("PUT", "/api/connectors/mine", body) == (*BAD, fields)
    assert api.call("GET", "/api/connectors") == {"data": []}


@pytest.mark.parametrize("name", ["%20x", "x" * 129, "%0A", "%00"])
def test_a_name_that_cannot_be(api: Caller, name: str) -> None:
    assert api.refusal("PUT", f"/api/connectors/{name}", NEEDED) == (*BAD, ["name"])


# Spellings

BINANCE = VenueName("binance")

SPELLED = ["BTCUSDT", "btc-usdt", "BTC_USDT", "BINANCE:BTCUSDT", " BTC/USDT "]
PERPETUAL = [*SPELLED, "BINANCE:BTCUSDT.P", "BTC/USDT:USDT", "BTCUSDTPERP", "BTC-USDT-SWAP"]

#: As ccxt has them, of which workers keep what matters here.
KNOWN = [
    {"symbol": "BTC/USDT:USDT", "swap": True, "linear": True, "active": True},
    {"symbol": "BTC/USDC:USDC", "swap": True, "linear": True, "active": True},
    {"symbol": "ETH/USDT:USDT", "swap": True, "linear": True, "active": True},
]


def at_binance(wiring: Wiring) -> None:
    """Add an account that the test profile would not let anybody add."""
    wiring.registry.put_account(a_live_account(market=Market.USDM))


def learned(wiring: Wiring) -> None:
    """Let a worker have learned what Binance's futures are."""
    with redis.Redis.from_url(wiring.settings.redis_url, decode_responses=True) as client:
        memory = RedisVenueMemory(client, wiring.ports.clock)
        memory.keep_markets(BINANCE, "USDM", json.dumps(KNOWN))


def set_up(api: Caller, symbol: str, account: str = "real") -> object:
    body = {"account": account, "symbol": symbol, "token": "t"}
    return api.call("PUT", "/api/connectors/mine", body)["symbol"]


def complaint(api: Caller, symbol: str) -> str:
    body = {"account": "real", "symbol": symbol}
    answer = api.send("PUT", "/api/connectors/mine", body)
    assert answer.status_code == 400
    (message,) = answer.get_json()["error"]["fields"]["symbol"]
    return str(message)


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_paper_account_knows_every_spelling(api: Caller, wiring: Wiring, spelling: str) -> None:
    wiring.paper.seed_instruments()
    assert set_up(api, spelling, "first") == "BTC/USDT"
    assert api.call("GET", "/api/connectors/mine")["symbol"] == "BTC/USDT"


def test_what_play_money_trades_may_be_set_later(api: Caller) -> None:
    assert set_up(api, "DOGE/USDT", "first") == "DOGE/USDT"


@pytest.mark.parametrize("spelling", PERPETUAL)
def test_a_real_account_knows_every_spelling(api: Caller, wiring: Wiring, spelling: str) -> None:
    at_binance(wiring)
    learned(wiring)

    assert set_up(api, spelling) == "BTC/USDT"


@pytest.mark.parametrize(
    "spelling", [*PERPETUAL, "BTCUSDT_240329", "BTC-29MAR24", "BTCTUSD", "XRPRLUSD", "BTC"]
)
def test_nothing_is_guessed_before_a_worker_has_looked(
    api: Caller, wiring: Wiring, spelling: str
) -> None:
    at_binance(wiring)
    if spelling.strip() in {"BTC/USDT", "BTC/USDT:USDT"}:  # they say what they mean
        assert set_up(api, spelling) == "BTC/USDT"
        return

    body = {"account": "real", "symbol": spelling}

    assert api.refusal("PUT", "/api/connectors/mine", body) == (503, "not_ready", [])
    assert api.call("GET", "/api/connectors") == {"data": []}


def test_a_refusal_says_what_could_have_been_meant(api: Caller, wiring: Wiring) -> None:
    at_binance(wiring)
    learned(wiring)

    assert complaint(api, "BTCBUSD") == (
        "BTCBUSD is not traded in USDM; traded are BTC/USDC in USDM, BTC/USDT in USDM."
    )
    assert complaint(api, "DOGE/USDT") == "DOGE/USDT is not traded in USDM."


def test_what_people_have_set_comes_first(api: Caller, wiring: Wiring) -> None:
    at_binance(wiring)
    learned(wiring)
    body = {"venue": "binance", "spelling": "XBTUSDT", "symbol": "BTC/USDT"}

    before = complaint(api, "XBTUSDT")
    api.call("PUT", "/api/symbols", body)

    assert "not traded" in before
    assert set_up(api, "xbtusdt") == "BTC/USDT"


def test_a_symbol_is_read_with_the_account_that_is_named_beside_it(
    api: Caller, wiring: Wiring
) -> None:
    wiring.paper.seed_instruments()
    at_binance(wiring)
    learned(wiring)
    set_up(api, "BTCUSDT", "first")

    body = {"account": "real", "symbol": "ETHUSDT.P"}
    moved = api.call("PUT", "/api/connectors/mine", body)

    assert (moved["account"], moved["symbol"]) == ("real", "ETH/USDT")
