"""Connections to the store."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Connections of one process; more requests than that wait for one, as long as for an answer.
CONNECTIONS_MAX = 32

#: Whoever is wired with the store needs to know no more of Redis than this name.
Client = redis.Redis


def connect(url: str, timeout_seconds: float) -> redis.Redis:
    """Return a client that connects when it is first used, decodes answers to text, never retries.

    A retry after a lost reply would do a thing twice; whoever calls knows whether that is harmless.

    Args:
        url: of the store.
        timeout_seconds: for one answer; connecting may take as long.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=timeout_seconds,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return redis.Redis(connection_pool=pool)
