"""Play money is set, reset and shown; prices are ticks; answers wait until all is settled."""

from decimal import Decimal

import pytest

from app.bootstrap import Wiring, web_wiring
from app.factory import create_app
from app.settings import Settings
from tests.support.builders import a_live_account, must
from tests.support.caller import WEBHOOK, Caller, Worker

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")
PRICE = {"prices": {"BTC/USDT": {"last": "50000"}}}


def test_a_new_account_is_made_on_the_way(api: Caller) -> None:
    body = {
        "market": "USDM",
        "balances": {"USDT": "10000"},
        "positions": {"ETH/USDT": {"long": "0.5", "entry_price": "2000"}},
        "leverage": {"ETH/USDT": 5},
        "position_mode": "HEDGE",
        "fees": {"maker": "0", "taker": "0.001"},
        "reset": True,
    }

    shown = api.call("PUT", "/paper/accounts/mine", body)

    assert shown == api.call("GET", "/paper/accounts/mine")
    assert shown == api.call("PUT", "/paper/accounts/mine")
    assert shown["balances"] == {"USDT": {"total": "10000", "available": "9800", "hold": "200"}}
    position = shown["positions"]["ETH/USDT"]
    assert (position["long"], position["short"], position["entry_price"]) == ("0.5", "0", "2000")
    assert (shown["ledger"], shown["fills"]) == ([], [])
    record = api.call("GET", "/api/accounts/mine")
    assert (record["group"], record["market"], record["mode"]) == ("mine", "USDM", "paper")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"color": "red"}, "color"),
        ({"balances": {"USDT": "1e999999"}}, "balances.USDT"),
        ({"market": "MOON"}, "market"),
        ({"positions": {"ETH/USDT": {"long": "1", "entry_price": "1"}}}, "positions"),
    ],
)
def test_what_is_wrong_changes_nothing(api: Caller, body: dict[str, object], field: str) -> None:
    assert api.refusal("PUT", "/paper/accounts/mine", body) == (*BAD, [field])
    assert api.refusal("GET", "/paper/accounts/mine") == (404, "not_found", [])


def test_a_wrong_reset_wipes_nothing_out(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.01", limit="40000")
    worker.work()
    wrong = {"reset": True, "positions": {"BTC/USDT": {"long": "1", "entry_price": "1"}}}

    assert demo.refusal("PUT", "/paper/accounts/demo", wrong) == (*BAD, ["positions"])

    assert [row["state"] for row in demo.rows()] == ["NEW", "EXECUTING"]


def test_a_name_that_cannot_be(api: Caller) -> None:
    assert api.refusal("PUT", "/paper/accounts/a%20b", {}) == (*BAD, ["name"])


def test_real_money_is_not_set_by_hand(api: Caller, wiring: Wiring) -> None:
    wiring.registry.put_account(a_live_account("real"))

    assert api.refusal("PUT", "/paper/accounts/real", {}) == (*BAD, ["name"])
    assert api.refusal("GET", "/paper/accounts/real") == (404, "not_found", [])
    assert api.refusal("PUT", "/paper/faults/real", {}) == (404, "not_found", [])


def test_the_market_of_the_record_follows(api: Caller) -> None:
    api.call("PUT", "/paper/accounts/mine", {"balances": {"USDT": "1"}})

    api.call("PUT", "/paper/accounts/mine", {"market": "USDM", "position_mode": "ONEWAY"})

    record = api.call("GET", "/api/accounts/mine")
    assert (record["market"], record["position_mode"]) == ("USDM", "ONEWAY")


# Reset


def test_a_reset_ends_everything_live(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.01", limit="40000", clientOrderId="resting")
    worker.work()
    demo.signal(action="buy", fixed="0.01", delaySeconds=60, clientOrderId="delayed")
    demo.signal(action="buy", fixed="0.01", clientOrderId="queued")

    shown = demo.call("PUT", "/paper/accounts/demo", {"balances": {"USDT": "7"}, "reset": True})

    assert shown["balances"]["USDT"] == {"total": "7", "available": "7", "hold": "0"}
    assert shown["ledger"] == []
    rows = demo.rows()
    assert [row["state"] for row in rows] == ["CANCELED"] * 4
    assert {row["reason"]["code"] for row in rows} == {"reset"}
    worker.work()
    assert demo.call("GET", "/paper/accounts/demo")["ledger"] == []


def test_a_reset_takes_off_the_protection_of_a_position(api: Caller, worker: Worker) -> None:
    api.call("PUT", "/paper/accounts/usdm", {"market": "USDM", "balances": {"USDT": "10000"}})
    instrument = {"symbol": "ETH/USDT", "market": "USDM", "price_step": "0.01"}
    instruments = {"instruments": [{**instrument, "quantity_step": "0.001"}]}
    api.call("PUT", "/paper/instruments", instruments)
    connector = {"account": "usdm", "symbol": "ETH/USDT", "token": "demo-token"}
    api.call("PUT", "/api/connectors/demo", connector)
    api.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": "2000"}}})
    api.signal(action="openLong", fixed="1", profit="2200", loss="1900")
    worker.work()
    assert {row["state"] for row in api.rows(kind="SMART_ORDER")} == {"PENDING_NEW"}

    shown = api.call("PUT", "/paper/accounts/usdm", {"reset": True})

    assert shown["positions"] == {}
    (signal,) = api.rows(kind="SIGNAL")
    assert signal["state"] == "DONE"
    assert [row["state"] for row in api.rows(kind="SMART_ORDER")] == ["CANCELED"] * 2
    api.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": "1000"}}})
    worker.work()
    assert api.call("GET", "/paper/accounts/usdm")["ledger"] == []


def test_a_reset_beside_a_busy_worker_leaves_nothing(demo: Caller, worker: Worker) -> None:
    with worker.loose():
        for number in range(20):
            demo.signal(action="buy", fixed=f"0.00{number + 10}")
        demo.call("PUT", "/paper/accounts/demo", {"reset": True, "balances": {"USDT": "5"}})
        assert demo.call("POST", "/paper/settle") == {"settled": True}

    assert demo.balance("demo", "USDT") == Decimal(5)
    ended = {row["state"] for row in demo.rows()}
    assert ended <= {"CANCELED", "DONE", "FILLED", "DENIED"}


# Prices, instruments and waiting


def test_prices_are_set_shown_and_left_alone_again(api: Caller, wiring: Wiring) -> None:
    wiring.paper.seed_instruments()
    set_prices = {"BTC/USDT": {"bid": "99", "ask": "101", "last": "100"}, "ETH/USDT": None}

    assert api.call("PUT", "/paper/prices", {"prices": set_prices}) == {"tick": 1}

    shown = api.call("GET", "/paper/prices")["prices"]
    assert (shown["BTC/USDT"]["bid"], shown["BTC/USDT"]["is_set"]) == ("99", True)
    assert shown["ETH/USDT"] is None
    prices = wiring.paper.ports.prices
    assert must(prices.oldest_tick()).number == 1
    prices.tick_done(1)
    assert prices.oldest_tick() is None
    left = api.call("DELETE", "/paper/prices")["prices"]
    assert {one["is_set"] for one in left.values()} == {False}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prices"),
        ({"prices": {"BTC/USDT": {"last": "NaN"}}}, "prices.BTC/USDT.last"),
        ({"prices": {"BTC/USDT": {}}, "x": 1}, "x"),
    ],
)
def test_prices_that_cannot_be(api: Caller, body: dict[str, object], field: str) -> None:
    status, code, fields = api.refusal("PUT", "/paper/prices", body)

    assert (status, code) == BAD
    assert field in fields
    assert api.call("GET", "/paper/prices") == {"prices": {}}


@pytest.mark.parametrize(
    ("symbol", "near"),
    [("BTC/USD1", "BTC/USD"), ("ETHX/USDT", "ETH/USDT"), ("XBT/USDT", "BTC/USDT")],
)
def test_a_price_of_nothing_names_the_nearest(symbol: str, near: str, demo: Caller) -> None:
    before = demo.call("GET", "/paper/prices")
    body = {"prices": {"BTC/USDT": {"last": "1"}, symbol: {"last": "51000"}}}

    answer = demo.send("PUT", "/paper/prices", body)

    [said] = answer.get_json()["error"]["fields"][f"prices.{symbol}"]
    assert answer.status_code == 400
    assert said == f"No instrument has this symbol; the nearest is {near}."
    assert demo.call("GET", "/paper/prices")["prices"]["BTC/USDT"] == before["prices"]["BTC/USDT"]


def test_instruments_are_added_and_replaced(api: Caller) -> None:
    one = {"symbol": "DOGE/USDT", "market": "SPOT", "price_step": "0.1", "quantity_step": "1"}

    api.call("PUT", "/paper/instruments", {"instruments": [one]})
    shown = api.call("PUT", "/paper/instruments", {"instruments": [{**one, "price_step": "0.01"}]})

    (instrument,) = shown["instruments"]
    assert (instrument["symbol"], instrument["price_step"]) == ("DOGE/USDT", "0.01")
    wrong = {"instruments": [{**one, "price_step": "0", "color": "red"}]}
    assert api.refusal("PUT", "/paper/instruments", wrong) == (
        *BAD,
        ["instruments.0.color", "instruments.0.price_step"],
    )


def test_a_price_is_waited_for(demo: Caller, worker: Worker) -> None:
    with worker.loose():
        demo.signal(action="buy", fixed="0.01", limit="40000")
        assert demo.call("POST", "/paper/settle?timeout_ms=20000") == {"settled": True}
        prices = {"prices": {"BTC/USDT": {"last": "39000"}}}
        answer = demo.call("PUT", "/paper/prices?wait=true&timeout_ms=20000", prices)

    assert answer == {"settled": True}
    assert {row["state"] for row in demo.rows()} == {"FILLED", "DONE"}


def test_without_a_worker_nothing_settles(demo: Caller) -> None:
    assert demo.call("PUT", "/paper/prices?wait=true&timeout_ms=0", PRICE) == {"settled": False}
    assert demo.call("POST", "/paper/settle?timeout_ms=30") == {"settled": False}


@pytest.mark.parametrize("query", ["timeout_ms=-1", "timeout_ms=30001", "timeout_ms=soon"])
def test_a_time_that_cannot_be_waited(api: Caller, query: str) -> None:
    assert api.refusal("POST", f"/paper/settle?{query}") == (*BAD, ["timeout_ms"])
    assert api.refusal("PUT", f"/paper/prices?wait=true&{query}", PRICE) == (*BAD, ["timeout_ms"])


@pytest.mark.parametrize(("query", "field"), [("wait=yes", "wait"), ("weight=true", "weight")])
def test_a_query_that_makes_no_sense(api: Caller, query: str, field: str) -> None:
    assert api.refusal("PUT", f"/paper/prices?{query}", PRICE) == (*BAD, [field])
    assert api.call("GET", "/paper/prices") == {"prices": {}}


# Test controls


def test_a_delay_is_over_when_the_clock_says_so(demo: Caller, worker: Worker) -> None:
    at_ms = 1_750_000_000_000
    with worker.loose():
        frozen = demo.call("POST", "/paper/clock", {"freeze_at_ms": at_ms})
        demo.signal(action="buy", fixed="0.01", delaySeconds=60)
        assert demo.rows()[0]["due_at_ms"] == at_ms + 60_000
        demo.call("POST", "/paper/clock", {"advance_ms": 59_999})
        assert [row["state"] for row in demo.rows()] == ["SCHEDULED"]
        moved = demo.call("POST", "/paper/clock?timeout_ms=20000", {"advance_ms": 1})

    assert frozen == {"settled": True, "now_ms": at_ms}
    assert moved == {"settled": True, "now_ms": at_ms + 60_000}
    assert {row["state"] for row in demo.rows()} == {"FILLED", "DONE"}
    assert demo.call("GET", "/paper/clock") == {"now_ms": at_ms + 60_000}


def test_the_real_time_comes_back(api: Caller, wiring: Wiring) -> None:
    api.call("POST", "/paper/clock", {"advance_ms": 10_000_000})

    now_ms = api.call("POST", "/paper/clock", {"real": True})["now_ms"]

    assert abs(now_ms - wiring.ports.clock.server_ms()) < 2_000


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, []),
        ({"real": False}, []),
        ({"advance_ms": 1, "freeze_at_ms": 1}, []),
        ({"advance_ms": 1, "real": True}, []),
        ({"advance_ms": -1}, ["advance_ms"]),
        ({"advance_ms": 10**30}, ["advance_ms"]),
        ({"freeze_at_ms": 0}, ["freeze_at_ms"]),
        ({"freeze_at_ms": "noon"}, ["freeze_at_ms"]),
        ({"real": 1}, ["real"]),
        ({"backwards": True}, ["backwards"]),
    ],
)
def test_a_move_that_cannot_be(api: Caller, body: dict[str, object], fields: list[str]) -> None:
    assert api.refusal("POST", "/paper/clock", body) == (*BAD, fields)


def test_faults_are_planned_and_cleared(demo: Caller, worker: Worker) -> None:
    plan = {"place": ["reject", "reject"], "cancel": [], "find": ["not_found"], "delay_ms": 0}
    assert demo.call("PUT", "/paper/faults/demo", plan) == {"account": "demo"}
    demo.signal(action="buy", fixed="0.01")
    worker.work()
    assert demo.rows(kind="ORDER")[0]["state"] == "REJECTED"

    assert demo.call("DELETE", "/paper/faults/demo") == {"account": "demo"}
    demo.signal(action="buy", fixed="0.02")
    worker.work()

    assert demo.rows(kind="ORDER")[0]["state"] == "FILLED"
    assert demo.refusal("PUT", "/paper/faults/demo", {"place": ["explode"]}) == (*BAD, ["place.0"])
    assert demo.refusal("PUT", "/paper/faults/nobody", {}) == (404, "not_found", [])


def test_without_the_test_profile_there_are_no_controls(settings: Settings) -> None:
    environ = {
        "REDIS_URL": settings.redis_url,
        "HOOKFILL_DATA_DIR": str(settings.data_dir),
        "HOOKFILL_ADMIN_TOKEN": settings.admin_token.reveal(),
    }
    app = create_app(web_wiring(Settings.from_environment(environ)))
    api = Caller(app.test_client(), settings.admin_token.reveal())

    assert api.refusal("GET", "/paper/clock") == (404, "not_found", [])
    assert api.refusal("PUT", "/paper/faults/demo", {}) == (404, "not_found", [])
    assert api.call("GET", "/paper/prices") == {"prices": {}}


def test_a_stranger_gets_nowhere(demo: Caller) -> None:
    stranger = demo.client

    assert stranger.put("/paper/prices", json=PRICE).status_code == 401
    assert stranger.post("/paper/settle").status_code == 401
    assert stranger.post(WEBHOOK, json={"action": "buy"}).status_code == 401
