"""Replays: what came in once is given anew, on paper."""

from dataclasses import replace
from typing import Any

import pytest

from app.bootstrap import Wiring
from app.domain.enums import Dialect, Mode
from app.domain.identifiers import AccountId, AccountName, VenueName
from tests.support import three_commas as wire
from tests.support.caller import Caller, Json, Worker
from tests.support.each_dialect import ACCOUNT, NET, open_for_all, order, signed_by


@pytest.fixture
def traded(demo: Caller) -> Caller:
    """A caller of an installation in which each dialect has a client."""
    open_for_all(demo)
    return demo


def newest(demo: Caller, kind: str) -> Json:
    """Return the newest thing of a kind."""
    return demo.rows(kind=kind)[0]


def replayed(demo: Caller, original: str, **body: object) -> Json:
    """Replay something, and return the replay."""
    answer = demo.call("POST", f"/api/orders/{original}/replay", body)
    assert answer["replay_of"] == original
    made: Json = answer["order"]
    return made


def settled(demo: Caller, worker: Worker, made: Json) -> Json:
    """Return a replay after everything that it brings about."""
    worker.work()
    return demo.call("GET", f"/api/orders/{made['id']}")


def orders_of(demo: Caller, parent: str) -> list[Json]:
    """Return the orders that something has brought forth."""
    return [one for one in demo.rows(kind="ORDER") if one["parent_id"] == parent]


def test_a_signal_is_sized_anew(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", percent="50", clientOrderId="mine")
    worker.work()
    original = newest(traded, "SIGNAL")

    made = replayed(traded, original["id"])
    after = settled(traded, worker, made)

    assert after["state"] == "DONE"
    assert (after["caller_id"], after["account"]) == (None, "demo")
    (sent,) = orders_of(traded, made["id"])
    assert sent["quantity"] < original["quantity"]  # half of what is left
    assert after["timeline"][0]["reason"] == {
        "code": "replayed",
        "message": f"a replay of {original['id']}",
    }
    assert traded.call("GET", f"/api/orders/{original['id']}")["state"] == "DONE"


def test_prices_move_with_the_market(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01", limit="51000")
    worker.work()
    original = newest(traded, "SIGNAL")
    traded.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "25000"}}})
    worker.work()

    scaled = replayed(traded, original["id"])
    as_given = replayed(traded, original["id"], price="original")

    assert original["average_price"] == "50000"
    assert (scaled["price"], as_given["price"]) == ("25500", "51000")


def test_prices_of_what_never_filled_cannot_be_scaled(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01", limit="40000")
    worker.work()
    original = newest(traded, "SIGNAL")

    path = f"/api/orders/{original['id']}/replay"
    assert traded.refusal("POST", path, {})[:2] == (409, "wrong_state")
    made = replayed(traded, original["id"], price="original")

    assert settled(traded, worker, made)["price"] == "40000"


def test_a_reversal_meets_the_position_of_now(traded: Caller, worker: Worker) -> None:
    body = order(qty=0.01, order_type="Market", side="Sarbuy")
    answer = signed_by(Dialect.APISIFY, "/v1/order", body).to(traded.client)
    assert answer.status_code == 200, answer.text
    worker.work()
    original = newest(traded, "REVERSAL")

    made = replayed(traded, original["id"])

    after = settled(traded, worker, made)
    assert (after["state"], after["reason"]["code"]) == ("SKIPPED", "already_in_position")
    assert after["account"] == NET


def poloniex(demo: Caller, path: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
    """Send a signed request of Poloniex, which must be good."""
    sent = signed_by(Dialect.POLONIEX, path, {"symbol": "BTC_USDT", **fields})
    answer = sent.to(demo.client)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_an_order_that_stands_alone(traded: Caller, worker: Worker) -> None:
    poloniex(traded, "/orders", side="BUY", amount="100", clientOrderId="mine")
    worker.work()
    original = newest(traded, "ORDER")

    made = replayed(traded, original["id"])

    after = settled(traded, worker, made)
    assert (after["state"], after["caller_id"]) == ("FILLED", None)
    assert after["filled_quantity"] == original["filled_quantity"] == "0.002"


def test_a_smart_order_that_stands_alone(traded: Caller, worker: Worker) -> None:
    stop = {"side": "SELL", "quantity": "0.1", "stopPrice": "40000", "clientOrderId": "mine"}
    poloniex(traded, "/smartorders", **stop)
    worker.work()
    original = newest(traded, "SMART_ORDER")

    made = replayed(traded, original["id"], price="original")

    after = settled(traded, worker, made)
    assert (after["state"], after["trigger_price"]) == ("PENDING_NEW", "40000")
    assert after["caller_id"] is None
    traded.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "39000"}}})
    assert settled(traded, worker, made)["state"] == "TRIGGERED"


def test_a_smart_trade(traded: Caller, worker: Worker) -> None:
    account = traded.call("GET", "/api/accounts/demo")["id"]
    fields = wire.sale(
        account_id=account,
        pair="USDT_BTC",
        units_to_buy="0.001",
        average_buy_price=49_000,
        take_profit_price_condition=60_000,
        stop_loss_price_condition=40_000,
    )
    sent = signed_by(Dialect.THREE_COMMAS, f"{wire.TRADES}/create_smart_sell", fields)
    answer = sent.to(traded.client)
    assert answer.status_code == 201, answer.text
    worker.work()
    original = newest(traded, "SMART_TRADE")

    made = replayed(traded, original["id"], price="original")

    after = settled(traded, worker, made)
    assert (after["state"], after["quantity"]) == (original["state"], original["quantity"])
    traded.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "61000"}}})
    assert settled(traded, worker, made)["state"] == "take_profit_finished"


def test_twice_is_two_unless_a_key_says_otherwise(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01")
    worker.work()
    path = f"/api/orders/{newest(traded, 'SIGNAL')['id']}/replay"
    keyed = {**traded.headers, "Idempotency-Key": "once"}

    free = [traded.call("POST", path, {})["order"]["id"] for _ in range(2)]
    bound = [traded.client.post(path, json={}, headers=keyed).get_json() for _ in range(2)]

    assert len({*free, bound[0]["order"]["id"]}) == 3
    assert [one["repeated"] for one in bound] == [False, True]
    assert bound[0]["order"]["id"] == bound[1]["order"]["id"]
    other = traded.client.post(path, json={"price": "original"}, headers=keyed)
    assert other.status_code == 400


def test_what_has_left_the_store_is_replayed(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01")
    worker.work()
    original = newest(traded, "SIGNAL")
    worker.archive()

    made = replayed(traded, original["id"])

    assert settled(traded, worker, made)["state"] == "DONE"


def test_a_dry_replay_stores_nothing(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01")
    worker.work()
    before = traded.rows()

    path = f"/api/orders/{newest(traded, 'SIGNAL')['id']}/replay"
    told = traded.call("POST", path, {"dry_run": True})

    assert (told["outcome"], told["account"]) == ("would_send", ACCOUNT)
    assert [one["quantity"] for one in told["orders"]] == ["0.01"]
    assert traded.rows() == before


def test_what_cannot_be_replayed(traded: Caller, worker: Worker) -> None:
    traded.signal(action="buy", fixed="0.01")
    traded.signal(action="cancelAll")
    worker.work()
    child = newest(traded, "ORDER")["id"]
    cancel, original = (one["id"] for one in traded.rows(kind="SIGNAL"))

    def refused(one: str, **body: object) -> tuple[int, str]:
        return traded.refusal("POST", f"/api/orders/{one}/replay", body)[:2]

    assert refused(child) == (409, "wrong_state")
    assert refused(cancel) == (409, "wrong_state")
    assert refused(original, account=NET) == (409, "wrong_state")
    assert refused(original, account="nobody") == (400, "validation_failed")
    assert refused(original, price="dear") == (400, "validation_failed")
    assert refused("123") == (404, "not_found")


def test_no_money_but_play_money(traded: Caller, worker: Worker, wiring: Wiring) -> None:
    traded.signal(action="buy", fixed="0.01")
    worker.work()
    paper = wiring.registry.account_named(AccountName("demo"))
    real = replace(paper, id=AccountId(0), name=AccountName("real"), mode=Mode.LIVE)
    wiring.registry.put_account(replace(real, venue=VenueName("binance")))

    path = f"/api/orders/{newest(traded, 'SIGNAL')['id']}/replay"
    assert traded.refusal("POST", path, {"account": "real"})[:2] == (403, "forbidden")


def test_what_real_money_did_is_replayed_with_play_money(
    traded: Caller, worker: Worker, wiring: Wiring
) -> None:
    traded.signal(action="buy", fixed="0.01")
    worker.work()
    original = newest(traded, "SIGNAL")["id"]
    paper = wiring.registry.account_named(AccountName("demo"))
    other = replace(paper, id=AccountId(0), name=AccountName("other"), group="other")
    wiring.registry.put_account(other)
    wiring.registry.put_account(replace(paper, venue=VenueName("binance"), mode=Mode.LIVE))

    made = replayed(traded, original)

    assert made["account"] == "other"
