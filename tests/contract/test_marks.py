"""Marks of messages: the canary, and the time slots that have their countdown."""

import redis

from app.domain.identifiers import EpochMs
from app.store.coordination.heartbeat import RedisHeartbeat
from app.store.coordination.slots import RedisSlots
from tests.support.builders import NOW
from tests.support.redis_store import server_ms, wait_past


def test_a_canary_that_never_sang_is_not_heard(client: redis.Redis) -> None:
    assert RedisHeartbeat(client).last_ms() is None


def test_the_last_song_counts(client: redis.Redis) -> None:
    heartbeat = RedisHeartbeat(client)
    for at_ms in (NOW, EpochMs(NOW + 5)):
        heartbeat.beat(at_ms)

    assert heartbeat.last_ms() == NOW + 5


def test_a_slot_is_claimed_once(client: redis.Redis) -> None:
    slots = RedisSlots(client)

    claims = [slots.claim(1, 60_000), slots.claim(1, 60_000), slots.claim(2, 60_000)]

    assert claims == [True, False, True]


def test_a_slot_is_free_again_when_its_life_is_over(client: redis.Redis) -> None:
    slots = RedisSlots(client)
    slots.claim(1, 5)

    wait_past(server_ms(client) + 6, client)

    assert slots.claim(1, 5)
