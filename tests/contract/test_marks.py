"""Marks of messages: the canary, and the time slots that have their countdown."""

import pytest
import redis

from app.domain.identifiers import EpochMs
from app.store.coordination.rounds import RedisRounds
from app.store.coordination.runs import RedisRuns
from app.store.core.timers import RedisTimers
from tests.support.builders import NOW
from tests.support.redis_store import server_ms, wait_past


def test_a_canary_that_never_sang_is_not_heard(client: redis.Redis) -> None:
    assert RedisRuns(client).canary_ms() is None


@pytest.mark.integration
def test_the_last_song_counts(real_client: redis.Redis) -> None:
    runs = RedisRuns(real_client)
    for at_ms in (NOW, EpochMs(NOW + 5)):
        runs.beat(at_ms)

    assert runs.canary_ms() == NOW + 5


def test_what_is_waited_for_is_late_from_then_on_until_it_is_done(client: redis.Redis) -> None:
    rounds = RedisRounds(client)

    rounds.await_each("orders", ["1", "2"], NOW)
    rounds.await_each("orders", ["1", "2"], EpochMs(NOW + 5))
    rounds.done("orders:1", EpochMs(NOW + 7))
    rounds.done("prices:x", NOW)
    rounds.await_each("orders", ["1"], EpochMs(NOW + 9))

    assert rounds.last_ms() == {"orders:1": NOW + 7, "prices:x": NOW}


def test_rounds_are_noted_once_a_second_and_at_once_when_the_clock_was_set(
    client: redis.Redis,
) -> None:
    rounds, told = RedisRounds(client), []

    for ahead_ms in (0, 999, 1_000, -1):
        rounds.done("sweep", EpochMs(NOW + ahead_ms))
        told.append(rounds.last_ms()["sweep"] - NOW)

    assert told == [0, 0, 1_000, -1]


def test_a_slot_is_claimed_once(client: redis.Redis) -> None:
    timers = RedisTimers(client)

    claims = [
        timers.claim_slot(1, 60_000),
        timers.claim_slot(1, 60_000),
        timers.claim_slot(2, 60_000),
    ]

    assert claims == [True, False, True]


def test_a_slot_is_free_again_when_its_life_is_over(client: redis.Redis) -> None:
    timers = RedisTimers(client)
    timers.claim_slot(1, 5)

    wait_past(server_ms(client) + 6, client)

    assert timers.claim_slot(1, 5)
