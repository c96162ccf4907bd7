"""What becomes of requests while an exchange refuses the account's key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action, PlaceOrder, PositionAction, Size
from app.domain.enums import Dialect, Market, OrderType, ReasonCode, Side
from app.domain.errors import HookfillError
from app.domain.order import Order
from app.domain.request.request import RequestStatus
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.exchanges.remembered import RememberedVenues
from app.services.following.reconcile import reconcile
from app.services.intake.orders import accept_order
from tests.support.builders import ORIGIN, a_command, fixed, must, percent
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import EXCHANGES, KEY


@pytest.fixture(params=EXCHANGES, ids="-".join)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        running.clients.exchange(running.account).reload_markets()
        running.exchange.accounts["another"] = running.exchange.accounts.pop(KEY)
        yield running


def enter(rig: VenueRig) -> Action:
    return Action.BUY if rig.account.market is Market.SPOT else Action.OPEN_LONG


@pytest.mark.parametrize("size", [fixed("0.1"), percent("50")], ids=["fixed", "percent"])
def test_a_signal_is_denied_at_once_with_the_reason(rig: VenueRig, size: Size) -> None:
    signal = rig.run(a_command(enter(rig), size=size))

    ended = rig.signal(signal.id)

    assert ended.status is RequestStatus.DENIED
    assert must(ended.reason).code is ReasonCode.CREDENTIALS_REFUSED
    assert rig.orders() == []
    assert len(rig.gateway.patience.knocks) == 1


def test_an_order_is_denied_at_once_with_the_reason(rig: VenueRig) -> None:
    order = an_order_past_the_lane(rig)

    assert order.status is OrderStatus.DENIED
    assert must(order.reason).code is ReasonCode.CREDENTIALS_REFUSED
    assert len(rig.gateway.patience.knocks) == 1


def an_order_past_the_lane(rig: VenueRig) -> Order:
    """Take in an order as Hummingbot sends it, and return it as it ends."""
    command = PlaceOrder(
        symbol=rig.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=rig.size("0.1"),
        price=Decimal(1_000),
        action=PositionAction.OPEN,
    )
    sender = Sender(
        dialect=Dialect.HUMMINGBOT,
        origin=ORIGIN,
        account=rig.account,
        received_at_ms=rig.clock.now_ms(),
    )
    web = replace(rig.ports, venues=RememberedVenues(rig.venue_ports))
    accepted = accept_order(command, sender, web)
    rig.drain()
    return rig.order(accepted.id)


def test_after_a_start_of_the_store_it_is_denied_as_well(rig: VenueRig) -> None:
    rig.redis.begin_run("another")

    order = an_order_past_the_lane(rig)

    assert order.status is OrderStatus.DENIED


def test_all_that_goes_on_for_an_hour_knocks_a_few_times(rig: VenueRig) -> None:
    """Orders, signals, polls and comparisons, as workers do them in turn."""
    knocked = []
    for minute in range(60):
        with suppress(HookfillError):
            reconcile(rig.account.id, rig.ports)
        if minute % 5 == 0:
            rig.run(a_command(enter(rig), size=percent("50"), caller_id=f"signal {minute}"))
            an_order_past_the_lane(rig)
        with suppress(HookfillError):
            rig.poll()
        knocked += rig.gateway.patience.knocks
        rig.gateway.patience.knocks.clear()
        rig.clock.advance(60_000)

    assert not rig.gateway.patience.has_ended
    assert 3 <= len(knocked) <= 12
    assert {one.status for one in rig.orders()} <= {OrderStatus.DENIED}


def test_a_key_that_is_taken_back_denies_what_comes_then(rig: VenueRig) -> None:
    rig.exchange.accounts[KEY] = rig.exchange.accounts.pop("another")
    first = rig.run(a_command(enter(rig), size=fixed(f"{rig.size('0.1')}")))
    rig.clock.advance(60_000)  # so that there is a budget again
    rig.exchange.accounts["another"] = rig.exchange.accounts.pop(KEY)

    later = [rig.run(a_command(enter(rig), size=fixed(f"{rig.size('0.1')}"))) for _ in range(5)]

    assert rig.signal(first.id).status is RequestStatus.DONE
    reasons = {must(rig.signal(one.id).reason).code for one in later}
    assert reasons == {ReasonCode.CREDENTIALS_REFUSED}
    assert len(rig.gateway.patience.knocks) <= 2
