"""Which servers are fit to hold orders."""

import pytest

from app.store.core.server_rules import judge

SAFE = {
    "role": "master",
    "version": "7.0.15",
    "cluster_enabled": "0",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory": "536870912",
    "maxmemory-policy": "noeviction",
    "clock difference in ms": "3",
}


def test_a_safe_server_is_accepted_without_a_word() -> None:
    found = judge(SAFE)

    assert found.refusals == ()
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("role", "slave"),
        ("version", "6.0.16"),
        ("cluster_enabled", "1"),
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("appendfsync", "no"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory", "0"),
        ("maxmemory-policy", "allkeys-lru"),
        ("maxmemory-policy", "volatile-ttl"),
        ("clock difference in ms", "501"),
    ],
)
def test_each_unsafe_setting_is_refused_with_its_fix(setting: str, value: str) -> None:
    (refusal,) = judge({**SAFE, setting: value}).refusals

    assert refusal.startswith(f"{setting} was '{value}': ")
    assert refusal.endswith(".")
    assert len(refusal.split(". ")) >= 2


def test_the_loss_of_a_second_can_be_accepted_and_no_more() -> None:
    assert not judge({**SAFE, "appendfsync": "everysec"}, may_lose_a_second=True).refusals
    assert judge({**SAFE, "appendfsync": "no"}, may_lose_a_second=True).refusals


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(judge({**SAFE, "appendonly": "no", "maxmemory": "0"}).refusals) == 2


def test_what_cannot_be_read_is_a_warning() -> None:
    facts = {name: value for name, value in SAFE.items() if name != "appendfsync"}

    found = judge(facts)

    assert found.refusals == ()
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("appendfsync could not be read")
