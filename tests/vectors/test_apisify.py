"""The acceptance vectors of the apisify spec, section 6, but those about its processes."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.stack import Installation
from tests.support.users.apisify import (
    FROM_TRADINGVIEW,
    NOW_MS,
    S_HTTP,
    TRADINGVIEW,
    B,
    Caller,
    S,
    fresh,
    signed,
)


class FromElsewhere(HTTPAdapter):
    """Calls from another loopback address, which is no trusted proxy."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **options)


def at(caller: Caller, now_ms: int) -> None:
    """Let it be this time."""
    caller.stack.freeze(now_ms)


def test_v1_a_signed_order_is_accepted(caller: Caller) -> None:
    body = caller.accepted(B)

    order_id = body.pop("order_id")
    assert order_id.isdigit()
    assert body == {
        "result": "success",
        "status": "accepted",
        "duplicate": False,
        "strategy": "test_strategy",
        "exchange": caller.market.exchange,
        "symbol": f"BTC{caller.market.quote}",
        "side": "Buy",
        "order_type": "Market",
        "qty": "1",
        "price": None,
        "memo": "m",
    }
    assert caller.position() == 1
    row = caller.row(order_id)
    assert (row["kind"], row["state"], row["dialect"]) == ("SIGNAL", "DONE", "apisify")
    assert (row["strategy"], row["memo"]) == ("test_strategy", "m")


def test_v2_the_case_of_the_signature_does_not_matter(caller: Caller) -> None:
    caller.accepted({**B, "sign": S.upper()})


def test_v3_another_url_is_another_signature(caller: Caller) -> None:
    caller.refused({**B, "sign": S_HTTP}, 401, "unauthorized")


def test_v3_several_urls_may_be_called(odd_stack: Installation) -> None:
    caller = Caller(odd_stack)
    caller.reset()
    caller.accepted({**B, "sign": S_HTTP})


def test_v4_strangers_learn_nothing(caller: Caller) -> None:
    wrong = ("0" if S[0] != "0" else "1") + S[1:]
    answers = [caller.post({**B, "sign": wrong}), caller.post({**B, "apikey": "ak_nobody"})]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["code"] == "unauthorized"
    assert caller.stack.rows() == []


@pytest.mark.parametrize("missing", ["sign", "timestamp"])
def test_v5_both_are_needed(caller: Caller, missing: str) -> None:
    payload = {name: B[name] for name in B if name != missing}
    caller.refused(payload, 401, "unauthorized")


def test_v6_an_old_time_stamp_is_refused(caller: Caller) -> None:
    at(caller, 1_649_027_018_446)
    body = caller.refused(B, 401, "timestamp_out_of_window")
    assert body["server_time"] == 1_649_027_018_446
    at(caller, 1_649_027_018_445)
    caller.accepted(B)


def test_v7_a_time_stamp_ahead_is_refused(caller: Caller) -> None:
    at(caller, 1_649_027_012_445)
    caller.refused(B, 401, "timestamp_out_of_window")
    at(caller, 1_649_027_012_446)
    caller.accepted(B)


def test_v8_seconds_are_no_milliseconds(caller: Caller) -> None:
    payload = {**B, "timestamp": 1_649_027_013, "sign": signed(1_649_027_013)}
    body = caller.refused(payload, 401, "timestamp_out_of_window")
    assert "milliseconds" in body["message"]


def test_v9_tradingview_needs_its_key_only(caller: Caller) -> None:
    caller.accepted(FROM_TRADINGVIEW, TRADINGVIEW)
    assert caller.position() == 1


def test_v10_a_signature_from_tradingview_is_not_looked_at(caller: Caller) -> None:
    caller.accepted({**FROM_TRADINGVIEW, "sign": "garbage"}, TRADINGVIEW)


def test_v11_nobody_can_claim_to_be_tradingview(caller: Caller) -> None:
    session = requests.Session()
    session.mount("http://", FromElsewhere())
    said = {"X-Forwarded-For": TRADINGVIEW}
    url = caller.stack.url("/v1/order")
    answer = session.post(url, json=caller.meant(FROM_TRADINGVIEW), headers=said, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    # Nor by what the trusted proxy only passes on.
    caller.refused(FROM_TRADINGVIEW, 401, "unauthorized", f"{TRADINGVIEW}, 203.0.113.9")
    assert caller.stack.rows() == []


def test_v12_a_key_may_do_without_the_exemption(caller: Caller) -> None:
    caller.stack.call("PUT", "/api/clients/apisify/ak_test", {"allow_tradingview_ip": False})
    caller.refused(FROM_TRADINGVIEW, 401, "unauthorized", TRADINGVIEW)


def test_v13_the_content_type_does_not_matter(caller: Caller) -> None:
    caller.accepted(FROM_TRADINGVIEW, TRADINGVIEW, **{"Content-Type": "text/plain"})


def test_v14_plain_words_are_no_order(caller: Caller) -> None:
    caller.refused("buy BTCUSD", 400, "invalid_json", TRADINGVIEW)


SIDES = {
    "Buy": ["Buy", "buy", "Long", 1, "1", 1.0],  # V15
    "Sell": ["Sell", "short", -1, "-1"],  # V16
    "Close": ["Close", 0, "0", "flat"],  # V17
    "Sarbuy": [2, "2", "SARBUY"],  # V18
    "Sarsell": [-2, "Sarsell"],
}


@pytest.mark.parametrize(("canonical", "aliases"), SIDES.items())
def test_v15_to_v18_sides(caller: Caller, canonical: str, aliases: list[object]) -> None:
    for alias in aliases:
        assert caller.accepted(fresh(side=alias))["side"] == canonical, alias


@pytest.mark.parametrize("side", [3, "hold", True, 0.5])
def test_v19_what_is_no_side(caller: Caller, side: object) -> None:
    body = caller.refused(fresh(side=side), 400, "validation_failed")
    assert set(body["fields"]) == {"side"}


def test_v20_a_limit_order_needs_a_price(caller: Caller) -> None:
    payload = fresh(order_type="Limit")
    del payload["price"]
    body = caller.refused(payload, 400, "validation_failed")
    assert body["fields"] == {"price": ["required when order_type is Limit"]}
    body = caller.refused(fresh(order_type="limit", price=0), 400, "validation_failed")
    assert set(body["fields"]) == {"price"}


@pytest.mark.parametrize("qty", [0, -1, "abc", True])
def test_v21_what_is_no_quantity(caller: Caller, qty: object) -> None:
    body = caller.refused(fresh(qty=qty), 400, "validation_failed")
    assert set(body["fields"]) == {"qty"}


def test_v22_a_reversal_is_one_netting_order(caller: Caller) -> None:
    caller.reset("-3")
    body = caller.accepted(fresh(side="Sarbuy"))
    assert caller.traded() == [("BUY", Decimal(4), False)]
    assert caller.position() == 1
    row = caller.row(body["order_id"])
    assert (row["kind"], row["state"]) == ("REVERSAL", "DONE")


def test_v23_its_quantity_is_that_of_the_new_position(caller: Caller) -> None:
    caller.reset("2")
    caller.accepted(fresh(side="-2", qty=2))
    assert caller.traded() == [("SELL", Decimal(4), False)]
    assert caller.position() == -2


def test_v24_from_flat_it_opens(caller: Caller) -> None:
    caller.accepted(fresh(side="Sarsell"))
    assert caller.position() == -1


def test_v25_on_its_side_already_it_is_skipped(caller: Caller) -> None:
    caller.reset("1")
    body = caller.accepted(fresh(side="Sarbuy"))
    row = caller.row(body["order_id"])
    assert (row["state"], row["reason"]["code"]) == ("SKIPPED", "already_in_position")
    assert caller.position() == 1
    assert caller.orders() == []


def test_v26_a_close_never_opens(caller: Caller) -> None:
    caller.reset("-2")
    caller.accepted(fresh(side="Close", qty=5))
    assert caller.traded() == [("BUY", Decimal(2), True)]
    assert caller.position() == 0


def test_v27_there_may_be_nothing_to_close(caller: Caller) -> None:
    body = caller.accepted(fresh(side="Close"))
    row = caller.row(body["order_id"])
    assert (row["state"], row["reason"]["code"]) == ("SKIPPED", "no_position")
    assert caller.orders() == []


def test_v28_zero_closes_everything(caller: Caller) -> None:
    caller.reset("2")
    caller.accepted(fresh(side="Close", qty=0))
    assert caller.position() == 0


def test_v29_an_exchange_that_does_not_exist(caller: Caller) -> None:
    body = caller.refused(fresh(exchange="kraken"), 400, "validation_failed")
    assert set(body["fields"]) == {"exchange"}


def test_v30_the_same_request_again_is_the_same_order(caller: Caller) -> None:
    first, second = caller.accepted(B), caller.accepted(B)
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["order_id"] == second["order_id"]
    assert caller.position() == 1


def test_v31_a_signature_is_good_for_one_body(caller: Caller) -> None:
    caller.accepted(B)
    caller.refused({**B, "qty": 100}, 401, "signature_reused")
    assert caller.position() == 1


def test_v32_tradingview_sends_again_when_it_is_unsure(caller: Caller) -> None:
    first = caller.accepted(FROM_TRADINGVIEW, TRADINGVIEW)
    at(caller, NOW_MS + 20_000 - 1)
    again = caller.accepted(FROM_TRADINGVIEW, TRADINGVIEW)
    assert (again["order_id"], again["duplicate"]) == (first["order_id"], True)
    at(caller, NOW_MS + 21_000)
    assert caller.accepted(FROM_TRADINGVIEW, TRADINGVIEW)["duplicate"] is False
    assert caller.position() == 2


def test_v33_reversals_take_turns(caller: Caller) -> None:
    caller.reset("-1")
    payloads = [fresh(side="Sarbuy"), fresh(side="Sarbuy")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(caller.post, payloads))
    assert [one.status_code for one in answers] == [200, 200]
    caller.stack.settle()
    assert caller.traded() == [("BUY", Decimal(2), False)]
    states = {caller.row(one.json()["order_id"])["state"] for one in answers}
    assert states == {"DONE", "SKIPPED"}
    assert caller.position() == 1


def test_v36_everything_that_is_missing_is_named(caller: Caller) -> None:
    payload = fresh()
    for name in ("strategy", "order_type", "symbol"):
        del payload[name]
    body = caller.refused(payload, 400, "validation_failed")
    assert set(body["fields"]) == {"strategy", "order_type", "symbol"}
