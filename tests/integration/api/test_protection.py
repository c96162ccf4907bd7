"""What protects each position is shown: by the API, and on the overview."""

import pytest
from flask import Flask

from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller, Json, Worker

pytestmark = pytest.mark.integration


@pytest.fixture
def opened(api: Caller, worker: Worker) -> Caller:
    """A long of 1 at 2,000 with both levels, of which the venue holds a stop as well."""
    api.call("PUT", "/paper/accounts/usdm", {"market": "USDM", "balances": {"USDT": "10000"}})
    api.call("PUT", "/paper/accounts/other", {"market": "USDM", "balances": {"USDT": "10000"}})
    instrument = {"symbol": "ETH/USDT", "market": "USDM", "price_step": "0.01"}
    rules = {"instruments": [{**instrument, "quantity_step": "0.001"}]}
    api.call("PUT", "/paper/instruments", rules)
    connector = {"account": "usdm", "symbol": "ETH/USDT", "token": "demo-token"}
    api.call("PUT", "/api/connectors/demo", {**connector, "protection": "both"})
    api.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": "2000"}}})
    api.signal(action="openLong", fixed="1", profit="2200", loss="1900")
    worker.work()
    return api


def listed(caller: Caller, query: str = "") -> list[Json]:
    rows: list[Json] = caller.call("GET", f"/api/protection{query}")["data"]
    return rows


def test_a_position_names_what_protects_it(opened: Caller) -> None:
    (position,) = listed(opened)

    (entry,) = opened.rows(kind="SIGNAL")
    about = {name: position[name] for name in ("account", "symbol", "position_side", "quantity")}
    assert about == {
        "account": "usdm",
        "symbol": "ETH/USDT",
        "position_side": "LONG",
        "quantity": "1",
    }
    assert position["entry"] == entry["id"]
    told = {(one["purpose"], one["price"], one["held_by"]) for one in position["guards"]}
    assert told == {
        ("take_profit", "2200", "here"),
        ("stop_loss", "1900", "here"),
        ("stop_loss", "1843", "venue"),
    }
    assert {one["quantity"] for one in position["guards"]} == {"1"}
    ids = {row["id"] for row in opened.rows(kind="SMART_ORDER")}
    assert {one["id"] for one in position["guards"]} == ids


def test_it_is_shown_until_it_is_closed(opened: Caller, worker: Worker) -> None:
    opened.signal(action="closeLong", percent="100")
    worker.work()

    assert listed(opened) == []


def test_it_can_be_asked_of_one_account(opened: Caller) -> None:
    assert len(listed(opened, "?account=usdm")) == 1
    assert listed(opened, "?account=other") == []
    assert opened.refusal("GET", "/api/protection?account=nobody")[0] == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "of=1"])
def test_a_query_that_is_wrong_is_refused(query: str, opened: Caller) -> None:
    assert opened.refusal("GET", f"/api/protection?{query}")[0] == 400


def test_a_stranger_sees_nothing(opened: Caller, app: Flask) -> None:
    assert opened.rows()
    assert app.test_client().get("/api/protection").status_code == 401


def test_the_overview_says_who_holds_each(opened: Caller, app: Flask) -> None:
    assert listed(opened)
    browser = app.test_client()
    browser.post("/login", json={"token": ADMIN_TOKEN})

    page = browser.get("/").text

    assert "Guarded positions" in page
    words = " ".join(page.split())
    for sentence in ("Stop-loss of 1 at 1843, held by the venue", "at 1900, held here"):
        assert sentence in words
