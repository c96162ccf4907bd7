"""The reader: lists, timelines and events, for people."""

from dataclasses import replace

import pytest
import redis

from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.identifiers import AccountId, EpochMs
from app.ports.ledger import Change
from app.store.core.reader import PAGE
from tests.support.builders import NOW, REFUSED, SPOT_ID, an_id, an_order, must
from tests.support.redis_store import Store


def an_order_made(at_ms: int, number: int = 1, account: AccountId = SPOT_ID) -> Aggregate:
    created = EpochMs(NOW + at_ms)
    return an_order(id=an_id(number, account), account=account, created_at_ms=created)


def test_an_empty_store_has_no_aggregates(store: Store) -> None:
    assert list(store.reader.newest(None)) == []


def test_all_accounts_are_merged_newest_first(store: Store) -> None:
    made = [an_order_made(10 * number, number, AccountId(number % 5)) for number in range(1, 12)]
    store.put(*[one for one in made if one.account == 1])
    for one in made:
        if one.account != 1:
            store.put(one)

    assert list(store.reader.newest(None)) == made[::-1]


def test_those_of_one_millisecond_come_by_id(store: Store) -> None:
    made = [an_order_made(0, number, AccountId(number % 3)) for number in range(1, 8)]
    for one in made:
        store.put(one)

    found = [one.id for one in store.reader.newest(None)]

    assert found == sorted((one.id for one in made), reverse=True)


def test_a_list_goes_on_after_any_place(store: Store) -> None:
    for number in range(1, 10):
        store.put(an_order_made(number // 3, number, AccountId(number % 2)))
    everything = list(store.reader.newest(None))

    for index, one in enumerate(everything):
        rest = list(store.reader.newest((one.created_at_ms, one.id)))
        assert rest == everything[index + 1 :]


def test_a_long_list_is_read_in_pages(store: Store) -> None:
    count = 2 * PAGE + 7
    store.put(*[an_order_made(number // 10, number) for number in range(1, count + 1)])

    found = [one.id for one in store.reader.newest(None)]

    assert len(found) == len(set(found)) == count


def test_what_comes_in_while_one_reads_is_not_read_twice(store: Store) -> None:
    count = 2 * PAGE
    store.put(*[an_order_made(number, number) for number in range(1, count + 1)])
    reading = store.reader.newest(None)
    found = [next(reading).id]

    store.put(*[an_order_made(number, number) for number in range(count + 1, count + 20)])
    found += [one.id for one in reading]

    assert len(found) == len(set(found)) == count


def test_children_come_oldest_first(store: Store) -> None:
    parent = store.put(an_order())
    for number in (4, 2, 3):
        store.put(an_order(id=an_id(number), parent_id=parent.aggregate.id))

    assert store.reader.children(parent.aggregate.id) == [an_id(2), an_id(3), an_id(4)]
    assert store.reader.children(an_id(2)) == []


def test_a_timeline_of_nothing_is_empty(store: Store) -> None:
    assert store.reader.timeline(an_id(1)) == []


def test_events_are_told_as_they_happen(store: Store) -> None:
    events = store.reader.events()
    quiet = next(events)
    entry = TimelineEntry(EntryName.DENIED, NOW, REFUSED)
    order = an_order(id=an_id(3))

    store.ledger.commit([Change(None, order, (entry,))])
    told = must(next(events))

    events.close()
    assert quiet is None
    assert (told.id, told.entry, told.process) == (an_id(3), entry, "test-1")


def test_events_that_came_before_are_not_told(store: Store) -> None:
    entry = TimelineEntry(EntryName.SENT, NOW)
    store.ledger.commit([Change(None, an_order(), (entry,))])
    events = store.reader.events()
    next(events)

    store.ledger.commit([Change(None, an_order(id=an_id(2)), (entry,))])
    told = must(next(events))

    events.close()
    assert told.id == an_id(2)


@pytest.mark.integration
def test_waiting_for_events_outlasts_a_short_patience(redis_server: str) -> None:
    with redis.Redis.from_url(redis_server, decode_responses=True) as client:
        client.flushall()
    impatient = redis.Redis.from_url(redis_server, decode_responses=True, socket_timeout=0.05)
    events = Store(impatient).reader.events()

    assert [next(events), next(events)] == [None, None]

    events.close()
    impatient.close()


def test_one_stream_is_read_across_accounts(store: Store) -> None:
    events = store.reader.events()
    next(events)
    for account in (1, 2, 3):
        order = replace(an_order(id=an_id(account, AccountId(account))), account=AccountId(account))
        store.ledger.commit([Change(None, order, (TimelineEntry(EntryName.SENT, NOW),))])

    told = [next(events) for _ in range(3)]

    events.close()
    assert {one.id for one in told if one} == {an_id(n, AccountId(n)) for n in (1, 2, 3)}
