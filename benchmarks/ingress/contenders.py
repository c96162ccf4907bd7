"""The store and the two apps under measurement, each started as a user would start it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.supervisor.embedded_server import SAFE_SETTINGS, find_server
from benchmarks.ingress import naive
from benchmarks.ingress.load import COUNTER_MARK, HOST, requests_for
from benchmarks.ingress.processes import ROOT, DidNotStartError, Running, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

WEBHOOK_PATH = "/trading-signal/webhook"
#: Processes of the naive web server, and tasks at once of its worker.
NAIVE_PROCESSES = 2

_SEED_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One app that takes webhooks.

    Attributes:
        name: What the table calls it.
        requests: An endless supply; no two have the same body.
        port: Where it listens.
        processes: All that runs for it, and nothing that runs for another.
    """

    name: str
    port: int
    requests: Iterator[bytes]
    processes: tuple[Running, ...]

    def pause(self) -> None:
        """Let all its processes stand still."""
        for process in self.processes:
            process.pause()

    def resume(self) -> None:
        """Let them go on."""
        for process in self.processes:
            process.resume()


@contextmanager
def store(folder: Path) -> Iterator[str]:
    """Run a Redis-protocol server with `appendfsync always`; yield its URL without a database."""
    port = free_port()
    settings = {**SAFE_SETTINGS, "appendfsync": "always", "bind": HOST, "port": str(port)}
    settings["maxmemory"] = "512mb"
    settings["dir"] = str(folder)
    options = [f"{name} {value}" for name, value in settings.items()]
    file = folder / "redis.conf"
    file.write_text("\n".join(options) + "\n")
    with running([str(find_server()), str(file)], {}, folder / "redis.log") as server:
        server.wait_for_port(port)
        yield f"redis://{HOST}:{port}"


@contextmanager
def naive_app(store_url: str, folder: Path, *, with_workers: bool) -> Iterator[Contender]:
    """Run the naive app under gunicorn's default worker; it uses databases 2 and 3."""
    port = free_port()
    environment = {"REDIS_URL": f"{store_url}/2", "BROKER_URL": f"{store_url}/3"}
    web = [
        *("gunicorn", "benchmarks.ingress.naive:app", "--bind", f"{HOST}:{port}"),
        *("--workers", str(NAIVE_PROCESSES), "--log-level", "warning", "--no-control-socket"),
    ]
    worker = [
        *("celery", "-A", "benchmarks.ingress.naive:celery_app", "worker", "-E"),
        *("--concurrency", str(NAIVE_PROCESSES), "--loglevel", "warning"),
    ]
    commands = {"naive-web": web, **({"naive-worker": worker} if with_workers else {})}
    with _all_running(commands, environment, folder) as processes:
        processes["naive-web"].wait_for_port(port)
        bodies = _bodies(naive.CONNECTOR_NAME, naive.CONNECTOR_TOKEN)
        yield Contender(
            name="naive",
            port=port,
            requests=requests_for(port, WEBHOOK_PATH, bodies),
            processes=tuple(processes.values()),
        )


@contextmanager
def hookfill(store_url: str, folder: Path, *, with_workers: bool) -> Iterator[Contender]:
    """Run Hookfill's web process as the Procfile says; it uses databases 0 and 1."""
    port = free_port()
    environment = hookfill_environment(store_url, folder / "data", port)
    bodies = _bodies(*_seeded_connector(environment))
    commands = hookfill_commands(with_workers=with_workers)
    with _all_running(commands, environment, folder) as processes:
        processes["web"].wait_for_answer(f"http://{HOST}:{port}/healthz")
        yield Contender(
            name="Hookfill",
            port=port,
            requests=requests_for(port, WEBHOOK_PATH, bodies),
            processes=tuple(processes.values()),
        )


def hookfill_commands(*, with_workers: bool) -> dict[str, list[str]]:
    """Return what is started of Hookfill: name in the Procfile -> program and arguments."""
    wanted = ("web", "worker", "beat") if with_workers else ("web",)
    lines = (line.partition(":") for line in (ROOT / "Procfile").read_text().splitlines())
    return {
        name: ["env", *shlex.split(command)]
        for name, separator, command in lines
        if separator and name.startswith(wanted)
    }


def hookfill_environment(store_url: str, data_dir: Path, port: int) -> dict[str, str]:
    """Return the settings of the measured Hookfill; all others have their defaults."""
    return {
        "REDIS_URL": f"{store_url}/0",
        "BROKER_URL": f"{store_url}/1",
        "HOOKFILL_DATA_DIR": str(data_dir),
        "HOOKFILL_BIND": f"{HOST}:{port}",
        # One sender here stands for many.
        "HOOKFILL_RATE_LIMITS": "0",
    }


def _seeded_connector(environment: dict[str, str]) -> tuple[str, str]:
    """Make the demo accounts and return name and token of the spot connector."""
    seeding = subprocess.run(
        [sys.executable, "-m", "app.supervisor.seeding"],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SEED_SECONDS_MAX,
        check=False,
    )
    if seeding.returncode:
        raise DidNotStartError(f"Seeding failed; it said:\n{seeding.stderr}")
    spot = json.loads(seeding.stdout)["crypto_arsenal"]["spot"]
    return spot["connectorName"], spot["connectorToken"]


def _bodies(connector_name: str, connector_token: str) -> list[str]:
    """Return a buy and a sale of the same size, so that the account does not run dry."""
    sender = {"connectorName": connector_name, "connectorToken": connector_token}
    return [
        json.dumps(
            {"log": f"breakout on the close of the hour, bar {COUNTER_MARK}", "action": action}
            | {"fixed": "0.0005"}
            | sender
        )
        for action in ("buy", "sell")
    ]


@contextmanager
def _all_running(
    commands: dict[str, list[str]], environment: dict[str, str], folder: Path
) -> Iterator[dict[str, Running]]:
    """Run every command with the scripts of this environment first on PATH."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                running(command, {**environment, "PATH": path}, folder / f"{name}.log")
            )
            for name, command in commands.items()
        }
