"""Whether a Redis-protocol server is fit to hold orders: asked, and refused at start if not."""

import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from app.domain.errors import StoreUnavailable, UnsafeStore
from app.store.core.server_rules import judge

#: Seconds that the server may take for one answer.
ANSWER_SECONDS = 2.0

#: What INFO tells: setting → its name there.
_IN_INFO = {
    "role": "role",
    "version": "redis_version",
    "cluster_enabled": "cluster_enabled",
    "maxmemory": "maxmemory",
    "maxmemory-policy": "maxmemory_policy",
}


def check_server(url: str, *, may_lose_a_second: bool = False) -> tuple[str, ...]:
    """Refuse a server on which acknowledged orders could be lost.

    Args:
        url: of the store.
        may_lose_a_second: accept `appendfsync everysec` as well.

    Returns:
        Sentences about what could not be checked.

    Raises:
        UnsafeStore: the message names every broken rule and its fix.
        StoreUnavailable: the server did not answer.
    """
    found = judge(_facts(url), may_lose_a_second=may_lose_a_second)
    if found.refusals:
        raise UnsafeStore("\n".join(found.refusals))
    return found.warnings


def is_ready(url: str) -> bool:
    """Tell whether a server answers and has loaded its data."""
    with _client(url) as client:
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # loading is one of the first
            return False


def empty(url: str) -> None:
    """Delete whatever is in a database.

    Raises:
        StoreUnavailable: the server did not do it.
    """
    with _client(url) as client:
        try:
            client.flushdb(asynchronous=True)
        except RedisError as error:
            raise StoreUnavailable(f"A database could not be emptied: {error}") from error


def _facts(url: str) -> dict[str, str]:
    with _client(url) as client:
        try:
            clock = {"clock difference in ms": str(_clock_difference_ms(client))}
            return clock | _info(client) | _config(client)
        except RedisError as error:
            raise StoreUnavailable(f"The store could not be checked: {error}") from error


def _info(client: redis.Redis) -> dict[str, str]:
    info: Any = client.info()
    facts = {fact: str(info[name]) for fact, name in _IN_INFO.items() if name in info}
    if "aof_enabled" in info:
        facts["appendonly"] = "yes" if info["aof_enabled"] else "no"
    return facts


def _config(client: redis.Redis) -> dict[str, str]:
    """Ask for what INFO does not tell. A hosted server may forbid the question."""
    try:
        found: Any = client.config_get("appendfsync", "no-appendfsync-on-rewrite")
    except ResponseError:
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _clock_difference_ms(client: redis.Redis) -> int:
    """Return by how much the clocks differ at least, whatever part the network had in it."""
    before = time.time_ns() // 1_000_000
    answer: Any = client.time()
    after = time.time_ns() // 1_000_000
    server = int(answer[0]) * 1000 + int(answer[1]) // 1000
    return max(before - server, server - after, 0)


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
