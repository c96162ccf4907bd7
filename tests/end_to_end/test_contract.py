"""The contract of docs/api.md, read sentence by sentence, against a running stack."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import requests

from tests.end_to_end.conftest import FUTURES, SPOT
from tests.end_to_end.stack import Json, Stack

SPOT1 = {"connectorName": "spot1", "connectorToken": "T1"}
FUT1 = {"connectorName": "fut1", "connectorToken": "T2"}
OPEN = {**FUT1, "action": "openLong", "fixed": "0.5", "profit": "2200", "loss": "1900"}

KEYS = (
    "id parent_id kind dialect account symbol market side position_side type time_in_force "
    "reduce_only quantity price trigger_price state reason filled_quantity average_price fees "
    "caller_id client_order_id venue_order_id due_at_ms next_check_at_ms created_at_ms "
    "updated_at_ms"
).split()

_numbers = count(1)


def accepted(stack: Stack, message: Json) -> str:
    """Send a message like no other, and return the id under which it is followed."""
    answer = stack.send({**message, "number": f"{next(_numbers)} {time.time()}"})
    assert answer.text == "ok", answer.text
    return answer.headers["X-Hookfill-Id"]


def settled(stack: Stack, message: Json) -> str:
    """Send a message and wait for what it brings about."""
    known = accepted(stack, message)
    stack.settle()
    return known


def detail(stack: Stack, reference: str) -> Json:
    """Return one aggregate with children and timeline."""
    return stack.call("GET", f"/api/orders/{reference}")


def outcome(stack: Stack, reference: str) -> tuple[str, str | None]:
    """Return the state of an aggregate, and the code of the reason for it."""
    row = detail(stack, reference)
    return row["state"], row["reason"] and row["reason"]["code"]


def events(stack: Stack, reference: str) -> list[str]:
    """Return what the timeline names."""
    return [entry["event"] for entry in detail(stack, reference)["timeline"]]


def ledger(stack: Stack, account: str) -> list[Json]:
    """Return every order that the venue has ever received."""
    rows: list[Json] = stack.account(account)["ledger"]
    return rows


def position(stack: Stack) -> tuple[str, str]:
    """Return the two legs in ETH/USDT."""
    legs = stack.account(FUTURES)["positions"]["ETH/USDT"]
    return legs["long"], legs["short"]


@contextmanager
def connector(stack: Stack, name: str, **settings: object) -> Iterator[None]:
    """Give a connector other settings for a while."""
    before = stack.call("GET", f"/api/connectors/{name}")
    stack.call("PUT", f"/api/connectors/{name}", settings)
    try:
        yield
    finally:
        stack.call("PUT", f"/api/connectors/{name}", {key: before[key] for key in settings})


class TestReading:
    def test_every_row_has_the_keys_and_types_of_the_contract(self, stack: Stack) -> None:
        settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "clientOrderId": "Long"})
        settled(stack, {**SPOT1, "action": "cancelAll"})
        settled(stack, {**SPOT1, "action": "sell", "delaySeconds": 60})
        settled(stack, OPEN)

        rows = stack.rows()

        assert {row["kind"] for row in rows} == {"SIGNAL", "ORDER", "SMART_ORDER"}
        for row in rows:
            assert list(row) == KEYS
            texts = ("id", "parent_id", "quantity", "price", "filled_quantity", "average_price")
            assert all(isinstance(row[key], str | None) for key in texts)
            times = [row[key] for key in KEYS if key.endswith("_at_ms")]
            assert all(isinstance(at, int | None) for at in times)
            assert all(isinstance(fee, str) for fee in (row["fees"] or {}).values())

    def test_a_signal_tells_its_whole_life_in_order(self, stack: Stack) -> None:
        plain = settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        protected = settled(stack, OPEN)

        life = ["received", "validated", "queued", "sized", "sent", "acknowledged", "filled"]
        assert events(stack, plain) == [*life, "closed"]
        assert events(stack, protected) == [*life, "protected"]

    def test_an_order_is_found_by_its_client_order_id(self, stack: Stack) -> None:
        known = settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        (order,) = stack.rows(parent=known)

        assert detail(stack, order["client_order_id"]) == detail(stack, order["id"])
        assert detail(stack, known)["children"] == [order["id"]]

    def test_pages_follow_each_other_newest_first(self, stack: Stack) -> None:
        for price in ("30000", "31000", "32000"):
            settled(stack, {**SPOT1, "action": "buy", "fixed": "0.001", "limit": price})
        page = stack.call("GET", "/api/orders?kind=ORDER&limit=2")
        rest = stack.call("GET", f"/api/orders?kind=ORDER&limit=1&cursor={page['next_cursor']}")

        prices = [row["price"] for row in (*page["data"], *rest["data"])]
        assert prices == ["32000", "31000", "30000"]

    def test_a_duplicate_is_an_entry_of_the_first(self, stack: Stack) -> None:
        message = {**SPOT1, "action": "buy", "fixed": "0.01", "log": str(time.time())}
        first, again = stack.send(message), stack.send(message)
        stack.settle()

        known = first.headers["X-Hookfill-Id"]
        assert again.headers["X-Hookfill-Id"] == known
        assert events(stack, known).count("duplicate") == 1
        assert len(stack.rows(kind="SIGNAL")) == 1


class TestLane:
    def test_quick_alternating_messages_run_in_order(self, stack: Stack) -> None:
        for _ in range(8):
            accepted(stack, {**SPOT1, "action": "buy", "percent": "100"})
            accepted(stack, {**SPOT1, "action": "sell", "percent": "100"})
        stack.settle()

        rows = ledger(stack, SPOT)
        assert [row["side"] for row in rows] == ["BUY", "SELL"] * 8
        assert {row["outcome"] for row in rows} == {"FILLED"}
        assert stack.balance(SPOT, "BTC") == 0

    def test_a_burst_of_many_threads_is_neither_lost_nor_doubled(self, stack: Stack) -> None:
        def send() -> None:
            for _ in range(4):
                accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.001"})

        threads = [threading.Thread(target=send) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stack.settle()

        assert stack.balance(SPOT, "BTC") == Decimal("0.54")
        assert len({row["client_order_id"] for row in ledger(stack, SPOT)}) == 40

    def test_an_entry_behind_an_unknown_order_expires(self, stack: Stack) -> None:
        plan = {"place": ["accept_then_timeout"], "find": ["not_found"] * 9}
        stack.call("PUT", f"/paper/faults/{SPOT}", plan)
        accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        while not stack.rows(state="UNKNOWN"):
            time.sleep(0.02)
        behind = accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.02"})

        stack.advance(60_001)
        stack.call("DELETE", f"/paper/faults/{SPOT}")

        assert outcome(stack, behind) == ("EXPIRED", "too_late")


class TestOppositeLegs:
    @pytest.mark.parametrize("mode", ["HEDGE", "ONEWAY"])
    def test_a_reversal_closes_all_of_it_before_it_opens(self, stack: Stack, mode: str) -> None:
        short = {"ETH/USDT": {"short": "0.5", "entry_price": "2000"}}
        setting = {"reset": True, "position_mode": mode, "positions": short}
        stack.call("PUT", f"/paper/accounts/{FUTURES}", setting)

        with connector(stack, "fut1", on_opposite="reverse"):
            settled(stack, {**FUT1, "action": "openLong", "fixed": "0.3"})

        rows = [(row["quantity"], row["reduce_only"]) for row in ledger(stack, FUTURES)]
        assert rows == [("0.5", True), ("0.3", False)]
        assert position(stack) == ("0.3", "0")

    @pytest.mark.parametrize(("mode", "word"), [("HEDGE", "reject"), ("ONEWAY", "keep")])
    def test_an_opposite_position_is_refused(self, stack: Stack, mode: str, word: str) -> None:
        short = {"ETH/USDT": {"short": "0.5", "entry_price": "2000"}}
        setting = {"reset": True, "position_mode": mode, "positions": short}
        stack.call("PUT", f"/paper/accounts/{FUTURES}", setting)

        with connector(stack, "fut1", on_opposite=word):
            known = settled(stack, {**FUT1, "action": "openLong", "fixed": "0.3"})

        assert outcome(stack, known) == ("DENIED", "opposite_position")
        assert ledger(stack, FUTURES) == []


class TestProtection:
    def test_a_dip_between_two_quick_ticks_fires_the_stop(self, stack: Stack) -> None:
        known = settled(stack, OPEN)
        for last in ("1950", "1900", "2050", "2000"):
            stack.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": last}}})
        stack.settle()

        smart = {row["trigger_price"]: row["state"] for row in stack.rows(parent=known)}
        assert (smart["1900"], smart["2200"]) == ("TRIGGERED", "CANCELED")
        assert position(stack) == ("0", "0")

    def test_an_entry_canceled_in_part_is_protected_in_part(self, stack: Stack) -> None:
        depth = {"bid": "1999", "ask": "2000", "asks": [["2000", "0.2"]]}
        stack.call("PUT", "/paper/prices?wait=true", {"prices": {"ETH/USDT": depth}})
        known = settled(stack, {**OPEN, "limit": "2000", "clientOrderId": "L"})

        settled(stack, {**FUT1, "action": "cancel", "clientOrderId": "L"})

        guards = stack.rows(kind="SMART_ORDER", parent=known)
        assert [row["quantity"] for row in guards] == ["0.2", "0.2"]
        assert outcome(stack, known)[0] == "EXECUTING"

        settled(stack, {**FUT1, "action": "cancel", "clientOrderId": "L"})

        assert outcome(stack, known)[0] == "DONE"
        assert {row["state"] for row in stack.rows(kind="SMART_ORDER")} == {"CANCELED"}

    def test_another_signal_that_closes_takes_both_off(self, stack: Stack) -> None:
        settled(stack, OPEN)

        settled(stack, {**FUT1, "action": "closeLong"})

        assert {row["state"] for row in stack.rows(kind="SMART_ORDER")} == {"CANCELED"}

    def test_a_stop_of_a_halted_account_fires_when_it_runs_again(self, stack: Stack) -> None:
        settled(stack, OPEN)
        stack.call("PUT", f"/api/accounts/{FUTURES}", {"state": "HALT"})
        stack.prices(ETH="1890")
        held = position(stack)

        stack.call("PUT", f"/api/accounts/{FUTURES}", {"state": "RUN"})
        stack.settle()

        assert (held, position(stack)) == (("0.5", "0"), ("0", "0"))


class TestCancels:
    def test_only_the_same_connector_is_reached(self, stack: Stack) -> None:
        second = {"token": "T3", "account": SPOT, "symbol": "BTC/USDT"}
        stack.call("PUT", "/api/connectors/spot2", second)
        resting = {"action": "buy", "fixed": "0.01", "limit": "40000", "clientOrderId": "x"}
        ours = settled(stack, {**SPOT1, **resting})
        theirs = {"connectorName": "spot2", "connectorToken": "T3"}
        other = settled(stack, {**theirs, **resting})
        delayed = settled(stack, {**theirs, "action": "buy", "fixed": "1", "delaySeconds": 9})

        settled(stack, {**SPOT1, "action": "cancel", "clientOrderId": "x"})
        settled(stack, {**SPOT1, "action": "cancelAll"})

        assert outcome(stack, ours) == ("CANCELED", "requested")
        assert outcome(stack, other)[0] == "EXECUTING"
        assert outcome(stack, delayed)[0] == "SCHEDULED"

    def test_a_delayed_cancel_waits_for_its_time(self, stack: Stack) -> None:
        resting = {"action": "buy", "fixed": "0.01", "limit": "40000", "clientOrderId": "x"}
        known = settled(stack, {**SPOT1, **resting})
        later = {"action": "cancel", "clientOrderId": "x", "delaySeconds": 5}
        settled(stack, {**SPOT1, **later})

        stack.advance(4_999)
        before = outcome(stack, known)[0]
        stack.advance(1)

        assert (before, outcome(stack, known)[0]) == ("EXECUTING", "CANCELED")


class TestLateness:
    def test_entries_expire_and_exits_run(self, stack: Stack) -> None:
        entry = settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "delaySeconds": 10})
        leave = settled(stack, {**SPOT1, "action": "sell", "fixed": "0.01", "delaySeconds": 10})

        stack.advance(70_001)

        assert outcome(stack, entry) == ("EXPIRED", "too_late")
        assert outcome(stack, leave) == ("DONE", None)

    def test_exits_expire_too_where_the_connector_says_so(self, stack: Stack) -> None:
        with connector(stack, "spot1", late_exits="drop"):
            known = settled(stack, {**SPOT1, "action": "sell", "delaySeconds": 10})
            stack.advance(70_001)

        assert outcome(stack, known) == ("EXPIRED", "too_late")


class TestReset:
    def test_it_ends_what_is_live_in_every_state(self, stack: Stack) -> None:
        stack.call("PUT", f"/paper/faults/{SPOT}", {"place": ["ok", "timeout"]})
        resting = accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "limit": "40000"})
        stack.settle()
        unknown = accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        delayed = accepted(stack, {**SPOT1, "action": "buy", "fixed": "1", "delaySeconds": 9})
        protected = settled(stack, OPEN)

        for account in (SPOT, FUTURES):
            stack.call("PUT", f"/paper/accounts/{account}", {"reset": True})
        stack.advance(10_000)

        for known in (resting, unknown, delayed):
            assert outcome(stack, known) == ("CANCELED", "reset")
        assert outcome(stack, protected)[0] not in {"SCHEDULED", "EXECUTING"}
        assert ledger(stack, SPOT) == ledger(stack, FUTURES) == []
        assert stack.account(SPOT)["balances"]["USDT"]["hold"] == "0"

    def test_it_forgets_repeats(self, stack: Stack) -> None:
        message = {**SPOT1, "action": "buy", "fixed": "0.01", "log": "again"}
        stack.send(message)
        stack.settle()

        stack.call("PUT", f"/paper/accounts/{SPOT}", {"reset": True})
        stack.send(message)
        stack.settle()

        assert len(ledger(stack, SPOT)) == 1

    def test_what_is_not_named_stays(self, stack: Stack) -> None:
        stack.call("PUT", f"/paper/accounts/{SPOT}", {"balances": {"ETH": "3"}})

        balances = stack.account(SPOT)["balances"]
        assert balances["ETH"] == {"total": "3", "available": "3", "hold": "0"}
        assert balances["BTC"]["total"] == "0.5"


class TestTasks:
    def test_flower_shows_sentences_to_those_with_the_password(self, stack: Stack) -> None:
        accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        url = f"{stack.run['flower_url']}/api/tasks"
        password = (stack.run["flower_user"], stack.run["flower_password"])
        told: set[Any] = set()
        deadline = time.monotonic() + 20
        sentence = f"buy 0.01 BTC/USDT, account {SPOT}"

        while sentence not in told and time.monotonic() < deadline:
            tasks = requests.get(url, auth=password, timeout=10).json()
            told |= {task["args"] for task in tasks.values()}
            time.sleep(0.1)

        assert sentence in told
        assert requests.get(url, timeout=10).status_code == 401

    def test_a_stopped_worker_is_waited_for(self, stack: Stack) -> None:
        stack.kill("worker", signal.SIGSTOP)
        try:
            accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
            answer = stack.call("POST", "/paper/settle?timeout_ms=200")
        finally:
            stack.kill("worker", signal.SIGCONT)

        assert answer == {"settled": False}
        stack.settle()


class TestPaths:
    def test_a_browser_gets_a_page_where_nothing_is(self, stack: Stack) -> None:
        accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = requests.get(stack.url("/nothing"), headers=accept, timeout=10)
        answer = requests.get(stack.url("/nothing"), timeout=10)

        assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert (answer.status_code, answer.json()["code"]) == (404, 404)

    def test_what_is_below_the_webhook_answers_in_its_shape(self, stack: Stack) -> None:
        answer = requests.post(stack.url("/trading-signal/webhook/x"), timeout=10)

        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

    @pytest.mark.parametrize("path", ["/api/orders", "/paper/clock", "/api/accounts/x"])
    def test_nothing_is_told_without_the_token(self, stack: Stack, path: str) -> None:
        for token in ("", "wrong"):
            headers = {"Authorization": f"Bearer {token}"}
            answer = requests.get(stack.url(path), headers=headers, timeout=10)

            assert answer.status_code == 401
            assert set(answer.json()["error"]) == {"code", "message", "fields"}

    def test_secrets_stand_in_the_run_file_only(self, stack: Stack) -> None:
        settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        demo = stack.run["demo"]
        secrets = [
            stack.run["admin_token"],
            stack.run["flower_password"],
            demo["crypto_arsenal"]["usdm"]["connectorToken"],
            demo["poloniex"]["secret"],
            demo["hummingbot"]["password"],
        ]
        logs = "".join(log.read_text() for log in (stack.data_dir / "logs").glob("*.log"))
        metrics = requests.get(stack.url("/metrics"), timeout=10).text

        for secret in secrets:
            assert secret not in logs
            assert secret not in metrics
