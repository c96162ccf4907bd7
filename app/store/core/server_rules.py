"""What a server must be set to, to be fit to hold orders, with the danger and the fix.

The rules are those of `deploy/redis.conf`: what is acknowledged must be on the disk, nothing may be
thrown away to make room, and one clock decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

#: Leases and lateness go by the server's clock, people by this machine's.
CLOCK_DIFFERENCE_MS_MAX = 500
#: The oldest whose scripts may write when memory is full ("EVAL scripts", flags, redis.io).
VERSION_MIN = (7, 0)


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


def judge(facts: Mapping[str, str], *, may_lose_a_second: bool = False) -> Judgement:
    """Compare the settings of a server with the rules.

    Args:
        facts: setting → value, without what could not be read.
        may_lose_a_second: accept `appendfsync everysec` as well.
    """
    if may_lose_a_second and facts.get("appendfsync") == "everysec":
        facts = {**facts, "appendfsync": "always"}
    return Judgement(
        refusals=tuple(
            f"{rule.setting} was {facts[rule.setting]!r}: {rule.danger}. {rule.fix}"
            for rule in _RULES
            if rule.setting in facts and not rule.is_met(facts[rule.setting])
        ),
        warnings=tuple(
            f"{rule.setting} could not be read, so nobody knows whether {rule.danger}. {rule.fix}"
            for rule in _RULES
            if rule.setting not in facts
        ),
    )


def _set(setting: str, value: str) -> str:
    return f"Run `CONFIG SET {setting} {value}` and put `{setting} {value}` into redis.conf."


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


_RULES: Final = (
    Rule(
        "role",
        lambda value: value == "master",
        "a replica takes no writes",
        "Put the primary's address into REDIS_URL.",
    ),
    Rule(
        "version",
        lambda value: _version(value) >= VERSION_MIN,
        "nothing could be closed or canceled when its memory is full",
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
        lambda value: value == "always",
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
