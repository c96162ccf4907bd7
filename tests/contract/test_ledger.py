"""The ledger: one commit, all or nothing, and what it derives from the state."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
import redis

from app.domain.aggregate import Aggregate
from app.domain.commands import Action
from app.domain.decision import EntryName, TimelineEntry
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState
from app.domain.errors import (
    Conflict,
    LaneChanged,
    NewsChanged,
    NotFound,
    NotPermitted,
    StoreError,
    StoreUnavailable,
)
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.ports.ledger import Change, CommitConditions, Stored
from app.store.core import keys
from app.store.core.connection import connect
from tests.support.builders import (
    BTC,
    LATER,
    NOW,
    REFUSED,
    SPOT_ID,
    USDM_ID,
    a_signal,
    a_smart_order,
    an_id,
    an_order,
    an_order_in,
)
from tests.support.redis_store import Store

RUN_ONLY = CommitConditions(permits=frozenset({AccountState.RUN}))


# What is written is read


def test_what_was_never_stored_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no aggregate 77"):
        store.ledger.load(an_order(id=77).id)


@pytest.mark.parametrize(
    "aggregate", [an_order(), a_signal(), a_smart_order()], ids=["order", "signal", "smart_order"]
)
def test_an_aggregate_is_read_as_it_was_written(store: Store, aggregate: Aggregate) -> None:
    assert store.put(aggregate) == Stored(aggregate, 1)


def test_each_commit_raises_the_version(store: Store) -> None:
    store.put(an_order())

    store.change(an_order_in(OrderStatus.PLACING))

    assert store.ledger.load(an_order().id).version == 2


def test_of_many_those_are_left_out_that_are_not_there_or_cannot_be_read(store: Store) -> None:
    first, second = an_order(id=an_id(1)), an_order(id=an_id(2))
    store.put(first)
    store.put(second)
    store.put(an_order(id=an_id(3)))
    store.client.hset(keys.AggregateKeys(an_id(3)).record, "body", '{"s":99,"k":"ORDER"}')

    found = store.ledger.load_all([second.id, an_id(9), an_id(3), first.id])

    assert found == [Stored(second, 1), Stored(first, 1)]


def test_many_are_grouped_by_what_one_commit_can_change(store: Store) -> None:
    ids = [an_id(1), an_id(1, USDM_ID), an_id(2), an_id(2, USDM_ID), an_id(3)]

    groups = [list(one) for one in store.ledger.in_groups(ids, 2)]

    assert sorted(groups) == sorted([[ids[0], ids[2]], [ids[4]], [ids[1], ids[3]]])


def test_who_guards_a_position_hears_of_what_changed_and_not_of_what_that_brought_forth(
    store: Store,
) -> None:
    store.put(a_signal(id=an_id(1)))
    stored = store.put(an_order_in(OrderStatus.NEW, id=an_id(2)))
    tell = CommitConditions(tell=(an_id(1),))
    changed = replace(stored.aggregate, updated_at_ms=LATER)

    store.ledger.commit([Change(stored, changed), Change(None, an_order(id=an_id(3)))], tell)

    assert set(store.ledger.with_news(an_id(1))[1]) == {an_id(2)}


# Versions: of two who write at once, one wins


def test_a_new_aggregate_is_stored_once(store: Store) -> None:
    store.put(an_order())

    with pytest.raises(Conflict):
        store.put(an_order(quantity=Decimal(1)))

    assert store.ledger.load(an_order().id).aggregate == an_order()


def test_who_commits_on_an_old_version_loses(store: Store) -> None:
    stored = store.put(an_order())
    store.change(an_order_in(OrderStatus.PLACING))

    with pytest.raises(Conflict, match="version 2"):
        store.ledger.commit([Change(stored, an_order_in(OrderStatus.DENIED))])

    found = store.ledger.load(an_order().id).aggregate
    assert found == an_order_in(OrderStatus.PLACING)


def test_a_commit_of_several_is_all_or_nothing(store: Store) -> None:
    signal = store.put(a_signal())
    stored = store.put(an_order(id=an_id(2)))
    store.change(an_order(id=an_id(2), quantity=Decimal(1)))
    ended = a_signal(status=RequestStatus.DONE)

    with pytest.raises(Conflict):
        store.ledger.commit(
            [Change(signal, ended), Change(stored, an_order(id=an_id(2), quantity=Decimal(2)))]
        )

    assert store.ledger.load(signal.aggregate.id) == signal
    assert store.owed() == [f"advance {signal.aggregate.id}", f"place {an_id(2)}"]


@pytest.mark.integration
def test_of_many_writers_at_once_exactly_one_wins(real_client: redis.Redis) -> None:
    store = Store(real_client)
    stored = store.put(an_order())
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def write(number: int) -> None:
        start.wait()
        try:
            store.ledger.commit([Change(stored, an_order(quantity=Decimal(number)))])
        except Conflict:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(outcomes) == ["lost"] * 7 + ["won"]
    assert store.ledger.load(an_order().id).version == 2


# The state of the account


@pytest.mark.parametrize(
    ("state", "is_permitted"),
    [("RUN", True), ("REDUCE_ONLY", False), ("HALT", False), ("run", False), (None, False)],
)
def test_what_the_state_does_not_permit_is_not_written(
    store: Store, state: str | None, *, is_permitted: bool
) -> None:
    if state is not None:
        store.client.set(keys.account(SPOT_ID).state, state)
    store.put(an_order())
    placing = an_order_in(OrderStatus.PLACING)

    if is_permitted:
        store.change(placing, RUN_ONLY)
    else:
        with pytest.raises(NotPermitted):
            store.change(placing, RUN_ONLY)

    found = store.ledger.load(an_order().id).aggregate
    assert (found == placing) is is_permitted


def test_several_states_may_be_permitted(store: Store) -> None:
    store.registry.set_state(SPOT_ID, AccountState.REDUCE_ONLY)
    store.put(an_order())

    store.change(
        an_order_in(OrderStatus.PLACING),
        CommitConditions(permits=frozenset({AccountState.RUN, AccountState.REDUCE_ONLY})),
    )

    assert store.ledger.load(an_order().id).version == 2


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (None, AccountState.HALT),
        ("nonsense", AccountState.HALT),
        ("REDUCE_ONLY", AccountState.REDUCE_ONLY),
    ],
)
def test_a_state_that_nobody_can_read_is_halt(
    store: Store, stored: str | None, state: AccountState
) -> None:
    if stored is not None:
        store.client.set(keys.account(SPOT_ID).state, stored)

    assert store.ledger.state_of(SPOT_ID) is state


# The turn in the lane


def test_who_looked_at_the_lane_as_it_is_may_commit(store: Store) -> None:
    stored = store.put(a_signal())
    lane = store.lanes.look(SPOT_ID, BTC)

    store.ledger.commit(
        [Change(stored, a_signal(status=RequestStatus.DONE))], CommitConditions(lane=lane)
    )

    assert store.ledger.load(stored.aggregate.id).version == 2


@pytest.mark.parametrize("status", [OrderStatus.PENDING_NEW, OrderStatus.PLACING, OrderStatus.NEW])
def test_who_looked_before_an_order_joined_or_left_commits_nothing(
    store: Store, status: OrderStatus
) -> None:
    stored = store.put(a_signal())
    lane = store.lanes.look(SPOT_ID, BTC)
    store.put(an_order(id=an_id(2)))
    store.change(an_order_in(status, id=an_id(2)))

    with pytest.raises(LaneChanged):
        store.ledger.commit(
            [Change(stored, a_signal(status=RequestStatus.DONE))], CommitConditions(lane=lane)
        )

    assert store.ledger.load(stored.aggregate.id) == stored


# What is owed


def test_the_outbox_holds_what_is_owed_and_nothing_else(store: Store) -> None:
    order_id = an_order().id
    store.put(an_order())
    owed = [store.owed()]
    for status in (OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW):
        store.change(an_order_in(status))
        owed.append(store.owed())
    store.change(an_order_in(OrderStatus.NEW, cancel_requested=True))
    owed.append(store.owed())
    store.change(an_order_in(OrderStatus.CANCELED))
    owed.append(store.owed())

    kinds = [[text.split()[0] for text in texts] for texts in owed]
    assert kinds == [["place"], ["resolve"], ["resolve"], [], ["cancel"], []]
    assert owed[0] == [f"place {order_id}"]


def test_a_commit_returns_what_came_to_be_owed(store: Store) -> None:
    effects = store.ledger.commit([Change(None, an_order())])

    assert effects == [Effect(kind=EffectKind.PLACE, target=an_order().id)]


def test_what_was_owed_before_is_not_returned_again(store: Store) -> None:
    store.put(an_order())

    assert store.change(an_order(updated_at_ms=LATER)) == []


def test_what_is_owed_at_another_time_is_returned_again(store: Store) -> None:
    store.put(an_order())

    (effect,) = store.change(an_order(next_action_at_ms=LATER))

    assert effect.due_at_ms == LATER
    assert store.owed() == [f"place {an_order().id}"]


# News for parents, and for those who guard a position


def a_parent_and_child(store: Store) -> tuple[Stored, Stored]:
    parent = store.put(a_signal(id=an_id(1)))
    child = store.put(an_order(id=an_id(2), parent_id=an_id(1)))
    return parent, child


def test_a_parent_is_owed_a_look_at_a_child_that_has_news(store: Store) -> None:
    parent, child = a_parent_and_child(store)
    news = an_order_in(OrderStatus.FILLED, id=child.aggregate.id, parent_id=parent.aggregate.id)

    effects = store.change(news)

    assert Effect(kind=EffectKind.NEWS, target=parent.aggregate.id) in effects
    assert store.ledger.with_news(parent.aggregate.id)[1] == {child.aggregate.id: 2}
    assert f"news {parent.aggregate.id}" in store.owed()


def test_news_that_was_read_is_owed_no_more(store: Store) -> None:
    parent, child = a_parent_and_child(store)
    store.change(
        an_order_in(OrderStatus.FILLED, id=child.aggregate.id, parent_id=parent.aggregate.id)
    )

    read = {child.aggregate.id: 2}
    store.ledger.commit([Change(parent, parent.aggregate, read=read)])

    assert store.ledger.with_news(parent.aggregate.id)[1] == {}
    assert f"news {parent.aggregate.id}" not in store.owed()


def test_news_that_came_while_one_was_reading_stays(store: Store) -> None:
    parent, child = a_parent_and_child(store)
    ids = {"id": child.aggregate.id, "parent_id": parent.aggregate.id}
    store.change(an_order_in(OrderStatus.NEW, **ids))
    store.change(an_order_in(OrderStatus.FILLED, **ids))

    with pytest.raises(NewsChanged):
        store.ledger.commit([Change(parent, parent.aggregate, read={child.aggregate.id: 2})])

    assert store.ledger.with_news(parent.aggregate.id)[1] == {child.aggregate.id: 3}
    assert f"news {parent.aggregate.id}" in store.owed()


def test_news_is_read_by_one_alone(store: Store) -> None:
    """Two look at a child, one after the other; the one that looked first commits last."""
    parent, child = a_parent_and_child(store)
    store.change(
        an_order_in(OrderStatus.FILLED, id=child.aggregate.id, parent_id=parent.aggregate.id)
    )
    read = {child.aggregate.id: 2}
    store.ledger.commit([Change(parent, parent.aggregate, read=read)])
    parent = store.ledger.load(parent.aggregate.id)

    with pytest.raises(NewsChanged):
        store.ledger.commit([Change(parent, parent.aggregate, read=read)])

    assert store.ledger.load(parent.aggregate.id).version == parent.version


def test_the_news_of_one_child_read_leaves_that_of_another(store: Store) -> None:
    parent, child = a_parent_and_child(store)
    other = store.put(an_order(id=an_id(3), parent_id=parent.aggregate.id))
    for one in (child, other):
        store.change(
            an_order_in(OrderStatus.FILLED, id=one.aggregate.id, parent_id=parent.aggregate.id)
        )

    store.ledger.commit([Change(parent, parent.aggregate, read={child.aggregate.id: 2})])

    assert store.ledger.with_news(parent.aggregate.id)[1] == {other.aggregate.id: 2}
    assert f"news {parent.aggregate.id}" in store.owed()


def test_who_makes_a_child_in_the_same_commit_needs_no_news_of_it(store: Store) -> None:
    signal = store.put(a_signal())
    denied = an_order_in(OrderStatus.DENIED, id=an_id(2), parent_id=an_id(1), reason=REFUSED)

    store.ledger.commit(
        [Change(signal, a_signal(status=RequestStatus.DENIED)), Change(None, denied)]
    )

    assert store.ledger.with_news(signal.aggregate.id)[1] == {}
    assert store.owed() == []


def test_others_may_be_told_as_well(store: Store) -> None:
    guard = store.put(a_signal(id=an_id(5)))
    store.put(an_order())

    effects = store.change(
        an_order_in(OrderStatus.FILLED), CommitConditions(tell=(guard.aggregate.id,))
    )

    assert Effect(kind=EffectKind.NEWS, target=guard.aggregate.id) in effects
    assert store.ledger.with_news(guard.aggregate.id)[1] == {an_order().id: 2}


# Timelines


def test_a_timeline_is_told_in_order_with_the_process(store: Store) -> None:
    entries = (
        TimelineEntry(EntryName.RECEIVED, NOW),
        TimelineEntry(EntryName.DENIED, LATER, REFUSED),
    )

    store.ledger.commit([Change(None, an_order(), entries)])

    assert store.reader.timeline(an_order().id) == [(one, "test-1") for one in entries]


def test_of_what_is_told_without_end_the_first_and_the_newest_stay(store: Store) -> None:
    moments = [EpochMs(NOW + number) for number in range(1_005)]
    tries = tuple(TimelineEntry(EntryName.DEFERRED, one) for one in moments)

    store.ledger.commit([Change(None, an_order(), tries[:1_000])])
    whole = [entry.at_ms for entry, _ in store.reader.timeline(an_order().id)]
    store.ledger.commit([Change(store.ledger.load(an_order().id), an_order(), tries[1_000:])])
    cut = [entry.at_ms for entry, _ in store.reader.timeline(an_order().id)]

    assert whole == moments[:1_000]
    assert cut == [*moments[:20], *moments[25:]]


def test_a_lost_commit_leaves_no_trace_in_the_timeline(store: Store) -> None:
    store.put(an_order())

    with pytest.raises(Conflict):
        store.ledger.commit([Change(None, an_order(), (TimelineEntry(EntryName.SENT, NOW),))])

    assert store.reader.timeline(an_order().id) == []


# Records of another release


def test_a_record_of_a_newer_schema_is_left_alone(store: Store) -> None:
    store.put(an_order())
    key = keys.AggregateKeys(an_order().id).record
    newer = '{"s":99,"k":"ORDER","shape":"another"}'
    store.client.hset(key, "body", newer)

    with pytest.raises(StoreError, match="schema 99"):
        store.ledger.load(an_order().id)

    assert store.client.hget(key, "body") == newer


def test_a_store_that_is_away_is_said_to_be() -> None:
    away = Store(connect("redis://127.0.0.1:1/0", timeout_seconds=0.2))

    with pytest.raises(StoreUnavailable, match="the store did not answer"):
        away.ledger.load(an_order().id)


def test_each_account_has_its_own_shard(store: Store) -> None:
    store.put(an_order())
    store.put(an_order(id=an_id(1, USDM_ID), account=USDM_ID))

    shards = {key[:5] for key in store.client.scan_iter("*:aggregate:*")}
    assert shards == {"{s01}", "{s02}"}


def test_nothing_of_an_order_stays_listed_when_it_has_closed(store: Store) -> None:
    order = an_order(origin="one", caller_id="a")
    store.put(order)
    for status in (OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW, OrderStatus.FILLED):
        store.change(an_order_in(status, origin="one", caller_id="a"))

    kinds = {key.split(":")[1] for key in store.client.scan_iter("{s01}:*")}
    assert kinds == {"aggregate", "all", "finished", "flight_changes"}


def test_a_signal_that_has_ended_is_listed_nowhere(store: Store) -> None:
    signal = a_signal(caller_id="a", status=RequestStatus.SCHEDULED, due_at_ms=LATER)
    store.put(signal)
    for state in (RequestStatus.EXECUTING, RequestStatus.DONE):
        store.change(replace(signal, status=state))

    kinds = {key.split(":")[1] for key in store.client.scan_iter("{s01}:*")}
    assert kinds == {"aggregate", "all", "finished"}


def test_a_cancel_message_waits_in_no_lane(store: Store) -> None:
    store.put(a_signal(Action.CANCEL_ALL))

    assert store.lanes.head(SPOT_ID, BTC) is None


def test_time_stamps_are_the_callers(store: Store) -> None:
    stored = store.put(an_order(created_at_ms=EpochMs(5), updated_at_ms=EpochMs(6)))

    assert stored.aggregate.created_at_ms == 5
