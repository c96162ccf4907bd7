"""The paper venue behind the Venue port, over its store."""

from dataclasses import replace
from decimal import Decimal

import pytest
import redis

from app.domain.enums import PositionMode, PositionSide, ReasonCode, Side
from app.domain.errors import (
    InsufficientFunds,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AccountId, AccountName, Symbol
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.paper.domain.fault import FaultPlan, FaultWord
from app.paper.paper_venue import PaperVenue
from app.paper.store.faults import RedisPaperFaults
from tests.support.builders import BTC, ETH, SPOT, USDM, must
from tests.support.paper_world import USDT, PaperWorld

LONG = PositionSide.LONG


def outcomes(world: PaperWorld) -> list[str]:
    return [order.outcome for order in world.ledger.rows(SPOT.id)]


def test_an_account_that_nobody_opened_is_empty(world: PaperWorld) -> None:
    account = replace(
        SPOT, id=AccountId(9), name=AccountName("new"), position_mode=PositionMode.ONEWAY
    )

    view = PaperVenue(account, world.ports).view()

    assert view.position_mode is PositionMode.ONEWAY
    assert view.balances == {}


def test_a_price_that_was_set_hides_the_source(world: PaperWorld) -> None:
    world.desk.set_prices({"prices": {"ETH/USDT": None}})

    assert must(world.spot.quote(BTC)).last == Decimal(50_000)
    assert world.spot.quote(ETH) is None


def test_an_order_is_placed_and_found_again(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")

    placed = world.spot.place(order)

    assert placed.status is OrderStatus.FILLED
    assert placed.average_price == Decimal(50_000)
    assert world.spot.find(order) == placed
    assert world.available() == Decimal(5_000)
    assert world.resting() == 0


def test_an_order_sets_its_leverage_first(world: PaperWorld) -> None:
    world.price("2000", ETH)

    world.usdm.place(world.order(Side.BUY, "0.5", leg=LONG, leverage=10))

    assert world.available(USDT, USDM) == Decimal(900)


def test_a_repeat_is_refused_and_answered_with_the_first(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    first = world.spot.place(order)

    second = world.spot.place(order)

    assert second == first
    assert outcomes(world) == ["FILLED", "DUPLICATE"]
    assert world.available() == Decimal(5_000)


def test_a_repeat_of_a_resting_order_leaves_it_in_the_book(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)

    world.spot.place(order)

    assert world.resting() == 1


def test_a_refused_order_stays_in_the_ledger(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "1")

    with pytest.raises(InsufficientFunds):
        world.spot.place(order)

    assert must(world.spot.find(order)).status is OrderStatus.REJECTED
    with pytest.raises(InsufficientFunds):
        world.spot.place(order)
    assert outcomes(world) == ["REJECTED", "DUPLICATE"]


def test_a_refusal_carries_its_code(world: PaperWorld) -> None:
    world.desk.set_prices({"prices": {"BTC/USDT": None}})

    with pytest.raises(VenueRejected) as caught:
        world.spot.place(world.order(Side.BUY, "0.1"))

    assert caught.value.code is ReasonCode.NO_PRICE


def test_v9_a_canceled_order_gives_its_hold_back(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.125", "40000")
    world.spot.place(order)

    canceled = world.spot.cancel(order)

    assert canceled.status is OrderStatus.CANCELED
    assert world.available() == Decimal(10_000)
    assert world.resting() == 0


def test_a_cancel_keeps_the_reason_of_the_caller(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.125", "40000")
    world.spot.place(order)
    reason = Reason(ReasonCode.SIBLING_FILLED, "the other one filled")

    canceled = world.spot.cancel(replace(order, reason=reason))

    assert canceled.reason == reason


def test_canceling_what_is_closed_tells_how_it_ended(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    world.spot.place(order)

    assert world.spot.cancel(order).status is OrderStatus.FILLED


def test_canceling_what_never_arrived_finds_nothing(world: PaperWorld) -> None:
    with pytest.raises(NotFound):
        world.spot.cancel(world.order(Side.BUY, "0.1"))


def test_a_planned_rejection_is_definite(world: PaperWorld) -> None:
    world.desk.set_faults(SPOT, {"place": ["reject"]})
    order = world.order(Side.BUY, "0.1")

    with pytest.raises(VenueRejected):
        world.spot.place(order)

    assert outcomes(world) == ["REJECTED"]
    assert world.available() == Decimal(10_000)


def test_a_venue_may_know_nothing_of_an_order_for_a_while(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    world.spot.place(order)
    world.desk.set_faults(SPOT, {"find": ["not_found", "ok"], "place": ["not_found"]})

    assert world.spot.find(order) is None
    assert world.spot.find(order) is not None
    with pytest.raises(VenueRejected):
        world.spot.place(world.order(Side.BUY, "0.1"))


@pytest.mark.parametrize("word", ["timeout", "error"])
def test_a_look_up_without_a_good_answer_is_no_answer(world: PaperWorld, word: str) -> None:
    order = world.order(Side.BUY, "0.1")
    world.spot.place(order)
    world.desk.set_faults(SPOT, {"find": [word]})

    with pytest.raises(VenueUnavailable, match=word):
        world.spot.find(order)
    assert world.spot.find(order) is not None


@pytest.mark.parametrize(
    ("word", "error", "after"),
    [
        ("reject", VenueUnavailable, "NEW"),
        ("timeout", OutcomeUnknown, "NEW"),
        ("not_found", NotFound, "NEW"),
        ("accept_then_timeout", OutcomeUnknown, "CANCELED"),
    ],
)
def test_cancels_meet_faults_too(
    world: PaperWorld, word: str, error: type[Exception], after: str
) -> None:
    order = world.order(Side.BUY, "0.125", "40000")
    world.spot.place(order)
    world.desk.set_faults(SPOT, {"cancel": [word]})

    with pytest.raises(error):
        world.spot.cancel(order)

    assert world.row(order).outcome == after


def test_every_answer_may_be_late(world: PaperWorld) -> None:
    world.desk.set_faults(SPOT, {"place": ["timeout"], "delay_ms": 70})
    order = world.order(Side.BUY, "0.1")

    with pytest.raises(OutcomeUnknown):
        world.spot.place(order)
    world.spot.place(order)
    world.spot.find(order)

    assert world.clock.pauses == [70, 70, 70]


def test_cleared_faults_are_gone(world: PaperWorld) -> None:
    world.desk.set_faults(SPOT, {"place": ["timeout"], "delay_ms": 70})

    world.desk.clear_faults(SPOT)

    assert world.spot.place(world.order(Side.BUY, "0.1")).status is OrderStatus.FILLED
    assert world.clock.pauses == []


def test_faults_of_one_account_leave_the_others_alone(world: PaperWorld) -> None:
    world.price("2000", ETH)
    world.desk.set_faults(SPOT, {"place": ["timeout"]})

    placed = world.usdm.place(world.order(Side.BUY, "0.5", leg=LONG))

    assert placed.status is OrderStatus.FILLED


def test_an_order_in_an_unknown_symbol_is_refused(world: PaperWorld) -> None:
    order = replace(world.order(Side.BUY, "1", "1"), symbol=Symbol("DOGE/USDT"))

    with pytest.raises(VenueRejected) as caught:
        world.spot.place(order)

    assert caught.value.code is ReasonCode.UNKNOWN_INSTRUMENT
    assert world.resting() == 0


def test_rules_that_another_process_has_changed_count_at_once(
    world: PaperWorld, client: redis.Redis
) -> None:
    world.spot.place(world.order(Side.BUY, "0.01"))
    body = {"symbol": "BTC/USDT", "market": "SPOT", "price_step": "1", "quantity_step": "1"}
    PaperWorld(client).desk.set_instruments({"instruments": [body]})

    with pytest.raises(VenueRejected):
        world.spot.place(world.order(Side.BUY, "0.01"))

    assert must(world.spot.instrument(BTC)).quantity_step == 1


def test_faults_that_nobody_can_plan_do_not_come(world: PaperWorld) -> None:
    """A store on which the test profile ran may hold some."""
    refuses = FaultPlan(place=(FaultWord.REJECT, FaultWord.REJECT))
    world.ports.faults.put(SPOT.id, refuses)
    faults = RedisPaperFaults(world.client, may_come=False)
    calm = PaperVenue(SPOT, replace(world.ports, faults=faults))

    assert calm.place(world.order(Side.BUY, "0.1")).status is OrderStatus.FILLED
    with pytest.raises(VenueRejected):
        world.spot.place(world.order(Side.BUY, "0.1"))
