"""Timers: the due times of all shards, by the business clock."""

from app.domain.identifiers import AccountId, EpochMs
from app.domain.request.signal import RequestStatus
from tests.support.builders import NOW, SPOT_ID, a_signal, an_id
from tests.support.redis_store import Store


def schedule(store: Store, number: int, in_ms: int, account: AccountId = SPOT_ID) -> None:
    store.put(
        a_signal(
            id=an_id(number, account),
            account=account,
            status=RequestStatus.SCHEDULED,
            due_at_ms=EpochMs(NOW + in_ms),
        )
    )


def test_nothing_is_due_early(store: Store) -> None:
    schedule(store, 1, 10)

    assert store.timers.due(EpochMs(NOW + 9), 10) == []
    assert store.timers.due(EpochMs(NOW + 10), 10) == [an_id(1)]


def test_what_is_due_comes_earliest_first_from_any_shard(store: Store) -> None:
    for number, account in enumerate((3, 1, 2), start=1):
        schedule(store, number, 10 * number, AccountId(account))

    due = store.timers.due(EpochMs(NOW + 100), 10)

    assert due == [an_id(1, AccountId(3)), an_id(2, AccountId(1)), an_id(3, AccountId(2))]


def test_what_was_released_is_due_no_more(store: Store) -> None:
    schedule(store, 1, 10)

    store.change(a_signal(id=an_id(1), due_at_ms=EpochMs(NOW + 10)))

    assert store.timers.due(EpochMs(NOW + 100), 10) == []
    assert store.owed() == [f"advance {an_id(1)}"]


def test_what_was_canceled_is_never_due(store: Store) -> None:
    schedule(store, 1, 10)

    store.change(a_signal(id=an_id(1), status=RequestStatus.CANCELED))

    assert store.timers.due(EpochMs(NOW + 100), 10) == []


def test_a_shard_gives_a_bounded_number_at_once(store: Store) -> None:
    for number in range(1, 5):
        schedule(store, number, number)

    assert store.timers.due(EpochMs(NOW + 100), 3) == [an_id(1), an_id(2), an_id(3)]


def test_what_is_near_or_past_is_soon(store: Store) -> None:
    for number, in_ms in enumerate((-5, 10, 10, 1_000), start=1):
        schedule(store, number, in_ms)

    assert store.timers.soon(NOW, 100) == [NOW - 5, NOW + 10]


def test_a_timer_is_not_in_the_outbox(store: Store) -> None:
    schedule(store, 1, 10)

    assert store.owed() == []
