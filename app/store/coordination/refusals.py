"""The newest refused requests of all web processes: few, short, and written beside the requests."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import redis
import structlog

from app.domain.errors import StoreError
from app.store.core import keys

#: That are kept.
KEPT_MAX: Final = 1_000

#: Of one process in a second; of a flood no more is looked at, so that it costs next to nothing.
NOTED_MAX: Final = 20

#: Of a reason, and of the names of fields.
_CHARACTERS_MAX: Final = 300
_NAME_CHARACTERS_MAX: Final = 60
_FIELDS_MAX: Final = 10

#: Between two writes of a process; where the store does not answer, up to a minute.
WRITE_SECONDS: Final = 1.0
_AWAY_SECONDS: Final = 60.0

Row = dict[str, Any]

_log = structlog.get_logger()


class RedisRefusals:
    """Keeps what was refused; a request never waits for that.

    A process notes in memory, and one thread writes what it has noted. While the store is away that
    waits, bounded like all of it; what a process has not written when it ends is lost.

    Args:
        client: of the store.
        now_ms: wall clock.
        seconds: of a clock that never goes back.
        tell: is given what was written, right after.
    """

    def __init__(
        self,
        client: redis.Redis,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        seconds: Callable[[], float] = time.monotonic,
        tell: Callable[[Sequence[Row]], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._now_ms = now_ms
        self._seconds = seconds
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Row] = OrderedDict()
        self._is_writing = False
        self._second, self._noted = 0, 0

    def has_room(self) -> bool:
        """Tell whether one more is noted in this second, and count it."""
        second = int(self._seconds())
        with self._lock:
            if second != self._second:
                self._second, self._noted = second, 0
            self._noted += 1
            return self._noted <= NOTED_MAX

    def note(
        self, dialect: str, status: int, fields: Sequence[str], reason: str, peer: str
    ) -> None:
        """Note a refusal; the same again, before it was written, counts it up. Never waits.

        Args:
            dialect: of the request.
            status: of the answer.
            fields: what was wrong, by the names of the wire.
            reason: why, without any secret.
            peer: who has sent it, an address.
        """
        said = {
            "dialect": dialect,
            "status": status,
            "fields": [one[:_NAME_CHARACTERS_MAX] for one in fields[:_FIELDS_MAX]],
            "reason": reason[:_CHARACTERS_MAX],
            "peer": peer,
        }
        with self._lock:
            self._count(json.dumps(said), {**said, "at_ms": self._now_ms(), "times": 1})
            starts, self._is_writing = not self._is_writing, True
        if starts:
            threading.Thread(target=self._write_on, name="refusals", daemon=True).start()

    def newest(self, limit: int) -> Sequence[Row]:
        """Return the newest, each once for each second and process in which it came.

        What cannot be read of the store is left out: then these are those of this process.
        """
        kept: Any = []
        with suppress(StoreError):
            self._write()
            kept = self._client.lrange(keys.REFUSALS, 0, limit - 1)
        with self._lock:
            waiting = list(self._waiting.values())
        rows = [*waiting, *map(json.loads, kept)]
        return sorted(rows, key=lambda row: row["at_ms"], reverse=True)[:limit]

    def _count(self, name: str, row: Row) -> None:
        known = self._waiting.pop(name, None)
        times = 0 if known is None else known["times"]
        self._waiting[name] = {**row, "times": times + row["times"]}
        while len(self._waiting) > KEPT_MAX:
            self._waiting.popitem(last=False)

    def _write_on(self) -> None:
        """Write until nothing waits any more."""
        pause = WRITE_SECONDS
        while True:
            time.sleep(pause)
            try:
                self._write()
                pause = WRITE_SECONDS
            except StoreError:
                pause = min(2 * pause, _AWAY_SECONDS)
            except Exception:  # noqa: BLE001 - outermost in this thread; the next refusal starts another
                _log.exception("refusals_not_kept")
                with self._lock:
                    self._is_writing = False
                return
            with self._lock:
                if not self._waiting:
                    self._is_writing = False
                    return

    def _write(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, OrderedDict()
        if not taken:
            return
        try:
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.lpush(keys.REFUSALS, *map(json.dumps, taken.values()))
                pipeline.ltrim(keys.REFUSALS, 0, KEPT_MAX - 1)
                pipeline.execute()
        except StoreError:
            with self._lock:
                newer, self._waiting = self._waiting, taken
                for name, row in newer.items():
                    self._count(name, row)
            raise
        with suppress(StoreError):  # they are kept, whether anybody is told or not
            self._tell(list(taken.values()))
