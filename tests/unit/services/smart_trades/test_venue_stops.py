"""The stop of a trade that rests at its venue beside ours: it makes way, and comes back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.decision import EntryName
from app.domain.enums import ReasonCode, Side
from app.domain.errors import UnreadableRecord
from app.domain.events import CancelRequested, OrderReported, OrderUpdated, PauseOver
from app.domain.exits import ExitRules
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.smart_trade.enums import (
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.spec import NewTrade, TradeUpdate
from app.domain.smart_trade.venue_stop import REPLACED_MS
from app.domain.smart_trade.watch import WatchKind
from app.domain.status import OrderStatus
from app.paper.domain.fault import FaultPlan, FaultWord
from app.services.advance import advance
from app.services.placing.cancel import request_cancel
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from app.services.watching.watch import watch_prices
from app.store.core import records
from tests.support.builders import PAPER, SPOT
from tests.support.rig import deaths
from tests.support.trade_rig import (
    TradeRig,
    a_sale,
    a_trade,
    classic,
    entry,
    planned,
    steps,
    stop,
)

BOTH = ExitRules(beyond_percent=Decimal(3))
FIRST = replace(BOTH, venue_first=True)
HALVES = steps(("50", "105"), ("50", "110"))
LAST = stop("95", source="last")


@pytest.fixture
def rig() -> TradeRig:
    return TradeRig(price="99.9/100/100")


def bought(**exits: object) -> NewTrade:
    return a_trade(TradeType.CLASSIC, "2", entry=entry(), **exits)


def guarded(rig: TradeRig, rules: ExitRules = BOTH) -> AggregateId:
    """Buy 2 at 100, with a stop at 95 and two profits, so that the venue holds one at 92.15."""
    return rig.open(bought(**HALVES, **stop("95")), rules).id


def resting(rig: TradeRig) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and level of every stop that rests."""
    return [(one.quantity, one.condition.level) for one in rig.resting() if one.condition]


def only(rig: TradeRig) -> Order:
    (found,) = [one for one in rig.resting() if one.condition]
    return found


def sold(rig: TradeRig) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and price of each sale."""
    return [(size, price) for side, _, size, price in rig.fills() if side is Side.SELL]


def status(rig: TradeRig, trade_id: AggregateId) -> TradeStatus:
    return rig.trade(trade_id).status


def faults(
    rig: TradeRig,
    place: tuple[FaultWord, ...] = (),
    cancel: tuple[FaultWord, ...] = (),
    find: tuple[FaultWord, ...] = (),
) -> None:
    rig.world.ports.faults.put(SPOT.id, FaultPlan(place=place, cancel=cancel, find=find))


def moved_to(price: str, **more: object) -> TradeUpdate:
    return TradeUpdate(
        take_profit_enabled=True,
        stop_loss_enabled=True,
        stop_loss_price=Decimal(price),
        **more,  # type: ignore[arg-type]
    )


def told(rig: TradeRig, order: Order, state: OrderStatus, filled: str = "0") -> None:
    """Let the venue tell of an order, whatever became of it there."""
    report = OrderReport(
        status=state,
        filled_quantity=Decimal(filled),
        average_price=Decimal(92) if Decimal(filled) else None,
        reason=Reason(ReasonCode.TIME_IN_FORCE, "it is so") if Decimal(filled) else None,
    )
    advance(order.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    rig.drain()


# It rests


def test_it_rests_beyond_ours_as_soon_as_all_is_bought(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]
    trade = rig.trade(trade_id)
    assert (trade.status, trade.is_only_here) == (TradeStatus.BOUGHT, False)
    assert [one.status for one in trade.steps_of(StepKind.STOP_LOSS)] == [StepStatus.IDLE]
    assert rig.held(trade_id) == ["profit-2", "profit-3", "stop-1"]


def test_ours_fires_and_takes_it_off_first(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    rig.tick("94.9/95/100")

    assert (sold(rig), rig.resting()) == ([(Decimal(2), Decimal("94.9"))], [])
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


def test_ours_at_a_limit_takes_it_off_first(rig: TradeRig) -> None:
    rig.open(bought(**HALVES, **stop("95", limit="98")), BOTH)

    rig.tick("94.9/95/100")

    assert [(one.quantity, one.price) for one in rig.resting()] == [(Decimal(2), Decimal(98))]


def test_a_price_that_leaps_over_both_sells_once(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    rig.tick("90")

    assert (sold(rig), rig.resting()) == ([(Decimal(2), Decimal(90))], [])
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


def test_its_fill_ends_the_trade_as_if_ours_had_fired(rig: TradeRig) -> None:
    here, there = guarded(rig, ExitRules()), guarded(rig)
    rig.statuses.clear()

    rig.tick("90")

    assert rig.statuses[here][-1] == rig.statuses[there][-1] == "stop_loss_finished"
    ends = [
        [(one.kind, one.status, one.quantity) for one in rig.trade(which).steps]
        for which in (here, there)
    ]
    assert ends[0] == ends[1]
    assert EntryName.TRIGGERED in rig.events(there)


def test_what_it_does_not_fill_goes_at_the_market(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    told(rig, only(rig), OrderStatus.CANCELED, "0.5")

    assert sold(rig)[-1] == (Decimal("1.5"), Decimal("99.9"))
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


def test_one_that_fills_in_part_and_hangs_is_taken_off(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    told(rig, only(rig), OrderStatus.PARTIALLY_FILLED, "0.5")

    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED
    assert sold(rig)[-1] == (Decimal("1.5"), Decimal("99.9"))


# It makes way, and comes back


def test_it_makes_way_for_a_profit_and_comes_back_for_the_rest(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    rig.tick("105")

    assert sold(rig) == [(Decimal(1), Decimal(105))]
    assert resting(rig) == [(Decimal(1), Decimal("92.15"))]
    assert status(rig, trade_id) is TradeStatus.BOUGHT
    rig.tick("110")
    assert (status(rig, trade_id), rig.resting()) == (TradeStatus.TAKE_PROFIT_FINISHED, [])
    assert EntryName.ALERT not in rig.events(trade_id)


def test_while_a_limit_profit_is_at_work_none_rests(rig: TradeRig) -> None:
    exits = steps(("50", "105"), ("50", "110"), limit=True)
    trade_id = rig.open(bought(**exits, **stop("95")), BOTH).id
    rig.set_price("105/106")
    while watch_prices(PAPER, rig.ports):
        pass
    rig.set_price("104/105")  # its price has gone before it arrives
    rig.drain()

    assert resting(rig) == []
    trade = rig.trade(trade_id)
    assert trade.status is TradeStatus.TAKE_PROFIT_ORDER_PLACED
    assert trade.is_only_here
    rig.tick("105/106")
    assert resting(rig) == [(Decimal(1), Decimal("92.15"))]


def test_while_a_profit_pauses_none_rests(rig: TradeRig) -> None:
    faults(rig, place=(FaultWord.OK, FaultWord.OK, *(FaultWord.REJECT,) * 3))
    trade_id = guarded(rig)

    rig.tick("105")
    assert (rig.resting(), rig.trade(trade_id).is_only_here) == ([], True)
    rig.settle()

    assert sold(rig) == [(Decimal(1), Decimal(105))]
    assert resting(rig) == [(Decimal(1), Decimal("92.15"))]


def test_a_panic_waits_for_its_fate(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    faults(rig, cancel=(FaultWord.ERROR,) * 2)

    panic_sell(trade_id, rig.ports)
    rig.drain()
    assert (sold(rig), len(resting(rig))) == ([], 1)
    rig.settle(step_ms=1_000)

    assert sold(rig) == [(Decimal(2), Decimal("99.9"))]
    assert status(rig, trade_id) is TradeStatus.PANIC_SELL_FINISHED


def test_one_step_is_sold_in_a_panic_and_it_rests_for_the_other(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    panic_sell_step(trade_id, rig.trade(trade_id).steps_of(StepKind.TAKE_PROFIT)[0].id, rig.ports)
    rig.drain()

    assert sold(rig) == [(Decimal(1), Decimal("99.9"))]
    assert resting(rig) == [(Decimal(1), Decimal("92.15"))]


def test_it_goes_with_the_trade(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    cancel_trade(trade_id, rig.ports)
    rig.drain()

    assert (rig.resting(), sold(rig)) == ([], [])
    trade = rig.trade(trade_id)
    assert (trade.status, trade.is_live) == (TradeStatus.CANCELLED, False)
    assert {one.status for one in trade.steps_of(StepKind.STOP_LOSS)} == {StepStatus.CANCELLED}
    assert trade.stop_loss is not None


def test_it_goes_with_its_step(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    cancel_step(trade_id, rig.trade(trade_id).steps_of(StepKind.STOP_LOSS)[0].id, rig.ports)
    rig.drain()

    assert (rig.resting(), status(rig, trade_id)) == ([], TradeStatus.BOUGHT)
    assert not rig.trade(trade_id).is_only_here


def test_one_that_is_moved_is_replaced_at_once(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    update_trade(trade_id, moved_to("90"), rig.ports)
    rig.drain()

    assert resting(rig) == [(Decimal(2), Decimal("87.3"))]


def test_one_that_is_switched_off_goes(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    update = TradeUpdate(take_profit_enabled=True, stop_loss_enabled=False)
    update_trade(trade_id, update, rig.ports)
    rig.drain()

    assert (rig.resting(), rig.trade(trade_id).is_only_here) == ([], False)


def test_other_profits_leave_it_alone(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    before = only(rig)

    plan = {**planned((1, "100", "120")), "take_profit_type": TakeProfitType.STEP_SELL}
    update_trade(trade_id, moved_to("95", **plan), rig.ports)
    rig.drain()

    assert only(rig).id == before.id


def test_added_funds_are_covered_a_little_later(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    add_funds(trade_id, Decimal(1), None, rig.ports)
    rig.drain()
    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]
    rig.settle()

    assert resting(rig) == [(Decimal(3), Decimal("92.15"))]
    rig.tick("90")
    assert sold(rig) == [(Decimal(3), Decimal(90))]


def test_one_that_was_to_be_replaced_comes_back_at_once_after_a_profit(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    add_funds(trade_id, Decimal(1), None, rig.ports)
    rig.drain()
    assert rig.trade(trade_id).resumes_at_ms is not None

    rig.tick("105")

    assert resting(rig) == [(Decimal("1.5"), Decimal("92.15"))]


def test_nothing_is_owed_after_the_end(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    add_funds(trade_id, Decimal(1), None, rig.ports)
    rig.drain()

    cancel_trade(trade_id, rig.ports)
    rig.drain()

    assert rig.trade(trade_id).owed() == ()


@pytest.mark.parametrize("is_set_back", [False, True])
def test_what_is_to_wait_waits_once_whatever_the_clock_is_set_to(
    rig: TradeRig, *, is_set_back: bool
) -> None:
    trade_id = guarded(rig)
    add_funds(trade_id, Decimal(1), None, rig.ports)
    rig.drain()
    at_ms = rig.clock.now_ms() - (3_600_000 if is_set_back else 0)

    ids = rig.ports.ids.fresh(SPOT.id, 10)
    advance(trade_id, PauseOver(at_ms=type(rig.clock.now_ms())(at_ms), new_ids=ids), rig.ports)
    rig.drain()

    assert resting(rig) == [(Decimal(3), Decimal("92.15"))]
    assert rig.trade(trade_id).resumes_at_ms is None


def test_a_trailing_one_is_followed_once_in_a_while(rig: TradeRig) -> None:
    trade_id = rig.open(bought(**stop("95", trailing=True)), BOTH).id
    rig.tick("100")  # from here on it trails
    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]

    rig.tick("102")
    rig.tick("104")
    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]
    assert not [one for one in rig.held(trade_id) if one.startswith(WatchKind.FOLLOW)]
    rig.clock.advance(REPLACED_MS)
    rig.settle(1, 0)
    rig.tick("104")
    rig.clock.advance(REPLACED_MS)
    rig.settle(1, 0)

    ((_, level),) = resting(rig)
    assert level == Decimal("95.836")  # 3 % below 104 less 5 %
    rig.tick("98.7")
    assert rig.events(trade_id)[-1] == "closed"
    assert sold(rig) == [(Decimal(2), Decimal("98.7"))]  # ours is exact


def test_while_a_timeout_runs_it_rests(rig: TradeRig) -> None:
    trade_id = rig.open(bought(**stop("95", timeout=60)), BOTH).id

    rig.tick("94")
    assert (rig.trade(trade_id).stop_hit, len(resting(rig))) == (True, 1)
    rig.tick("92")

    assert sold(rig) == [(Decimal(2), Decimal(92))]
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


# Who goes first


def test_that_of_the_venue_goes_first_and_ours_lies_beyond(rig: TradeRig) -> None:
    trade_id = rig.open(bought(**HALVES, **LAST), FIRST).id
    assert resting(rig) == [(Decimal(2), Decimal(95))]
    assert ours(rig, trade_id) == [Decimal("92.15")]

    rig.tick("94.8/95/95")

    assert sold(rig) == [(Decimal(2), Decimal("94.8"))]
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


def ours(rig: TradeRig, trade_id: AggregateId) -> list[Decimal | None]:
    """Return the fixed price at which ours fires."""
    watches = [one for one in rig.trade(trade_id).watches if one.aim.kind is WatchKind.STOP]
    return [one.aim.level for one in watches if one.is_wanted]


def test_while_nobody_knows_whether_it_rests_ours_is_at_its_own_price(rig: TradeRig) -> None:
    lost = (FaultWord.OK, FaultWord.ACCEPT_THEN_TIMEOUT)
    faults(rig, place=lost, find=(FaultWord.ERROR,) * 3)
    trade_id = rig.open(bought(**HALVES, **LAST), FIRST).id
    assert ours(rig, trade_id) == [Decimal(95)]

    rig.settle(step_ms=1_000)

    assert ours(rig, trade_id) == [Decimal("92.15")]


def test_while_it_does_not_rest_ours_is_at_its_own_price(rig: TradeRig) -> None:
    faults(rig, place=(FaultWord.OK, *(FaultWord.REJECT,) * 50))
    trade_id = rig.open(bought(**HALVES, **LAST), FIRST).id
    assert resting(rig) == []

    rig.tick("94.8/95/95")
    faults(rig)
    rig.settle()

    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


@pytest.mark.parametrize(
    "terms",
    [
        stop("95"),
        stop("95", source="last", timeout=9),
        stop("95", source="last", limit="94"),
        stop("95", source="last", trailing=True),
    ],
)
def test_what_a_venue_cannot_do_it_only_holds_beyond(
    rig: TradeRig, terms: dict[str, object]
) -> None:
    rig.open(bought(**terms), FIRST)

    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]


# None rests


@pytest.mark.parametrize(
    "command",
    [
        bought(**HALVES),
        a_sale("2", **classic("105"), **stop("95")),
        a_trade(TradeType.SELL_BUY_BACK, "2", entry=entry(), **stop("105", source="ask")),
        a_trade(TradeType.SIMPLE_BUY, "2", entry=entry()),
        a_trade(TradeType.CLASSIC, "2", entry=entry("limit", "90"), **stop("80")),
    ],
)
def test_of_these_none_rests(rig: TradeRig, command: NewTrade) -> None:
    trade_id = rig.open(command, BOTH).id

    assert resting(rig) == []
    assert not rig.trade(trade_id).is_only_here


def test_none_rests_beside_profits_on_the_book(rig: TradeRig) -> None:
    exits = steps(("50", "105"), ("50", "110"), limit=True)
    rules = replace(BOTH, profits_rest=True)
    trade_id = rig.open(bought(**exits, **stop("95")), rules).id

    assert (len(rig.resting()), resting(rig)) == (2, [])
    assert not rig.trade(trade_id).is_only_here
    rig.tick("95")
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


# It is not there


def test_one_that_is_refused_is_asked_for_again_and_a_person_told_once(rig: TradeRig) -> None:
    faults(rig, place=(FaultWord.OK, *(FaultWord.REJECT,) * 8))

    trade_id = guarded(rig)
    assert rig.trade(trade_id).is_only_here
    for _ in range(30):
        rig.settle(1, 1_000)
    assert rig.events(trade_id).count("alert") == 1
    assert list(rig.ports.live.only_here()) == [trade_id]
    rig.settle(20, 60_000)

    trade = rig.trade(trade_id)
    assert resting(rig) == [(Decimal(2), Decimal("92.15"))]
    assert (trade.is_only_here, trade.venue_stop.misses) == (False, 0)
    assert list(rig.ports.live.only_here()) == []
    assert rig.events(trade_id).count("alert") == 1


def test_while_it_is_refused_ours_acts(rig: TradeRig) -> None:
    faults(rig, place=(FaultWord.OK, *(FaultWord.REJECT,) * 2))
    trade_id = guarded(rig)
    faults(rig)

    rig.tick("94")

    assert sold(rig) == [(Decimal(2), Decimal(94))]
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED
    rig.settle()
    assert rig.resting() == []


def test_one_that_is_taken_off_comes_back_once(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    for alerts in (1, 2):
        told(rig, only(rig), OrderStatus.CANCELED)
        rig.settle()
        assert rig.events(trade_id).count("alert") == alerts

    assert resting(rig) == []
    trade = rig.trade(trade_id)
    assert trade.is_only_here
    assert trade.resumes_at_ms is None
    update_trade(trade_id, moved_to("94"), rig.ports)
    rig.drain()
    assert len(resting(rig)) == 1


def test_one_that_is_canceled_here_by_itself_is_taken_off_by_hand(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    request_cancel(only(rig).id, Reason(ReasonCode.REQUESTED, "by a person"), rig.ports)
    rig.drain()
    rig.settle()

    assert rig.events(trade_id).count("alert") == 1
    assert len(resting(rig)) == 1


def test_a_placement_without_an_answer_holds_up_every_other_exit(rig: TradeRig) -> None:
    faults(rig, place=(FaultWord.OK, FaultWord.ACCEPT_THEN_TIMEOUT), find=(FaultWord.ERROR,) * 3)
    trade_id = guarded(rig)

    rig.tick("105")
    assert sold(rig) == []
    rig.settle(step_ms=1_000)

    assert sold(rig) == [(Decimal(1), Decimal(105))]
    assert resting(rig) == [(Decimal(1), Decimal("92.15"))]
    assert status(rig, trade_id) is TradeStatus.BOUGHT


@pytest.mark.parametrize("word", [FaultWord.ACCEPT_THEN_ERROR, FaultWord.ERROR])
def test_a_cancel_without_an_answer_is_waited_for(rig: TradeRig, word: FaultWord) -> None:
    trade_id = guarded(rig)
    faults(rig, cancel=(word,) * 3, find=(FaultWord.ERROR,) * 2)

    rig.tick("94")
    rig.settle(step_ms=1_000)

    assert sold(rig) == [(Decimal(2), Decimal(94))]
    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED


@pytest.mark.parametrize("part", ["2", "0.5"])
def test_one_that_fills_while_it_is_to_make_way_stops_the_loss(rig: TradeRig, part: str) -> None:
    trade_id = guarded(rig)
    faults(rig, cancel=(FaultWord.ERROR,) * 9)
    rig.tick("105")
    state = OrderStatus.FILLED if part == "2" else OrderStatus.CANCELED

    told(rig, only(rig), state, part)
    rig.settle(step_ms=1_000)

    assert status(rig, trade_id) is TradeStatus.STOP_LOSS_FINISHED
    assert sum(size for size, _ in sold(rig)) == 2


def test_an_end_that_is_told_twice_counts_once(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    gone = only(rig)
    told(rig, gone, OrderStatus.CANCELED)
    event = OrderUpdated(
        at_ms=rig.clock.now_ms(),
        order=replace(rig.order(gone.id), status=OrderStatus.EXPIRED),
        new_ids=rig.ports.ids.fresh(SPOT.id, 10),
    )

    for _ in range(2):
        advance(trade_id, event, rig.ports)

    assert rig.trade(trade_id).venue_stop.taken_off == 1
    assert rig.trade(trade_id).venue_stop.misses == 0
    assert rig.events(trade_id).count("alert") == 1


def test_a_fill_that_is_told_late_counts(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    late = only(rig)
    update_trade(trade_id, moved_to("90"), rig.ports)
    rig.drain()
    assert only(rig).id != late.id

    told(rig, late, OrderStatus.FILLED, "2")
    rig.settle()

    assert (status(rig, trade_id), rig.resting()) == (TradeStatus.STOP_LOSS_FINISHED, [])
    assert sold(rig) == [(Decimal(2), Decimal(92))]
    (step,) = rig.trade(trade_id).steps_of(StepKind.STOP_LOSS)
    assert (step.status, step.quantity) == (StepStatus.PROCESSED, Decimal(2))


def test_one_that_fills_after_the_end_is_told_of_by_its_step(rig: TradeRig) -> None:
    trade_id = guarded(rig)
    stopping = only(rig)
    faults(rig, cancel=(FaultWord.ERROR,) * 9)
    cancel_trade(trade_id, rig.ports)
    rig.drain()

    told(rig, stopping, OrderStatus.FILLED, "2")

    trade = rig.trade(trade_id)
    assert (trade.status, trade.is_live) == (TradeStatus.CANCELLED, False)
    assert {one.status for one in trade.steps_of(StepKind.STOP_LOSS)} == {StepStatus.PROCESSED}
    rig.settle()
    assert rig.resting() == []


def test_coins_that_are_shown_late_make_it_small_for_a_while_only(rig: TradeRig) -> None:
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **stop("90")), BOTH)
    (order,) = rig.orders()
    rig.desk.set_account(SPOT, {"balances": {"ETH": "0.5"}})
    told(rig, order, OrderStatus.FILLED, "2")
    assert [size for size, _ in resting(rig)] == [Decimal("0.5")]
    rig.desk.set_account(SPOT, {"balances": {"ETH": "2.5"}})

    rig.settle()

    assert [size for size, _ in resting(rig)] == [Decimal(2)]
    assert rig.trade(trade.id).venue_stop.shorts == 0


def test_one_for_which_there_are_too_few_coins_is_tried_once_more(rig: TradeRig) -> None:
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **stop("90")), BOTH)
    (order,) = rig.orders()
    rig.desk.set_account(SPOT, {"balances": {"ETH": "1.9"}})
    told(rig, order, OrderStatus.FILLED, "2")
    for _ in range(20):
        rig.settle(1, 10_000)

    assert [size for size, _ in resting(rig)] == [Decimal("1.9")]
    assert len([one for one in rig.orders() if one.condition]) == 2
    assert rig.trade(trade.id).resumes_at_ms is None


# Records, deaths


def test_a_release_that_does_not_know_of_it_does_not_read_the_trade(
    rig: TradeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = records.record_of(rig.trade(guarded(rig)))
    plain = records.record_of(rig.trade(guarded(rig, ExitRules())))
    monkeypatch.setattr(records, "SCHEMA", 1)

    assert records.aggregate_from(plain)
    with pytest.raises(UnreadableRecord):
        records.aggregate_from(text)


@pytest.mark.parametrize(
    ("price", "left", "prices"), [("105", 1, [105]), ("94", 0, [94]), ("90", 0, [90])]
)
def test_whoever_dies_over_it_sells_once(price: str, left: int, prices: list[int]) -> None:
    made: list[AggregateId] = []

    def prepare() -> TradeRig:
        rig = TradeRig(price="99.9/100/100")
        made.append(guarded(rig))
        rig.set_price(price)
        return rig

    for rig in deaths(prepare, TradeRig.follow):
        rig.clock.advance(60_000)
        rig.follow()
        rig.settle()
        assert [at for _, at in sold(rig)] == [Decimal(one) for one in prices]
        assert resting(rig) == [(Decimal(1), Decimal("92.15"))] * left
        rig.tick("80")
        rig.settle()
        assert sum(size for size, _ in sold(rig)) == 2
        assert rig.resting() == []
        assert rig.trade(made[-1]).is_final


def test_whoever_dies_at_the_entry_leaves_one() -> None:
    def prepare() -> TradeRig:
        rig = TradeRig(price="99.9/100/100")
        rig.begin(bought(**HALVES, **stop("95")), BOTH)
        return rig

    for rig in deaths(prepare, TradeRig.drain):
        rig.settle()
        assert resting(rig) == [(Decimal(2), Decimal("92.15"))]


def test_an_account_that_is_switched_off_leaves_nothing_there(rig: TradeRig) -> None:
    trade_id = guarded(rig)

    reason = Reason(ReasonCode.ACCOUNT_DISABLED, "it is")
    advance(trade_id, CancelRequested(at_ms=rig.clock.now_ms(), reason=reason), rig.ports)
    rig.drain()

    assert (rig.resting(), status(rig, trade_id)) == ([], TradeStatus.FAILED)
