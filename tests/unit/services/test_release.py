"""A timer is due: what waited for it goes on."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.domain.aggregate import Aggregate, decide
from app.domain.commands import Action
from app.domain.decision import Decision
from app.domain.effects import Effect, EffectKind
from app.domain.events import CancelRequested, Event
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.request.signal import RequestStatus
from app.ports.ledger import NO_TERMS, Change, CommitConditions
from app.services import advance as advance_module
from app.services.watching.release import BATCH, TOGETHER_MAX, release_due
from app.store.core import keys
from app.store.core.ledger import RedisLedger
from tests.support.builders import NOW, REQUESTED, SPOT_ID, a_command, a_signal, an_id, fixed, must
from tests.support.rig import Rig, deaths, encounters

DELAYED = a_command(size=fixed("0.1"), delay_ms=5_000)
DUE = EpochMs(NOW + 5_000)


def delayed() -> Rig:
    """A rig with a signal that waits for five seconds."""
    rig = Rig()
    rig.accept(DELAYED)
    rig.publisher.waiting.clear()
    return rig


def the_signal(rig: Rig) -> RequestStatus:
    (signal,) = (one for one in rig.reader.newest(None) if one.kind == "SIGNAL")
    return rig.signal(signal.id).status


def test_a_delay_never_ends_early() -> None:
    rig = delayed()
    rig.clock.advance(4_999)

    late = release_due([DUE], rig.ports)

    assert the_signal(rig) is RequestStatus.SCHEDULED
    assert late == []


def test_a_message_that_comes_early_puts_itself_back() -> None:
    rig = delayed()
    rig.clock.advance(4_999)

    release_due([DUE, NOW], rig.ports)

    assert rig.publisher.wakes == [DUE]


def test_a_delay_ends_when_it_is_due() -> None:
    rig = delayed()
    rig.clock.advance(5_000)

    late = release_due([DUE], rig.ports)

    assert the_signal(rig) is RequestStatus.EXECUTING
    assert late == [0]
    assert rig.publisher.wakes == []


def test_what_is_overdue_is_released_with_its_lateness() -> None:
    rig = delayed()
    rig.clock.advance(5_250)

    assert release_due([], rig.ports) == [250]


def test_a_message_that_comes_twice_releases_once() -> None:
    rig = delayed()
    rig.clock.advance(5_000)

    released = [release_due([DUE], rig.ports), release_due([DUE], rig.ports)]

    assert released == [[0], []]
    rig.drain()
    assert len(rig.venue.sent) == 1


def test_delays_go_by_business_time() -> None:
    rig = delayed()
    rig.clock.advance_business(5_000)

    assert release_due([], rig.ports) == [0]


def test_more_than_one_batch_is_released_in_one_call(rig: Rig) -> None:
    for number in range(BATCH + 10):
        rig.put(a_signal(id=an_id(number), status=RequestStatus.SCHEDULED, due_at_ms=NOW))

    assert len(release_due([], rig.ports)) == BATCH + 10


def test_many_begin_with_few_commits(rig: Rig) -> None:
    for number in range(TOGETHER_MAX + 5):
        rig.put(a_signal(id=an_id(number), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    before = rig.ports.ledger.writes()

    late = release_due([], rig.ports)

    assert rig.ports.ledger.writes() - before == 2
    assert late == [0] * (TOGETHER_MAX + 5)
    begun = [one.target for one in rig.publisher.published if one.kind is EffectKind.ADVANCE]
    assert sorted(begun) == [an_id(number) for number in range(TOGETHER_MAX + 5)]


class Racing(RedisLedger):
    """A ledger in which somebody cancels one of them before what begins them is written."""

    canceled: AggregateId | None = None

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        if self.canceled is not None:
            stored, self.canceled = self.load(self.canceled), None
            canceled = decide(stored.aggregate, CancelRequested(at_ms=NOW, reason=REQUESTED))
            super().commit([Change(stored, canceled.aggregate)])
        return super().commit(changes, terms)


def test_one_that_is_canceled_just_then_does_not_hold_up_the_others(rig: Rig) -> None:
    for number in range(3):
        rig.put(a_signal(id=an_id(number), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    ledger = Racing(rig.redis, rig.clock, lambda: "rival", 3_000)
    ledger.canceled = an_id(1)

    late = release_due([], replace(rig.ports, ledger=ledger))

    states = [rig.signal(an_id(number)).status for number in range(3)]
    assert states == [RequestStatus.EXECUTING, RequestStatus.CANCELED, RequestStatus.EXECUTING]
    assert late == [0, 0]


def test_a_mistake_over_one_does_not_hold_up_the_others(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        rig.put(a_signal(id=an_id(number), status=RequestStatus.SCHEDULED, due_at_ms=NOW))

    def decided(aggregate: Aggregate, event: Event) -> Decision[Aggregate]:
        if aggregate.id == an_id(1):
            raise ValueError("a mistake of ours")
        return decide(aggregate, event)

    monkeypatch.setattr(advance_module, "decide", decided)

    assert release_due([], rig.ports) == [0, 0]


def test_what_closes_begins_beside_entries_for_which_there_is_no_room(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(a_signal(id=an_id(1), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    rig.put(a_signal(Action.SELL, id=an_id(2), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    monkeypatch.setattr("app.store.core.ledger.ENTRIES_PERCENT_MAX", 0)
    limit = rig.redis.config_get("maxmemory")["maxmemory"]
    rig.redis.config_set("maxmemory", "1gb")

    release_due([], rig.ports)

    rig.redis.config_set("maxmemory", must(limit))
    assert rig.signal(an_id(1)).status is RequestStatus.DENIED
    assert rig.signal(an_id(2)).status is RequestStatus.EXECUTING


def test_a_timer_of_nothing_does_not_hold_up_the_others(rig: Rig) -> None:
    rig.redis.zadd(keys.shard_of(SPOT_ID).timers, {str(an_id(99)): NOW})
    rig.put(a_signal(status=RequestStatus.SCHEDULED, due_at_ms=NOW))

    assert release_due([], rig.ports) == [0]


def test_a_timer_of_a_newer_release_does_not_hold_up_the_others(rig: Rig) -> None:
    rig.put(a_signal(id=an_id(1), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    rig.put(a_signal(id=an_id(2), status=RequestStatus.SCHEDULED, due_at_ms=NOW))
    rig.redis.hset(keys.AggregateKeys(an_id(1)).record, "body", '{"s":2}')

    late = release_due([], rig.ports)

    assert late == [0]
    assert rig.signal(an_id(2)).status is RequestStatus.EXECUTING


def test_however_many_timers_will_not_go_they_hide_none_behind_them(rig: Rig) -> None:
    rig.redis.zadd(
        keys.shard_of(SPOT_ID).timers, {str(an_id(number)): NOW - 1 for number in range(BATCH)}
    )
    rig.put(a_signal(id=an_id(BATCH), status=RequestStatus.SCHEDULED, due_at_ms=NOW))

    assert release_due([], rig.ports) == [0]


@pytest.mark.parametrize("delay_ms", [1, 60_000])
def test_a_delayed_command_is_executed_once_it_is_due(rig: Rig, delay_ms: int) -> None:
    accepted = rig.accept(a_command(size=fixed("0.1"), delay_ms=delay_ms))

    rig.settle(rounds=100)

    signal = rig.signal(accepted.id)
    assert signal.status is RequestStatus.DONE
    assert signal.order_id is not None
    assert rig.order().due_at_ms == NOW + delay_ms


def due_now() -> Rig:
    rig = delayed()
    rig.clock.advance(5_000)
    return rig


def test_whoever_dies_while_releasing_leaves_one_order_in_the_end() -> None:
    for rig in deaths(due_now, lambda rig: release_due([], rig.ports)):
        rig.settle()

        assert len(rig.venue.ledger) == 1
        assert the_signal(rig) is RequestStatus.DONE


def test_of_two_who_release_at_once_one_releases() -> None:
    for rig in encounters(
        due_now, lambda rig: release_due([], rig.ports), lambda rig: release_due([], rig.ports)
    ):
        rig.settle()

        assert len(rig.orders()) == len(rig.venue.ledger) == 1
