"""A stop that the venue holds for the part of an entry that has filled, while the rest works."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.bracket import IDS_AT_VENUE
from app.domain.commands import Action
from app.domain.decision import Decision, EntryName
from app.domain.effects import EffectKind
from app.domain.enums import PositionSide, ReasonCode, Side
from app.domain.events import CancelRequested, OrderUpdated, PositionSeen, SmartOrderUpdated
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from tests.support.builders import LATER, REQUESTED, a_signal, a_turn, an_order, fixed, fresh_ids

BOTH = ExitRules(beyond_percent=Decimal(3))
VENUE_FIRST = replace(BOTH, venue_first=True)
PART, MORE, WHOLE = Decimal("0.2"), Decimal("0.3"), Decimal("0.5")


class Entry:
    """An entry of 0.5 at a limit, and the signal that has sent it."""

    def __init__(self, exits: ExitRules = BOTH, loss: str | None = "1900") -> None:
        signal = a_signal(
            Action.OPEN_LONG,
            size=fixed("0.5"),
            limit_price=Decimal(1990),
            take_profit=Decimal(2200),
            stop_loss=None if loss is None else Decimal(loss),
            exits=exits,
        )
        working = decide(signal, a_turn(signal))
        (order,) = working.children
        assert isinstance(order, Order)
        self.signal, self.order = working.aggregate, order
        self._ids = 500

    def fills(self, quantity: Decimal) -> Decision[Signal]:
        return self.told(status=OrderStatus.PARTIALLY_FILLED, filled_quantity=quantity)

    def ends(
        self, quantity: Decimal = PART, status: OrderStatus = OrderStatus.CANCELED
    ) -> Decision[Signal]:
        return self.told(status=status, filled_quantity=quantity)

    def told(self, **odd: object) -> Decision[Signal]:
        self.order = replace(self.order, **odd)  # type: ignore[arg-type]  # by name
        return self.hear(self.order)

    def hear(self, order: Order) -> Decision[Signal]:
        self._ids += 10
        new_ids = fresh_ids(self._ids, order.account, 6)
        return self._take(
            decide(self.signal, OrderUpdated(at_ms=LATER, order=order, new_ids=new_ids))
        )

    def hears(self, child: SmartOrder, **odd: object) -> Decision[Signal]:
        now = replace(child, **odd)  # type: ignore[arg-type]  # by name
        self._ids += 10
        new_ids = fresh_ids(self._ids, self.order.account, IDS_AT_VENUE)
        told = SmartOrderUpdated(at_ms=LATER, smart_order=now, new_ids=new_ids)
        return self._take(decide(self.signal, told))

    def sees(self, size: Decimal, at_ms: int = 0) -> Decision[Signal]:
        """Let a look show a position of this size."""
        self._ids += 10
        seen = PositionSeen(
            at_ms=EpochMs(LATER + at_ms),
            begun_ms=EpochMs(LATER + at_ms),
            size=size,
            shown_late_ms=2_000,
            new_ids=fresh_ids(self._ids, self.order.account, IDS_AT_VENUE),
        )
        return self._take(decide(self.signal, seen))

    def cancels(self) -> Decision[Signal]:
        return self._take(decide(self.signal, CancelRequested(at_ms=LATER, reason=REQUESTED)))

    def rests(self, child: SmartOrder) -> None:
        """Let the venue say that it holds a stop."""
        self.hears(child, order_status=OrderStatus.NEW)

    def asked_to_go(self) -> frozenset[AggregateId]:
        return self.signal.withdrawing & self.signal.working

    def _take(self, decision: Decision[Signal]) -> Decision[Signal]:
        self.signal = decision.aggregate
        return decision


def stops(decision: Decision[Signal]) -> list[SmartOrder]:
    """Return the stops that the venue is to hold."""
    guards = [one for one in decision.children if isinstance(one, SmartOrder)]
    return [one for one in guards if one.at_venue and one.is_stop_loss]


def ours(decision: Decision[Signal]) -> list[SmartOrder]:
    guards = [one for one in decision.children if isinstance(one, SmartOrder)]
    return [one for one in guards if not one.at_venue]


def early(entry: Entry) -> SmartOrder:
    """Let a part of it fill, and return the stop that rests for that."""
    (stop,) = stops(entry.fills(PART))
    entry.rests(stop)
    return stop


#: How a stop of the venue is whose price came: on its way, done, and done with a part.
GOING = {"status": SmartOrderStatus.TRIGGERED, "order_status": OrderStatus.PARTIALLY_FILLED}
FIRED = {
    "status": SmartOrderStatus.TRIGGERED,
    "order_status": OrderStatus.FILLED,
    "filled_quantity": PART,
}
OFF = {"status": SmartOrderStatus.CANCELED, "order_status": OrderStatus.CANCELED}


@pytest.mark.parametrize(("exits", "level"), [(BOTH, "1843"), (VENUE_FIRST, "1900")])
def test_the_venue_holds_a_stop_from_the_first_fill_on(exits: ExitRules, level: str) -> None:
    entry = Entry(exits)

    decision = entry.fills(PART)

    (stop,) = stops(decision)
    assert (stop.quantity, stop.trigger.level) == (PART, Decimal(level))
    assert [one.name for one in decision.entries] == [EntryName.PROTECTED]
    assert len(decision.children) == 2, "a stop and its order: no take-profit, none of ours"
    assert entry.signal.stage is Stage.WORKING
    assert entry.signal.guarded_leg is PositionSide.LONG
    assert not entry.signal.owed()


@pytest.mark.parametrize(("exits", "loss"), [(USUAL, "1900"), (BOTH, None)])
def test_there_is_none_where_none_would_rest(exits: ExitRules, loss: str | None) -> None:
    entry = Entry(exits, loss)

    decision = entry.fills(PART)

    assert decision.children == ()
    assert entry.signal.guarded_leg is None


def test_the_same_news_twice_and_further_fills_make_no_other() -> None:
    entry = Entry()
    early(entry)

    assert entry.fills(PART).children == ()
    assert entry.fills(MORE).children == ()


def test_it_grows_when_two_looks_agree() -> None:
    entry = Entry()
    stop = early(entry)
    entry.fills(MORE)

    assert entry.sees(MORE).children == ()
    (grown,) = stops(entry.sees(MORE))
    assert grown.quantity == MORE
    assert entry.asked_to_go() == set()
    entry.rests(grown)

    assert entry.asked_to_go() == {stop.id}
    entry.hears(stop, **OFF)
    assert entry.signal.held_at_venue == {grown.id: MORE}
    assert entry.signal.working == {entry.order.id, grown.id}


def test_what_the_whole_entry_gets_takes_its_place() -> None:
    entry = Entry()
    stop = early(entry)

    decision = entry.ends(WHOLE, OrderStatus.FILLED)

    (whole,) = stops(decision)
    assert (whole.quantity, [one.quantity for one in ours(decision)]) == (WHOLE, [WHOLE, WHOLE])
    assert entry.asked_to_go() == set()
    entry.rests(whole)
    assert entry.asked_to_go() == {stop.id}
    assert stop.id in entry.signal.beside(ours(decision)[0].id)


def test_one_that_is_as_large_as_what_was_opened_stays() -> None:
    entry = Entry()
    stop = early(entry)

    decision = entry.ends(PART)

    assert stops(decision) == []
    assert [one.quantity for one in ours(decision)] == [PART, PART]
    assert entry.signal.held_at_venue == {stop.id: PART}
    assert entry.signal.leaving == set()
    # When it fires, it has closed what the others are for.
    entry.hears(stop, **FIRED)
    assert entry.asked_to_go() == {one.id for one in ours(decision)}


def test_a_cancel_takes_off_the_entry_and_not_its_stop() -> None:
    entry = Entry()
    stop = early(entry)

    entry.cancels()

    assert entry.asked_to_go() == {entry.order.id}
    decision = entry.ends(PART)
    assert ours(decision)
    assert entry.asked_to_go() == set()
    assert entry.signal.held_at_venue == {stop.id: PART}


def test_when_it_fires_the_entry_is_taken_off_and_what_is_left_is_guarded() -> None:
    entry = Entry()
    stop = early(entry)

    entry.hears(stop, **{**GOING, "filled_quantity": Decimal("0.1")})
    assert entry.asked_to_go() == {entry.order.id}
    assert [one.kind for one in entry.signal.owed()] == [EffectKind.WITHDRAW]
    assert entry.fills(MORE).children == ()

    decision = entry.ends(MORE)

    assert [one.quantity for one in (*ours(decision), *stops(decision))] == [MORE - PART] * 3
    # Those are for what it does not close.
    assert stop.id not in entry.signal.beside(ours(decision)[0].id)
    entry.hears(stop, **FIRED)
    assert entry.asked_to_go() == set()
    assert entry.signal.is_live


@pytest.mark.parametrize("told_first", [True, False])
def test_one_that_has_closed_all_leaves_nothing_to_guard(*, told_first: bool) -> None:
    entry = Entry()
    stop = early(entry)
    entry.hears(stop, **(FIRED if told_first else GOING))

    decision = entry.ends(PART)

    assert decision.children == ()
    if not told_first:
        assert entry.signal.is_live
        entry.hears(stop, **FIRED)
    assert entry.signal.status is RequestStatus.DONE


def test_what_was_to_take_its_place_goes_when_it_has_closed_all() -> None:
    entry = Entry()
    stop = early(entry)
    entry.fills(MORE)
    entry.sees(MORE)
    (grown,) = stops(entry.sees(MORE))
    entry.hears(stop, **FIRED | {"filled_quantity": MORE})

    entry.ends(MORE)

    assert entry.asked_to_go() == {grown.id}
    entry.hears(grown, **OFF)
    assert entry.signal.status is RequestStatus.DONE


def test_what_is_told_late_after_that_is_guarded() -> None:
    entry = Entry()
    entry.hears(early(entry), **FIRED)
    entry.ends(PART)

    decision = entry.ends(MORE)

    assert [one.quantity for one in ours(decision)] == [MORE - PART] * 2
    assert entry.signal.is_protecting


def test_one_that_came_to_nothing_after_all_has_closed_nothing() -> None:
    entry = Entry()
    stop = early(entry)
    entry.hears(stop, **GOING)
    entry.hears(stop, **{**FIRED, **OFF, "filled_quantity": Decimal(0)})

    decision = entry.ends(PART)

    assert [one.quantity for one in ours(decision)] == [PART, PART]


def test_one_that_fires_after_the_end_of_the_entry_is_counted_once() -> None:
    entry = Entry()
    stop = early(entry)
    decision = entry.ends(WHOLE, OrderStatus.FILLED)
    (whole,) = stops(decision)

    entry.hears(stop, **FIRED)

    assert entry.asked_to_go() == set()
    assert entry.signal.left == WHOLE - PART
    # Another entry's share of the leg is not taken for what this one has.
    entry.rests(whole)
    entry.sees(Decimal(1))
    (fitting,) = stops(entry.sees(Decimal(1)))
    assert fitting.quantity == WHOLE - PART


def test_who_closes_the_position_takes_off_the_stop_and_not_the_entry() -> None:
    entry = Entry()
    stop = early(entry)
    close = an_order(side=Side.SELL, position_side=PositionSide.LONG, reduce_only=True)

    closed = replace(close, position_after=Decimal(0), filled_quantity=PART)
    entry.hear(replace(closed, updated_at_ms=EpochMs(LATER + 1)))

    assert entry.asked_to_go() == {stop.id}
    entry.hears(stop, **OFF)
    assert entry.signal.guarded_leg is None
    assert entry.signal.working == {entry.order.id}
    # What was closed is nothing to guard.
    (another,) = stops(entry.fills(MORE))
    assert another.quantity == MORE - PART


def test_a_close_that_is_told_after_later_fills_takes_off_nothing() -> None:
    entry = Entry()
    early(entry)
    close = an_order(side=Side.SELL, position_side=PositionSide.LONG, reduce_only=True)
    closed = replace(close, position_after=Decimal(0), filled_quantity=PART)
    closed = replace(closed, updated_at_ms=EpochMs(LATER - 1))
    decision = entry.ends(WHOLE, OrderStatus.FILLED)

    told = decide(entry.signal, OrderUpdated(at_ms=EpochMs(LATER + 5), order=closed, new_ids=()))

    assert ours(decision)
    assert told.ignored is not None


def test_a_fill_while_a_stop_is_going_has_one_when_that_is_gone() -> None:
    entry = Entry()
    stop = early(entry)
    entry.sees(Decimal(0))
    entry.sees(Decimal(0), 2_000)

    assert entry.fills(MORE).children == ()
    (another,) = stops(entry.hears(stop, **OFF))

    assert another.quantity == MORE - PART


def test_a_fill_makes_what_was_seen_gone_one_look_ago_a_position_again() -> None:
    entry = Entry()
    early(entry)
    entry.sees(Decimal(0))
    entry.fills(MORE)

    entry.sees(Decimal(0), 2_000)

    assert entry.asked_to_go() == set()


def test_an_entry_at_the_market_has_none() -> None:
    entry = Entry()
    entry.signal = replace(entry.signal, limit_price=None)

    assert entry.fills(PART).children == ()


def test_a_position_that_looks_find_gone_takes_off_the_stop_and_not_the_entry() -> None:
    entry = Entry()
    stop = early(entry)

    entry.sees(Decimal(0))
    assert entry.asked_to_go() == set()
    entry.sees(Decimal(0), 2_000)

    assert entry.asked_to_go() == {stop.id}
    entry.hears(stop, **OFF)
    # What fills then is a new position: it is not gone because the old one was.
    (another,) = stops(entry.fills(MORE))
    assert another.quantity == MORE - PART
    entry.rests(another)
    entry.sees(Decimal(0), 4_000)
    assert entry.asked_to_go() == set()


def test_one_that_was_asked_to_go_still_guards_with_the_others_until_it_is_gone() -> None:
    entry = Entry()
    stop = early(entry)
    entry.sees(Decimal(0))
    entry.sees(Decimal(0), 2_000)

    decision = entry.ends(MORE)

    assert entry.asked_to_go() == {stop.id}
    (whole,) = stops(decision)
    assert whole.quantity == MORE - PART
    entry.hears(stop, **OFF)
    assert entry.signal.working == {one.id for one in (*ours(decision), whole)}


def test_one_that_waits_here_makes_way_for_what_the_whole_entry_gets() -> None:
    entry = Entry(VENUE_FIRST)
    (stop,) = stops(entry.fills(PART))
    entry.hears(stop, at_venue=False, order_status=None)
    decision = entry.ends(WHOLE, OrderStatus.FILLED)
    (whole,) = stops(decision)

    entry.hears(whole, at_venue=False, order_status=None)

    assert entry.asked_to_go() == {stop.id}


def test_one_that_waits_here_and_fires_closes_no_more_than_its_own() -> None:
    entry = Entry(VENUE_FIRST)
    (stop,) = stops(entry.fills(PART))
    entry.hears(stop, at_venue=False, order_status=None)
    decision = entry.ends(WHOLE, OrderStatus.FILLED)

    entry.hears(stop, **FIRED, at_venue=False)

    assert entry.asked_to_go() == set()
    assert entry.signal.left == WHOLE - PART
    assert {one.id for one in ours(decision)} <= entry.signal.working


def test_one_that_waits_here_and_sells_is_not_asked_to_go() -> None:
    entry = Entry(VENUE_FIRST)
    (stop,) = stops(entry.fills(PART))
    entry.hears(stop, **GOING | {"filled_quantity": Decimal("0.1")}, at_venue=False)

    entry.ends(PART)

    assert entry.signal.working == {stop.id}
    assert entry.asked_to_go() == set()


def test_what_its_successor_was_for_stays_guarded_when_that_has_come_to_nothing() -> None:
    entry = Entry()
    stop = early(entry)
    decision = entry.ends(WHOLE, OrderStatus.FILLED)
    (whole,) = stops(decision)
    entry.hears(whole, **OFF)

    entry.hears(stop, **FIRED)

    assert entry.asked_to_go() == set()
    assert {one.id for one in ours(decision)} <= entry.signal.working


def test_ours_that_finds_all_closed_beside_it_takes_the_rest_with_it() -> None:
    entry = Entry()
    stop = early(entry)
    decision = entry.ends(WHOLE, OrderStatus.FILLED)
    (whole,) = stops(decision)
    entry.rests(whole)
    entry.hears(stop, **FIRED)
    profit, loss = ours(decision)
    closed = Reason(ReasonCode.SIBLING_FILLED, "a stop that rested at the venue closes 0.2")
    done = {"status": SmartOrderStatus.TRIGGERED, "order_status": OrderStatus.REJECTED}

    entry.hears(loss, **done, reason=closed, filled_quantity=MORE)

    assert entry.asked_to_go() == {profit.id, whole.id}


def test_one_that_somebody_took_off_is_not_made_again() -> None:
    entry = Entry()
    stop = early(entry)
    entry.hears(stop, **OFF, reason=Reason(ReasonCode.REQUESTED, "canceled at the venue"))

    assert entry.fills(MORE).children == ()
    assert entry.signal.working == {entry.order.id}
    assert len(stops(entry.ends(MORE))) == 1


def test_an_exit_that_fills_in_part_has_none() -> None:
    signal = a_signal(Action.CLOSE_LONG, size=fixed("0.5"), exits=BOTH, stop_loss=Decimal(1900))
    signal = replace(signal, limit_price=Decimal(2100))
    order = an_order(id=signal.id, parent_id=signal.id, side=Side.SELL)
    working = replace(
        signal,
        stage=Stage.WORKING,
        order_id=order.id,
        working=frozenset({order.id}),
        price_step=Decimal("0.01"),
    )
    part = replace(order, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=PART)
    new_ids = fresh_ids(500, signal.account, 6)

    told = decide(working, OrderUpdated(at_ms=LATER, order=part, new_ids=new_ids))

    assert told.children == ()
    assert told.aggregate.filled_quantity == PART
