"""The contract of docs/api.md, read sentence by sentence: what is shown, to whom, and when."""

import signal
import threading
import time
from decimal import Decimal
from typing import Any

import requests

from app.admin.rows import KEYS
from app.dispatch.routes import TaskName
from tests.support.stack import Stack
from tests.support.users.crypto_arsenal import OPEN, SPOT, SPOT1, accepted, events, ledger, settled


class TestReading:
    def test_every_row_has_the_keys_and_types_of_the_contract(self, stack: Stack) -> None:
        settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "clientOrderId": "Long"})
        settled(stack, {**SPOT1, "action": "cancelAll"})
        settled(stack, {**SPOT1, "action": "sell", "delaySeconds": 60})
        settled(stack, OPEN)

        rows = stack.rows()

        assert {row["kind"] for row in rows} == {"SIGNAL", "ORDER", "SMART_ORDER"}
        for row in rows:
            assert list(row) == list(KEYS)
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


class TestLane:
    def test_quick_alternating_messages_run_in_order(self, stack: Stack) -> None:
        for _ in range(5):
            accepted(stack, {**SPOT1, "action": "buy", "percent": "100"})
            accepted(stack, {**SPOT1, "action": "sell", "percent": "100"})
        stack.settle()

        rows = ledger(stack, SPOT)
        assert [row["side"] for row in rows] == ["BUY", "SELL"] * 5
        assert {row["outcome"] for row in rows} == {"FILLED"}
        assert stack.balance(SPOT, "BTC") == 0

    def test_a_burst_of_many_threads_is_neither_lost_nor_doubled(self, stack: Stack) -> None:
        def send() -> None:
            for _ in range(3):
                accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.001"})

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stack.settle()

        assert stack.balance(SPOT, "BTC") == Decimal("0.524")
        assert len({row["client_order_id"] for row in ledger(stack, SPOT)}) == 24


class TestTasks:
    def test_flower_shows_sentences_to_those_with_the_password(self, stack: Stack) -> None:
        accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        url = f"{stack.run['flower_url']}/api/tasks"
        password = (stack.run["flower_user"], stack.run["flower_password"])
        told: set[Any] = set()
        names: set[str] = set()
        deadline = time.monotonic() + 60
        sentence = f"buy 0.01 BTC/USDT, account {SPOT}"

        while sentence not in told and time.monotonic() < deadline:
            tasks = requests.get(url, auth=password, timeout=10).json()
            told |= {task["args"] for task in tasks.values()}
            names |= {task["name"] for task in tasks.values()}
            time.sleep(0.1)

        assert sentence in told
        assert names.isdisjoint({TaskName.ROUNDS, TaskName.CANARY})
        assert requests.get(url, timeout=10).status_code == 401

    def test_stopped_workers_are_waited_for(self, stack: Stack) -> None:
        workers = [name for name in stack.run_file()["pids"] if name.startswith("worker")]
        for name in workers:
            stack.kill(name, signal.SIGSTOP)
        try:
            accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
            answer = stack.call("POST", "/paper/settle?timeout_ms=200")
        finally:
            for name in workers:
                stack.kill(name, signal.SIGCONT)

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
        logs = {log.stem: log.read_text() for log in (stack.data_dir / "logs").glob("*.log")}
        metrics = requests.get(stack.url("/metrics"), timeout=10).text

        children = [name for name in stack.run["pids"] if name != "supervisor"]
        assert children
        assert all(logs[name] for name in children)
        assert "hookfill_" in metrics
        for secret in secrets:
            assert [name for name, log in logs.items() if secret in log] == []
            assert secret not in metrics
