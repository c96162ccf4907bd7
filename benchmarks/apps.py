"""The apps under measurement, each whole and as its user would start it; one runs at a time."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import redis

from app.domain.identifiers import AccountId
from app.store.core import keys
from app.store.core.memory import RedisMemory
from app.supervisor.embedded_server import SAFE_SETTINGS, find_server
from benchmarks import naive
from benchmarks.load import COUNTER_MARK, HOST, drive, requests_for
from benchmarks.processes import Running, free_port, running
from tests.support.processes import eventually
from tests.support.stack import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from app.ports.room import StoreMemory

PATH = "/trading-signal/webhook"
#: Processes of the naive web servers, and tasks at once of their workers; Hookfill has two as well.
PROCESSES = 2
#: An app that stands still for the sake of another must not be taken for dead.
_PATIENCE_SECONDS = 600
#: Byte code is made by the first start; where none may be written, each start would make it.
AS_IT_COMES = {"PYTHONDONTWRITEBYTECODE": ""}
#: Of a measured Hookfill; all other settings have their defaults.
_SETTINGS = {
    **AS_IT_COMES,
    # One sender here stands for many.
    "HOOKFILL_RATE_LIMITS": "0",
    "HOOKFILL_REDIS_MAXMEMORY": "2gb",
    "HOOKFILL_WEB_TIMEOUT_SECONDS": str(_PATIENCE_SECONDS),
    "HOOKFILL_WORKER_STUCK_SECONDS": str(_PATIENCE_SECONDS),
}
#: Instruments of each account whose orders do not wait for each other.
_SYMBOLS = ("BTC/USDT", "ETH/USDT", *(f"L{number}/USDT" for number in range(8)))
#: So many accounts have lanes.
ACCOUNTS = 100
LANES_MAX = ACCOUNTS * len(_SYMBOLS)
_PRICE = "100"
_TOKEN = "benchmark"  # noqa: S105 - of play money
_PAGE = 500
#: Signals whose timelines are read.
SAMPLE = 500
_ASKERS = 4
#: Answers to what was asked while others asked, or changed what is registered.
_AGAIN = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT})
_START_SECONDS_MAX = 60.0
#: By then a naive task that was begun has ended.
_BEGUN_SECONDS = 1.0


class App(ABC):
    """One app that takes webhooks.

    Args:
        name: what the table calls it.
        port: where it listens.
    """

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self._numbers = count()

    def requests(self, lanes: int = 1) -> Iterator[bytes]:
        """Yield webhooks without end, no two with the same body, for so many lanes by turns.

        They buy and sell the same size, so that no account runs dry.
        """
        bodies = [
            json.dumps({"log": f"bar {COUNTER_MARK}", "action": action, **self.order(lane)})
            for action in ("buy", "sell")
            for lane in range(lanes)
        ]
        return requests_for(self.port, PATH, bodies, self._numbers)

    def delayed(self, lanes: int, due: Sequence[float]) -> Iterator[bytes]:
        """Yield one webhook for each of these times (as `time.time()`), for the lanes by turns."""
        for number, at in enumerate(due):
            delay = max(round(at - time.time(), 3), 0)
            said = {"log": f"due {COUNTER_MARK}", "action": "buy", "delaySeconds": delay}
            body = json.dumps({**said, **self.order(number % lanes)})
            yield next(requests_for(self.port, PATH, [body], self._numbers))

    @abstractmethod
    def order(self, lane: int) -> Mapping[str, str]:
        """Return the credentials of a lane, and what it orders each time."""

    @abstractmethod
    def pids(self) -> Mapping[str, int]:
        """Return the leaders of its process groups by name, those first on which others depend."""

    @abstractmethod
    def wait_until_well(self) -> None:
        """Return when it works as it does when it was never paused."""

    @abstractmethod
    def filled(self) -> int:
        """Return how many orders were filled since the start."""

    @abstractmethod
    def unfinished(self) -> int:
        """Return how many webhooks were acknowledged, and have come to no end yet."""

    @abstractmethod
    def waits_ms(self, newest: int) -> list[float]:
        """Return how long each of the newest took from being received to its order, sorted."""

    @abstractmethod
    def late_ms(self, newest: int) -> tuple[list[float], list[float]]:
        """Return how late the newest delayed ones were, sorted, in milliseconds.

        Returns:
            When their delay ended, of a sample; and when the order was made, of all.
        """

    def pause(self) -> None:
        """Let all its processes stand still."""
        for leader in reversed([*self.pids().values()]):
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        for leader in self.pids().values():
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGCONT)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Let it run for the length of the block, as if it had never been paused."""
        self.resume()
        try:
            self.wait_until_well()
            yield
        finally:
            self.pause()


class Naive(App):
    """A naive app, its worker and its databases."""

    def __init__(
        self,
        name: str,
        port: int,
        processes: Mapping[str, Running],
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(name, port)
        self._processes = processes
        self._store = redis.Redis.from_url(environment["REDIS_URL"], decode_responses=True)
        self._broker = redis.Redis.from_url(environment["BROKER_URL"])

    def order(self, lane: int) -> Mapping[str, str]:  # noqa: ARG002 - it knows one sender
        name, token = naive.CONNECTOR_NAME, naive.CONNECTOR_TOKEN
        return {"connectorName": name, "connectorToken": token, "fixed": "0.5"}

    def pids(self) -> Mapping[str, int]:
        return {name: process.pid for name, process in self._processes.items()}

    def wait_until_well(self) -> None:
        pass

    def filled(self) -> int:
        return int(self._store.zcard("orders")) - self.unfinished()

    def unfinished(self) -> int:
        """Return what waits; what its worker has just begun waits no more, for so Celery has it."""
        return int(self._broker.llen("naive")) + int(self._broker.hlen("unacked"))

    def waits_ms(self, newest: int) -> list[float]:
        found = self._records(newest, "received_at", "placed_at")
        return sorted((placed - received) * 1000 for received, placed in found)

    def late_ms(self, newest: int) -> tuple[list[float], list[float]]:
        found = self._records(newest, "received_at", "delaySeconds", "placed_at")
        late = sorted((placed - received - delay) * 1000 for received, delay, placed in found)
        return late, late

    def _records(self, newest: int, *names: str) -> list[list[float]]:
        time.sleep(_BEGUN_SECONDS)
        with self._store.pipeline(transaction=False) as pipeline:
            for order_id in map(str, self._store.zrevrange("orders", 0, newest - 1)):
                pipeline.hmget(f"order:{order_id}", names)
            rows = pipeline.execute()
        return [[float(one) for one in row] for row in rows if None not in row]


class Hookfill(App):
    """A whole `hookfill up`, with play money.

    Args:
        supervisor: the process that was started.
        data_dir: where its run file is.
    """

    def __init__(self, port: int, supervisor: Running, data_dir: Path) -> None:
        super().__init__("Hookfill", port)
        self._supervisor = supervisor
        self._data_dir = data_dir
        self.api = Installation(self._run())
        self._store = redis.Redis.from_url(self.api.run["redis_url"], decode_responses=True)
        self._lanes = 0

    def prepare(self, lanes: int) -> None:
        """Make so many lanes, each with a connector of its own, unless they are there."""
        wanted = range(self._lanes, min(lanes, LANES_MAX))
        if not wanted:
            return
        self._make_market()
        with ThreadPoolExecutor(_ASKERS) as askers:
            list(askers.map(self._make_account, (one for one in wanted if one < ACCOUNTS)))
            list(askers.map(self._make_lane, wanted))
        self._lanes = wanted.stop

    def order(self, lane: int) -> Mapping[str, str]:
        return {"connectorName": f"lane-{lane}", "connectorToken": _TOKEN, "fixed": "0.5"}

    def pids(self) -> Mapping[str, int]:
        pids = self._run()["pids"]
        servers = {name: pids.pop(name) for name in ("redis", "broker")}
        supervisor = {"supervisor": pids.pop("supervisor")}
        return {**servers, **pids, **supervisor}

    def wait_until_well(self) -> None:
        self._supervisor.wait_for_answer(f"http://{HOST}:{self.port}/readyz")

    def filled(self) -> int:
        with self._store.pipeline(transaction=False) as pipeline:
            for shard in keys.SHARDS:
                pipeline.xinfo_stream(shard.trades)
            streams = pipeline.execute(raise_on_error=False)
        return sum(one["entries-added"] for one in streams if isinstance(one, dict))

    def unfinished(self) -> int:
        with self._store.pipeline(transaction=False) as pipeline:
            for account in self._store.hkeys(keys.ACCOUNT_IDS):
                pipeline.scard(keys.account(AccountId(int(account))).live)
            return sum(pipeline.execute())

    def memory(self) -> StoreMemory:
        """Return how full its store is."""
        return RedisMemory(self._store).read()

    def expired(self) -> int:
        """Return how many signals were given up since the start, since they had waited too long."""
        return len(self._rows("SIGNAL", state="EXPIRED"))

    def waits_ms(self, newest: int) -> list[float]:
        with ThreadPoolExecutor(_ASKERS) as askers:
            found = askers.map(self._wait_ms, self._rows("SIGNAL", min(newest, SAMPLE)))
            return sorted(one for one in found if one is not None)

    def late_ms(self, newest: int) -> tuple[list[float], list[float]]:
        orders = self._rows("ORDER", newest)
        delayed = [row for row in orders if row["due_at_ms"]]
        made = sorted(float(row["created_at_ms"] - row["due_at_ms"]) for row in delayed)
        signals = list(self._rows("SIGNAL", newest))
        sample = signals[:: max(len(signals) // SAMPLE, 1)]
        with ThreadPoolExecutor(_ASKERS) as askers:
            released = sorted(chain.from_iterable(askers.map(self._released_ms, sample)))
        return released, made

    def _run(self) -> dict[str, Any]:
        run: dict[str, Any] = json.loads((self._data_dir / "run.json").read_text())
        return run

    def _make_market(self) -> None:
        """List what is traded here, at prices that stand still, as one in depth."""
        rules = {"market": "SPOT", "price_step": "0.01", "quantity_step": "0.001"}
        instruments = [{"symbol": symbol, **rules} for symbol in _SYMBOLS]
        self._asked("PUT", "/paper/instruments", {"instruments": instruments})
        self._asked(
            "PUT", "/paper/prices", {"prices": {symbol: {"last": _PRICE} for symbol in _SYMBOLS}}
        )

    def _make_account(self, number: int) -> None:
        coins = {symbol.partition("/")[0]: "1000000" for symbol in _SYMBOLS}
        made = {"market": "SPOT", "balances": {"USDT": "1000000000", **coins}}
        self._asked("PUT", f"/paper/accounts/bench-{number}", made)

    def _make_lane(self, number: int) -> None:
        account, symbol = f"bench-{number % ACCOUNTS}", _SYMBOLS[number // ACCOUNTS]
        connector = {"token": _TOKEN, "account": account, "symbol": symbol, "enabled": True}
        self._asked("PUT", f"/api/connectors/lane-{number}", connector)

    def _asked(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 (JSON)
        """Ask the admin API, again while it has no time or somebody else was faster."""

        def asked() -> list[requests.Response]:
            answer = self.api.session.request(method, self.api.url(path), json=body, timeout=60)
            return [] if answer.status_code in _AGAIN else [answer]

        (answer,) = eventually(asked)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"  # noqa: S101
        return answer.json() if answer.content else None

    def _rows(self, kind: str, newest: int | None = None, **more: str) -> list[dict[str, Any]]:
        """Return the newest rows of a kind, or all of them."""
        rows: list[dict[str, Any]] = []
        query: dict[str, object] = {"kind": kind, "limit": _PAGE, **more}
        cursor: str | None = ""
        while cursor is not None and (newest is None or len(rows) < newest):
            query |= {"cursor": cursor} if cursor else {}
            page = self._asked("GET", f"/api/orders?{urlencode(query)}")
            rows += page["data"]
            cursor = page["next_cursor"]
        return rows[:newest]

    def _wait_ms(self, row: Mapping[str, Any]) -> float | None:
        """Return how long after it was received the first order of a signal was sent."""
        detail = self._asked("GET", f"/api/orders/{row['id']}")
        received = [one["at_ms"] for one in detail["timeline"] if one["event"] == "received"]
        orders = [self._asked("GET", f"/api/orders/{child}") for child in detail["children"]]
        sent = [
            one["at_ms"] for order in orders for one in order["timeline"] if one["event"] == "sent"
        ]
        return float(min(sent) - received[0]) if sent else None

    def _released_ms(self, row: Mapping[str, Any]) -> list[float]:
        """Return how late a signal was released; nothing if it came too late to be delayed."""
        timeline = self._asked("GET", f"/api/orders/{row['id']}")["timeline"]
        return [float(one["at_ms"] - row["due_at_ms"]) for one in timeline if one["event"] == "due"]


@contextmanager
def hookfill_up(folder: Path, settings: Mapping[str, str] = _SETTINGS) -> Iterator[Hookfill]:
    """Run `hookfill up` with its own servers, as a person would, and yield it when it is ready."""
    port, data_dir = free_port(), folder / "data"
    program = str(Path(sys.executable).with_name("hookfill"))
    command = [program, "up", "--port", str(port), "--data-dir", str(data_dir)]
    folder.mkdir(parents=True, exist_ok=True)
    with running(command, settings, folder / "up.log") as supervisor:
        supervisor.wait_for_answer(f"http://{HOST}:{port}/readyz")
        eventually((data_dir / "run.json").exists)
        app = Hookfill(port, supervisor, data_dir)
        try:
            yield app
        finally:
            with suppress(OSError):  # it has ended by itself
                app.resume()


@contextmanager
def naive_app(folder: Path, beside: Path | None = None) -> Iterator[Naive]:
    """Run a naive app with its worker and a store with the settings that Hookfill asks for.

    Args:
        folder: for its files.
        beside: where FastAPI is installed; then it is the app that is written with it.
    """
    port, store_port = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "REDIS_URL": f"redis://{HOST}:{store_port}/0",
        "BROKER_URL": f"redis://{HOST}:{store_port}/1",
        **AS_IT_COMES,
    }
    paths = [str(beside or ""), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    worker = [
        *("celery", "-A", "benchmarks.naive:celery_app", "worker", "-E"),
        *("--concurrency", str(PROCESSES), "--loglevel", "warning"),
    ]
    commands = {"web": _web(port, is_fast_api=bool(beside)), "worker": worker}
    with ExitStack() as stack:
        enter = stack.enter_context
        processes = {"redis": enter(running(_server(folder, store_port), {}, folder / "redis.log"))}
        processes["redis"].wait_for_port(store_port)
        for name, command in commands.items():
            program = [sys.executable, "-m", *command]
            processes[name] = enter(running(program, environment, folder / f"{name}.log"))
        processes["web"].wait_for_port(port)
        app = Naive("FastAPI" if beside else "naive", port, processes, environment)
        stack.callback(app.resume)
        drive(port, islice(app.requests(), 1), connections=1, seconds=_START_SECONDS_MAX)
        eventually(app.filled, _START_SECONDS_MAX)  # its worker is there
        yield app


def _web(port: int, *, is_fast_api: bool) -> list[str]:
    """Return the command of a web server, as its documentation has it."""
    if is_fast_api:
        options = ["--host", HOST, "--port", str(port), "--workers", str(PROCESSES)]
        patience = ["--timeout-worker-healthcheck", str(_PATIENCE_SECONDS)]
        return ["uvicorn", "benchmarks.fast_api:app", *options, "--log-level", "warning", *patience]
    options = ["--bind", f"{HOST}:{port}", "--workers", str(PROCESSES), "--log-level", "warning"]
    timeout = ["--timeout", str(_PATIENCE_SECONDS), "--no-control-socket"]
    return ["gunicorn", "benchmarks.naive:app", *options, *timeout]


def _server(folder: Path, port: int) -> list[str]:
    """Return the command of a store that has each write on its disk before it answers."""
    settings = {**SAFE_SETTINGS, "appendfsync": "always", "bind": HOST, "port": str(port)}
    settings |= {"maxmemory": "2gb", "dir": str(folder)}
    file = folder / "redis.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    return [str(find_server()), str(file)]
