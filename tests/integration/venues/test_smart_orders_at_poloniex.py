"""Smart orders of the Poloniex dialect that rest at a simulated Poloniex: one order ever, each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import PlaceSmartOrder, SmartOrderRules
from app.domain.enums import (
    AccountState,
    Dialect,
    Market,
    PriceSource,
    ReasonCode,
    Side,
    SmartOrderType,
    TimeInForce,
)
from app.domain.errors import NotWaiting
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from app.services.following.follow import poll_stops
from app.services.following.reconcile import reconcile
from app.services.intake.replace import await_place, replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.placing.cancel import await_end, cancel_smart_order, request_cancel
from app.services.placing.switched_off import end_all_of
from tests.support.builders import BTC, must
from tests.support.exchanges.books import Order as Listed
from tests.support.exchanges.books import Why
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waits
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

S = SmartOrderStatus
NOTHING, HALF, WHOLE = Decimal(0), Decimal("0.05"), Decimal("0.1")
ASKED = Reason(ReasonCode.REQUESTED, "canceled by request")
RULES = SmartOrderRules(rest_by=frozenset({PriceSource.LAST}))
STOP = PlaceSmartOrder(
    symbol=BTC, side=Side.SELL, type=SmartOrderType.STOP, quantity=WHOLE, stop=Decimal(47_500)
)


@pytest.fixture
def rig() -> Iterator[VenueRig]:
    with venue_rig("poloniex", Market.SPOT) as running:
        running.exchange.accounts[KEY].total["BTC"] = WHOLE
        running.clients.of(running.account).instrument(BTC)
        yield running


def sender(rig: VenueRig) -> Sender:
    return Sender(
        dialect=Dialect.POLONIEX,
        origin=f"poloniex:{rig.account.id}",
        account=rig.account,
        received_at_ms=rig.clock.now_ms(),
    )


def created(rig: VenueRig, rules: SmartOrderRules = RULES, **fields: object) -> SmartOrder:
    """Create a stop of all coins at 47,500, 5 % below the price, and let workers do the rest."""
    command = replace(STOP, **fields)  # type: ignore[arg-type]  # by name
    made = accept_smart_order(command, rules, sender(rig), rig.ports)
    rig.drain()
    return rig.smart_order(made.id)


def pass_time(rig: VenueRig) -> None:
    for _ in range(3):
        rig.clock.advance(2_000)
        rig.poll()
        rig.settle(step_ms=500)


def goes_to(rig: VenueRig, price: str) -> None:
    rig.exchange.set_price(BTC, price)
    pass_time(rig)


def stops(rig: VenueRig) -> list[Listed]:
    return rig.exchange.accounts[KEY].stops


def resting(rig: VenueRig) -> list[Listed]:
    return [one for one in stops(rig) if waits(one)]


def sold(rig: VenueRig) -> Decimal:
    orders = rig.exchange.accounts[KEY].orders
    return sum((one.filled for one in orders if one.ticket.side == "SELL"), Decimal(0))


def by_hand(rig: VenueRig) -> None:
    """Take the one that rests off at the exchange, as a person does."""
    (stop,) = resting(rig)
    rig.exchange.stops.cancel(rig.exchange.accounts[KEY], stop)


def now(rig: VenueRig, one: SmartOrder) -> SmartOrder:
    return rig.smart_order(one.id)


def alerts(rig: VenueRig, one: SmartOrder) -> int:
    return rig.events(one.id).count("alert")


def is_calm(rig: VenueRig) -> bool:
    """Nothing rests, nothing is live, and nothing was sent twice."""
    is_live = any(one.is_live for one in rig.orders())
    is_live = is_live or any(one.is_live for one in rig.smart_orders())
    return not (resting(rig) or is_live or rig.exchange.repeats)


# It rests


def test_it_rests_at_the_exchange_under_an_id_of_ours(rig: VenueRig) -> None:
    smart = created(rig, caller_id="mine-1", time_in_force=TimeInForce.FOK)

    (stop,) = resting(rig)
    order = rig.order(smart.order_id)
    assert stop.ticket.client_id == order.client_order_id != "mine-1"
    assert (stop.ticket.side, stop.ticket.quantity) == ("SELL", WHOLE)
    assert (must(stop.ticket.stop).level, stop.ticket.time_in_force) == (Decimal(47_500), "FOK")
    assert (smart.status, smart.rests, smart.armed) == (S.PENDING_NEW, True, False)
    assert "armed" in rig.events(smart.id)
    assert "at the venue" in smart.sentence()
    assert rig.ports.live.waiting(rig.account.id) == [smart]


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        (SmartOrderRules(), {}),
        (replace(RULES, rest_by=frozenset({PriceSource.MARK})), {}),
        (RULES, {"side": Side.BUY, "stop": Decimal(52_500)}),
        (RULES, {"type": SmartOrderType.STOP_LIMIT, "price": Decimal(47_000)}),
    ],
)
def test_what_the_exchange_is_not_to_hold_waits_here(
    rig: VenueRig, rules: SmartOrderRules, fields: dict[str, object]
) -> None:
    smart = created(rig, rules, **fields)

    assert (smart.is_waiting, smart.armed, smart.at_venue) == (True, True, False)
    assert rig.gateway.counted(Call.PLACE) == 0


def test_it_fires_and_nothing_is_sent_from_here(rig: VenueRig) -> None:
    smart = created(rig)
    placed = rig.gateway.counted(Call.PLACE)

    goes_to(rig, "47000")

    after, order = now(rig, smart), rig.order(smart.order_id)
    assert (after.status, after.filled_quantity) == (S.TRIGGERED, WHOLE)
    assert (order.status, must(order.average_price)) == (OrderStatus.FILLED, Decimal(47_000))
    assert sum(one.quantity for one in order.fills) == WHOLE
    assert rig.gateway.counted(Call.PLACE) == placed
    assert (sold(rig), alerts(rig, smart), is_calm(rig)) == (WHOLE, 0, True)


def test_it_fires_while_nobody_is_here(rig: VenueRig) -> None:
    smart = created(rig)
    rig.publisher.waiting.clear()
    placed = rig.gateway.counted(Call.PLACE)

    rig.exchange.set_price(BTC, "47000")  # every process of ours is dead
    rig.exchange.set_price(BTC, "51000")
    rig.clock.advance(600_000)
    reconcile(rig.account.id, rig.ports)
    pass_time(rig)

    assert now(rig, smart).status is S.TRIGGERED
    assert rig.gateway.counted(Call.PLACE) == placed
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


def test_it_fires_in_part(rig: VenueRig) -> None:
    smart = created(rig)
    rig.exchange.depth.append(HALF)

    goes_to(rig, "47000")

    after = now(rig, smart)
    assert (after.status, after.filled_quantity) == (S.TRIGGERED, HALF)
    assert (sold(rig), alerts(rig, smart), is_calm(rig)) == (HALF, 1, True)


def test_a_part_that_is_seen_first_triggers_it(rig: VenueRig) -> None:
    smart = created(rig)
    rig.exchange.fill_share = Decimal("0.5")
    rig.exchange.set_price(BTC, "47000")
    poll_stops(rig.account.id, rig.ports)
    rig.drain()
    first = now(rig, smart)

    rig.exchange.fill_more(rig.exchange.accounts[KEY])
    pass_time(rig)

    assert (first.status, first.filled_quantity) == (S.TRIGGERED, HALF)
    assert now(rig, smart).filled_quantity == WHOLE
    assert rig.events(smart.id).count("triggered") == 1


def test_a_book_that_is_empty_has_triggered_it(rig: VenueRig) -> None:
    smart = created(rig)
    rig.exchange.depth.append(Decimal(0))

    goes_to(rig, "47000")

    assert now(rig, smart).status is S.TRIGGERED
    assert rig.order(smart.order_id).status is OrderStatus.CANCELED
    assert (alerts(rig, smart), sold(rig), is_calm(rig)) == (1, NOTHING, True)


def test_without_coins_at_its_price_it_has_failed(rig: VenueRig) -> None:
    smart = created(rig)
    rig.exchange.accounts[KEY].total["BTC"] = HALF

    goes_to(rig, "47000")

    after = now(rig, smart)
    assert (after.status, must(after.reason).code) == (S.FAILED, ReasonCode.VENUE_REJECTED)
    assert (alerts(rig, smart), sold(rig), is_calm(rig)) == (1, NOTHING, True)


# What the exchange does not take


@pytest.mark.parametrize("why", [Why.STOPS, Why.TICK, Why.LOT])
def test_what_the_exchange_refuses_waits_here_with_an_alert(rig: VenueRig, why: Why) -> None:
    rig.exchange.says_no.append(why)
    smart = created(rig)

    assert (smart.is_waiting, smart.armed, smart.is_only_here) == (True, True, True)
    assert alerts(rig, smart) == 1
    goes_to(rig, "47000")
    assert now(rig, smart).status is S.TRIGGERED
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


def test_a_price_that_has_come_already_sells_from_here(rig: VenueRig) -> None:
    rig.exchange.set_price(BTC, "47000")

    smart = created(rig)
    pass_time(rig)

    assert now(rig, smart).status is S.TRIGGERED
    assert (stops(rig), sold(rig), is_calm(rig)) == ([], WHOLE, True)


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR, Fault.CUT])
def test_an_answer_that_is_lost_doubles_nothing(rig: VenueRig, fault: Fault) -> None:
    rig.wire.plan.plan(Call.PLACE, fault)
    smart = created(rig)
    order = rig.order(smart.order_id)
    unknown = (order.status, smart.status, smart.is_only_here)

    rig.resolved(order)
    rests = len(resting(rig))
    goes_to(rig, "47000")

    assert unknown == (OrderStatus.UNKNOWN, S.PENDING_NEW, True)
    assert rests == 1
    assert now(rig, smart).status is S.TRIGGERED
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


@pytest.mark.parametrize("has_coins", [True, False])
def test_one_whose_answer_is_lost_may_have_fired_since(rig: VenueRig, *, has_coins: bool) -> None:
    rig.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    smart = created(rig)
    if not has_coins:
        rig.exchange.accounts[KEY].total["BTC"] = HALF
    rig.exchange.set_price(BTC, "47000")
    rig.resolved(rig.order(smart.order_id))
    pass_time(rig)

    assert now(rig, smart).status is (S.TRIGGERED if has_coins else S.FAILED)
    assert (sold(rig), is_calm(rig)) == (WHOLE if has_coins else NOTHING, True)


def test_a_repeat_at_the_exchange_is_asked_about(rig: VenueRig) -> None:
    rig.exchange.says_no.append(Why.DUPLICATE)
    smart = created(rig)
    order = rig.order(smart.order_id)

    rig.resolved(order)
    pass_time(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert now(rig, smart).rests
    assert len(resting(rig)) == 1


def test_a_halted_account_lets_it_rest_when_it_runs_again(rig: VenueRig) -> None:
    rig.state(AccountState.HALT)
    smart = created(rig)
    before = stops(rig)[:]
    rig.state(AccountState.RUN)
    pass_time(rig)

    assert before == []
    assert now(rig, smart).rests


def test_what_the_exchange_lets_go_waits_here(rig: VenueRig) -> None:
    smart = created(rig)
    stops(rig)[0] = replace(stops(rig)[0], status="EXPIRED")
    pass_time(rig)

    assert now(rig, smart).is_waiting
    assert alerts(rig, smart) == 1
    goes_to(rig, "47000")
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


# It is taken off


def cancel(rig: VenueRig, smart: SmartOrder) -> SmartOrder:
    """Cancel as the dialect does, with a worker that is there."""
    rig.clock.while_asleep = rig.drain
    after, _ = cancel_smart_order(smart.id, ASKED, rig.ports)
    return await_end(after, rig.ports)


def test_a_cancel_takes_it_off(rig: VenueRig) -> None:
    smart = created(rig)

    after = cancel(rig, smart)
    goes_to(rig, "47000")

    assert (after.status, after.reason) == (S.CANCELED, ASKED)
    assert (sold(rig), alerts(rig, smart), is_calm(rig)) == (NOTHING, 0, True)


def test_a_cancel_twice_is_one(rig: VenueRig) -> None:
    smart = created(rig)

    first, _ = cancel_smart_order(smart.id, ASKED, rig.ports)
    second, is_first = cancel_smart_order(smart.id, ASKED, rig.ports)
    rig.drain()

    assert (first.status, second.status, is_first) == (S.PENDING_CANCEL, S.PENDING_CANCEL, False)
    assert rig.gateway.counted(Call.CANCEL) == 1
    assert now(rig, smart).status is S.CANCELED


def test_a_cancel_that_comes_after_the_price_finds_it_triggered(rig: VenueRig) -> None:
    smart = created(rig)
    rig.exchange.set_price(BTC, "47000")  # and nobody here knows

    after = cancel(rig, smart)

    assert (after.status, after.filled_quantity) == (S.TRIGGERED, WHOLE)
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.CUT, Fault.ERROR])
def test_a_cancel_whose_answer_is_lost_is_asked_again(rig: VenueRig, fault: Fault) -> None:
    smart = created(rig)
    rig.wire.plan.plan(Call.CANCEL, fault)

    cancel_smart_order(smart.id, ASKED, rig.ports)
    rig.drain()
    going = now(rig, smart)
    pass_time(rig)

    assert going.status is S.PENDING_CANCEL
    assert rig.ports.live.waiting(rig.account.id) == []
    assert (now(rig, smart).status, is_calm(rig)) == (S.CANCELED, True)


def test_a_death_after_the_cancel_leaves_it_to_the_sweep(rig: VenueRig) -> None:
    smart = created(rig)
    cancel_smart_order(smart.id, ASKED, rig.ports)
    rig.publisher.waiting.clear()

    pass_time(rig)

    assert (now(rig, smart).status, is_calm(rig)) == (S.CANCELED, True)


def test_one_whose_outcome_is_unknown_is_canceled_when_it_is_known(rig: VenueRig) -> None:
    rig.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    smart = created(rig)

    cancel_smart_order(smart.id, ASKED, rig.ports)
    rig.drain()
    going = now(rig, smart)
    rig.resolved(rig.order(smart.order_id))
    pass_time(rig)

    assert going.status is S.PENDING_CANCEL
    assert (now(rig, smart).status, is_calm(rig)) == (S.CANCELED, True)


def test_one_that_was_canceled_before_it_was_sent_never_leaves(rig: VenueRig) -> None:
    made = accept_smart_order(STOP, RULES, sender(rig), rig.ports)
    cancel_smart_order(made.id, ASKED, rig.ports)
    rig.drain()

    assert (now(rig, made).status, stops(rig)) == (S.CANCELED, [])


def test_one_that_is_refused_while_it_is_canceled_does_not_wait_here(rig: VenueRig) -> None:
    rig.exchange.says_no.append(Why.STOPS)
    made = accept_smart_order(STOP, RULES, sender(rig), rig.ports)
    rig.wire.plan.on_the_way = lambda: cancel_smart_order(made.id, ASKED, rig.ports)
    rig.drain()
    rig.wire.plan.clear()
    goes_to(rig, "47000")

    assert now(rig, made).status is S.CANCELED
    assert (sold(rig), is_calm(rig)) == (NOTHING, True)


def test_who_takes_it_off_by_hand_ends_it_with_an_alert(rig: VenueRig) -> None:
    smart = created(rig)

    by_hand(rig)
    goes_to(rig, "47000")

    assert now(rig, smart).status is S.CANCELED
    assert (sold(rig), alerts(rig, smart), is_calm(rig)) == (NOTHING, 1, True)


def test_an_account_that_is_switched_off_leaves_none_there(rig: VenueRig) -> None:
    smart = created(rig)

    rig.registry.put_account(replace(rig.account, enabled=False))
    end_all_of(rig.account.id, rig.ports)
    pass_time(rig)

    assert (now(rig, smart).status, is_calm(rig)) == (S.CANCELED, True)
    assert rig.exchange.accounts[KEY].total["BTC"] == WHOLE


@pytest.mark.parametrize("is_order", [False, True])
def test_a_person_cancels_it_or_its_order_here(rig: VenueRig, *, is_order: bool) -> None:
    smart = created(rig)

    request_cancel(must(smart.order_id) if is_order else smart.id, ASKED, rig.ports)
    pass_time(rig)

    assert (now(rig, smart).status, is_calm(rig)) == (S.CANCELED, True)
    assert alerts(rig, smart) == 0


def test_one_that_is_too_old_is_taken_off(rig: VenueRig) -> None:
    smart = created(rig, replace(RULES, life_ms=60_000))

    rig.clock.advance(61_000)
    pass_time(rig)

    assert now(rig, smart).status is S.EXPIRED
    assert is_calm(rig)


# Another one takes its place


def replaced(
    rig: VenueRig, old: SmartOrder, *, proceeds: bool = False, **fields: object
) -> SmartOrder:
    command = replace(STOP, **fields)  # type: ignore[arg-type]  # by name
    made = replace_smart_order(old.id, command, RULES, sender(rig), rig.ports, proceeds=proceeds)
    rig.clock.while_asleep = rig.drain
    return await_place(made, rig.ports)


@pytest.mark.parametrize("kind", [SmartOrderType.STOP, SmartOrderType.STOP_LIMIT])
def test_the_new_one_comes_when_the_old_one_is_off(rig: VenueRig, kind: SmartOrderType) -> None:
    old = created(rig, caller_id="mine")
    new = replace_smart_order(
        old.id,
        replace(STOP, type=kind, stop=Decimal(48_000), price=Decimal(47_900), caller_id="mine"),
        RULES,
        sender(rig),
        rig.ports,
    )
    held = (now(rig, old).status, now(rig, new).is_held, len(resting(rig)))
    rig.drain()
    pass_time(rig)

    assert held == (S.PENDING_CANCEL, True, 1)
    assert now(rig, old).status is S.CANCELED
    after = now(rig, new)
    assert (after.rests, after.is_waiting) == (
        (True, False) if kind is STOP.type else (False, True)
    )
    assert len(resting(rig)) == (kind is STOP.type)
    goes_to(rig, "47950")
    assert now(rig, new).status is S.TRIGGERED
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


def test_nothing_takes_the_place_of_one_that_has_fired(rig: VenueRig) -> None:
    old = created(rig)
    rig.exchange.set_price(BTC, "47000")  # and nobody here knows
    rig.exchange.accounts[KEY].total["BTC"] = WHOLE

    with pytest.raises(NotWaiting):
        replaced(rig, old, stop=Decimal(46_000))
    goes_to(rig, "45000")

    *_, new = rig.smart_orders()
    assert (now(rig, old).status, new.status) == (S.TRIGGERED, S.REJECTED)
    assert must(new.reason).code is ReasonCode.NOT_REPLACED
    assert (sold(rig), is_calm(rig)) == (WHOLE, True)


def test_who_proceeds_has_both(rig: VenueRig) -> None:
    old = created(rig)
    rig.exchange.set_price(BTC, "47000")  # and nobody here knows
    rig.exchange.accounts[KEY].total["BTC"] = WHOLE

    new = replaced(rig, old, proceeds=True, stop=Decimal(46_000))
    rig.drain()

    assert now(rig, old).status is S.TRIGGERED
    assert now(rig, new).rests


@pytest.mark.parametrize("proceeds", [False, True])
def test_of_several_replacements_one_takes_the_place(rig: VenueRig, *, proceeds: bool) -> None:
    old = created(rig)
    held = replace_smart_order(old.id, STOP, RULES, sender(rig), rig.ports)

    for one in (old, held):
        with pytest.raises(NotWaiting):
            replace_smart_order(one.id, STOP, RULES, sender(rig), rig.ports, proceeds=proceeds)
    rig.drain()

    assert len(rig.smart_orders()) == 2
    assert len(resting(rig)) == 1


def test_one_that_is_held_is_not_replaced_and_can_be_canceled(rig: VenueRig) -> None:
    old = created(rig)
    new = replace_smart_order(old.id, STOP, RULES, sender(rig), rig.ports)

    with pytest.raises(NotWaiting):
        replace_smart_order(new.id, STOP, RULES, sender(rig), rig.ports)
    cancel_smart_order(new.id, ASKED, rig.ports)
    pass_time(rig)

    assert [one.status for one in rig.smart_orders()] == [S.CANCELED] * 2
    assert is_calm(rig)


def test_a_death_between_old_and_new_is_caught_up(rig: VenueRig) -> None:
    old = created(rig)
    new = replace_smart_order(old.id, STOP, RULES, sender(rig), rig.ports)
    rig.publisher.waiting.clear()

    pass_time(rig)

    assert now(rig, new).rests
    assert len(resting(rig)) == 1
    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED, OrderStatus.NEW]
