"""How much work waits."""

import redis

from app.domain.commands import Action
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus, Stage
from app.domain.status import OrderStatus
from app.store.coordination.backlog import Backlog, RedisBacklog
from app.store.core import keys
from tests.support.builders import LATER, NOW, USDM_ID, a_signal, an_id, an_order, an_order_in
from tests.support.redis_store import REPUBLISH_AFTER_MS, Store


def test_an_empty_store_has_no_backlog(client: redis.Redis) -> None:
    backlog = RedisBacklog(client, client).read(NOW, NOW)

    assert backlog == Backlog(
        owed=0,
        overdue_ms=0,
        waiting_ms=0,
        unknown=0,
        timers=0,
        unarchived=0,
        failing_exits=0,
        only_here=0,
    )


def test_what_waits_is_counted_over_all_accounts(store: Store) -> None:
    store.put(an_order(id=an_id(1)))
    store.put(an_order_in(OrderStatus.UNKNOWN, id=an_id(2, USDM_ID), account=USDM_ID))
    store.put(an_order_in(OrderStatus.FILLED, id=an_id(3)))
    store.put(a_signal(Action.OPEN_LONG, status=RequestStatus.SCHEDULED, due_at_ms=LATER))

    backlog = RedisBacklog(store.client, store.client).read(NOW, NOW)

    assert (backlog.owed, backlog.unknown, backlog.timers, backlog.unarchived) == (2, 1, 1, 1)


def test_the_oldest_effect_tells_how_long_it_has_been_overdue(store: Store) -> None:
    store.put(an_order())
    due = NOW + REPUBLISH_AFTER_MS

    backlogs = [
        RedisBacklog(store.client, store.client).read(EpochMs(due + late), NOW)
        for late in (-1, 0, 500)
    ]

    assert [backlog.overdue_ms for backlog in backlogs] == [0, 0, 500]


def test_messages_are_counted_by_queue(client: redis.Redis) -> None:
    client.rpush("orders", "one", "two")

    lengths = RedisBacklog(client, client).queue_lengths(["urgent", "orders"])

    assert lengths == {"urgent": 0, "orders": 2}


def test_what_waits_for_its_turn_is_late_though_it_is_sent_again_and_again(store: Store) -> None:
    waits = a_signal(
        Action.OPEN_LONG,
        status=RequestStatus.EXECUTING,
        stage=Stage.QUEUED,
        due_at_ms=EpochMs(NOW - 60_000),
    )
    store.put(waits)
    store.put(
        a_signal(
            Action.OPEN_LONG,
            id=an_id(8, USDM_ID),
            status=RequestStatus.SCHEDULED,
            due_at_ms=EpochMs(1),
        )
    )

    backlog = RedisBacklog(store.client, store.client).read(NOW, NOW)

    assert (backlog.overdue_ms, backlog.waiting_ms) == (0, 60_000)


def test_an_order_that_is_not_sent_is_late(store: Store) -> None:
    store.put(an_order(due_at_ms=EpochMs(NOW - 7_000)))
    store.put(an_order_in(OrderStatus.UNKNOWN, id=an_id(2), due_at_ms=EpochMs(NOW - 99_000)))

    assert RedisBacklog(store.client, store.client).read(NOW, NOW).waiting_ms == 7_000


def test_what_a_newer_release_owes_hides_nobody_else(store: Store) -> None:
    store.put(an_order(due_at_ms=EpochMs(NOW - 7_000)))
    for member in ("place_later:x", "place:", "advance:all"):
        store.client.zadd(keys.SHARDS[3].outbox, {member: NOW})

    assert RedisBacklog(store.client, store.client).read(NOW, NOW).waiting_ms == 7_000


def test_a_record_that_cannot_be_read_hides_nobody_else(store: Store) -> None:
    store.put(an_order(id=an_id(1), due_at_ms=EpochMs(NOW - 9_000)))
    store.put(an_order(id=an_id(2), due_at_ms=EpochMs(NOW - 7_000)))
    store.client.hset(keys.AggregateKeys(an_id(1)).record, "body", "{")

    assert RedisBacklog(store.client, store.client).read(NOW, NOW).waiting_ms == 7_000
