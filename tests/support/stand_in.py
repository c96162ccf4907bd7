"""Hookfill in this process: its web app on a real socket, and a worker while anybody asks it.

It gives the same answers as `hookfill up --fast`, and coverage sees what it does.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import redis
from werkzeug.serving import WSGIRequestHandler, make_server

from app.bootstrap import web_wiring
from app.demo import seed
from app.dispatch.celery_publisher import CeleryPublisher
from app.dispatch.routes import TaskName, task_of
from app.domain.effects import Effect, EffectKind
from app.domain.errors import HookfillError
from app.domain.identifiers import EpochMs
from app.factory import create_app
from app.settings import Settings
from app.web.fast_path import Application, StartResponse
from tests.support.caller import Worker
from tests.support.rehearsing import Differences, Rehearsing
from tests.support.servers import QUICK, running_server, serving
from tests.support.stack import Installation, Json

#: Between two looks for work; nobody waits longer than that for a worker that has just looked.
LOOK_SECONDS = 0.001


class _Messages(CeleryPublisher):
    """Messages to the worker in this process. Timers and prices it looks at without any."""

    def __init__(self) -> None:
        self._sent: SimpleQueue[tuple[TaskName, Sequence[int | str]]] = SimpleQueue()

    def publish(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if effect.kind is not EffectKind.TIMER:
                self.send(task_of(effect.kind), [effect.target])

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        del due_ms

    def send(
        self,
        task: TaskName,
        values: Sequence[int | str],
        about: str = "",
        **options: Any,  # noqa: ANN401 - Celery's
    ) -> None:
        del about, options
        self._sent.put((task, values))

    def hand_over(self, worker: Worker) -> bool:
        """Have the worker do what was sent, and what follows; return whether it was anything."""
        handed = not self._sent.empty()
        while not self._sent.empty():
            worker.take(*self._sent.get_nowait())
        return handed


class _AtWork:
    """A web app beside which somebody works as long as any request is under way.

    Between requests nothing happens, so a test finds things as the last answer left them.
    """

    def __init__(self, app: Application, work: Callable[[], None]) -> None:
        self._app = app
        self._work = work
        self._lock = threading.Lock()
        self._asking = 0
        self._is_asked = threading.Event()
        self._is_over = False
        self._mistake: BaseException | None = None

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        """Answer one request."""
        self._count(1)
        try:
            return self._app(environ, start_response)
        finally:
            self._count(-1)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the worker be there.

        Raises:
            BaseException: whatever has stopped it.
        """
        thread = threading.Thread(target=self._run, name="worker")
        thread.start()
        try:
            yield
        finally:
            self._is_over = True
            self._is_asked.set()
            thread.join()
        if self._mistake is not None:
            raise self._mistake

    def _count(self, more: int) -> None:
        with self._lock:
            self._asking += more
            if self._asking:
                self._is_asked.set()
            elif not self._is_over:
                self._is_asked.clear()

    def _run(self) -> None:
        while self._is_asked.wait() and not self._is_over:
            try:
                with suppress(HookfillError):  # it is owed still
                    self._work()
            except BaseException as mistake:  # noqa: BLE001 - raised again at the end
                self._mistake = mistake
                return
            time.sleep(LOOK_SECONDS)


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


@dataclass(frozen=True)
class Standing:
    """What stands in for an installation.

    Attributes:
        run: as the run file would have it.
        worker: does what workers do, while anybody asks the web app.
        work: does what the worker would do next; it waits for the worker to be idle.
    """

    run: Json
    worker: Worker
    work: Callable[[], None]


@contextmanager
def stand_in(
    data_dir: Path, environment: Mapping[str, str], differences: Differences | None = None
) -> Iterator[Installation]:
    """Serve an installation of the test profile, with the demo accounts, and a store of its own.

    Args:
        data_dir: of its files.
        environment: settings besides those of the test profile.
        differences: where to note what dry runs say that is not so; None makes none.
    """
    with standing(data_dir, environment, differences) as found:
        yield Installation(found.run)


@contextmanager
def standing(
    data_dir: Path, environment: Mapping[str, str], differences: Differences | None = None
) -> Iterator[Standing]:
    """As `stand_in`, with the worker at hand."""
    with running_server(data_dir / "redis", QUICK) as server:
        own = {"REDIS_URL": f"{server.url}/0", "HOOKFILL_DATA_DIR": str(data_dir)}
        settings = Settings.from_environment({"HOOKFILL_FAST": "1", **own, **environment})
        demo = seed(settings)
        wiring = web_wiring(settings)
        messages = _Messages()
        wiring = replace(wiring, messages=messages, ports=replace(wiring.ports, publisher=messages))
        worker = Worker(settings, messages)
        lock = threading.Lock()

        def work() -> None:
            with lock:
                if not messages.hand_over(worker):
                    worker.step()

        app: Application = create_app(wiring)
        if differences is not None:
            store = redis.Redis.from_url(own["REDIS_URL"], decode_responses=True, protocol=2)
            app = Rehearsing(app, worker, lock, store, differences)
        web = _AtWork(app, work)
        listener = make_server("127.0.0.1", 0, web, threaded=True, request_handler=_Handler)
        with web.at_work(), serving(listener):
            run = {
                "base_url": f"http://127.0.0.1:{listener.port}",
                "admin_token": settings.admin_token.reveal(),
                "demo": demo,
            }
            yield Standing(run, worker, work)
