"""Signatures: each is good for one body, until its time ends."""

import pytest
import redis

from app.domain.identifiers import EpochMs
from app.store.coordination.used_keys import TIDY_MS, RedisUsedKeys
from app.store.core import keys

NOW, END = EpochMs(1_000), EpochMs(67_000)
FIRST, SECOND = "aa", "bb"


@pytest.fixture
def signatures(client: redis.Redis) -> RedisUsedKeys:
    return RedisUsedKeys(client)


def test_a_signature_is_good_for_its_first_body(signatures: RedisUsedKeys) -> None:
    assert signatures.use("s", FIRST, NOW, END)
    assert signatures.use("s", FIRST, NOW, END)
    assert not signatures.use("s", SECOND, NOW, END)
    assert signatures.use("other", SECOND, NOW, END)


def test_its_time_ends_by_the_business_clock(signatures: RedisUsedKeys) -> None:
    signatures.use("s", FIRST, NOW, END)

    assert not signatures.use("s", SECOND, EpochMs(END - 1), EpochMs(2 * END))
    assert signatures.use("s", SECOND, END, EpochMs(2 * END))
    assert not signatures.use("s", FIRST, END, EpochMs(2 * END))


def test_nothing_is_kept_for_ever(signatures: RedisUsedKeys, client: redis.Redis) -> None:
    signatures.use("s", FIRST, NOW, END)

    assert 0 < client.pttl(keys.SIGNATURE + "s") <= END - NOW + TIDY_MS


def test_it_tells_for_what_it_was_used(signatures: RedisUsedKeys) -> None:
    before = signatures.content("s", NOW)
    signatures.use("s", FIRST, NOW, END)

    assert before is None
    assert signatures.content("s", EpochMs(END - 1)) == FIRST
    assert signatures.content("s", END) is None
