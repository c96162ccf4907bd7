"""A command becomes a signal, durably, before anybody is told `ok`."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.commands import Action, OnOpposite, SignalRules
from app.domain.effects import EffectKind
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.services.placing.cancel import targets_of
from tests.support.builders import NOW, SPOT_ID, a_command, a_signal, fixed
from tests.support.rig import POLICY, Rig


def test_what_is_accepted_is_stored_with_what_it_owes(rig: Rig) -> None:
    accepted = rig.accept(a_command(size=fixed("0.1")))

    signal = rig.signal(accepted.id)
    assert not accepted.is_duplicate
    assert signal.status is RequestStatus.EXECUTING
    assert signal.size == fixed("0.1")
    assert rig.events(signal.id) == ["received", "validated", "queued"]
    assert [effect.kind for effect in rig.ports.outbox.owed()] == [EffectKind.ADVANCE]


def test_what_is_accepted_is_hurried_along(rig: Rig) -> None:
    accepted = rig.accept(a_command())

    assert [effect.target for effect in rig.publisher.published] == [accepted.id]


def test_a_delayed_command_waits_for_its_time(rig: Rig) -> None:
    accepted = rig.accept(a_command(delay_ms=5_000))

    signal = rig.signal(accepted.id)
    assert signal.status is RequestStatus.SCHEDULED
    assert signal.due_at_ms == NOW + 5_000
    assert rig.events(signal.id)[-1] == "delayed"
    assert rig.ports.timers.due(EpochMs(NOW + 5_000), 1) == [signal.id]


def test_a_repeat_is_answered_with_the_first_and_starts_nothing(rig: Rig) -> None:
    first = rig.accept(a_command(caller_id="a1"))
    published = len(rig.publisher.published)

    again = rig.accept(a_command(caller_id="a1"))

    assert again.is_duplicate
    assert again.id == first.id
    assert len(rig.publisher.published) == published
    assert rig.events(first.id)[-1] == "duplicate"


def test_what_was_not_written_is_not_hurried_along(rig: Rig) -> None:
    rig.ports = replace(rig.ports, policy=replace(POLICY, give_up_ms=-1))

    with pytest.raises(StoreUnavailable):
        rig.accept(a_command())

    assert rig.publisher.published == []
    assert list(rig.reader.newest(None)) == []


def test_a_cancel_notes_what_was_live_when_it_came(rig: Rig) -> None:
    before = rig.accept(a_command(caller_id="a1"))

    cancel = rig.accept(a_command(Action.CANCEL, caller_id="a1"))
    rig.accept(a_command())

    assert rig.signal(cancel.id).targets == (before.id,)


def test_a_cancel_of_all_reaches_everything_of_its_connector(rig: Rig) -> None:
    first, second = rig.accept(a_command(caller_id="a1")), rig.accept(a_command(delay_ms=5))

    cancel = rig.accept(a_command(Action.CANCEL_ALL))

    assert rig.signal(cancel.id).targets == (first.id, second.id)


def test_a_delayed_cancel_looks_for_its_targets_when_it_is_due(rig: Rig) -> None:
    cancel = rig.accept(a_command(Action.CANCEL_ALL, delay_ms=5_000))
    target = rig.accept(a_command())

    signal = rig.signal(cancel.id)
    assert signal.targets is None
    assert targets_of(signal, rig.ports) == (target.id,)


def test_a_cancel_reaches_no_other_connector(rig: Rig) -> None:
    rig.put(a_signal(origin="crypto_arsenal:two", caller_id="a1"))

    cancel = rig.accept(a_command(Action.CANCEL, caller_id="a1"))

    assert rig.signal(cancel.id).targets == ()
    assert rig.signal(cancel.id).account == SPOT_ID


def test_an_entry_behind_others_in_its_lane_wakes_nobody_and_has_its_turn(rig: Rig) -> None:
    ids = [rig.accept(a_command(size=fixed(f"0.0{number}"))).id for number in (1, 2, 3)]
    woken = [effect.target for effect in rig.publisher.published]

    rig.drain()

    assert woken == ids[:1]
    assert [rig.signal(one).status for one in ids] == [RequestStatus.DONE] * 3


def test_an_exit_behind_others_in_its_lane_wakes_somebody(rig: Rig) -> None:
    rig.accept(a_command(size=fixed("0.01")))
    exit_id = rig.accept(a_command(Action.SELL, size=fixed("0.01"))).id

    assert rig.publisher.published[-1].target == exit_id
    assert rig.publisher.published[-1].urgent


def test_who_comes_behind_a_turn_that_nobody_takes_is_left_to_the_sweep(rig: Rig) -> None:
    rig.accept(a_command(size=fixed("0.01")))
    rig.bury()  # whoever was woken, and died
    late = rig.accept(a_command(size=fixed("0.02"))).id

    rig.drain()
    waiting = rig.signal(late).status
    rig.settle()

    assert waiting is RequestStatus.EXECUTING
    assert rig.signal(late).status is RequestStatus.DONE


def test_what_is_stored_is_accepted_though_the_store_goes_away_right_after(rig: Rig) -> None:
    rig.accept(a_command(size=fixed("0.01")))
    state_of = Mock(side_effect=StoreUnavailable("away"))
    rig.ports.ledger.state_of = state_of  # type: ignore[method-assign]

    late = rig.accept(a_command(size=fixed("0.02"))).id

    state_of.assert_called_once()
    assert rig.publisher.published[-1].target == late


def test_who_stands_behind_one_that_is_canceled_has_its_turn(rig: Rig) -> None:
    rig.accept(a_command(size=fixed("0.01"), caller_id="a1"))
    late = rig.accept(a_command(size=fixed("0.02"))).id
    rig.publisher.waiting.clear()  # what woke somebody for the first is read after the cancel
    rig.accept(a_command(Action.CANCEL, caller_id="a1"))

    rig.drain()

    assert rig.signal(late).status is RequestStatus.DONE


def test_at_an_exchange_whoever_comes_next_tries_again(rig: Rig) -> None:
    rig.go_live()
    ids = [rig.accept(a_command(size=fixed(f"0.0{number}"))).id for number in (1, 2)]

    assert [effect.target for effect in rig.publisher.published] == ids


def test_what_may_close_something_wakes_somebody(rig: Rig) -> None:
    rules = SignalRules(on_opposite=OnOpposite.REVERSE)
    rig.accept(a_command(Action.OPEN_LONG, size=fixed("0.1")))
    reversing = rig.accept(a_command(Action.OPEN_LONG, size=fixed("0.1")), rules).id

    assert rig.publisher.published[-1].target == reversing
