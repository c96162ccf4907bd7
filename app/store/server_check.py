"""Whether a Redis-protocol server is fit to hold orders: refused at start, with the fix.

The rules are those of `deploy/redis.conf`: what is acknowledged must be on the disk, nothing may be
thrown away to make room, and one clock decides.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from app.domain.errors import StoreUnavailable, UnsafeStore

#: Seconds that the server may take for one answer.
ANSWER_SECONDS = 2.0
#: Leases and lateness go by the server's clock, people by this machine's.
CLOCK_DIFFERENCE_MS_MAX = 500
#: The oldest with everything that the scripts use.
VERSION_MIN = (6, 2)

#: What INFO tells: setting → its name there.
_IN_INFO = {
    "role": "role",
    "version": "redis_version",
    "cluster_enabled": "cluster_enabled",
    "maxmemory": "maxmemory",
    "maxmemory-policy": "maxmemory_policy",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting that the server must have.

    Attributes:
        setting: its name in what was gathered, and in redis.conf.
        is_met: judges the text of its value.
        danger: what would happen otherwise.
        fix: what to do about it.
    """

    setting: str
    is_met: Callable[[str], bool]
    danger: str
    fix: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a server: why to refuse it, and what could not be seen."""

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]


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


def judge(facts: Mapping[str, str], *, may_lose_a_second: bool = False) -> Judgement:
    """Compare the settings of a server with the rules.

    Args:
        facts: setting → value, without what could not be read.
        may_lose_a_second: accept `appendfsync everysec` as well.
    """
    rules = _rules(may_lose_a_second=may_lose_a_second)
    return Judgement(
        refusals=tuple(
            f"{rule.setting} was {facts[rule.setting]!r}: {rule.danger}. {rule.fix}"
            for rule in rules
            if rule.setting in facts and not rule.is_met(facts[rule.setting])
        ),
        warnings=tuple(
            f"{rule.setting} could not be read, so nobody knows whether {rule.danger}. {rule.fix}"
            for rule in rules
            if rule.setting not in facts
        ),
    )


def _rules(*, may_lose_a_second: bool) -> tuple[Rule, ...]:
    syncs = {"always", "everysec"} if may_lose_a_second else {"always"}
    return (
        Rule(
            "role",
            lambda value: value == "master",
            "a replica takes no writes",
            "Put the primary's address into REDIS_URL.",
        ),
        Rule(
            "version",
            lambda value: _version(value) >= VERSION_MIN,
            "it lacks commands that Hookfill needs",
            "Use Redis 7 or Valkey 8, or later.",
        ),
        Rule(
            "cluster_enabled",
            lambda value: value == "0",
            "Celery cannot use a cluster",
            "Use a single primary.",
        ),
        Rule(
            "appendonly",
            lambda value: value == "yes",
            "acknowledged orders would be lost when the server restarts",
            _set("appendonly", "yes"),
        ),
        Rule(
            "appendfsync",
            lambda value: value in syncs,
            "acknowledged orders could be lost when the power fails",
            _set("appendfsync", "always")
            + " Or accept the loss of a second: HOOKFILL_APPENDFSYNC=everysec.",
        ),
        Rule(
            "no-appendfsync-on-rewrite",
            lambda value: value == "no",
            "acknowledged orders could be lost during a rewrite of the file",
            _set("no-appendfsync-on-rewrite", "no"),
        ),
        Rule(
            "maxmemory",
            lambda value: int(value) > 0,
            "the system would kill the server when memory runs out",
            _set("maxmemory", "512mb"),
        ),
        Rule(
            "maxmemory-policy",
            lambda value: value == "noeviction",
            "orders would be thrown away to make room",
            _set("maxmemory-policy", "noeviction"),
        ),
        Rule(
            "clock difference in ms",
            lambda value: int(value) <= CLOCK_DIFFERENCE_MS_MAX,
            "delays and lateness would be wrong",
            "Let a time service (NTP) set the clocks of both machines.",
        ),
    )


def _set(setting: str, value: str) -> str:
    return f"Run `CONFIG SET {setting} {value}` and put `{setting} {value}` into redis.conf."


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


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
