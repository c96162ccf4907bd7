"""Ids: unique over all threads and processes, rising, and naming their shard."""

import multiprocessing
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from unittest.mock import Mock

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.domain.identifiers import ID_EPOCH_MS, IDS_PER_MS, AccountId, ClientOrderId
from app.store.core import ids as ids_module
from app.store.core import keys
from app.store.core.connection import connect
from app.store.core.ids import BLOCK, FEW, RedisIds
from app.store.core.scripts import Answer
from tests.support.builders import SPOT_ID, USDM_ID
from tests.support.redis_store import server_ms

ACCOUNTS = [AccountId(number) for number in (1, 2, 3, 16, 17)]


@pytest.fixture
def ids(client: redis.Redis) -> RedisIds:
    return RedisIds(client)


def values(ids: RedisIds, count: int, account: AccountId = SPOT_ID) -> list[int]:
    return [int(fresh.id) for fresh in ids.fresh(account, count)]


def test_ids_rise(ids: RedisIds) -> None:
    got = values(ids, 3) + values(ids, 100)

    assert got == sorted(set(got))


def test_the_latest_is_above_all_that_others_have_handed_out(client: redis.Redis) -> None:
    one, other = RedisIds(client), RedisIds(client)
    older = values(one, 1) + values(other, 1) + values(one, 1)

    (latest,) = one.latest(SPOT_ID, 1)
    (after,) = other.latest(USDM_ID, 1)

    assert max(older) < latest.id < after.id


def test_two_that_draw_at_once_get_rising_ids_of_their_own(
    ids: RedisIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, got = ids._draw_block, list[int]()  # noqa: SLF001 - the one question to the store

    def overtaken(names: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        answer = draw(names, arguments)
        monkeypatch.undo()
        got.extend(values(ids, 2))  # as another thread: nobody waits for anybody here
        return answer

    monkeypatch.setattr(ids, "_draw_block", overtaken)
    got.extend(values(ids, 3))

    assert len(got) == 5
    assert got == sorted(set(got))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_id_names_the_shard_of_its_account(ids: RedisIds, account: AccountId) -> None:
    assert {value % keys.SHARD_COUNT for value in values(ids, 50, account)} == {
        account % keys.SHARD_COUNT
    }


def test_ids_count_from_the_servers_time(ids: RedisIds, client: redis.Redis) -> None:
    before = server_ms(client)

    (value,) = values(ids, 1)

    assert value >= (before - ID_EPOCH_MS) * IDS_PER_MS
    assert value < (server_ms(client) + 1 - ID_EPOCH_MS) * IDS_PER_MS + BLOCK
    assert value < 2**53


def test_a_time_that_stands_still_or_goes_back_is_no_reason_to_repeat(
    ids: RedisIds, client: redis.Redis
) -> None:
    far_ahead = 2**52
    client.set(keys.IDS, far_ahead)

    got = values(ids, 2 * BLOCK)

    assert min(got) > far_ahead
    assert got == sorted(set(got))


def test_ids_stay_exact_up_to_the_limit(ids: RedisIds, client: redis.Redis) -> None:
    client.set(keys.IDS, 2**53 - 1 - BLOCK)

    assert values(ids, 1)[0] == 2**53 - BLOCK + (SPOT_ID - 2**53) % keys.SHARD_COUNT


def test_a_client_order_id_leads_back_to_its_order(ids: RedisIds) -> None:
    (fresh,) = ids.fresh(SPOT_ID, 1)

    assert ids.order_of(fresh.client_order_id) == fresh.id
    assert ids.client_order_id(fresh.id) == fresh.client_order_id
    assert ids.order_of(ClientOrderId("web_1234")) is None


def test_all_processes_belong_to_one_installation(client: redis.Redis) -> None:
    first, second = RedisIds(client), RedisIds(client)

    assert len(first.installation()) == 4
    assert first.installation() == second.installation()


def test_a_block_is_dropped_so_that_ids_follow_the_time() -> None:
    assert ids_module.BLOCK_LIFE_SECONDS <= 1.0
    assert BLOCK < IDS_PER_MS * 1_000
    assert BLOCK % keys.SHARD_COUNT == 0


@pytest.mark.integration
def test_one_draws_ahead_and_the_others_go_on(
    ids: RedisIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, draws, meanwhile = ids._draw_block, list[int](), list[int]()  # noqa: SLF001

    def drawn(names: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        draws.append(len(got))
        if got:
            meanwhile.extend(values(ids, 1))  # as another thread does
        return draw(names, arguments)

    monkeypatch.setattr(ids, "_draw_block", drawn)
    monkeypatch.setattr(ids_module, "BLOCK_LIFE_SECONDS", 1_000.0)
    got = list[int]()
    per_block = BLOCK // keys.SHARD_COUNT
    for _ in range(per_block - FEW + 1):
        got += values(ids, 1)

    assert draws == [0, per_block - FEW]
    assert len({*got, *meanwhile}) == len(got) + 1
    assert values(ids, 1)[0] > max(got + meanwhile)


def test_a_store_that_is_away_ahead_of_time_keeps_nobody_from_an_id(
    ids: RedisIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    values(ids, 1)
    monkeypatch.setattr(ids_module, "AHEAD_SECONDS", 1_000.0)
    away = Mock(side_effect=StoreUnavailable("away"))
    monkeypatch.setattr(ids, "_draw_block", away)

    assert len({*values(ids, 1), *values(ids, 1)}) == 2
    assert away.call_count == 1


def test_threads_never_get_the_same_id(real_client: redis.Redis) -> None:
    processes = [RedisIds(real_client), RedisIds(real_client)]
    got: list[list[int]] = []

    def take(ids: RedisIds, account: AccountId) -> None:
        got.append([value for _ in range(100) for value in values(ids, 7, account)])

    takers = [
        threading.Thread(target=take, args=(ids, account))
        for ids in processes
        for account in (SPOT_ID, SPOT_ID, USDM_ID, AccountId(17))
    ]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    together = [value for part in got for value in part]
    assert len(together) == len(set(together)) == len(takers) * 700
    assert all(part == sorted(part) for part in got)


def _take_in_a_fork(ids: RedisIds, answer: Connection) -> None:
    answer.send(values(ids, 20))
    answer.close()


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_does_not_repeat_what_its_parent_has_drawn(redis_server: str) -> None:
    ids = RedisIds(connect(redis_server, timeout_seconds=5))
    got = values(ids, 20)
    context = multiprocessing.get_context("fork")
    receivers = []
    for _ in range(2):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_take_in_a_fork, args=(ids, sender))
        child.start()
        sender.close()
        receivers.append((child, receiver))

    for child, receiver in receivers:
        got += receiver.recv()
        child.join()
    got += values(ids, 20)

    assert len(got) == len(set(got)) == 80
