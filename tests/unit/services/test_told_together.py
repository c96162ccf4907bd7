"""A parent takes in how its child is with the commit that made it so."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest

from app.domain.aggregate import Aggregate, decide
from app.domain.commands import Action
from app.domain.effects import Effect, EffectKind
from app.domain.enums import PositionSide, Side
from app.domain.errors import HookfillError, StoreUnavailable, UnreadableRecord
from app.domain.events import Event, OrderReported, OrderUpdated, SmartOrderUpdated
from app.domain.identifiers import AggregateId, OrderId
from app.domain.request.signal import Stage
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from app.ports.ledger import NO_TERMS, Change, CommitConditions, Stored
from app.services import advance as advance_module
from app.services.advance import ATTEMPTS_TOGETHER, advance
from app.store.core import ledger as ledger_module
from app.store.core.ledger import RedisLedger
from app.store.core.records import record_of
from tests.support.builders import ETH, NOW, USDM_ID, a_report, a_signal, an_id, an_order_in
from tests.support.rig import Rig

FILLED = OrderReported(at_ms=NOW, report=a_report())
ENTRY, ORDER = an_id(1, USDM_ID), an_id(2, USDM_ID)


def working(rig: Rig) -> None:
    """An entry with levels, whose order is at the venue."""
    signal = a_signal(
        Action.OPEN_LONG,
        id=ENTRY,
        stage=Stage.WORKING,
        order_id=ORDER,
        working=frozenset({ORDER}),
        take_profit=Decimal(2200),
        stop_loss=Decimal(1900),
        price_step=Decimal("0.01"),
    )
    rig.put(signal)
    order = an_order_in(
        OrderStatus.PLACING,
        id=ORDER,
        parent_id=ENTRY,
        account=USDM_ID,
        symbol=ETH,
        position_side=PositionSide.LONG,
    )
    rig.put(order)


def news(rig: Rig) -> bool:
    """Whether a message tells the entry."""
    return Effect(kind=EffectKind.NEWS, target=ENTRY) in rig.publisher.published


def guards(rig: Rig) -> list[SmartOrder]:
    return [one for one in rig.smart_orders() if one.parent_id == ENTRY]


def fired(rig: Rig, guard: SmartOrder) -> AggregateId:
    """Let the price of a guard have come, and return the order that it has sent."""
    sale = an_order_in(
        OrderStatus.PLACING,
        id=an_id(9, USDM_ID),
        parent_id=guard.id,
        account=USDM_ID,
        symbol=ETH,
        side=Side.SELL,
        position_side=PositionSide.LONG,
    )
    rig.put(sale)
    sent = replace(guard, status=SmartOrderStatus.TRIGGERED, armed=False, order_id=sale.id)
    rig.ports.ledger.commit([Change(rig.ports.ledger.load(guard.id), sent)])
    return sale.id


def test_a_fill_and_its_guards_begin_with_one_commit(rig: Rig) -> None:
    working(rig)
    before = rig.ports.ledger.writes()

    advance(ORDER, FILLED, rig.ports)

    assert rig.signal(ENTRY).stage is Stage.PROTECTED
    assert len(guards(rig)) == 2
    assert rig.ports.ledger.writes() - before == 1
    assert not news(rig)
    assert rig.ports.ledger.with_news(ENTRY)[1] == {}
    arming = [one for one in rig.publisher.published if one.kind is EffectKind.ARM]
    assert {one.target for one in arming} == {one.id for one in guards(rig)}


def test_so_does_the_parent_of_the_parent(rig: Rig) -> None:
    working(rig)
    advance(ORDER, FILLED, rig.ports)
    stop = next(one for one in guards(rig) if one.is_stop_loss)
    sale = fired(rig, stop)
    before = rig.ports.ledger.writes()

    advance(sale, FILLED, rig.ports)

    assert rig.ports.ledger.writes() - before == 1
    (other,) = (one for one in guards(rig) if not one.is_stop_loss)
    assert rig.signal(ENTRY).withdrawing == {other.id}


def test_whose_position_it_has_closed_is_told_of_that_as_well(rig: Rig) -> None:
    """The end of a guard says no more than that its order has filled."""
    working(rig)
    advance(ORDER, FILLED, rig.ports)
    stop = next(one for one in guards(rig) if one.is_stop_loss)
    sale = fired(rig, stop)

    flat = OrderReported(at_ms=NOW, report=a_report(position_after=Decimal(0)))
    advance(sale, flat, rig.ports)

    assert set(rig.ports.ledger.with_news(ENTRY)[1]) == {sale, stop.id}
    assert news(rig)


class Rival(RedisLedger):
    """A ledger in which the parent changes meanwhile, a number of times."""

    races = 0

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        together = any(one.after.id == ENTRY for one in changes)
        if together and self.races:
            type(self).races -= 1
            stored = self.load(ENTRY)
            super().commit([Change(stored, stored.aggregate)])
        return super().commit(changes, terms)


@pytest.mark.parametrize("races", [1, ATTEMPTS_TOGETHER, 99])
def test_a_parent_that_changes_all_the_time_holds_up_no_answer(rig: Rig, races: int) -> None:
    working(rig)
    Rival.races = races
    ledger = Rival(rig.redis, rig.clock, lambda: "rival", 3_000)

    advance(ORDER, FILLED, replace(rig.ports, ledger=ledger))

    assert rig.order(ORDER).status is OrderStatus.FILLED
    assert news(rig) is (races >= ATTEMPTS_TOGETHER)
    Rival.races = 0
    rig.drain()
    assert len(guards(rig)) == 2


def failing(error: Exception) -> Callable[[Aggregate, Event], object]:
    def decided(aggregate: Aggregate, event: Event) -> object:
        if isinstance(event, OrderUpdated | SmartOrderUpdated):
            raise error
        return decide(aggregate, event)

    return decided


@pytest.mark.parametrize("error", [ValueError("a mistake of ours"), HookfillError("another")])
def test_a_mistake_of_the_parent_holds_up_no_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    working(rig)
    monkeypatch.setattr(advance_module, "decide", failing(error))

    advance(ORDER, FILLED, rig.ports)

    assert rig.order(ORDER).status is OrderStatus.FILLED
    monkeypatch.undo()
    assert news(rig)
    rig.drain()
    assert len(guards(rig)) == 2


class Unreadable(RedisLedger):
    """A ledger in which nobody can read the parent."""

    def load(self, aggregate_id: AggregateId) -> Stored:
        if aggregate_id == ENTRY:
            raise UnreadableRecord("of a newer release")
        return super().load(aggregate_id)


def test_a_parent_that_cannot_be_read_holds_up_no_answer(rig: Rig) -> None:
    working(rig)
    ledger = Unreadable(rig.redis, rig.clock, lambda: "old", 3_000)

    advance(ORDER, FILLED, replace(rig.ports, ledger=ledger))

    assert rig.order(ORDER).status is OrderStatus.FILLED
    assert news(rig)


def test_a_parent_that_cannot_be_written_holds_up_no_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    working(rig)
    written = record_of

    def failing_of(aggregate: Aggregate) -> str:
        if aggregate.id == ENTRY:
            raise ValueError("no record has this")
        return written(aggregate)

    monkeypatch.setattr(ledger_module, "record_of", failing_of)

    advance(ORDER, FILLED, rig.ports)

    assert rig.order(ORDER).status is OrderStatus.FILLED
    assert news(rig)


def test_an_answer_is_kept_while_no_ids_are_to_be_had_for_guards(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    working(rig)
    away = Mock(side_effect=StoreUnavailable("no ids just now"))
    monkeypatch.setattr(type(rig.ports.ids), "fresh", away)

    advance(ORDER, FILLED, rig.ports)

    assert rig.order(ORDER).status is OrderStatus.FILLED
    assert news(rig)


def test_whoever_is_to_let_one_more_go_while_one_goes_is_woken_for_that(rig: Rig) -> None:
    working(rig)
    advance(ORDER, FILLED, rig.ports)
    (stop,) = (one for one in guards(rig) if one.is_stop_loss)
    (profit,) = (one for one in guards(rig) if not one.is_stop_loss)
    going = replace(stop, id=an_id(20, USDM_ID), status=SmartOrderStatus.TRIGGERED, armed=False)
    rig.put(replace(going, order_id=OrderId(an_id(21, USDM_ID)), order_status=OrderStatus.NEW))
    stored = rig.ports.ledger.load(ENTRY)
    entry = rig.signal(ENTRY)
    busy = replace(entry, working=entry.working | {going.id}, withdrawing=frozenset({going.id}))
    rig.ports.ledger.commit([Change(stored, busy)])
    sale = fired(rig, profit)
    rig.publisher.published.clear()

    advance(sale, FILLED, rig.ports)

    assert stop.id in rig.signal(ENTRY).withdrawing
    woken = [one for one in rig.publisher.published if one.target == ENTRY]
    assert [one.kind for one in woken] == [EffectKind.WITHDRAW]


def test_a_parent_that_has_left_is_told_by_a_message(rig: Rig) -> None:
    order = an_order_in(OrderStatus.PLACING, id=ORDER, parent_id=ENTRY, account=USDM_ID)
    rig.put(order)

    advance(ORDER, FILLED, rig.ports)

    assert rig.order(ORDER).status is OrderStatus.FILLED
    assert news(rig)
