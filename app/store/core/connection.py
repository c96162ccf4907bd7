"""Connections to the store, and the errors of their client as ours.

A server that is full refuses plain commands, and in a transaction those that only read as well. It
has done nothing then, and is asked once more, in a script that may go beyond `maxmemory`: so
everything that has begun goes on. Who may begin something is asked by commit.lua.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hiredis
import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError
from redis.retry import Retry

from app.domain.errors import StoreUnavailable
from app.store.core.scripts import script_text

#: Connections of one process; more requests than that wait for one, half as long as for an answer:
#: however many ask a server that stands still, each of them is told so soon.
CONNECTIONS_MAX = 32


#: Given with each call, since a server that was started anew knows no script.
_BEYOND = script_text("beyond.lua")

#: Words of a command, and what the client needs for its answer.
_Command = tuple[Sequence[Any], dict[str, Any]]


#: Whoever is wired with the store needs to know no more of Redis than this name.
Client = redis.Redis


class StoreClient(redis.Redis):
    """Raises StoreUnavailable where the server does not answer."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out one command."""
        execute: Any = super().execute_command
        with _translated():
            try:
                return execute(*args, **options)
            except OutOfMemoryError:
                (answer,) = self.beyond([(args, options)])
                if isinstance(answer, Exception):
                    raise answer from None
                return answer

    def beyond(self, commands: Sequence[_Command]) -> list[Any]:
        """Carry out commands as one, however full the server is; errors are among the answers."""
        words = [word for args, _ in commands for word in (len(args), *args)]
        execute: Any = super().execute_command
        answers = execute("EVAL", _BEYOND, 0, *words)
        return [
            self._as_read(answer, command)
            for answer, command in zip(answers, commands, strict=True)
        ]

    def _as_read(self, answer: Any, command: _Command) -> Any:  # noqa: ANN401
        """Return what the client makes of the answer to a command."""
        args, options = command
        callbacks: Any = self.response_callbacks
        read = callbacks.get(args[0])
        if read is None or isinstance(answer, Exception):
            return answer
        return read(answer, **{name: one for name, one in options.items() if name != "keys"})

    def at_once(self, commands: Sequence[bytes]) -> list[Any]:
        """Carry out commands, each of which is `packed`, in one write.

        Returns:
            their answers in order. Errors are among them: of what the server refused, and, from
            where the connection was lost, of each that may or may not be carried out.

        Raises:
            StoreUnavailable: there was no connection; nothing was sent.
        """
        with _translated():
            connection: Any = self.connection_pool.get_connection()
        answers: list[Any] = []
        is_whole = False
        try:
            connection.send_packed_command([b"".join(commands)])
            while len(answers) < len(commands):
                answers.append(_answer_or_refusal(connection))
            is_whole = True
        except RedisError as error:
            answers += [error] * (len(commands) - len(answers))
        finally:
            if not is_whole:
                connection.disconnect()  # what comes late is an answer to nobody
            self.connection_pool.release(connection)
        return answers

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: ANN401, FBT001, FBT002 - as redis-py has it
        """Return a pipeline that raises the same."""
        pipeline = _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.beyond = self.beyond
        return pipeline


def packed(*words: str | int) -> bytes:
    """Return a command as `at_once` takes it."""
    pack: Any = hiredis.pack_command
    command: bytes = pack(words)
    return command


def _answer_or_refusal(connection: Any) -> Any:  # noqa: ANN401
    try:
        return connection.read_response()
    except ResponseError as refusal:
        return refusal


class _Pipeline(Pipeline):
    """Many commands in one round trip."""

    beyond: Callable[[Sequence[_Command]], list[Any]]

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        """Carry them out."""
        commands: list[_Command] = list(self.command_stack)
        with _translated():
            try:
                answers = super().execute(raise_on_error=False)
            except OutOfMemoryError:  # of a transaction: nothing of it is done
                answers = self.beyond(commands)
            else:
                told = enumerate(answers)
                refused = [at for at, one in told if isinstance(one, OutOfMemoryError)]
                again = self.beyond([commands[at] for at in refused]) if refused else []
                for at, answer in zip(refused, again, strict=True):
                    answers[at] = answer
            if raise_on_error:
                check: Any = self.raise_first_error
                check(commands, answers)
            return answers


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StoreUnavailable where the server does not answer.

    A server that is read-only or loading is as good as away: nothing was written. One that
    does not know a script is told it, see `LoadedScript`.
    """
    try:
        yield
    except NoScriptError:
        raise
    except RedisError as error:
        raise StoreUnavailable(f"the store did not answer: {error}") from error


def connect(url: str, timeout_seconds: float) -> StoreClient:
    """Return a client that connects when it is first used, decodes answers to text, never retries.

    A retry after a lost reply would do a thing twice; whoever calls knows whether that is harmless.

    Args:
        url: of the store.
        timeout_seconds: for one answer; connecting may take as long.
    """
    # What TCP has and a socket of this machine has not.
    tcp = {} if url.startswith("unix:") else {"socket_keepalive": True}
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=timeout_seconds / 2,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **tcp,
    )
    return StoreClient(connection_pool=pool)
