"""Requests to workers: each is handed out once, in time, and answered to whoever waits."""

import pytest
import redis

from app.domain.effects import EffectKind
from app.domain.enums import PositionMode
from app.domain.errors import NotFound
from app.domain.finding import Finding, Grade
from app.domain.identifiers import EpochMs
from app.domain.worker_request import Adjustment, Outcome, WorkerAnswer, WorkerRequest
from app.store.coordination.worker_requests import LIFE_MS, RedisWorkerRequests
from app.store.core import keys
from tests.support.builders import ETH, USDM_ID, an_id

NOW, UNTIL = EpochMs(1_000), EpochMs(3_000)


def a_request(
    kind: EffectKind = EffectKind.ADJUST,
    adjustment: Adjustment | None = None,
    until_ms: EpochMs = UNTIL,
) -> WorkerRequest:
    return WorkerRequest(
        id=an_id(1, USDM_ID),
        kind=kind,
        account=USDM_ID,
        asked_ms=NOW,
        until_ms=until_ms,
        adjustment=adjustment,
    )


MODE = a_request(adjustment=Adjustment(position_mode=PositionMode.ONEWAY))
REQUESTS = [
    a_request(adjustment=Adjustment(symbol=ETH, leverage=5)),
    MODE,
    a_request(EffectKind.INSPECT),
    a_request(EffectKind.RECONCILE),
]
WARNED = Finding(check="clock", message="it is off by 900 ms", grade=Grade.WARNING, fix="Set it.")


@pytest.fixture
def requests(client: redis.Redis) -> RedisWorkerRequests:
    return RedisWorkerRequests(client)


def nobody_gets(requests: RedisWorkerRequests, now_ms: EpochMs = NOW) -> None:
    with pytest.raises(NotFound):
        requests.take(MODE.id, now_ms)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_is_handed_out_once(
    requests: RedisWorkerRequests, request_: WorkerRequest
) -> None:
    requests.put(request_)

    assert requests.take(request_.id, NOW) == request_
    nobody_gets(requests)


@pytest.mark.parametrize("request_", REQUESTS)
def test_it_is_found_whether_it_was_taken_or_not(
    requests: RedisWorkerRequests, request_: WorkerRequest
) -> None:
    requests.put(request_)

    before = requests.find(request_.id)
    requests.take(request_.id, NOW)

    assert before == requests.find(request_.id) == request_
    with pytest.raises(NotFound):
        requests.find(an_id(2, USDM_ID))


def test_nobody_begins_too_late(requests: RedisWorkerRequests) -> None:
    requests.put(MODE)

    nobody_gets(requests, UNTIL)


def test_nobody_begins_with_what_was_left_before_the_clock_was_set_back(
    requests: RedisWorkerRequests,
) -> None:
    requests.put(a_request(until_ms=EpochMs(NOW + 3_600_000)))

    nobody_gets(requests)


def test_nobody_gets_what_was_never_left(requests: RedisWorkerRequests) -> None:
    nobody_gets(requests)
    assert requests.answer(MODE.id) is None


@pytest.mark.parametrize(
    "answer",
    [
        *(WorkerAnswer(outcome=outcome, message="because") for outcome in Outcome),
        WorkerAnswer(findings=(WARNED, Finding(check="keys", message="they are good"))),
        WorkerAnswer(),
    ],
)
def test_the_answer_is_heard(requests: RedisWorkerRequests, answer: WorkerAnswer) -> None:
    requests.put(MODE)
    requests.take(MODE.id, NOW)
    before = requests.answer(MODE.id)

    requests.reply(MODE.id, answer)

    assert before is None
    assert requests.answer(MODE.id) == answer


def test_nothing_is_kept_for_ever(requests: RedisWorkerRequests, client: redis.Redis) -> None:
    requests.put(MODE)
    requests.reply(MODE.id, WorkerAnswer())

    assert 0 < client.pttl(f"{keys.shard_of(MODE.id).worker_request}{MODE.id}") <= LIFE_MS


def test_what_may_wait_for_longer_is_kept_for_longer(
    requests: RedisWorkerRequests, client: redis.Redis
) -> None:
    patient = a_request(EffectKind.RECONCILE, until_ms=EpochMs(NOW + 10 * LIFE_MS))

    requests.put(patient)

    assert client.pttl(f"{keys.shard_of(patient.id).worker_request}{patient.id}") > 9 * LIFE_MS
