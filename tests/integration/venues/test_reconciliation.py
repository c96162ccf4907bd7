"""What a venue has is held against what is known here; nothing is forgotten on a mismatch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import EpochMs
from app.domain.reconciliation import Reconciliation
from app.domain.status import OrderStatus
from app.domain.words import Market
from app.services.reconcile import reconcile
from tests.builders import ETH, a_command, fixed
from tests.contract.venue_world import KEY, LISTED
from tests.exchanges.faults import Call, Fault
from tests.exchanges.trading import Position, Ticket
from tests.venue_rig import VenueRig, venue_rig


@pytest.fixture(params=["binance", "bybit", "poloniex"])
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.SPOT) as running:
        yield running


def reconciled(rig: VenueRig) -> Reconciliation:
    reconcile(rig.account.id, rig.ports)
    found = rig.ports.reconciliations.get(rig.account.id)
    assert found is not None
    return found


def resting(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))


def test_what_agrees_is_nothing_to_tell(rig: VenueRig) -> None:
    resting(rig)

    found = reconciled(rig)

    assert (found.mismatches, found.foreign) == ((), ())


def test_orders_of_others_are_shown_apart_and_left_alone(rig: VenueRig) -> None:
    ticket = Ticket(
        client_id="by-hand",
        market=LISTED[0],
        side="BUY",
        quantity=Decimal("0.01"),
        price=Decimal(30_000),
    )
    rig.exchange.place(rig.exchange.accounts[KEY], ticket)

    found = reconciled(rig)

    assert [one.client_order_id for one in found.foreign] == ["by-hand"]
    assert found.foreign[0].price == Decimal(30_000)
    assert rig.exchange.accounts[KEY].orders[0].status == "NEW"


def test_a_fill_that_was_missed_is_adopted(rig: VenueRig) -> None:
    resting(rig)
    rig.exchange.set_price("BTC/USDT", "40000")

    found = reconciled(rig)

    assert rig.order().status is OrderStatus.FILLED
    assert found.mismatches == ()


def test_an_order_that_the_venue_does_not_show_is_told_and_kept(rig: VenueRig) -> None:
    resting(rig)
    rig.exchange.accounts[KEY].orders.clear()

    found = reconciled(rig)

    assert [one.kind for one in found.mismatches] == ["missing"]
    assert rig.order().status is OrderStatus.NEW


def test_an_order_of_ours_that_nobody_here_knows_is_told(rig: VenueRig) -> None:
    resting(rig)
    order = rig.order()
    last = order.client_order_id[-1]
    unknown = order.client_order_id[:-1] + ("0" if last != "0" else "1")
    holder = rig.exchange.accounts[KEY]
    ticket = replace(holder.orders[0].ticket, client_id=unknown)
    rig.exchange.place(holder, ticket)

    found = reconciled(rig)

    assert [(one.kind, one.about) for one in found.mismatches] == [("unexpected", unknown)]


def test_a_list_that_cannot_be_read_changes_nothing(rig: VenueRig) -> None:
    resting(rig)
    rig.wire.plan.plan(Call.LIST, Fault.ERROR)

    with pytest.raises(Exception, match=r"(?i)exchange|error"):
        reconcile(rig.account.id, rig.ports)

    assert rig.ports.reconciliations.get(rig.account.id) is None
    assert rig.order().status is OrderStatus.NEW


def test_a_comparison_that_came_to_nothing_is_told(rig: VenueRig) -> None:
    rig.wire.plan.plan(Call.LIST, Fault.ERROR)

    with pytest.raises(VenueUnavailable) as raised:
        reconcile(rig.account.id, rig.ports)

    failed = rig.ports.reconciliations.failure(rig.account.id)
    assert failed is not None
    assert failed.message == str(raised.value)
    assert failed.begun_ms == rig.clock.server_ms()


def test_whoever_waits_is_content_with_one_that_was_begun_since(rig: VenueRig) -> None:
    since_ms = rig.clock.server_ms()
    rig.clock.advance(1)
    reconciled(rig)
    asked = len(rig.gateway.log)

    reconcile(rig.account.id, rig.ports, since_ms)
    assert len(rig.gateway.log) == asked

    reconcile(rig.account.id, rig.ports, EpochMs(rig.clock.server_ms() + 1))
    assert len(rig.gateway.log) > asked


def test_protection_of_a_position_that_is_gone_is_told() -> None:
    with venue_rig("binance", Market.USDM) as rig:
        rig.run(a_command(Action.OPEN_LONG, size=fixed("0.1"), stop_loss=Decimal(1_500)))
        rig.poll()
        rig.exchange.accounts[KEY].positions[ETH, "LONG"] = Position()

        found = reconciled(rig)

    assert [one.kind for one in found.mismatches] == ["unguarded"]
