"""The one door through which every kind of aggregate changes, and what parents hear."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import get_args, get_type_hints

import pytest

from app.domain.aggregate import RULES, Aggregate, decide, is_news
from app.domain.commands import Action
from app.domain.entity import Entity
from app.domain.events import (
    CancelDeferred,
    CancelRequested,
    CheckDeferred,
    ClaimRenewed,
    Event,
    OrderReported,
    OrderUpdated,
    OutcomeLost,
    PlacementClaimed,
    PlacementDeferred,
    PlacementDenied,
    ProvenAbsent,
    SmartOrderUpdated,
    StillUnknown,
    TargetsCanceled,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
)
from app.domain.request.signal import RequestStatus, Stage
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import CLOSED, IN_FLIGHT, OPEN, OrderStatus
from tests.support.builders import (
    LATER,
    NO_ANSWER,
    NOT_REACHED,
    REFUSED,
    REQUESTED,
    a_report,
    a_signal,
    a_smart_order,
    a_turn,
    an_order,
    an_order_in,
    fresh_ids,
)

IDS = fresh_ids(800)
EVENTS: list[Event] = [
    PlacementClaimed(at_ms=LATER, lease_until_ms=LATER),
    ClaimRenewed(at_ms=LATER, token=1, lease_until_ms=LATER),
    PlacementDenied(at_ms=LATER, reason=REFUSED),
    CheckDeferred(at_ms=LATER, server_ms=LATER, reason=NOT_REACHED),
    PlacementDeferred(at_ms=LATER, token=1, retry_at_ms=LATER, reason=NOT_REACHED),
    OrderReported(at_ms=LATER, report=a_report()),
    OutcomeLost(at_ms=LATER, token=1, server_ms=LATER, next_check_at_ms=LATER, reason=NO_ANSWER),
    StillUnknown(at_ms=LATER, token=1, next_check_at_ms=LATER),
    ProvenAbsent(at_ms=LATER, token=1),
    CancelRequested(at_ms=LATER, reason=REQUESTED),
    CancelDeferred(at_ms=LATER, retry_at_ms=LATER),
    TimerDue(at_ms=LATER),
    a_turn(a_signal()),
    OrderUpdated(at_ms=LATER, order=an_order_in(OrderStatus.FILLED), new_ids=IDS),
    SmartOrderUpdated(at_ms=LATER, smart_order=a_smart_order()),
    TargetsCanceled(at_ms=LATER, count=1),
    TriggerArmed(at_ms=LATER),
    TriggerDisarmed(at_ms=LATER),
    TriggerFired(at_ms=LATER, tick=1, prices={}, new_ids=IDS),
]
AGGREGATES: list[Aggregate] = [
    *(an_order_in(status) for status in OrderStatus),
    *(a_signal(status=state, stage=stage) for state, stage in product(RequestStatus, Stage)),
    *(a_signal(action) for action in Action),
    *(a_smart_order(status=state) for state in SmartOrderStatus),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_event_in_any_state_is_an_exception(event: Event) -> None:
    for aggregate in AGGREGATES:
        decision = decide(aggregate, event)

        assert decision.aggregate.id == aggregate.id
        assert type(decision.aggregate) is type(aggregate)
        if decision.ignored is not None:
            assert decision.aggregate is aggregate


def test_an_event_of_another_kind_is_ignored_with_a_reason() -> None:
    decision = decide(an_order(), TimerDue(at_ms=LATER))

    assert decision.ignored == "TimerDue means nothing to ORDER"


# News for the parent


@pytest.mark.parametrize("status", OrderStatus)
def test_a_parent_hears_of_an_order_once_its_effect_is_known(status: OrderStatus) -> None:
    order = an_order_in(status)

    assert is_news(an_order(), order) is (status in OPEN | CLOSED)
    assert is_news(None, order) is (status not in IN_FLIGHT)


def test_a_parent_hears_of_every_fill() -> None:
    before = an_order_in(OrderStatus.PARTIALLY_FILLED)

    assert is_news(before, replace(before, filled_quantity=Decimal("0.3")))
    assert not is_news(before, replace(before, cancel_requested=True))


def test_a_parent_hears_when_a_smart_order_ends_or_fills() -> None:
    waiting = a_smart_order()
    fired = replace(waiting, status=SmartOrderStatus.TRIGGERED)

    assert not is_news(None, waiting)
    assert not is_news(waiting, replace(waiting, armed=True))
    assert not is_news(waiting, fired)
    assert is_news(waiting, replace(waiting, status=SmartOrderStatus.CANCELED))
    assert is_news(fired, replace(fired, filled_quantity=Decimal("0.1")))


def test_a_signal_is_nobody_s_news() -> None:
    assert not is_news(a_signal(), a_signal(status=RequestStatus.DONE))


@pytest.mark.parametrize(
    ("kind", "event", "rule"),
    [(kind, event, rule) for kind, rules in RULES.items() for event, rule in rules.items()],
)
def test_each_rule_is_about_its_kind_and_its_event(
    kind: type[Entity], event: type[Event], rule: Callable[..., object]
) -> None:
    about, happened, _ = get_type_hints(rule).values()

    assert getattr(about, "__bound__", about) in kind.__mro__
    assert event in (get_args(happened) or {happened})
