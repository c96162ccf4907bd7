"""Smart orders that stand alone: accepted, replaced, canceled, triggered."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from app.domain.commands import PlaceSmartOrder, SmartOrderRules
from app.domain.enums import Dialect, OrderType, ReasonCode, Side, SmartOrderType, TimeInForce
from app.domain.errors import (
    CallerIdInUse,
    HistoryUnavailable,
    InsufficientFunds,
    NotFound,
    NotWaiting,
    OutcomeUnknown,
    TooManyOpen,
)
from app.domain.identifiers import AggregateId, Symbol
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from app.domain.trigger import Offset, TriggerState
from app.history.database import Database
from app.history.sql_history import SqlHistory
from app.services.intake.replace import replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.keeping.archive import archive
from app.services.placing.cancel import cancel_smart_order
from app.services.watching.watch import HANDED_ON_MAX, LEASE_MS
from tests.support.builders import BTC, PAPER, SPOT, a_report, a_tick, must
from tests.support.fakes import ThenSilent
from tests.support.rig import POLICY, Rig, deaths, encounters

STOP = PlaceSmartOrder(
    symbol=BTC,
    side=Side.BUY,
    type=SmartOrderType.STOP_LIMIT,
    time_in_force=TimeInForce.FOK,
    quantity=Decimal("0.5"),
    price=Decimal(60_100),
    stop=Decimal(60_000),
    caller_id="mine",
)
BY_CALLER = Reason(ReasonCode.REQUESTED, "canceled by the caller")
PENDING_NEW, CANCELED = SmartOrderStatus.PENDING_NEW, SmartOrderStatus.CANCELED
TRIGGERED, FAILED = SmartOrderStatus.TRIGGERED, SmartOrderStatus.FAILED


def sender(rig: Rig) -> Sender:
    return Sender(
        dialect=Dialect.POLONIEX, origin="key", account=SPOT, received_at_ms=rig.clock.now_ms()
    )


def accept(
    rig: Rig, command: PlaceSmartOrder = STOP, rules: SmartOrderRules | None = None
) -> SmartOrder:
    return accept_smart_order(command, rules or SmartOrderRules(), sender(rig), rig.ports)


def swap(
    rig: Rig,
    old: AggregateId,
    command: PlaceSmartOrder = STOP,
    *,
    proceed: bool = False,
    rules: SmartOrderRules | None = None,
) -> SmartOrder:
    rules = rules or SmartOrderRules()
    return replace_smart_order(old, command, rules, sender(rig), rig.ports, proceeds=proceed)


def see(rig: Rig, price: str, number: int, symbol: Symbol = BTC) -> None:
    """Let a price come, without anybody looking at it yet."""
    tick = a_tick(number, symbol, price)
    rig.feed.ticks.append(tick)
    rig.feed.seen[symbol] = tick
    rig.venue.quotes[symbol] = tick.quotes[symbol]


def meet(rig: Rig, price: str, number: int) -> None:
    """Let a price come and everything happen that follows from it."""
    see(rig, price, number)
    rig.watch_and_work()


def armed(rig: Rig, command: PlaceSmartOrder = STOP, price: str = "59000") -> SmartOrder:
    see(rig, price, 1)
    rig.watch_and_work()
    made = accept(rig, command)
    rig.drain()
    return made


# Accepting


class Away(Database):
    """A database that does not answer."""

    def _make_ready(self) -> None:
        raise HistoryUnavailable("away")


def test_it_is_stored_before_anybody_is_told_and_then_armed(rig: Rig) -> None:
    made = accept(rig)
    stored = rig.smart_order(made.id)
    rig.drain()

    assert stored == made
    assert (made.status, made.created_at_ms) == (PENDING_NEW, rig.clock.now_ms())
    assert rig.smart_order(made.id).armed
    assert rig.events(made.id) == ["received", "validated", "armed"]
    assert rig.ports.book.standing(made.trigger) == TriggerState(level=Decimal(60_000))
    assert rig.venue.sent == []


def test_a_caller_id_is_taken_until_it_has_ended_without_trading(rig: Rig) -> None:
    first = accept(rig)
    with pytest.raises(CallerIdInUse):
        accept(rig)
    cancel_smart_order(first.id, BY_CALLER, rig.ports)
    accept(rig)

    assert len(rig.smart_orders()) == 2


def test_a_caller_id_that_has_traded_is_taken_for_good(rig: Rig) -> None:
    first = armed(rig)
    meet(rig, "60000", 2)

    assert rig.smart_order(first.id).is_filled
    with pytest.raises(CallerIdInUse):
        accept(rig)


def _left(rig: Rig) -> None:
    """Let everything leave the store that has ended."""
    for _ in range(2):  # it is kept first, and leaves later
        archive(rig.ports)
        rig.clock.advance(POLICY.history_after_ms + 1)
    archive(rig.ports)
    assert list(rig.redis.scan_iter("*:aggregate:*")) == []


def test_a_caller_id_that_has_traded_is_taken_when_its_order_has_left(rig: Rig) -> None:
    armed(rig)
    meet(rig, "60000", 2)
    _left(rig)

    assert list(rig.redis.scan_iter("*:smart_callers:*")) == []
    with pytest.raises(CallerIdInUse):
        accept(rig)
    with pytest.raises(CallerIdInUse):
        swap(rig, accept(rig, replace(STOP, caller_id="another")).id)
    accept_smart_order(STOP, SmartOrderRules(), replace(sender(rig), origin="other"), rig.ports)


def test_a_caller_id_leaves_with_its_order_and_not_with_an_older_one(rig: Rig) -> None:
    cancel_smart_order(accept(rig).id, BY_CALLER, rig.ports)
    rig.drain()
    archive(rig.ports)
    second = accept(rig)
    rig.clock.advance(POLICY.history_after_ms + 1)
    archive(rig.ports)

    (key,) = rig.redis.scan_iter("*:smart_callers:*")
    assert rig.redis.hgetall(key) == {"mine": str(second.id)}


def test_without_the_history_nobody_can_tell_whether_a_caller_id_has_traded(rig: Rig) -> None:
    rig.ports = replace(rig.ports, history=SqlHistory(Away("sqlite://")))

    with pytest.raises(HistoryUnavailable):
        accept(rig)
    accept(rig, replace(STOP, caller_id=None))


def test_a_caller_id_is_free_again_when_its_order_could_not_be_placed(rig: Rig) -> None:
    armed(rig, replace(STOP, quantity=Decimal(5)))
    rig.venue.place_script.append(InsufficientFunds("lacks 200500 USDT"))
    meet(rig, "60000", 2)
    accept(rig)

    assert [one.status for one in rig.smart_orders()] == [FAILED, PENDING_NEW]


def test_only_so_many_may_wait(rig: Rig) -> None:
    rules = SmartOrderRules(open_max=2)
    kept = [accept(rig, replace(STOP, caller_id=None), rules) for _ in range(2)]
    with pytest.raises(TooManyOpen):
        accept(rig, replace(STOP, caller_id=None), rules)
    cancel_smart_order(kept[0].id, BY_CALLER, rig.ports)
    accept(rig, replace(STOP, caller_id=None), rules)

    assert len(rig.smart_orders()) == 3


def test_a_symbol_that_is_traded_no_more_rejects_it(rig: Rig) -> None:
    made = accept(rig)
    rig.venue.instruments.clear()
    rig.settle()

    rejected = rig.smart_order(made.id)
    assert rejected.status is SmartOrderStatus.REJECTED
    assert must(rejected.reason).code is ReasonCode.UNKNOWN_INSTRUMENT
    assert rig.ports.outbox.owed() == []


def test_one_with_a_life_expires_and_leaves_the_book(rig: Rig) -> None:
    made = accept(rig, rules=SmartOrderRules(life_ms=60_000))
    rig.drain()

    rig.settle()

    assert rig.smart_order(made.id).status is SmartOrderStatus.EXPIRED
    assert list(rig.ports.book.symbols(PAPER)) == []


# Triggering


def test_it_waits_for_its_price_and_places_one_order(rig: Rig) -> None:
    made = armed(rig)
    meet(rig, "59999.99", 2)
    before = rig.smart_order(made.id).status
    meet(rig, "60000", 3)
    meet(rig, "61000", 4)

    order = rig.order()
    assert (before, rig.smart_order(made.id).status) == (PENDING_NEW, TRIGGERED)
    assert (order.type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.FOK)
    assert (order.price, order.quantity) == (Decimal(60_100), Decimal("0.5"))
    assert (order.status, order.caller_id) == (OrderStatus.FILLED, "mine")


def test_a_condition_that_holds_already_fires_at_once(rig: Rig) -> None:
    see(rig, "60000", 1)
    rig.watch_and_work()

    made = accept(rig, replace(STOP, stop=Decimal(58_000)))
    rig.drain()

    assert rig.smart_order(made.id).status is TRIGGERED
    assert rig.ports.book.fired(PAPER) == []


def test_prices_from_before_it_came_do_not_count(rig: Rig) -> None:
    """Two prices are queued when it comes, and the newer is the one it sees."""
    see(rig, "70000", 1)
    see(rig, "59000", 2)
    made = accept(rig)
    rig.drain()
    rig.watch_and_work()
    before = rig.smart_order(made.id).status
    meet(rig, "60000", 3)

    assert (before, rig.smart_order(made.id).status) == (PENDING_NEW, TRIGGERED)


def test_without_a_price_nothing_happens_until_one_comes(rig: Rig) -> None:
    made = accept(rig)
    rig.drain()
    meet(rig, "59000", 1)
    before = rig.smart_order(made.id).status
    meet(rig, "60000", 2)

    assert (before, rig.smart_order(made.id).status) == (PENDING_NEW, TRIGGERED)


def test_a_trailing_one_follows_the_price_and_places_at_the_tick(rig: Rig) -> None:
    command = PlaceSmartOrder(
        symbol=BTC,
        side=Side.SELL,
        type=SmartOrderType.TRAILING_STOP_LIMIT,
        quantity=Decimal("0.5"),
        trail=Offset(Decimal(500)),
        limit_offset=Offset(Decimal("0.5"), is_percent=True),
    )
    made = armed(rig, command, "60000")
    meet(rig, "61000", 2)
    standing = rig.ports.book.standing(made.trigger)
    meet(rig, "60450", 3)

    assert standing == TriggerState(extreme=Decimal(61_000), level=Decimal(60_500))
    assert rig.order().price == Decimal("60147.75")


def test_the_earlier_one_gets_the_funds(rig: Rig) -> None:
    see(rig, "59000", 1)
    rig.watch_and_work()
    first, second = (accept(rig, replace(STOP, caller_id=None)) for _ in range(2))
    rig.drain()
    short = InsufficientFunds("lacks 60000 USDT")
    rig.venue.place_script.extend([a_report(OrderStatus.FILLED), short])

    meet(rig, "60000", 2)

    assert [rig.smart_order(one.id).status for one in (first, second)] == [TRIGGERED, FAILED]
    failed = rig.smart_order(second.id)
    assert must(failed.reason).code is ReasonCode.INSUFFICIENT_FUNDS
    assert len(rig.venue.ledger) == 1


def test_however_many_fire_they_are_placed_in_order(rig: Rig) -> None:
    see(rig, "59000", 1)
    rig.watch_and_work()
    command = replace(STOP, caller_id=None, quantity=Decimal("0.01"))
    made = [accept(rig, command) for _ in range(2 * HANDED_ON_MAX + 1)]
    rig.drain()

    meet(rig, "60000", 2)

    assert [order.parent_id for order in rig.venue.sent] == [one.id for one in made]
    assert rig.ports.book.fired(PAPER) == []


def test_an_order_that_rests_is_its_own_master(rig: Rig) -> None:
    made = armed(rig, replace(STOP, time_in_force=TimeInForce.GTC))
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    meet(rig, "60000", 2)

    after, is_canceled = cancel_smart_order(made.id, BY_CALLER, rig.ports)
    rig.drain()

    assert not is_canceled
    assert after.status is TRIGGERED
    assert rig.order().status is OrderStatus.NEW


# Replacing


def test_the_old_one_ends_with_the_commit_that_brings_the_new_one(rig: Rig) -> None:
    old = armed(rig)
    new = swap(rig, old.id, replace(STOP, price=Decimal(60_200)))
    rig.drain()

    ended = rig.smart_order(old.id)
    assert (ended.status, rig.smart_order(new.id).status) == (CANCELED, PENDING_NEW)
    assert must(ended.reason).code is ReasonCode.REPLACED
    assert rig.ports.book.standing(old.trigger) is None
    assert rig.smart_order(new.id).armed


def test_a_replacement_takes_the_place_of_the_old_one(rig: Rig) -> None:
    rules = SmartOrderRules(open_max=1)
    old = accept(rig, rules=rules)

    new = swap(rig, old.id, rules=rules)

    assert [one.id for one in rig.ports.live.waiting(SPOT.id)] == [new.id]
    with pytest.raises(TooManyOpen):
        accept(rig, replace(STOP, caller_id=None), rules)


def test_what_has_triggered_is_not_replaced_unless_asked_for(rig: Rig) -> None:
    old = armed(rig)
    meet(rig, "60000", 2)
    other = replace(STOP, caller_id="other")

    with pytest.raises(NotWaiting):
        swap(rig, old.id, other)
    alone = rig.smart_orders()
    new = swap(rig, old.id, other, proceed=True)

    assert [one.id for one in alone] == [old.id]
    assert rig.smart_order(new.id).status is PENDING_NEW
    assert rig.smart_order(old.id).status is TRIGGERED


def test_there_must_be_something_to_replace(rig: Rig) -> None:
    with pytest.raises(NotFound):
        swap(rig, AggregateId(1), proceed=True)


def test_a_new_trail_begins_anew(rig: Rig) -> None:
    trailing = PlaceSmartOrder(
        symbol=BTC,
        side=Side.SELL,
        type=SmartOrderType.TRAILING_STOP,
        quantity=Decimal("0.5"),
        trail=Offset(Decimal(500)),
    )
    old = armed(rig, trailing, "60000")
    meet(rig, "62000", 2)
    meet(rig, "61800", 3)
    new = swap(rig, old.id, trailing)
    rig.drain()

    assert must(rig.ports.book.standing(new.trigger)).extreme == Decimal(61_800)


# Canceling


def test_those_that_wait_are_canceled_once_each(rig: Rig) -> None:
    made = [accept(rig, replace(STOP, caller_id=name)).id for name in ("a", "b")]

    def cancel() -> list[AggregateId]:
        found = [one.id for one in rig.ports.live.waiting(SPOT.id)]
        assert all(cancel_smart_order(one, BY_CALLER, rig.ports)[1] for one in found)
        return found

    assert sorted(cancel()) == made
    assert cancel() == []


def test_the_protection_of_a_position_is_not_among_them(rig: Rig) -> None:
    made = accept(rig)
    guard = replace(made, id=AggregateId(made.id + 16), parent_id=made.id, caller_id=None)
    rig.put(guard)

    waiting = rig.ports.live.waiting(SPOT.id)

    assert [one.id for one in waiting] == [made.id]


def test_a_cancel_twice_tells_what_came_first(rig: Rig) -> None:
    made = armed(rig)

    outcomes = [cancel_smart_order(made.id, BY_CALLER, rig.ports) for _ in range(2)]

    assert [is_canceled for _, is_canceled in outcomes] == [True, False]
    assert outcomes[1][0].status is CANCELED


# Deaths and races


def accepted_at(price: str) -> Rig:
    """A rig that has taken one in when the price was this, and done nothing about it."""
    rig = Rig()
    see(rig, price, 1)
    rig.watch_and_work()
    accept(rig)
    return rig


def about_to_fire() -> Rig:
    rig = Rig()
    armed(rig)
    see(rig, "60000", 2)
    return rig


def finish(rig: Rig) -> None:
    rig.clock.advance(LEASE_MS + 1)
    rig.watch_and_work()
    rig.settle()


def assert_one_order_or_none(rig: Rig) -> None:
    """It has triggered with one order, or was canceled with none; and nothing is left over."""
    one = rig.smart_order()
    expected = 1 if one.status is TRIGGERED else 0
    assert one.status in {TRIGGERED, CANCELED}
    assert [order.parent_id for order in rig.orders()] == [one.id] * expected
    assert len(rig.venue.ledger) == expected
    assert rig.venue.repeats == []
    assert rig.ports.book.fired(PAPER) == []
    assert list(rig.ports.book.symbols(PAPER)) == []
    assert rig.ports.outbox.owed() == []


def test_whoever_dies_between_firing_and_placing_leaves_one_order() -> None:
    for rig in deaths(about_to_fire, Rig.watch_and_work):
        finish(rig)

        assert rig.smart_order().status is TRIGGERED
        assert_one_order_or_none(rig)


def test_whoever_dies_while_it_is_armed_leaves_it_armed() -> None:
    for rig in deaths(partial(accepted_at, "59000"), Rig.drain):
        rig.settle()
        assert rig.smart_order().armed
        meet(rig, "60000", 2)
        finish(rig)

        assert rig.smart_order().status is TRIGGERED
        assert_one_order_or_none(rig)


def test_whoever_dies_while_it_fires_at_once_leaves_one_order() -> None:
    for rig in deaths(partial(accepted_at, "60000"), Rig.drain):
        rig.settle()
        finish(rig)

        assert rig.smart_order().status is TRIGGERED
        assert_one_order_or_none(rig)


def cancel_it(rig: Rig) -> None:
    cancel_smart_order(rig.smart_order().id, BY_CALLER, rig.ports)


def swap_it(rig: Rig) -> None:
    swap(rig, rig.smart_order().id, replace(STOP, stop=Decimal(99_000), caller_id="new"))


def advance_and_watch(rig: Rig) -> None:
    rig.clock.advance(LEASE_MS + 1)
    rig.watch_and_work()


@pytest.mark.parametrize(
    ("act", "meanwhile"),
    [
        (Rig.watch_and_work, cancel_it),
        (cancel_it, Rig.watch_and_work),
        (Rig.watch_and_work, Rig.watch_and_work),
        (Rig.watch_and_work, advance_and_watch),
    ],
)
def test_of_the_price_and_a_cancel_exactly_one_wins(
    act: Callable[[Rig], None], meanwhile: Callable[[Rig], None]
) -> None:
    for rig in encounters(about_to_fire, act, meanwhile):
        finish(rig)

        assert_one_order_or_none(rig)


def test_of_the_price_and_a_replacement_exactly_one_wins() -> None:
    outcomes = set()

    def replace_it(rig: Rig) -> None:
        try:
            swap_it(rig)
        except NotWaiting:
            outcomes.add("late")
        else:
            outcomes.add("replaced")

    for rig in encounters(about_to_fire, Rig.watch_and_work, replace_it):
        finish(rig)

        states = [one.status for one in rig.smart_orders()]
        assert states in ([TRIGGERED], [CANCELED, PENDING_NEW])
        assert len(rig.orders()) == states.count(TRIGGERED) == len(rig.venue.ledger)
    assert outcomes == {"late", "replaced"}


def test_whoever_dies_in_a_replacement_leaves_the_old_one_or_the_new_one() -> None:
    def waiting() -> Rig:
        rig = accepted_at("59000")
        rig.drain()
        return rig

    for rig in deaths(waiting, swap_it):
        rig.settle()

        states = [one.status for one in rig.smart_orders()]
        assert states in ([PENDING_NEW], [CANCELED, PENDING_NEW])
        assert all(one.armed is (one.status is PENDING_NEW) for one in rig.smart_orders())
        assert rig.ports.outbox.owed() == []


def test_a_lost_answer_leaves_it_triggered_until_the_order_is_found() -> None:
    rig = about_to_fire()
    lost = ThenSilent(a_report(OrderStatus.NEW), OutcomeUnknown("the answer was lost"))
    rig.venue.place_script.append(lost)

    rig.watch_and_work()
    unknown = rig.smart_order().status, rig.order().status
    rig.settle()

    assert unknown == (TRIGGERED, OrderStatus.UNKNOWN)
    assert (rig.smart_order().status, rig.order().status) == (TRIGGERED, OrderStatus.NEW)
    assert rig.venue.repeats == []
