"""What a venue has is held against what is known here; nothing is forgotten on a mismatch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.enums import Market
from app.domain.errors import VenueUnavailable
from app.domain.events import OrderReported
from app.domain.identifiers import EpochMs, VenueOrderId
from app.domain.reconciliation import MismatchKind, Reconciliation
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.domain.venue_cancel import CancelState, VenueCancel
from app.services.admin.venue_cancels import hurry_venue_cancels, request_venue_cancel
from app.services.advance import advance
from app.services.following.reconcile import reconcile
from tests.support.builders import BTC, ETH, a_command, fixed, must
from tests.support.exchanges.books import Position
from tests.support.exchanges.faults import Call, Fault
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY, by_hand


@pytest.fixture(params=["binance", "bybit", "poloniex"])
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.SPOT) as running:
        yield running


def reconciled(rig: VenueRig) -> Reconciliation:
    reconcile(rig.account.id, rig.ports)
    return must(rig.ports.reconciliations.get(rig.account.id))


def resting(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))


def test_what_agrees_is_nothing_to_tell(rig: VenueRig) -> None:
    resting(rig)

    found = reconciled(rig)

    assert (found.mismatches, found.foreign) == ((), ())


def test_orders_of_others_are_shown_apart_and_left_alone(rig: VenueRig) -> None:
    rig.exchange.place(rig.exchange.accounts[KEY], by_hand())

    found = reconciled(rig)

    assert [one.client_order_id for one in found.foreign] == ["by-hand-30000"]
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

    failed = must(rig.ports.reconciliations.failure(rig.account.id))
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


def stranger(rig: VenueRig) -> VenueOrderId:
    """Place an order at the exchange that this installation knows nothing of, and find it."""
    placed = rig.exchange.place(rig.exchange.accounts[KEY], by_hand())
    reconcile(rig.account.id, rig.ports)
    return VenueOrderId(str(placed.id))


def canceled(rig: VenueRig, number: VenueOrderId) -> VenueCancel:
    rig.clock.while_asleep = rig.drain
    return request_venue_cancel(rig.account, BTC, number, rig.ports)


def later(rig: VenueRig) -> VenueCancel:
    for _ in range(60):
        rig.clock.advance(1_000)
        hurry_venue_cancels(rig.ports)
        rig.drain()
    return rig.ports.venue_cancels.of(rig.account.id)[0]


def standing(rig: VenueRig) -> str:
    return rig.exchange.accounts[KEY].orders[0].status


def test_a_foreign_order_is_canceled_at_the_exchange(rig: VenueRig) -> None:
    number = stranger(rig)

    cancel = canceled(rig, number)

    assert (cancel.state, cancel.message) == (CancelState.ENDED, "it is CANCELED")
    assert standing(rig) == "CANCELED"
    assert rig.gateway.counted(Call.CANCEL) == 1
    assert reconciled(rig).foreign == ()


def test_a_foreign_order_that_fills_first_is_told_as_filled(rig: VenueRig) -> None:
    number = stranger(rig)
    rig.exchange.set_price("BTC/USDT", "30000")

    cancel = canceled(rig, number)

    assert (cancel.state, cancel.message) == (
        CancelState.ENDED,
        "it was filled before the cancel came",
    )


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR])
def test_a_cancel_without_an_answer_is_looked_up(rig: VenueRig, fault: Fault) -> None:
    number = stranger(rig)
    rig.wire.plan.plan(Call.CANCEL, fault)

    assert canceled(rig, number).state is CancelState.ENDED
    assert rig.gateway.counted(Call.CANCEL) == 1


def test_a_cancel_that_was_lost_leaves_the_order_and_is_told(rig: VenueRig) -> None:
    number = stranger(rig)
    rig.wire.plan.plan(Call.CANCEL, Fault.CUT)

    assert canceled(rig, number).state is CancelState.UNKNOWN
    cancel = later(rig)

    assert cancel.state is CancelState.STANDS
    assert standing(rig) == "NEW"
    assert rig.gateway.counted(Call.CANCEL) == 1
    assert canceled(rig, number).state is CancelState.ENDED


def test_an_exchange_that_bans_us_was_not_reached(rig: VenueRig) -> None:
    number = stranger(rig)
    rig.wire.plan.plan(Call.CANCEL, Fault.BAN)

    assert canceled(rig, number).state is CancelState.UNSENT
    assert standing(rig) == "NEW"


def test_an_exchange_that_cannot_be_asked_afterwards_is_asked_again(rig: VenueRig) -> None:
    number = stranger(rig)
    rig.wire.plan.plan(Call.FIND, Fault.ERROR, Fault.ERROR)

    assert canceled(rig, number).state is CancelState.UNKNOWN
    assert later(rig).state is CancelState.ENDED
    assert rig.gateway.counted(Call.CANCEL) == 1


def test_an_order_of_ours_that_is_closed_here_is_canceled_there(rig: VenueRig) -> None:
    resting(rig)
    order = rig.order()
    number = must(order.venue_order_id)
    report = OrderReport(status=OrderStatus.CANCELED)
    advance(order.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    (found,) = reconciled(rig).mismatches
    assert found.kind is MismatchKind.UNEXPECTED

    assert canceled(rig, number).state is CancelState.ENDED
    assert standing(rig) == "CANCELED"
    assert reconciled(rig).mismatches == ()
