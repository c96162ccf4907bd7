"""Accounts are made, changed, shown and switched off; what is wrong with one is said by field."""

import pytest

from app.bootstrap import Wiring
from app.domain.identifiers import AccountId, AccountName, VenueName
from tests.support.builders import a_live_account
from tests.support.caller import Caller, Worker

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")


def test_an_account_is_made_with_what_is_usual(api: Caller) -> None:
    made = api.call("PUT", "/api/accounts/first", {})

    assert made == {
        "id": 1,
        "name": "first",
        "group": "first",
        "venue": "paper",
        "market": "SPOT",
        "mode": "paper",
        "position_mode": "HEDGE",
        "has_credentials": False,
        "credentials_refused": None,
        "limits": {},
        "state": "RUN",
        "enabled": True,
        "protection": "auto",
    }
    assert api.call("GET", "/api/accounts/first") == made
    assert api.call("GET", "/api/accounts") == {"data": [made]}


def test_ids_are_counted(api: Caller) -> None:
    assert [api.call("PUT", f"/api/accounts/a{one}")["id"] for one in range(3)] == [1, 2, 3]


def test_only_what_is_named_changes(api: Caller) -> None:
    made = api.call("PUT", "/api/accounts/net", {"market": "USDM", "position_mode": "ONEWAY"})

    changed = api.call("PUT", "/api/accounts/net", {"group": "others"})

    assert changed == {**made, "group": "others"}


def test_an_account_is_switched_off_and_on(api: Caller) -> None:
    api.call("PUT", "/api/accounts/first")

    assert api.call("DELETE", "/api/accounts/first")["enabled"] is False
    assert api.call("GET", "/api/accounts/first")["enabled"] is False
    assert api.call("PUT", "/api/accounts/first", {"enabled": True})["enabled"] is True


def test_an_account_with_something_live_is_switched_off_by_force_only(
    demo: Caller, worker: Worker
) -> None:
    demo.signal(action="buy", fixed="0.001", delaySeconds=3_600)
    (row,) = demo.rows()

    refused = demo.send("DELETE", "/api/accounts/demo")
    assert refused.status_code == 409
    assert row["id"] in refused.text
    assert demo.refusal("PUT", "/api/accounts/demo", {"enabled": False}) == (
        400,
        "validation_failed",
        ["enabled"],
    )
    assert demo.refusal("DELETE", "/api/accounts/demo?force=yes")[0] == 400
    assert demo.call("GET", "/api/accounts/demo")["enabled"] is True

    assert demo.call("DELETE", "/api/accounts/demo?force=true")["enabled"] is False
    worker.work()

    (row,) = demo.rows()
    assert (row["state"], row["reason"]["code"]) == ("CANCELED", "account_disabled")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_account_that_is_not_there(api: Caller, method: str) -> None:
    assert api.refusal(method, "/api/accounts/nobody") == (404, "not_found", [])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"color": "red"}, ["color"]),
        ({"market": "MOON", "mode": 5}, ["market", "mode"]),
        ({"market": "spot"}, ["market"]),
        ({"position_mode": None}, ["position_mode"]),
        ({"protection": "venue"}, ["protection"]),
        ({"state": "PAUSE"}, ["state"]),
        ({"enabled": "yes"}, ["enabled"]),
        ({"group": ""}, ["group"]),
        ({"group": "a/b"}, ["group"]),
        ({"group": "x" * 65}, ["group"]),
        ({"group": "line\n"}, ["group"]),
        ({"venue": "nasdaq", "mode": "live"}, ["venue"]),
        ({"venue": "nasdaq"}, ["mode", "venue"]),
        ({"mode": "live"}, ["mode"]),
        ({"venue": "poloniex", "mode": "live", "market": "COINM"}, ["market", "venue"]),
        ({"venue": "okx", "mode": "live", "market": "COINM"}, ["market", "venue"]),
        ({"venue": "bybit", "mode": "live", "market": "COINM"}, ["venue"]),
        ({"venue": "poloniex", "mode": "live", "market": "USDM"}, ["market", "venue"]),
        ({"credentials": "secret"}, ["credentials"]),
        ({"credentials": {}}, ["credentials"]),
        ({"credentials": {"apiKey": 5}}, ["credentials"]),
        ({"credentials": {"apiKey": ""}}, ["credentials"]),
        ({"credentials": {"a key": "x"}}, ["credentials"]),
        ({"credentials": {"apiKey": "x" * 5_000}}, ["credentials"]),
        ({"limits": {"max_order_notional": "5"}}, ["limits.max_order_notional"]),
        ({"id": 7}, ["id"]),
    ],
)
def test_what_is_wrong_is_said_by_field(
    api: Caller, body: dict[str, object], fields: list[str]
) -> None:
    assert api.refusal("PUT", "/api/accounts/first", body) == (*BAD, fields)
    assert api.call("GET", "/api/accounts") == {"data": []}


@pytest.mark.parametrize(
    ("body", "field", "lack"),
    [
        ({"venue": "bydfi", "market": "USDM"}, "venue", "Cannot trade USDM: it lacks cancelOrder."),
        ({"venue": "coinspot"}, "venue", "Cannot trade SPOT: it lacks fetchOpenOrders."),
        ({"venue": "coinbase"}, "venue", "Cannot trade SPOT: it lacks a client order id."),
        ({"venue": "okx", "market": "USDM"}, "venue", "set position_mode to ONEWAY"),
        ({"venue": "kraken", "market": "USDM"}, "market", "kraken has no USDM."),
        ({"venue": "bybit", "market": "COINM"}, "venue", "set position_mode to ONEWAY"),
        (
            {"venue": "kraken", "market": "COINM", "position_mode": "ONEWAY"},
            "market",
            "COINM is traded at binance, bybit and on paper, not at kraken.",
        ),
    ],
)
def test_an_exchange_is_refused_by_the_name_of_what_it_lacks(
    api: Caller, body: dict[str, object], field: str, lack: str
) -> None:
    answer = api.send("PUT", "/api/accounts/first", {"mode": "live", **body})

    assert answer.status_code == 400
    assert any(lack in one for one in answer.get_json()["error"]["fields"][field])


@pytest.mark.parametrize("body", ["[]", "nonsense", '"text"', "NaN", '{"a":1,"a":2}', b"\xff"])
def test_a_body_that_is_no_object(api: Caller, body: str | bytes) -> None:
    assert api.refusal("PUT", "/api/accounts/first", body) == (400, "invalid_json", [])


@pytest.mark.parametrize("name", ["-x", "a b", "x" * 65, "%00", "%E2%82%AC", "a%0A", ".."])
def test_a_name_that_cannot_be(api: Caller, name: str) -> None:
    assert api.refusal("PUT", f"/api/accounts/{name}", {}) == (*BAD, ["name"])


def test_credentials_are_sealed_and_never_told(api: Caller, wiring: Wiring) -> None:
    secrets = {"apiKey": "the-key-itself", "secret": "-----BEGIN\nthe-secret\n-----END"}

    wiring.registry.put_account(a_live_account("first"))
    made = api.send("PUT", "/api/accounts/first", {"credentials": secrets})

    shown = [api.send("GET", path) for path in ("/api/accounts", "/api/accounts/first")]
    assert made.get_json()["has_credentials"] is True
    assert not any("the-key" in one.text or "the-secret" in one.text for one in [made, *shown])
    sealed = wiring.registry.account_named(AccountName("first")).credentials
    assert sealed is not None
    assert "the-key" not in sealed
    assert wiring.vault.decrypt("first", sealed) == secrets
    gone = api.call("PUT", "/api/accounts/first", {"credentials": None})
    assert gone["has_credentials"] is False


@pytest.mark.parametrize(
    ("venue", "wanted"),
    [
        ("paper", "none"),
        ("binance", "apiKey and secret"),
        ("bybit_testnet", "apiKey and secret"),
        ("poloniex", "apiKey and secret"),
        ("okx", "apiKey and secret and password"),
        ("hyperliquid", "privateKey and walletAddress"),
    ],
)
def test_what_a_venue_does_not_ask_for_is_refused_with_what_it_does(
    api: Caller, wiring: Wiring, venue: str, wanted: str
) -> None:
    account = wiring.registry.put_account(a_live_account("first", venue=VenueName(venue)))
    keys = dict.fromkeys(wiring.records.credentials_of(account.venue), "x")

    for odd in ("https_proxy", "hostname", "verbose", "token", "apikey", "urls"):
        answer = api.send("PUT", "/api/accounts/first", {"credentials": {**keys, odd: "hidden"}})

        assert answer.status_code == 400
        fields = answer.get_json()["error"]["fields"]
        assert fields == {"credentials": [f"{venue} asks for {wanted}, and takes no others."]}
        assert "hidden" not in answer.text
    assert wiring.registry.account_named(account.name).credentials is None
    assert not keys or api.call("PUT", "/api/accounts/first", {"credentials": keys})


def test_a_refused_secret_is_not_repeated(api: Caller) -> None:
    answer = api.send("PUT", "/api/accounts/first", {"credentials": {"apiKey": "schlüssel"}})

    assert answer.status_code == 400
    assert "schl" not in answer.text


def test_a_group_has_one_account_for_each_market(api: Caller) -> None:
    api.call("PUT", "/api/accounts/first", {"group": "mine"})
    api.call("PUT", "/api/accounts/futures", {"group": "mine", "market": "USDM"})

    assert api.refusal("PUT", "/api/accounts/second", {"group": "mine"}) == (*BAD, ["group"])
    assert api.refusal("PUT", "/api/accounts/futures", {"market": "SPOT"}) == (*BAD, ["group"])
    api.call("DELETE", "/api/accounts/first")
    api.call("PUT", "/api/accounts/second", {"group": "mine"})
    assert api.refusal("PUT", "/api/accounts/first", {"enabled": True}) == (*BAD, ["group"])


def test_the_market_of_a_paper_account_changes_at_its_venue_too(api: Caller) -> None:
    api.call("PUT", "/paper/accounts/first", {"balances": {"USDT": "1"}})

    api.call("PUT", "/api/accounts/first", {"market": "USDM", "position_mode": "ONEWAY"})

    shown = api.call("GET", "/paper/accounts/first")
    assert (shown["market"], shown["position_mode"]) == ("USDM", "ONEWAY")


def test_an_account_with_something_live_keeps_its_market(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1", limit="40000")
    worker.work()

    assert demo.refusal("PUT", "/api/accounts/demo", {"market": "USDM"}) == (*BAD, ["market"])


def test_a_halted_account_waits_and_goes_on(demo: Caller, worker: Worker) -> None:
    assert demo.call("PUT", "/api/accounts/demo", {"state": "HALT"})["state"] == "HALT"
    demo.signal(action="buy", fixed="0.1")
    demo.signal(action="sell", fixed="0.2")
    worker.step(times=4)  # what waits for a halted account counts as settled
    states = {row["side"]: row["state"] for row in demo.rows(kind="SIGNAL")}
    assert states == {"BUY": "DENIED", "SELL": "EXECUTING"}

    assert demo.call("PUT", "/api/accounts/demo", {"state": "REDUCE_ONLY"})["state"] == (
        "REDUCE_ONLY"
    )
    worker.work()

    (sale,) = [row for row in demo.rows(kind="SIGNAL") if row["side"] == "SELL"]
    assert sale["state"] == "DONE"
    assert demo.call("GET", "/api/accounts/demo")["state"] == "REDUCE_ONLY"


def test_a_missing_state_is_shown_as_halt(api: Caller, wiring: Wiring) -> None:
    api.call("PUT", "/api/accounts/first", {"state": "HALT"})

    assert wiring.ports.ledger.state_of(AccountId(1)) == "HALT"
    assert wiring.ports.ledger.state_of(AccountId(99)) == "HALT"
