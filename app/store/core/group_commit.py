"""Group commit: what many callers write at once goes to the server in one write, with one wait."""

import os
import queue
import threading
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, packed
from app.store.core.scripts import Answer, LoadedScript, Script
from app.store.core.sharded import ShardedClient

#: Threads that send, each over a connection of its own: while one waits, the next may go.
SENDERS = 4

#: Calls in one write. The server reads 16 KB at a time, which are about as many, and syncs the disk
#: after each time; so more would wait for more than one sync.
TOGETHER_MAX = 8


class _Call:
    """One call on its way, and what came of it.

    Attributes:
        packed: as it is sent.
        answer: of the server, or the error in its place; to be read once `told` can be acquired.
        is_given_up: whether nobody waits for it any more.
    """

    __slots__ = ("answer", "is_given_up", "packed", "told")

    def __init__(self, packed: bytes) -> None:
        self.packed = packed
        self.answer: Any = None
        self.is_given_up = False
        self.told = threading.Lock()
        self.told.acquire()


class GroupCommit:
    """A script that many threads call at once; those that wait share a write to the server.

    Each call is sent once at most. One without an answer is in doubt, as it is where each has a
    connection to itself: the server may have carried it out or not. That a connection is lost is
    so for all that shared it, but for those that were answered before.

    The threads that send are started as they are needed, after a fork anew.

    Args:
        client: of the server.
        seconds: as long as it waits for one answer.
        script: what is called.
    """

    def __init__(self, client: StoreClient, seconds: float, script: LoadedScript) -> None:
        self._client, self._script = client, script
        #: As for a connection of the client first, and then for an answer.
        self._patience_seconds = seconds * 1.5
        self._waiting: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._senders = self._free = 0
        self._process: int | None = None

    def __call__(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        """Run it.

        Raises:
            StoreUnavailable: there is no answer, or the server refused.
        """
        call = _Call(packed("EVALSHA", self._script.sha, len(keys), *keys, *arguments))
        self._hand_over(call)
        if not call.told.acquire(timeout=self._patience_seconds):
            call.is_given_up = True
            raise StoreUnavailable("the store did not answer in time")
        match call.answer:
            case NoScriptError():  # nothing was carried out
                return self._script(keys, arguments)
            case Exception() as error:
                raise StoreUnavailable(f"the store did not answer: {error}") from error
            case answer:
                return list(answer)

    def _hand_over(self, call: _Call) -> None:
        """Give a call to those who send; there is one more of them where none is free."""
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._waiting, self._senders, self._free = queue.SimpleQueue(), 0, 0
                    self._process = os.getpid()
        self._waiting.put(call)
        if self._senders < SENDERS and self._waiting.qsize() > self._free:
            with self._lock:
                if self._senders < SENDERS:
                    name = f"commit-{self._senders}"
                    threading.Thread(target=self._send, name=name, daemon=True).start()
                    self._senders += 1

    def _send(self) -> None:
        waiting = self._waiting
        try:
            while True:
                self._send_some(waiting)
        finally:  # whatever ended it, there may be another one
            with self._lock:
                self._senders -= 1

    def _send_some(self, waiting: queue.SimpleQueue[_Call]) -> None:
        """Wait for a call, and send it with those that wait by then."""
        with self._lock:
            self._free += 1
        try:
            calls = [waiting.get()]
        finally:
            with self._lock:
                self._free -= 1
        while len(calls) < TOGETHER_MAX:
            try:
                calls.append(waiting.get_nowait())
            except queue.Empty:
                break
        wanted = [one for one in calls if not one.is_given_up]
        if not wanted:
            return
        try:
            answers = self._client.at_once([one.packed for one in wanted])
        except Exception as error:  # noqa: BLE001 - each caller is told
            answers = [error] * len(wanted)
        for call, answer in zip(wanted, answers, strict=True):
            call.answer = answer
            call.told.release()


def shared(client: StoreClient | ShardedClient, seconds: float, script: LoadedScript) -> Script:
    """Return a script whose calls share writes, those to each server for themselves."""
    if isinstance(client, StoreClient):
        return GroupCommit(client, seconds, script)
    servers = {one: GroupCommit(one, seconds, script) for one in client.servers}
    return lambda keys, arguments: servers[client.of(keys[0])](keys, arguments)
