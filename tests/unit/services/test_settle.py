"""Whether everything that can happen now has happened."""

from dataclasses import replace

import pytest

from app.domain.enums import AccountState, Mode, Side
from app.domain.errors import OutcomeUnknown, VenueUnavailable
from app.domain.identifiers import EpochMs
from app.domain.kill_switch import KillSwitch
from app.services.admin.kill_switches import fire_kill_switches
from app.services.placing.settle import is_settled
from tests.support.builders import (
    PAPER,
    SPOT_ID,
    a_command,
    a_report,
    a_tick,
    a_trigger,
    an_id,
    an_order,
    client_id,
    fixed,
)
from tests.support.rig import Rig

BUY = a_command(size=fixed("0.1"))


def test_nothing_to_do_is_settled(rig: Rig) -> None:
    assert is_settled(rig.ports)


def test_a_signal_is_settled_when_its_order_has_ended(rig: Rig) -> None:
    rig.accept(BUY)
    before = is_settled(rig.ports)

    rig.drain()

    assert not before
    assert is_settled(rig.ports)


def test_a_tick_that_waits_is_not_settled(rig: Rig) -> None:
    rig.feed.ticks.append(a_tick())

    assert not is_settled(rig.ports)


def test_a_trigger_that_fired_and_was_not_handed_on_is_not_settled(rig: Rig) -> None:
    rig.ports.book.arm(a_trigger())
    rig.ports.book.fire(PAPER, a_tick(last="1000"))

    assert not is_settled(rig.ports)


def test_a_fill_that_nobody_followed_is_not_settled(rig: Rig) -> None:
    rig.reports.news[SPOT_ID] = {client_id(an_id()): a_report()}

    assert not is_settled(rig.ports)


def test_a_timer_counts_when_it_is_due(rig: Rig) -> None:
    rig.accept(replace(BUY, delay_ms=5_000))
    waiting = is_settled(rig.ports)

    rig.clock.advance_business(5_000)

    assert waiting
    assert not is_settled(rig.ports)


def test_an_order_that_waits_for_its_next_try_is_not_settled(rig: Rig) -> None:
    rig.venue.place_script.append(VenueUnavailable("away"))

    rig.run(BUY)

    assert not is_settled(rig.ports)


def test_an_order_of_unknown_outcome_and_those_behind_it_are_settled(rig: Rig) -> None:
    rig.venue.place_script.append(OutcomeUnknown("silence"))
    rig.run(BUY)
    rig.run(BUY)

    assert is_settled(rig.ports)


def test_work_that_moves_behind_the_look_is_not_settled(rig: Rig) -> None:
    rig.accept(BUY)

    class Timers:
        """Is read after the news, and before what is owed."""

        def due(self, now_ms: EpochMs, limit: int) -> tuple[()]:
            del now_ms, limit
            rig.drain()
            rig.reports.news[SPOT_ID] = {client_id(an_id()): a_report()}
            return ()

        soon = rig.ports.timers.soon

    ports = replace(rig.ports, timers=Timers())

    assert not is_settled(ports)


@pytest.mark.parametrize(("side", "settled"), [(Side.SELL, True), (Side.BUY, False)])
def test_what_a_halted_account_keeps_waiting_is_settled(
    rig: Rig, side: Side, *, settled: bool
) -> None:
    rig.state(AccountState.HALT)
    rig.put(an_order(side=side, reduces=side is Side.SELL))

    assert is_settled(rig.ports) is settled


def test_an_account_with_real_money_does_not_count(rig: Rig) -> None:
    account = rig.registry.account(SPOT_ID)
    rig.registry.put_account(replace(account, mode=Mode.LIVE))
    rig.put(an_order())

    assert is_settled(rig.ports)


@pytest.mark.parametrize(("mode", "settled"), [(Mode.PAPER, False), (Mode.LIVE, True)])
def test_a_kill_switch_counts_when_it_is_due(rig: Rig, mode: Mode, *, settled: bool) -> None:
    account = rig.registry.account(SPOT_ID)
    rig.registry.put_account(replace(account, mode=mode))
    at_ms = EpochMs(rig.clock.now_ms() + 10_000)
    switch = KillSwitch(
        account=SPOT_ID, origin="poloniex:1", set_at_ms=rig.clock.now_ms(), cancel_at_ms=at_ms
    )
    rig.ports.kill_switches.put(switch)
    waiting = is_settled(rig.ports)

    rig.clock.advance_business(10_000)
    due = is_settled(rig.ports)
    fire_kill_switches(rig.ports)

    assert waiting
    assert due is settled
    assert is_settled(rig.ports)
