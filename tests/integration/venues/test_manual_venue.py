"""An exchange that cannot be asked by client order id: people settle what it leaves unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.errors import MalformedPayload, NotPermitted
from app.domain.status import OrderStatus
from app.domain.words import Market
from app.ingress.order_outcomes import Outcome, report_from
from app.services.resolve import resolve_order
from app.venues.ccxt.profiles import LookUp
from tests.builders import a_command, an_order, fixed
from tests.exchanges.faults import Call, Fault
from tests.venue_rig import VenueRig, venue_rig


@pytest.fixture
def rig() -> Iterator[VenueRig]:
    """A rig whose exchange is taken for one that nobody knows."""
    with venue_rig("poloniex", Market.SPOT) as running:
        client = running.clients.exchange(running.registry.account(running.account.id))
        client.profile = replace(client.profile, look_up=LookUp.NONE)
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


def test_what_has_an_answer_needs_nobody(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.1"), limit_price=Decimal(40_000)))
    rig.exchange.set_price("BTC/USDT", "40000")

    rig.poll()

    assert rig.order().status is OrderStatus.FILLED


def test_a_person_may_say_what_became_of_it() -> None:
    unknown = replace(an_order(), status=OrderStatus.UNKNOWN, needs_person=True)

    absent = report_from(unknown, {"outcome": Outcome.ABSENT})
    filled = report_from(unknown, {"outcome": Outcome.FILLED, "average_price": Decimal(50_000)})

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
        report_from(unknown, body)


def test_nobody_overrules_a_venue() -> None:
    with pytest.raises(NotPermitted):
        report_from(an_order(), {"outcome": Outcome.FILLED, "average_price": Decimal(1)})
