"""Admission: what is checked in the same step in which a request is written."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.commands import Action
from app.domain.decision import EntryName, TimelineEntry
from app.domain.errors import RateLimited, StaleRegistry, StoreUnavailable
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.ports.ledger import Admission, Admitted, Change
from app.store.core import keys
from app.store.core.ledger import REPEATS_TOLD_MAX
from tests.support.builders import ETH, NOW, ORIGIN, SPOT, SPOT_ID, a_signal, an_id
from tests.support.redis_store import Store, server_ms

WINDOW_MS = 20_000
SAME = Admission(dedupe_keys={"digest": EpochMs(NOW + WINDOW_MS)})
UNIQUE = Admission(caller_id_scope=ORIGIN)


def admitted(store: Store, number: int, admission: Admission, **odd: Any) -> AggregateId | None:  # noqa: ANN401
    """Send a request with this number; return the id of the one that it repeats."""
    signal = a_signal(id=an_id(number), **odd)
    entries = (TimelineEntry(EntryName.RECEIVED, NOW),)
    return store.ledger.admit([Change(None, signal, entries)], admission).repeats


def is_stored(store: Store, number: int) -> bool:
    return bool(store.client.exists(keys.AggregateKeys(an_id(number)).record))


def test_a_request_is_written_with_what_it_owes(store: Store) -> None:
    assert admitted(store, 1, Admission()) is None

    assert store.owed() == [f"advance {an_id(1)}"]
    assert len(store.reader.timeline(an_id(1))) == 1


# The same message again


def test_the_same_message_within_its_window_is_the_first_one(store: Store) -> None:
    admitted(store, 1, SAME)

    assert admitted(store, 2, SAME) == an_id(1)
    assert not is_stored(store, 2)


def test_a_repeat_is_noted_on_the_first_one(store: Store) -> None:
    admitted(store, 1, SAME)

    admitted(store, 2, SAME)

    names = [entry.name for entry, _ in store.reader.timeline(an_id(1))]
    assert names == [EntryName.RECEIVED, EntryName.DUPLICATE]


@pytest.mark.parametrize("per_minute", [0, 5])
def test_repeats_without_end_are_not_told_without_end(store: Store, per_minute: int) -> None:
    limited = replace(SAME, rate_key="one", rate_per_minute=per_minute)
    admitted(store, 1, limited)

    assert {admitted(store, 2, limited) for _ in range(30)} == {an_id(1)}

    told = [entry.name for entry, _ in store.reader.timeline(an_id(1))]
    assert told == [
        EntryName.RECEIVED,
        *[EntryName.DUPLICATE] * (per_minute - 1 if per_minute else REPEATS_TOLD_MAX),
    ]


def test_the_window_ends_by_the_business_clock(store: Store) -> None:
    admitted(store, 1, SAME)

    store.clock.advance_business(WINDOW_MS - 1)
    last = admitted(store, 2, SAME)
    store.clock.advance_business(1)
    first = admitted(store, 3, replace(SAME, dedupe_keys={"digest": EpochMs(NOW + 2 * WINDOW_MS)}))

    assert (last, first) == (an_id(1), None)
    assert is_stored(store, 3)


def test_a_second_window_begins_with_the_second_message(store: Store) -> None:
    admitted(store, 1, SAME)
    store.clock.advance_business(WINDOW_MS)
    later = replace(SAME, dedupe_keys={"digest": EpochMs(NOW + 2 * WINDOW_MS)})
    admitted(store, 2, later)

    assert admitted(store, 3, later) == an_id(2)


def test_other_messages_are_other_messages(store: Store) -> None:
    admitted(store, 1, SAME)

    assert (
        admitted(store, 2, replace(SAME, dedupe_keys={"another": EpochMs(NOW + WINDOW_MS)})) is None
    )


def test_a_dedupe_key_outlives_its_window_only_to_be_tidied_up(store: Store) -> None:
    admitted(store, 1, SAME)

    left_ms = store.client.pttl(keys.account(SPOT_ID).dedupe + "digest")
    assert WINDOW_MS < left_ms <= WINDOW_MS + 3_600_000


def test_a_message_that_was_refused_leaves_no_key(store: Store) -> None:
    store.registry.put_account(SPOT)
    stale = replace(SAME, registry_version=store.registry.version() - 1)
    with pytest.raises(StaleRegistry):
        admitted(store, 1, stale)

    assert admitted(store, 2, SAME) is None


# Caller ids


def test_a_caller_id_is_taken_while_its_order_lives(store: Store) -> None:
    admitted(store, 1, UNIQUE, caller_id="Long")

    assert admitted(store, 2, UNIQUE, caller_id="Long") == an_id(1)
    assert not is_stored(store, 2)


@pytest.mark.parametrize(
    "after",
    [{"status": RequestStatus.DONE}, {"stage": Stage.PROTECTED}],
    ids=["ended", "protected"],
)
def test_a_caller_id_is_free_when_its_order_has_closed(store: Store, after: dict[str, Any]) -> None:
    admitted(store, 1, UNIQUE, caller_id="Long")
    store.change(a_signal(id=an_id(1), caller_id="Long", **after))

    assert admitted(store, 2, UNIQUE, caller_id="Long") is None


def test_a_delayed_message_holds_its_caller_id(store: Store) -> None:
    admitted(store, 1, UNIQUE, caller_id="Long", status=RequestStatus.SCHEDULED)

    assert admitted(store, 2, UNIQUE, caller_id="Long") == an_id(1)


def test_another_connector_may_use_the_same_caller_id(store: Store) -> None:
    admitted(store, 1, UNIQUE, caller_id="Long")
    other = Admission(caller_id_scope="crypto_arsenal:two")

    assert admitted(store, 2, other, caller_id="Long", origin="crypto_arsenal:two") is None


@pytest.mark.parametrize("action", [Action.CANCEL, Action.CANCEL_ALL])
def test_a_cancel_that_names_a_caller_id_is_no_repeat_of_its_target(
    store: Store, action: Action
) -> None:
    admitted(store, 1, UNIQUE, caller_id="a1")
    cancel = a_signal(action, id=an_id(2), caller_id="a1", targets=(an_id(1),))

    assert store.ledger.admit([Change(None, cancel)], UNIQUE).repeats is None
    assert admitted(store, 3, UNIQUE, caller_id="a1") == an_id(1)


def test_two_without_a_caller_id_do_not_meet(store: Store) -> None:
    admitted(store, 1, UNIQUE)

    assert admitted(store, 2, UNIQUE) is None


# Rates


def test_a_caller_has_its_budget_and_no_more(store: Store) -> None:
    limited = Admission(rate_key="one", rate_per_minute=2)
    admitted(store, 1, limited)
    admitted(store, 2, limited)

    with pytest.raises(RateLimited) as refused:
        admitted(store, 3, limited)

    assert 0 < refused.value.retry_after_ms <= 60_000
    assert not is_stored(store, 3)


def test_each_caller_has_a_budget_of_its_own(store: Store) -> None:
    for number, name in enumerate(["one", "two"], start=1):
        assert admitted(store, number, Admission(rate_key=name, rate_per_minute=1)) is None


def test_a_repeat_counts_and_is_answered_all_the_same(store: Store) -> None:
    limited = replace(SAME, rate_key="one", rate_per_minute=2)
    other = replace(limited, dedupe_keys={"other": EpochMs(NOW + WINDOW_MS)})
    admitted(store, 1, limited)

    assert [admitted(store, 2, limited) for _ in range(3)] == [an_id(1)] * 3
    with pytest.raises(RateLimited):
        admitted(store, 3, other)


def test_a_budget_of_zero_is_without_limit(store: Store) -> None:
    for number in range(1, 5):
        assert admitted(store, number, Admission(rate_key="one")) is None


# The registry, and the caller's patience


def test_whoever_was_checked_against_old_credentials_is_refused(store: Store) -> None:
    version = store.registry.version()
    store.registry.put_account(replace(SPOT, id=AccountId(0)))

    with pytest.raises(StaleRegistry):
        admitted(store, 1, Admission(registry_version=version))

    assert not is_stored(store, 1)


def test_whoever_was_checked_against_the_newest_is_taken_in(store: Store) -> None:
    store.registry.put_account(replace(SPOT, id=AccountId(0)))

    version = store.registry.version()

    assert admitted(store, 1, Admission(registry_version=version)) is None


def test_a_request_that_nobody_waits_for_any_more_is_not_written(store: Store) -> None:
    now_ms = server_ms(store.client)

    with pytest.raises(StoreUnavailable, match="give_up"):
        admitted(store, 1, Admission(give_up_at_ms=EpochMs(now_ms - 1)))

    assert not is_stored(store, 1)
    assert admitted(store, 2, Admission(give_up_at_ms=EpochMs(now_ms + 60_000))) is None


def test_a_signal_is_written_as_it_came(store: Store) -> None:
    admitted(store, 1, UNIQUE, caller_id="Long", note="open")

    found = store.ledger.load(an_id(1)).aggregate
    assert isinstance(found, Signal)
    assert (found.caller_id, found.note) == ("Long", "open")


def test_what_came_with_a_key_can_be_asked_for(store: Store) -> None:
    admitted(store, 1, SAME)

    end = EpochMs(NOW + WINDOW_MS)
    assert store.ledger.repeated(SPOT_ID, "digest", EpochMs(end - 1)) == an_id(1)
    assert store.ledger.repeated(SPOT_ID, "digest", end) is None
    assert store.ledger.repeated(SPOT_ID, "other", NOW) is None


# Lanes


def test_who_comes_into_a_lane_is_told_whether_others_wait_there(store: Store) -> None:
    def came(number: int, **odd: Any) -> Admitted:  # noqa: ANN401
        queued = {"status": RequestStatus.EXECUTING, "stage": Stage.QUEUED}
        return store.ledger.admit(
            [Change(None, a_signal(id=an_id(number), **{**queued, **odd}))], Admission()
        )

    first, second, elsewhere = came(1), came(2), came(3, symbol=ETH)
    delayed = came(4, status=RequestStatus.SCHEDULED)
    for number in (1, 2):
        store.change(a_signal(id=an_id(number), status=RequestStatus.DONE))

    assert [one.is_behind for one in (first, second, elsewhere, delayed)] == [
        False,
        True,
        False,
        False,
    ]
    assert not came(5).is_behind
