"""A server and a clock whose time is set by hand.

The store classes over them are the real ones, over a real server, so that no test believes in a
store that works differently.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from typing import Any, Protocol

import redis

from app.domain.identifiers import EpochMs
from app.store.core.connection import StoreClient
from tests.support.builders import NOW
from tests.support.servers import SHARED

#: Commands after which the store is another than before.
_WRITES = frozenset(
    {"EVAL", "EVALSHA", "SET", "ZADD", "ZREM", "SADD", "SREM", "HSET", "HSETNX", "HDEL"}
)


def nothing() -> None:
    """Do nothing."""


#: Hash of a script → hash of the one that is told the time.
_TOLD: dict[str, str] = {}

#: A hash of no script: the server asks for its text.
_UNKNOWN = "0" * 40


class ClockedRedis(StoreClient):
    """An empty database whose scripts get their time by hand, and which tells of each write.

    Attributes:
        after_write: called when a write is done; whoever raises in it dies right there.
    """

    def __init__(self) -> None:
        super().__init__(connection_pool=SHARED.fresh())
        self.after_write: Callable[[], None] = nothing
        self.begin_run("0")

    def begin_run(self, name: str) -> None:
        """Be a server that was started anew, under this name."""
        self.set("test:info", f"run_id:{name}")

    def show(self, server_ms: int) -> None:
        """Set the time that the scripts are told."""
        self.delete("test:time")
        self.rpush("test:time", server_ms // 1000, server_ms % 1000 * 1000)

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Carry out a command, and tell of it if it was a write. Scripts read the set time."""
        match args:
            case ("EVALSHA", sha, *rest) if sha in _TOLD:
                args = ("EVALSHA", _TOLD[sha], *rest)
            case ("EVAL", text, *rest):
                args = ("EVAL", _telling(text), *rest)
            case ("EVALSHA", *_):
                raise redis.exceptions.NoScriptError
            case _:
                pass  # only scripts ask for the time
        answer = super().execute_command(*args, **options)
        if args[0] in _WRITES:
            self.after_write()
        return answer

    def pipeline(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Return a pipeline whose scripts read the set time."""
        pipeline: Any = super().pipeline(*args, **options)
        carry_out = pipeline.execute_command

        def execute_command(*words: Any, **more: Any) -> Any:  # noqa: ANN401
            if words[0] == "EVALSHA":
                words = ("EVALSHA", _TOLD.get(words[1], _UNKNOWN), *words[2:])
            return carry_out(*words, **more)

        pipeline.execute_command = execute_command
        return pipeline


def _telling(text: str) -> str:
    telling = text.replace("redis.call('TIME')", "redis.call('LRANGE', 'test:time', 0, 1)")
    telling = telling.replace("redis.call('INFO', 'server')", "redis.call('GET', 'test:info')")
    _TOLD[_hash_of(text)] = _hash_of(telling)
    return telling


def _hash_of(script: str) -> str:
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


class Clocked(Protocol):
    """A store that is told the time."""

    def show(self, server_ms: int) -> None:
        """Set the time that the scripts are told."""


class FrozenClock:
    """Stands still until somebody turns it. Business time and server time can part.

    Args:
        redis: the server whose time follows.
        start: where it stands at first.

    Attributes:
        while_asleep: what others do while somebody sleeps.
        pauses: for how long somebody has slept, each time.
    """

    def __init__(self, redis: Clocked | None = None, start: EpochMs = NOW) -> None:
        self._redis = redis
        self._now = start
        self._server = start
        self._steady = 0
        self.while_asleep: Callable[[], object] = nothing
        self.pauses: list[int] = []
        self._step = EpochMs(0)
        self.advance(0)

    def now_ms(self) -> EpochMs:
        return self._now

    def server_ms(self) -> EpochMs:
        return self._server

    def lasted_ms(self, since_ms: EpochMs) -> int:
        if since_ms > self._server + 1_000:
            return self._server - self._step
        return max(self._server - max(since_ms, self._step), 0)

    def steady_ms(self) -> int:
        return self._steady

    def sleep(self, for_ms: int) -> None:
        self.pauses.append(for_ms)
        self.advance(for_ms)
        self.while_asleep()

    def advance(self, by_ms: int) -> None:
        """Let time pass on all clocks."""
        self._steady += by_ms
        self._move(by_ms)

    def step(self, by_ms: int) -> None:
        """Let somebody set the clock of the store's host, and every process see it."""
        self._move(by_ms)
        self._step = self._server

    def _move(self, by_ms: int) -> None:
        self.advance_business(by_ms)
        self._server = EpochMs(self._server + by_ms)
        if self._redis is not None:
            self._redis.show(self._server)

    def advance_business(self, by_ms: int) -> None:
        """Move business time alone, as a test control does."""
        self._now = EpochMs(self._now + by_ms)
