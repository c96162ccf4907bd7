"""An exchange that cannot be asked by client order id: people settle what it leaves unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from urllib3.connection import HTTPConnection

from app.admin.order_outcomes import Outcome, outcome_from
from app.domain.commands import Action
from app.domain.enums import Market
from app.domain.errors import MalformedPayload, NotPermitted
from app.domain.status import OrderStatus
from app.ports.policy import RECEIVE_WINDOW_MS
from app.services.advance import advance
from app.services.placing.cancel import request_cancel
from app.services.placing.resolve import resolve_order
from tests.support.builders import NOW, REQUESTED, a_command, an_order, fixed
from tests.support.exchanges.faults import Call, Fault
from tests.support.venue_rig import VenueRig, venue_rig


@pytest.fixture
def rig() -> Iterator[VenueRig]:
    """A rig with an exchange of which this program knows no more than ccxt does."""
    with venue_rig("binanceus", Market.SPOT) as running:
        yield running


def test_a_lost_answer_waits_for_a_person_and_is_never_sent_again(rig: VenueRig) -> None:
    rig.wire.plan.plan(Call.PLACE, Fault.CUT)
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))

    rig.settle(rounds=10)
    rig.clock.advance(3_600_000)
    resolve_order(rig.order().id, rig.ports)
    rig.settle(rounds=10)

    order = rig.order()
    assert (order.status, order.needs_person) == (OrderStatus.UNKNOWN, True)
    assert order.owed() == ()
    assert rig.gateway.counted(Call.PLACE) == 1


def test_a_worker_that_was_frozen_while_it_connected_sends_nothing_late(
    rig: VenueRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = HTTPConnection.connect
    frozen: list[HTTPConnection] = []

    def connect_and_freeze(connection: HTTPConnection) -> None:
        connect(connection)
        if not frozen and [one.status for one in rig.orders()] == [OrderStatus.PLACING]:
            frozen.append(connection)
            rig.clock.advance(RECEIVE_WINDOW_MS + 1)

    monkeypatch.setattr(HTTPConnection, "connect", connect_and_freeze)
    monkeypatch.setattr(HTTPConnection, "is_connected", False)  # none is kept for later

    rig.run(a_command(Action.BUY, size=fixed("0.1")))

    assert frozen
    assert rig.gateway.counted(Call.PLACE) == 0
    assert rig.order().status is OrderStatus.PENDING_NEW
    rig.settle()
    assert rig.gateway.counted(Call.PLACE) == 1


@pytest.mark.parametrize(
    "fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR, Fault.ACCEPT_THEN_GARBAGE]
)
def test_what_arrived_without_an_answer_is_settled_by_a_person(rig: VenueRig, fault: Fault) -> None:
    rig.wire.plan.plan(Call.PLACE, fault)
    rig.run(a_command(Action.BUY, size=fixed("0.1")))
    rig.settle(rounds=10)
    unknown = rig.order()

    body = {"outcome": Outcome.FILLED, "average_price": Decimal(50_000)}
    advance(unknown.id, outcome_from(unknown, body, rig.clock.now_ms()), rig.ports)
    rig.settle()

    assert (unknown.status, unknown.needs_person) == (OrderStatus.UNKNOWN, True)
    assert rig.order().status is OrderStatus.FILLED
    assert rig.gateway.counted(Call.PLACE) == 1


def test_an_order_is_canceled_by_the_id_of_the_exchange(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))

    request_cancel(rig.order().id, REQUESTED, rig.ports)
    rig.settle()

    assert rig.order().status is OrderStatus.CANCELED


def test_what_has_an_answer_needs_nobody(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))
    rig.exchange.set_price("BTC/USDT", "40000")

    rig.poll()

    assert rig.order().status is OrderStatus.FILLED


def test_a_person_may_say_what_became_of_it() -> None:
    unknown = replace(an_order(), status=OrderStatus.UNKNOWN, needs_person=True)

    absent = outcome_from(unknown, {"outcome": Outcome.ABSENT}, NOW).report
    body = {"outcome": Outcome.FILLED, "average_price": Decimal(50_000)}
    filled = outcome_from(unknown, body, NOW).report

    assert absent.status is OrderStatus.CANCELED
    assert (filled.status, filled.filled_quantity) == (OrderStatus.FILLED, unknown.quantity)


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": Outcome.FILLED},
        {"outcome": Outcome.ABSENT, "filled_quantity": Decimal("0.1"), "average_price": Decimal(1)},
        {"outcome": Outcome.CANCELED, "filled_quantity": Decimal(99), "average_price": Decimal(1)},
        {"outcome": Outcome.OPEN},
    ],
)
def test_figures_that_do_not_fit_are_refused(body: dict[str, object]) -> None:
    unknown = replace(an_order(), status=OrderStatus.UNKNOWN)

    with pytest.raises(MalformedPayload):
        outcome_from(unknown, body, NOW)


def test_nobody_overrules_a_venue() -> None:
    with pytest.raises(NotPermitted):
        outcome_from(an_order(), {"outcome": Outcome.FILLED, "average_price": Decimal(1)}, NOW)
