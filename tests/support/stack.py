"""A whole running Hookfill, driven from outside: its HTTP API, its run file, its processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from click.testing import CliRunner

from app.cli import main
from app.web.shared import KEPT_MS
from tests.support.places import Place
from tests.support.processes import eventually, family, is_alive

CHECKOUT = Path(__file__).parents[2]

#: A fresh start loads every process once; the machines that run this are slow and shared.
START_SECONDS = 240.0

#: The polls of the test profile are so close that several stacks leave little of a small machine;
#: whoever sets a price or moves the clock need not wait for one. Its grace period is so short that
#: a busy machine may sleep through it, and then orders that a test hides are sent again.
UNHURRIED = {"HOOKFILL_POLL_INTERVAL_MS": "250", "HOOKFILL_UNKNOWN_GRACE_MS": "4000"}

Json = dict[str, Any]


class Installation:
    """Hookfill as whoever speaks HTTP has it.

    Args:
        run: where it is, and the admin token, as the run file has them.

    Attributes:
        place: where its accounts are; None is on paper.
    """

    place: Place | None = None

    def __init__(self, run: Json) -> None:
        self.run = run
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.run['admin_token']}"
        self._forgotten: set[str] = set()

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self.run['base_url']}{path}"

    def call(self, method: str, path: str, body: object = None, status: int = 200) -> Json:
        """Call the admin API and return its answer, which must have this status."""
        answer = self.session.request(method, self.url(path), json=body, timeout=60)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        content: Json = answer.json() if answer.content else {}
        return content

    def post(self, path: str) -> requests.Response:
        """Ask the admin API for something to be done, and return its answer, whatever it is."""
        return self.session.post(self.url(path), json={}, timeout=60)

    def send(self, payload: object, **headers: str) -> requests.Response:
        """Send a webhook as a stranger would, without the admin token."""
        data = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        return requests.post(
            self.url("/trading-signal/webhook"),
            data=data,
            headers={"Content-Type": "application/json", **headers},
            timeout=60,
        )

    def settle(self) -> None:
        """Wait until everything that can happen now has happened."""
        answer = self.call("POST", "/paper/settle?timeout_ms=20000")
        assert answer == {"settled": True}, answer

    def prices(self, **last: str | None) -> None:
        """Set last prices by base currency, and wait for what they bring about."""
        for_each = {base: None if one is None else {"last": one} for base, one in last.items()}
        self.quotes({f"{base}/USDT": one for base, one in for_each.items()})

    def quotes(self, quotes: Mapping[str, object]) -> None:
        """Set prices by symbol, and wait for what they bring about."""
        path = "/paper/prices?wait=true&timeout_ms=20000"
        answer = self.call("PUT", path, {"prices": quotes})
        assert answer.get("settled") is True, answer

    def open_account(self, name: str, balances: Json, market: str = "SPOT", **more: object) -> None:
        """Let a paper account begin anew with these balances, and without fees."""
        fees = {"maker": "0", "taker": "0"}
        setting = {"market": market, "balances": balances, "fees": fees, "reset": True, **more}
        self.call("PUT", f"/paper/accounts/{name}", setting)

    def freeze(self, at_ms: int) -> None:
        """Let business time stand still at this moment."""
        self.call("POST", "/paper/clock?timeout_ms=0", {"freeze_at_ms": at_ms})

    def thaw(self) -> None:
        """Let business time be the real one."""
        self.call("POST", "/paper/clock?timeout_ms=0", {"real": True})

    def advance(self, by_ms: int) -> None:
        """Move business time ahead, and wait for what that brings about."""
        answer = self.call("POST", "/paper/clock?timeout_ms=20000", {"advance_ms": by_ms})
        assert answer["settled"] is True, answer

    def rows(self, **filters: str) -> list[Json]:
        """Return aggregates that came since `forget`, newest first."""
        query = urlencode({"limit": "500", **filters})
        data: list[Json] = self.call("GET", f"/api/orders?{query}")["data"]
        return [row for row in data if row["id"] not in self._forgotten]

    def forget(self) -> None:
        """Leave out of `rows` whatever there is now; a reset does not take history away."""
        self._forgotten.update(row["id"] for row in self.rows())

    def account(self, name: str) -> Json:
        """Return a paper account as its venue shows it."""
        return self.call("GET", f"/paper/accounts/{name}")

    def balance(self, name: str, currency: str) -> Decimal:
        """Return the total balance of a currency."""
        return Decimal(self.account(name)["balances"][currency]["total"])


class Stack(Installation):
    """One `hookfill up`, and what its run file says."""

    def __init__(self, process: "subprocess.Popen[bytes]", data_dir: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        super().__init__(self.run_file())

    def run_file(self) -> Json:
        """Return the run file as it is now."""
        run: Json = json.loads((self.data_dir / "run.json").read_text())
        return run

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to a process of the run; return its process id."""
        pid: int = self.run_file()["pids"][name]
        os.kill(pid, number)
        return pid

    def lose_power(self) -> None:
        """Kill every process of the run, the supervisor first and the store among them."""
        pids = family(self.process.pid)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(60)
        eventually(lambda: not any(map(is_alive, pids)))

    def hookfill(self, *words: str) -> str:
        """Run a command of the command line against it, and return what that says."""
        arguments = [*words, "--data-dir", str(self.data_dir)]
        answer = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer.output

    def wait_ready(self, timeout_seconds: float = 180.0) -> None:
        """Wait until the queue carries messages again."""
        time.sleep(KEPT_MS / 1_000)  # an answer of before is kept for so long
        eventually(self._is_ready, timeout_seconds)

    def _is_ready(self) -> bool:
        try:
            return self.session.get(self.url("/readyz"), timeout=2).status_code == 200
        except requests.RequestException:
            return False


@contextmanager
def running_stack(
    data_dir: Path,
    environment: Mapping[str, str] | None = None,
    *flags: str,
    start_seconds: float = START_SECONDS,
) -> Iterator[Stack]:
    """Start `hookfill up` on a free port, and stop it at the end as a person would."""
    main = "from app.cli import main; main()"
    command = [sys.executable, "-c", main, "up", "--port", "0", "--data-dir", str(data_dir)]
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOOKFILL_", "REDIS_", "BROKER_", "DATABASE_"))
    }
    log, run_file = data_dir / "up.log", data_dir / "run.json"
    data_dir.mkdir(parents=True, exist_ok=True)
    run_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *(flags or ("--fast",))],
            cwd=CHECKOUT,
            env={**clean, **UNHURRIED, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(
            lambda: run_file.exists() or process.poll() is not None,
            start_seconds,
            lambda: log.read_text()[-4000:],
        )
        assert run_file.exists(), f"hookfill up did not come up:\n{log.read_text()[-4000:]}"
        yield Stack(process, data_dir)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
