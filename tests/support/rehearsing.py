"""A web app that runs every request dry before it runs it, and compares what both came to."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import redis

from app.domain.order import Order
from app.domain.status import OrderStatus
from app.web.dry_answer import order_row
from app.web.fast_path import Application, StartResponse
from tests.support.caller import Worker

Json = dict[str, Any]

#: What is ours rather than a dialect's begins with these.
_OWN: Final = ("/api", "/paper", "/metrics", "/login", "/healthz", "/readyz", "/livez")

#: What may be written about a dry run: that its request was refused.
_WRITTEN: Final = frozenset({"hookfill:refusals"})

#: What both have of an order.
ALIKE: Final = (
    "side",
    "type",
    "time_in_force",
    "position_side",
    "reduce_only",
    "quantity",
    "amount",
    "price",
    "leverage",
    "state",
    "filled_quantity",
    "average_price",
)


@dataclass
class Differences:
    """What a dry run said that was not so."""

    found: list[str] = field(default_factory=list)
    compared: int = 0


class Rehearsing:
    """Answers each request that may change something twice: dry, then really.

    Args:
        app: the web app.
        worker: at rest while its lock is held.
        lock: of the worker.
        store: to see that a dry run leaves it as it was.
        differences: where to note them.
    """

    def __init__(
        self,
        app: Application,
        worker: Worker,
        lock: threading.Lock,
        store: redis.Redis,
        differences: Differences,
    ) -> None:
        self._app, self._worker, self._lock, self._store = app, worker, lock, store
        self._differences = differences
        self._turn = threading.RLock()

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        path = environ["PATH_INFO"]
        is_chunked = "CONTENT_LENGTH" not in environ and environ.get("wsgi.input_terminated")
        if environ["REQUEST_METHOD"] == "GET" or is_chunked:
            return self._app(environ, start_response)
        if path.startswith(_OWN):
            with self._turn:  # nobody sets anything between the two
                return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._turn:
            return self._twice(environ, body, start_response)

    def _twice(self, environ: Any, body: bytes, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        with self._lock:
            self._worker.work()
            before = self._contents()
            known = self._orders()
            status, dry = self._answer({**environ, "HTTP_X_DRY_RUN": "true"}, body)
            after = self._contents()
        given: list[Any] = []

        def started(line: str, headers: Any, error: Any = None) -> Any:  # noqa: ANN401
            given.append(line)
            return start_response(line, headers, error) if error else start_response(line, headers)

        content = list(self._app({**environ, "wsgi.input": BytesIO(body)}, started))
        with self._lock:
            self._worker.work()
            made = [row for one, row in self._orders().items() if one not in known]
        where = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {body[:300]!r}"
        if after != before:
            changed = {one for one in {*before, *after} if before.get(one) != after.get(one)}
            self._note(where, f"the dry run wrote {sorted(changed)}")
        self._compare(where, (status, dry), (given[0], b"".join(content)), made)
        return content

    def _compare(
        self, where: str, dry: tuple[str, bytes], real: tuple[str, bytes], made: list[Json]
    ) -> None:
        self._differences.compared += 1
        if not _is_dry(dry[1]):
            if dry[0][:3] != real[0][:3]:
                self._note(where, f"dry {dry}, real {real}")
            return
        told = json.loads(dry[1])
        if str(told["answer"]["status"]) != real[0][:3]:
            self._note(where, f"the answer would be {told['answer']}, was {real}")
        sent = [{key: one[key] for key in ALIKE} for one in told["orders"]]
        if sorted(sent, key=json.dumps) != sorted(made, key=json.dumps):
            self._note(where, f"orders were to be {sent}, are {made}; {told['outcome']}")

    def _note(self, where: str, what: str) -> None:
        self._differences.found.append(f"{where}: {what}")

    def _answer(self, environ: Mapping[str, Any], body: bytes) -> tuple[str, bytes]:
        given: list[str] = []
        content = self._app(
            {**environ, "wsgi.input": BytesIO(body)},
            lambda line, _headers, _error=None: given.append(line),
        )
        return given[0], b"".join(content)

    def _contents(self) -> dict[str, object]:
        """Return all that is stored, save what goes by itself after a while."""
        keys = [str(key) for key in self._store.scan_iter(count=1_000)]
        keys = [key for key in keys if key not in _WRITTEN]
        with self._store.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.pttl(key)
                pipeline.type(key)
            told = pipeline.execute()
            lasting = [
                (key, str(kind))
                for key, left_ms, kind in zip(keys, told[::2], told[1::2], strict=True)
                if left_ms == -1  # not one that has gone just now
            ]
            for key, kind in lasting:
                _READ[kind](pipeline, key)
            return {key: one for (key, _), one in zip(lasting, pipeline.execute(), strict=True)}

    def _orders(self) -> dict[int, Json]:
        """Return the orders that were sent, or refused, by id."""
        everything = self._worker.wiring.reader.newest(None)
        orders = sorted(
            (one for one in everything if isinstance(one, Order)), key=lambda one: one.id
        )
        account = self._worker.wiring.registry.account
        rows = {
            one.id: order_row(one, account(one.account))
            for one in orders
            if one.token or one.status in _REFUSED
        }
        return {one: {key: row[key] for key in ALIKE} for one, row in rows.items()}


_REFUSED: Final = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


#: Kind of value → what it holds; not as it is dumped, since a server moves it about.
_READ: Final[Mapping[str, Callable[[redis.Redis, str], object]]] = {
    "hash": lambda store, key: store.hgetall(key),
    "list": lambda store, key: store.lrange(key, 0, -1),
    "set": lambda store, key: store.smembers(key),
    "stream": lambda store, key: store.xrevrange(key, count=1),
    "string": lambda store, key: store.get(key),
    "zset": lambda store, key: store.zrange(key, 0, -1, withscores=True),
    "none": lambda store, key: store.exists(key),
}


def _is_dry(content: bytes) -> bool:
    try:
        told = json.loads(content)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("dry_run") is True
