"""On their way out of the store: nothing leaves that is not in the history just as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.domain.decision import EntryName, TimelineEntry
from app.domain.errors import NotFound, StoreUnavailable
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.search import place_of
from app.domain.status import OrderStatus
from app.ports.ledger import Admission, Change
from app.store.core import keys
from app.store.core.archive_queue import PAGE
from app.store.core.scripts import text_of
from tests.support.builders import NOW, SPOT_ID, USDM_ID, a_signal, an_id, an_order, an_order_in
from tests.support.redis_store import Store, server_ms

if TYPE_CHECKING:
    from app.domain.aggregate import Aggregate
    from app.domain.identifiers import AggregateId
    from app.ports.history import Record

ENTRY = TimelineEntry(EntryName.CLOSED, NOW)


def put(store: Store, *aggregates: Aggregate) -> None:
    """Store aggregates, each with an entry in its timeline."""
    store.ledger.commit([Change(None, one, (ENTRY,)) for one in aggregates])


def keep(store: Store) -> list[Record]:
    """Let the history have what has finished."""
    records = list(store.archive_queue.load(store.archive_queue.finished(100)))
    store.archive_queue.kept({one.aggregate.id: one.mark for one in records})
    return records


def leave(store: Store, later_ms: int = 10) -> int:
    """Let leave whatever the history has."""
    store.clock.advance(later_ms)
    return store.archive_queue.leave(store.archive_queue.leaving(store.clock.server_ms(), 100))


def listed(store: Store) -> list[AggregateId]:
    return [one.id for one in store.reader.newest(None)]


def left_keys(store: Store) -> set[str]:
    return {key.split(":")[1] for key in store.client.scan_iter("{s*")}


ENDED = an_order_in(OrderStatus.FILLED, id=an_id(1))
LIVE = an_order_in(OrderStatus.NEW, id=an_id(2))


def test_what_has_finished_is_told_oldest_first(store: Store) -> None:
    for number in (3, 1, 2):
        put(store, an_order_in(OrderStatus.FILLED, id=an_id(number)))
        store.clock.advance(5)
    put(store, an_order_in(OrderStatus.NEW, id=an_id(4)))
    put(store, an_order_in(OrderStatus.FILLED, id=an_id(5, USDM_ID), account=USDM_ID))

    assert store.archive_queue.finished(3) == [an_id(3), an_id(1), an_id(2)]
    assert store.archive_queue.finished(9)[3:] == [an_id(5, USDM_ID)]


def test_an_aggregate_that_finishes_is_told_of(store: Store) -> None:
    put(store, LIVE)
    assert store.archive_queue.finished(9) == []

    store.change(an_order_in(OrderStatus.FILLED, id=LIVE.id))

    assert store.archive_queue.finished(9) == [LIVE.id]


def test_all_that_there_is_leaves_and_comes_back(store: Store) -> None:
    signal = a_signal(id=an_id(1), status=RequestStatus.DONE)
    child = an_order_in(OrderStatus.FILLED, id=an_id(2), parent_id=signal.id)
    put(store, signal, child)

    records = keep(store)
    assert leave(store) == 2

    assert left_keys(store) == {"events"}
    with pytest.raises(NotFound):
        store.ledger.load(signal.id)

    give_up_ms = EpochMs(server_ms(store.client) + 10_000)
    for record in records:
        store.archive_queue.bring_back(record, give_up_ms)
        store.archive_queue.bring_back(record, give_up_ms)

    assert store.ledger.load(signal.id).aggregate == signal
    assert store.ledger.load(signal.id).version == 1
    assert store.reader.timeline(child.id) == [(ENTRY, "test-1")]
    assert store.reader.children(signal.id) == [child.id]
    assert listed(store) == []
    assert list(store.archive_queue.load([signal.id, child.id])) == records
    store.clock.advance(server_ms(store.client) - store.clock.server_ms())
    assert leave(store) == 2


def test_what_is_kept_is_in_the_lists_of_the_store_no_more(store: Store) -> None:
    put(store, ENDED, LIVE)

    keep(store)

    assert listed(store) == [LIVE.id]
    assert store.archive_queue.finished(9) == []
    assert store.ledger.load(ENDED.id).aggregate == ENDED


def test_what_changes_before_it_counts_as_kept_is_given_again(store: Store) -> None:
    put(store, an_order_in(OrderStatus.CANCELED, id=ENDED.id))
    (record,) = store.archive_queue.load([ENDED.id])
    store.change(ENDED)

    store.archive_queue.kept({ENDED.id: record.mark})

    assert listed(store) == [ENDED.id]
    assert store.archive_queue.finished(9) == [ENDED.id]
    assert store.archive_queue.leaving(EpochMs(NOW + 1_000), 9) == {}


def test_what_changes_after_it_was_kept_is_given_again(store: Store) -> None:
    put(store, an_order_in(OrderStatus.CANCELED, id=ENDED.id))
    (old,) = keep(store)

    store.change(ENDED)

    assert store.archive_queue.leave({ENDED.id: old.mark}) == 0
    assert listed(store) == [ENDED.id]
    assert store.archive_queue.finished(9) == [ENDED.id]
    (new,) = keep(store)
    assert new.aggregate == ENDED
    assert leave(store) == 1


def test_what_is_gone_is_taken_off_the_lists(store: Store) -> None:
    put(store, ENDED)
    keep(store)
    leave(store)
    store.client.zadd(keys.shard_of(SPOT_ID).finished, {str(ENDED.id): 1})
    store.client.zadd(keys.shard_of(SPOT_ID).everything, {str(ENDED.id): NOW})

    assert store.archive_queue.load(store.archive_queue.finished(9)) == []
    store.archive_queue.kept({ENDED.id: (0, 0)})

    assert left_keys(store) == {"events"}


def test_what_is_live_is_not_for_the_history(store: Store) -> None:
    put(store, LIVE)

    assert store.archive_queue.load([LIVE.id, an_id(9)]) == []


def test_what_a_newer_release_wrote_is_left_to_it(store: Store) -> None:
    put(store, ENDED)
    body = text_of(store.client.hget(keys.AggregateKeys(ENDED.id).record, "body"))
    store.client.hset(keys.AggregateKeys(ENDED.id).record, "body", body.replace('"s":1', '"s":9'))

    assert store.archive_queue.load([ENDED.id]) == []
    store.archive_queue.postpone([ENDED.id, an_id(9)], EpochMs(NOW + 500))

    assert store.archive_queue.finished(9) == []
    store.clock.advance(500)
    assert store.archive_queue.finished(9) == [ENDED.id]


def test_it_leaves_when_it_was_kept_for_long_enough(store: Store) -> None:
    put(store, ENDED)
    keep(store)
    kept_ms = store.clock.server_ms()

    assert store.archive_queue.leaving(EpochMs(kept_ms - 1), 9) == {}
    assert store.archive_queue.leaving(kept_ms, 9) == {ENDED.id: (1, 1)}


def test_what_has_news_to_read_stays(store: Store) -> None:
    signal = a_signal(id=an_id(1), status=RequestStatus.DONE)
    child = an_order_in(OrderStatus.NEW, id=an_id(2), parent_id=signal.id)
    put(store, signal, child)
    store.change(an_order_in(OrderStatus.FILLED, id=child.id, parent_id=signal.id))
    keep(store)

    assert leave(store) == 1  # the child

    with pytest.raises(NotFound):
        store.ledger.load(child.id)
    assert store.ledger.load(signal.id).aggregate == signal


@pytest.mark.parametrize("is_parent_live", [False, True])
def test_nothing_leaves_before_its_parent_and_children_have_ended(
    store: Store, *, is_parent_live: bool
) -> None:
    state = RequestStatus.EXECUTING if is_parent_live else RequestStatus.DONE
    signal = a_signal(id=an_id(1), status=state)
    status = OrderStatus.FILLED if is_parent_live else OrderStatus.NEW
    child = an_order_in(status, id=an_id(2), parent_id=signal.id)
    put(store, signal, child)
    keep(store)

    assert leave(store) == 0

    ended = an_order_in(OrderStatus.CANCELED, id=child.id, parent_id=signal.id)
    store.change(replace(signal, status=RequestStatus.DONE) if is_parent_live else ended)
    store.client.delete(keys.AggregateKeys(signal.id).inbox)
    assert leave(store) == 0  # the history has not all of them
    keep(store)
    assert leave(store) == 2


def test_what_must_stay_is_looked_at_again_as_late_as_the_newest(store: Store) -> None:
    put(store, a_signal(id=an_id(1), status=RequestStatus.EXECUTING))
    put(store, an_order_in(OrderStatus.FILLED, id=an_id(2), parent_id=an_id(1)))
    put(store, an_order_in(OrderStatus.FILLED, id=an_id(3)))
    keep(store)

    leave(store)

    assert store.archive_queue.leaving(EpochMs(store.clock.server_ms() - 1), 9) == {}
    assert store.archive_queue.leaving(store.clock.server_ms(), 9) == {an_id(2): (1, 1)}


def test_what_a_request_may_repeat_stays_until_it_cannot(store: Store) -> None:
    signal = a_signal(id=an_id(1), status=RequestStatus.SKIPPED)
    until_ms = EpochMs(NOW + 60_000)
    admission = Admission(dedupe_keys={"k": until_ms})
    store.ledger.admit([Change(None, signal, (ENTRY,))], admission)
    keep(store)

    assert leave(store) == 0
    store.clock.advance_business(60_000)
    assert leave(store) == 1


def test_a_repeat_of_what_was_kept_is_told_in_the_history_too(store: Store) -> None:
    signal = a_signal(id=an_id(1), status=RequestStatus.SKIPPED)
    admission = Admission(dedupe_keys={"k": EpochMs(NOW + 60_000)})
    store.ledger.admit([Change(None, signal, (ENTRY,))], admission)
    (before,) = keep(store)

    repeat = Change(None, a_signal(id=an_id(2), status=RequestStatus.SKIPPED))
    assert store.ledger.admit([repeat], admission).repeats == signal.id
    store.clock.advance(server_ms(store.client) - store.clock.server_ms())

    assert store.archive_queue.finished(9) == [signal.id]
    (after,) = keep(store)
    assert after.mark == (before.mark[0], before.mark[1] + 1)


def test_what_the_history_has_lost_is_given_again_and_listed_meanwhile(store: Store) -> None:
    put(store, ENDED)
    keep(store)

    store.archive_queue.keep_again([ENDED.id])

    assert [place_of(one) for one in store.reader.newest(None)] == [place_of(ENDED)]
    assert store.archive_queue.finished(9) == [ENDED.id]
    assert len(keep(store)) == 1
    assert leave(store) == 1


def test_what_an_older_release_let_finish_is_told_of_too(store: Store) -> None:
    count = PAGE + 3
    put(store, *[an_order_in(OrderStatus.FILLED, id=an_id(one)) for one in range(1, count + 1)])
    put(store, an_order_in(OrderStatus.NEW, id=an_id(count + 1)))
    store.client.delete(keys.shard_of(SPOT_ID).finished)

    store.archive_queue.enqueue()
    store.archive_queue.enqueue()

    assert set(store.archive_queue.finished(2 * count)) == {
        an_id(one) for one in range(1, count + 1)
    }


def test_nothing_is_brought_back_too_late(store: Store) -> None:
    put(store, ENDED)
    (record,) = keep(store)
    leave(store)

    with pytest.raises(StoreUnavailable, match="was to be back"):
        store.archive_queue.bring_back(record, EpochMs(server_ms(store.client) - 1))

    assert left_keys(store) == {"events"}


def test_one_that_is_there_is_not_replaced(store: Store) -> None:
    put(store, an_order_in(OrderStatus.CANCELED, id=ENDED.id))
    (old,) = keep(store)
    store.change(ENDED)

    store.archive_queue.bring_back(old, EpochMs(server_ms(store.client) + 10_000))

    assert store.ledger.load(ENDED.id).aggregate == ENDED
    assert listed(store) == [ENDED.id]


def test_which_history_has_it_is_remembered(store: Store) -> None:
    assert store.archive_queue.history() is None

    store.archive_queue.set_history("one")

    assert store.archive_queue.history() == "one"


def test_what_has_not_ended_stays_an_order(store: Store) -> None:
    put(store, an_order())

    assert keep(store) == []
    assert leave(store) == 0
