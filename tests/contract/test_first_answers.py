"""First answers: one carries a request out, the others hear what came of it."""

import pytest
import redis

from app.ports.coordination import Given
from app.store.coordination.first_answers import RedisFirstAnswers
from app.store.core import keys

LEASE_MS, LIFE_MS = 60_000, 120_000


@pytest.fixture
def answers(client: redis.Redis) -> RedisFirstAnswers:
    return RedisFirstAnswers(client)


def test_one_carries_it_out_and_the_others_hear_of_it(answers: RedisFirstAnswers) -> None:
    begun = [answers.begin("r", LEASE_MS), answers.begin("r", LEASE_MS)]
    answers.keep("r", "[1]", LIFE_MS)

    assert begun == [True, False]
    assert answers.begin("r", LEASE_MS) == Given("[1]")
    assert answers.begin("another", LEASE_MS) is True


def test_what_came_to_nothing_is_for_the_next(answers: RedisFirstAnswers) -> None:
    answers.begin("r", LEASE_MS)
    answers.give_up("r")

    assert answers.begin("r", LEASE_MS) is True


def test_nothing_is_kept_for_ever(answers: RedisFirstAnswers, client: redis.Redis) -> None:
    answers.begin("r", LEASE_MS)
    leased_ms = client.pttl(keys.FIRST_ANSWER + "r")
    answers.keep("r", "[1]", LIFE_MS)

    assert 0 < leased_ms <= LEASE_MS < client.pttl(keys.FIRST_ANSWER + "r") <= LIFE_MS
