"""Guards at an exchange go with their position, whoever closes it there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.enums import Market, PositionMode, ReasonCode
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.exchanges.market_tables import YOUNG_MS
from app.services.following.guards import LOOKS_APART_MS, look_at_guards
from tests.support.builders import a_command, fixed
from tests.support.exchanges.books import Position
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import EXCHANGES, KEY


@pytest.fixture(params=[one for one in EXCHANGES if one[1] is not Market.SPOT], ids="-".join)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def leg_of(rig: VenueRig) -> tuple[str, str]:
    return rig.symbol, "LONG" if rig.account.position_mode is PositionMode.HEDGE else "BOTH"


def opened(rig: VenueRig, profit: int, loss: int) -> Signal:
    command = a_command(
        Action.OPEN_LONG,
        size=fixed(f"{rig.size('0.1')}"),
        take_profit=Decimal(profit),
        stop_loss=Decimal(loss),
    )
    signal = rig.run(command)
    for _ in range(3):
        rig.poll()
    return rig.signal(signal.id)


def gone(rig: VenueRig) -> None:
    """Close the long by hand, or by liquidation: nobody here has an order for it."""
    rig.exchange.accounts[KEY].positions[leg_of(rig)] = Position()


def look(rig: VenueRig) -> None:
    rig.clock.advance(LOOKS_APART_MS)
    look_at_guards(rig.account.id, rig.ports)
    rig.drain()


def test_an_old_take_profit_does_not_close_a_new_position(rig: VenueRig) -> None:
    old = opened(rig, 2_100, 1_900)
    gone(rig)

    new = opened(rig, 2_400, 1_500)
    rig.settle(step_ms=LOOKS_APART_MS)
    rig.exchange.set_price(rig.symbol, "2150")
    for _ in range(3):
        rig.poll()

    assert rig.signal(old.id).status is RequestStatus.DONE
    assert rig.signal(new.id).stage is Stage.PROTECTED
    assert rig.exchange.accounts[KEY].positions[leg_of(rig)].quantity == rig.size("0.1")


def test_a_liquidation_ends_the_guards_within_two_looks(rig: VenueRig) -> None:
    signal = opened(rig, 2_100, 1_900)
    look(rig)
    gone(rig)

    look(rig)
    look(rig)

    ended = rig.signal(signal.id)
    assert (ended.status, ended.reason and ended.reason.code) == (
        RequestStatus.DONE,
        ReasonCode.POSITION_CLOSED,
    )
    assert not rig.ports.book.symbols(rig.account.feed)


def test_a_position_that_a_halted_market_does_not_show_keeps_its_guards(rig: VenueRig) -> None:
    signal = opened(rig, 2_100, 1_900)
    held = rig.exchange.accounts[KEY].positions[leg_of(rig)]
    look(rig)
    rig.exchange.set_status(rig.symbol, "halted")
    gone(rig)
    rig.clock.advance(YOUNG_MS)

    for _ in range(4):
        look(rig)

    assert rig.signal(signal.id).stage is Stage.PROTECTED
    rig.exchange.set_status(rig.symbol, "")
    rig.exchange.accounts[KEY].positions[leg_of(rig)] = held
    rig.clock.advance(YOUNG_MS)
    look(rig)
    rig.exchange.set_price(rig.symbol, "1890")
    rig.poll()
    assert rig.exchange.accounts[KEY].positions[leg_of(rig)].quantity == 0
