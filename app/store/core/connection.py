"""Connections to the store, and the errors of their client as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from app.domain.errors import StoreUnavailable

#: Connections of one process; more requests than that wait for one, half as long as for an answer:
#: however many ask a server that stands still, each of them is told so soon.
CONNECTIONS_MAX = 32


#: Whoever is wired with the store needs to know no more of Redis than this name.
Client = redis.Redis


class StoreClient(redis.Redis):
    """Raises StoreUnavailable where the server does not answer."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out one command."""
        execute: Any = super().execute_command
        with _translated():
            return execute(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: ANN401, FBT001, FBT002 - as redis-py has it
        """Return a pipeline that raises the same."""
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    """Many commands in one round trip."""

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        """Carry them out."""
        with _translated():
            return super().execute(raise_on_error)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StoreUnavailable where the server does not answer.

    A server that is full, read-only or loading is as good as away: nothing was written. One that
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
