"""Somebody who calls the API, and a worker beside it that can be let loose or held."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.bootstrap import Wiring, worker_wiring
from app.dispatch.routes import QueueName, TaskName
from app.domain.account import PAPER
from app.domain.effects import EffectKind
from app.domain.errors import HookfillError
from app.domain.identifiers import AggregateId
from app.ports import Ports
from app.ports.publisher import Publisher
from app.services.admin.kill_switches import fire_kill_switches
from app.services.following.follow import follow_news
from app.services.keeping.archive import archive
from app.services.keeping.rounds import ORDERS, PRICES, SWEEP, queue_round
from app.services.perform import carry_out
from app.services.placing.settle import is_settled
from app.services.watching.release import release_due
from app.services.watching.watch import watch_prices
from app.settings import Settings

Json = dict[str, Any]

#: After which a worker that still finds work is at fault; an exit may pause for one of them.
SECONDS_MAX = 20

WEBHOOK = "/trading-signal/webhook"


def make_all_rounds(ports: Ports) -> None:
    """Note that all has just been done that is done again and again."""
    now_ms = ports.clock.server_ms()
    ports.runs.beat(now_ms)
    for name in (*map(queue_round, QueueName), PRICES, ORDERS, SWEEP):
        ports.rounds.done(name, now_ms)


class Caller:
    """Calls the API with the admin token.

    Args:
        client: of the app under test.
        token: the admin token.
    """

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: object = None, **options: Any) -> TestResponse:  # noqa: ANN401
        """Send a request and return its answer, whatever it is."""
        if isinstance(body, str | bytes):
            options["data"] = body
        elif body is not None:
            options["json"] = body
        return self.client.open(path, method=method, headers=self.headers, **options)

    def call(self, method: str, path: str, body: object = None) -> Json:
        """Return the JSON of an answer, which must be good."""
        answer = self.send(method, path, body)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        content: Json = answer.get_json()
        return content

    def refusal(self, method: str, path: str, body: object = None) -> tuple[int, str, list[str]]:
        """Return status, code and wrong fields of an answer, which must be an error of ours."""
        answer = self.send(method, path, body)
        assert set(answer.get_json()) == {"error"}, answer.text
        error = answer.get_json()["error"]
        assert set(error) == {"code", "message", "fields"}
        assert error["message"]
        return answer.status_code, error["code"], sorted(error["fields"])

    def signal(self, **fields: object) -> TestResponse:
        """Send a webhook of the demo connector, as a stranger."""
        sender = {"connectorName": "demo", "connectorToken": "demo-token"}
        return self.client.post(WEBHOOK, json={**sender, **fields})

    def rows(self, **filters: str) -> list[Json]:
        """Return what the list holds, newest first."""
        rows: list[Json] = self.call("GET", f"/api/orders?{urlencode(filters)}")["data"]
        return rows

    def balance(self, account: str, currency: str) -> Decimal:
        """Return a total of a paper account."""
        account_now = self.call("GET", f"/paper/accounts/{account}")
        return Decimal(account_now["balances"][currency]["total"])


class Worker:
    """Does what Celery workers do, in this process, when it is told to.

    Args:
        settings: of the stack that it works for.
        publisher: of what follows from its work; by default nobody, as it looks into the outbox.
    """

    def __init__(self, settings: Settings, publisher: Publisher | None = None) -> None:
        self.wiring: Wiring = worker_wiring(settings, lambda _: publisher or Mock(Publisher))

    def work(self) -> None:
        """Go on until the stack is settled."""
        until = time.monotonic() + SECONDS_MAX
        while time.monotonic() < until:
            self.step()
            if is_settled(self.wiring.ports):
                return
        raise AssertionError("the stack does not settle")

    def step(self, times: int = 1) -> None:
        """Do everything that can be done now; what comes of it is for the next step."""
        ports = self.wiring.ports
        for _ in range(times):
            while watch_prices(PAPER, ports):
                self._carry_out_all()
            follow_news(ports)
            release_due([], ports)
            fire_kill_switches(ports)
            self._carry_out_all()

    @contextmanager
    def loose(self) -> Iterator[None]:
        """Let it work on its own, beside whatever happens inside."""
        stopped = threading.Event()

        def run() -> None:
            while not stopped.wait(0.005):
                self.step()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def archive(self) -> None:
        """Let everything leave the store that has finished."""
        ports = self.wiring.ports
        ports = replace(ports, policy=replace(ports.policy, history_after_ms=1))
        for _ in range(3):
            archive(ports)
            time.sleep(0.005)

    def take(self, task: TaskName, values: Sequence[int | str]) -> None:
        """Do what a message asks for; the prices and timers of others are what `step` looks at."""
        for value in values:
            if task.name in EffectKind.__members__:
                self._carry_out(EffectKind[task.name], AggregateId(int(value)))

    def _carry_out_all(self) -> None:
        for effect in self.wiring.ports.outbox.owed():
            if effect.kind is not EffectKind.TIMER:
                self._carry_out(effect.kind, effect.target)

    def _carry_out(self, kind: EffectKind, target: AggregateId) -> None:
        with suppress(HookfillError):  # it is owed still
            carry_out(kind, target, self.wiring.ports)
