"""Take-profits at a limit that rest on the book from the entry on, where a client wants that."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.decision import EntryName
from app.domain.enums import OrderType, ReasonCode, Side
from app.domain.errors import WrongState
from app.domain.events import OrderReported
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
from app.domain.smart_trade.profit import closed_quantity
from app.domain.smart_trade.spec import NewTrade, TradeUpdate
from app.domain.status import OrderStatus
from app.paper.domain.fault import FaultPlan, FaultWord
from app.services.advance import advance
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from tests.support.builders import ETH, SPOT
from tests.support.rig import deaths
from tests.support.trade_rig import (
    INSTRUMENT,
    TradeRig,
    a_sale,
    a_trade,
    classic,
    entry,
    planned,
    steps,
    stop,
)

RESTS = ExitRules(profits_rest=True)
IN_STEPS = steps(("50", "105"), ("30", "110"), ("20", "115"), limit=True)


@pytest.fixture
def rig() -> TradeRig:
    return TradeRig(price="99.9/100/100")


def bought(**exits: object) -> NewTrade:
    return a_trade(TradeType.CLASSIC, "2", entry=entry(), **exits)


def resting(rig: TradeRig) -> list[tuple[Side, Decimal, Decimal | None]]:
    return [(one.side, one.quantity, one.price) for one in rig.resting()]


def profits(rig: TradeRig, trade_id: AggregateId) -> list[StepStatus]:
    return [one.status for one in rig.trade(trade_id).steps_of(StepKind.TAKE_PROFIT)]


@pytest.mark.parametrize(
    ("condition", "limit", "rests_at"), [("105", "106", "106"), ("105", "101", "105")]
)
def test_one_rests_as_soon_as_all_is_bought(
    rig: TradeRig, condition: str, limit: str, rests_at: str
) -> None:
    trade = rig.open(bought(**classic(condition, limit=limit), **stop("95")), RESTS)

    assert resting(rig) == [(Side.SELL, Decimal(2), Decimal(rests_at))]
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_ORDER_PLACED
    rig.tick("120")
    assert rig.fills()[1:] == [(Side.SELL, "LIMIT", Decimal(2), Decimal(rests_at))]
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_that_of_a_cover_rests_below(rig: TradeRig) -> None:
    cover = a_trade(
        TradeType.SELL_BUY_BACK, "2", entry=entry(), **classic("95", source="ask", limit="97")
    )

    rig.open(cover, RESTS)

    assert resting(rig) == [(Side.BUY, Decimal(2), Decimal(95))]


def test_a_percentage_rests_where_the_entry_has_it(rig: TradeRig) -> None:
    exits = steps(("50", "5"), ("50", "10"), limit=True, by_percentage=True)

    rig.open(bought(**exits), RESTS)

    assert [price for *_, price in resting(rig)] == [Decimal(105), Decimal(110)]


def test_steps_rest_together_and_fill_one_by_one(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS, **stop("95")), RESTS)
    assert [(size, price) for _, size, price in resting(rig)] == [
        (Decimal(1), Decimal(105)),
        (Decimal("0.6"), Decimal(110)),
        (Decimal("0.4"), Decimal(115)),
    ]

    rig.tick("110")

    assert len(rig.resting()) == 1
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_ORDER_PLACED
    rig.tick("115")
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED
    assert closed_quantity(rig.trade(trade.id)) == 2


@pytest.mark.parametrize("sold", ["0", "1"])
def test_a_stop_takes_them_off_and_sells_what_is_left(rig: TradeRig, sold: str) -> None:
    trade = rig.open(bought(**IN_STEPS, **stop("95")), RESTS)
    if Decimal(sold):
        rig.tick("105")

    rig.tick("95")

    assert rig.resting() == []
    assert rig.fills()[-1] == (Side.SELL, "MARKET", 2 - Decimal(sold), Decimal(95))
    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_with_a_timeout_they_rest_until_its_end(rig: TradeRig) -> None:
    rig.open(bought(**IN_STEPS, **stop("95", timeout=60)), RESTS)
    rig.tick("95")
    rig.wait(30_000)
    assert len(rig.resting()) == 3

    rig.wait(30_000)
    rig.tick("95")

    assert rig.resting() == []
    assert rig.fills()[-1][2] == 2


@pytest.mark.parametrize("switched", [True, False])
def test_what_is_not_to_rest_waits_for_its_price(rig: TradeRig, *, switched: bool) -> None:
    """At market, trailing, of coins that were there before; and all without the switch."""
    rules = RESTS if switched else ExitRules()
    others = [
        bought(**classic("105")),
        bought(**steps(("50", "105"), ("50", "110"))),
        bought(**classic("105", trailing="2")),
        a_sale("2", **classic("105", limit="106")),
    ]
    if not switched:
        others += [bought(**classic("105", limit="106")), bought(**IN_STEPS)]

    trades = [rig.open(one, rules) for one in others]

    assert rig.resting() == []
    assert {rig.trade(one.id).status for one in trades} == {TradeStatus.BOUGHT}


def test_no_time_runs_in_which_it_is_to_fill(rig: TradeRig) -> None:
    rules = ExitRules(profits_rest=True, limit_ms=10_000)
    rig.open(bought(**classic("105", limit="106"), **stop("95", limit="94.5")), rules)
    rig.wait(600_000)
    assert resting(rig) == [(Side.SELL, Decimal(2), Decimal(106))]

    rig.tick("94")  # that of the stop runs
    rig.wait(10_000)
    rig.tick("94")

    assert rig.fills()[-1][:2] == (Side.SELL, "MARKET")


def test_nothing_rests_before_all_is_bought(rig: TradeRig) -> None:
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=entry("limit", "98"), **IN_STEPS), RESTS)
    assert [side for side, *_ in resting(rig)] == [Side.BUY]

    rig.tick("97/98")

    assert [side for side, *_ in resting(rig)] == [Side.SELL] * 3
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_ORDER_PLACED


def test_a_panic_takes_them_off_first(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS), RESTS)

    panic_sell(trade.id, rig.ports)
    rig.drain()

    assert rig.resting() == []
    assert rig.fills()[-1][1:3] == ("MARKET", Decimal(2))
    assert rig.trade(trade.id).status is TradeStatus.PANIC_SELL_FINISHED


def test_one_step_is_sold_in_a_panic_and_the_others_rest(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS), RESTS)
    step = rig.trade(trade.id).steps_of(StepKind.TAKE_PROFIT)[1]

    panic_sell_step(trade.id, step.id, rig.ports)
    rig.drain()

    assert rig.fills()[-1][1:3] == ("MARKET", Decimal("0.6"))
    assert len(rig.resting()) == 2


def test_the_trade_is_canceled_with_what_rests(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS), RESTS)

    cancel_trade(trade.id, rig.ports)
    rig.drain()

    assert rig.resting() == []
    assert rig.trade(trade.id).status is TradeStatus.CANCELLED


def test_to_change_it_its_steps_are_canceled_first(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS), RESTS)
    plan = TradeUpdate(
        take_profit_enabled=True,
        stop_loss_enabled=False,
        take_profit_type=TakeProfitType.STEP_SELL,
        **planned((4, "100", "120")),  # type: ignore[arg-type]
    )
    for act in (
        lambda: update_trade(trade.id, plan, rig.ports),
        lambda: add_funds(trade.id, Decimal(1), None, rig.ports),
    ):
        with pytest.raises(WrongState):
            act()

    for step in rig.trade(trade.id).steps_of(StepKind.TAKE_PROFIT):
        cancel_step(trade.id, step.id, rig.ports)
        rig.drain()
    assert (rig.resting(), rig.trade(trade.id).status) == ([], TradeStatus.BOUGHT)
    update_trade(trade.id, plan, rig.ports)
    rig.drain()

    assert resting(rig) == [(Side.SELL, Decimal(2), Decimal(120))]


def test_while_more_is_bought_it_waits_for_its_price(rig: TradeRig) -> None:
    trade = rig.open(bought(), RESTS)
    add_funds(trade.id, Decimal(1), Decimal(90), rig.ports)
    rig.drain()
    plan = TradeUpdate(
        take_profit_enabled=True,
        stop_loss_enabled=False,
        take_profit_type=TakeProfitType.STEP_SELL,
        take_profit_order_type=OrderType.LIMIT,
        **planned((1, "100", "120")),  # type: ignore[arg-type]
    )

    update_trade(trade.id, plan, rig.ports)
    rig.drain()
    assert [side for side, *_ in resting(rig)] == [Side.BUY]
    rig.tick("89/90")

    assert resting(rig) == [(Side.SELL, Decimal(3), Decimal(120))]


def test_a_refused_one_goes_on_and_the_stop_stays(rig: TradeRig) -> None:
    refuses = FaultPlan(place=(FaultWord.OK, *(FaultWord.REJECT,) * 3))
    rig.world.ports.faults.put(SPOT.id, refuses)

    trade = rig.open(bought(**classic("105", limit="106"), **stop("95")), RESTS)
    assert rig.resting() == []
    rig.settle()

    assert [price for *_, price in resting(rig)] == [Decimal(106)]
    rig.tick("95")
    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_a_step_too_small_to_rest_leaves_its_share_to_the_last() -> None:
    rig = TradeRig(replace(INSTRUMENT, min_notional=Decimal(5)), "99.9/100/100")
    exits = steps(("2.35", "105"), ("97.65", "110"), limit=True)  # 4.94 and 5.17 of the least

    trade = rig.open(bought(**exits), RESTS)
    rig.settle()
    assert [size for _, size, _ in resting(rig)] == [Decimal("1.953")]
    rig.tick("110")
    rig.settle()
    rig.tick("110")

    assert closed_quantity(rig.trade(trade.id)) == 2
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED
    assert profits(rig, trade.id) == [StepStatus.SKIPPED, StepStatus.PROCESSED]


def test_whoever_dies_over_it_leaves_each_step_once() -> None:
    made: list[AggregateId] = []

    def prepare() -> TradeRig:
        rig = TradeRig(price="99.9/100/100")
        made.append(rig.begin(bought(**IN_STEPS, **stop("95")), RESTS).id)
        return rig

    for rig in deaths(prepare, TradeRig.drain):
        rig.settle()
        assert [price for *_, price in resting(rig)] == [Decimal(105), Decimal(110), Decimal(115)]
        rig.tick("95")
        rig.settle()
        assert rig.resting() == []
        assert sum(size if side is Side.BUY else -size for side, _, size, _ in rig.fills()) == 0


def told(rig: TradeRig, order: Order, status: OrderStatus, filled: str = "0") -> None:
    """Let the venue tell of an order, whatever became of it there."""
    report = OrderReport(
        status=status,
        filled_quantity=Decimal(filled),
        average_price=order.price,
        reason=Reason(ReasonCode.TIME_IN_FORCE, "it is so"),
    )
    advance(order.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    rig.drain()


def partly_bought(rig: TradeRig, rules: ExitRules = RESTS) -> tuple[AggregateId, Order]:
    """Let an entry fill 1 of 2 before its venue takes it off."""
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **IN_STEPS, **stop("90")), rules)
    (order,) = rig.orders()
    told(rig, order, OrderStatus.CANCELED, "1")
    return trade.id, order


@pytest.mark.parametrize("rules", [RESTS, ExitRules()])
def test_what_an_entry_has_filled_late_goes_with_the_last_step_at_work(
    rig: TradeRig, rules: ExitRules
) -> None:
    trade_id, order = partly_bought(rig, rules)
    thin = {"bid": "115", "ask": "116", "last": "115", "bids": [["115", "0.1"]]}
    rig.desk.set_prices({"prices": {ETH: thin}})
    rig.follow()
    assert profits(rig, trade_id)[-1] is StepStatus.NEED_CHECK

    told(rig, order, OrderStatus.CANCELED, "1.5")
    rig.tick("115")

    assert closed_quantity(rig.trade(trade_id)) == Decimal("1.5")
    assert rig.trade(trade_id).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_no_step_that_is_being_canceled_takes_more(rig: TradeRig) -> None:
    trade_id, order = partly_bought(rig)
    rig.world.ports.faults.put(SPOT.id, FaultPlan(cancel=(FaultWord.ERROR,) * 9))
    cancel_step(trade_id, rig.trade(trade_id).steps_of(StepKind.TAKE_PROFIT)[-1].id, rig.ports)

    told(rig, order, OrderStatus.CANCELED, "1.5")

    shares = [one.quantity for one in rig.trade(trade_id).steps_of(StepKind.TAKE_PROFIT)]
    assert shares == [Decimal("0.5"), Decimal("0.8"), Decimal("0.2")]


def test_the_last_is_the_highest_whichever_was_planned_first(rig: TradeRig) -> None:
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **IN_STEPS), RESTS)
    (order,) = rig.orders()
    for parts in (((2, "100", "110"),), ((1, "50", "105"), (2, "50", "110"))):
        plan = TradeUpdate(
            take_profit_enabled=True,
            stop_loss_enabled=False,
            take_profit_type=TakeProfitType.STEP_SELL,
            **planned(*parts),  # type: ignore[arg-type]
        )
        update_trade(trade.id, plan, rig.ports)
    told(rig, order, OrderStatus.CANCELED, "1")

    told(rig, order, OrderStatus.CANCELED, "1.5")

    steps_now = rig.trade(trade.id).steps_of(StepKind.TAKE_PROFIT)
    shares = {one.position: one.quantity for one in steps_now if not one.is_final}
    assert shares == {1: Decimal("0.5"), 2: Decimal(1)}


def test_a_refused_one_does_not_hold_up_what_an_order_that_has_filled_left(rig: TradeRig) -> None:
    exits = steps(("50", "105"), ("50", "110"), limit=True)
    trade = rig.open(
        a_trade(TradeType.CLASSIC, "2", entry=entry("limit", "98"), **exits, **stop("90")), RESTS
    )
    rig.world.ports.instruments.put([replace(INSTRUMENT, max_quantity=Decimal("0.4"))])
    refuses = FaultPlan(place=(FaultWord.OK, *(FaultWord.REJECT,) * 20))
    rig.world.ports.faults.put(SPOT.id, refuses)
    rig.tick("97/98")
    rig.settle(9, 20_000)
    assert rig.trade(trade.id).goes_on_at_ms is not None
    rig.world.ports.faults.put(SPOT.id, FaultPlan())

    rig.tick("105")

    first, second = profits(rig, trade.id)
    assert (first, second) == (StepStatus.PROCESSED, StepStatus.NEED_CHECK)


@pytest.mark.parametrize("exits", [classic("105", limit="106"), IN_STEPS])
def test_what_was_not_shown_once_is_said_anew_after_it_has_rested(
    rig: TradeRig, exits: dict[str, object]
) -> None:
    """Coins that were shown late, and long after that a moment not at all, are there still."""
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **exits, **stop("90")), RESTS)
    (order,) = rig.orders()
    hide(rig)
    told(rig, order, OrderStatus.FILLED, "2")
    show(rig)
    rig.settle(3, 1_000)
    assert len(rig.resting()) == len(rig.trade(trade.id).steps_of(StepKind.TAKE_PROFIT))
    rig.clock.advance(600_000)

    hide(rig)
    for one in rig.resting():
        told(rig, one, OrderStatus.EXPIRED)
    rig.settle(1, 1_000)
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_ORDER_PLACED
    show(rig)
    rig.settle(9, 1_000)

    assert len(rig.resting()) == len(rig.trade(trade.id).steps_of(StepKind.TAKE_PROFIT))


def hide(rig: TradeRig) -> None:
    rig.desk.set_account(SPOT, {"balances": {"ETH": "0"}})


def show(rig: TradeRig) -> None:
    rig.desk.set_account(SPOT, {"balances": {"ETH": "1000"}})


def test_a_stop_that_is_canceled_leaves_the_rest_of_a_step_to_it(rig: TradeRig) -> None:
    trade = rig.open(bought(**IN_STEPS, **stop("95", limit="97")), RESTS)
    part = {"bid": "105", "ask": "106", "last": "105", "bids": [["105", "0.3"]]}
    rig.desk.set_prices({"prices": {ETH: part}})
    rig.follow()
    rig.tick("94")
    (stopping,) = rig.resting()
    assert (stopping.quantity, stopping.price) == (Decimal("1.7"), Decimal(97))

    cancel_step(trade.id, rig.trade(trade.id).steps_of(StepKind.STOP_LOSS)[0].id, rig.ports)
    rig.drain()

    assert [size for _, size, _ in resting(rig)] == [Decimal("0.7"), Decimal("0.6"), Decimal("0.4")]


def test_what_nobody_has_is_left_to_the_last_step_while_others_rest(rig: TradeRig) -> None:
    """A fee that nobody is told of has taken it: no person is called for that."""
    exits = steps(("50", "115"), ("30", "110"), ("20", "105"), limit=True)
    buys = entry("limit", "98")
    trade = rig.open(a_trade(TradeType.CLASSIC, "2", entry=buys, **exits, **stop("90")), RESTS)
    (order,) = rig.orders()
    rig.desk.set_account(SPOT, {"balances": {"ETH": "1.99"}})
    told(rig, order, OrderStatus.FILLED, "2")
    assert sum(size for _, size, _ in resting(rig)) == Decimal("1.99")

    rig.tick("105/106")
    rig.settle(20)
    assert profits(rig, trade.id)[-1] is StepStatus.PROCESSED
    rig.tick("110/111")
    rig.settle(20)
    rig.tick("115/116")
    rig.settle(20)

    assert closed_quantity(rig.trade(trade.id)) == Decimal("1.99")
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED
    assert EntryName.ALERT not in rig.events(trade.id)


def test_coins_that_are_shown_late_are_not_taken_for_gone(rig: TradeRig) -> None:
    trade = rig.open(bought(**classic("105", limit="106"), **stop("95")), ExitRules())
    rig.desk.set_account(SPOT, {"balances": {"ETH": "0"}})
    rig.tick("105")
    rig.settle(rounds=10, step_ms=3_000)
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_ORDER_PLACED

    rig.desk.set_account(SPOT, {"balances": {"ETH": "1000"}})
    rig.settle(rounds=10, step_ms=3_000)

    assert resting(rig) == [(Side.SELL, Decimal(2), Decimal(106))]


def test_coins_that_are_gone_for_a_minute_are_gone(rig: TradeRig) -> None:
    trade = rig.open(bought(**classic("105", limit="106"), **stop("95")), RESTS)
    panic_sell(trade.id, rig.ports)
    rig.desk.set_account(SPOT, {"balances": {"ETH": "0"}})

    rig.settle(rounds=60, step_ms=3_000)

    assert rig.trade(trade.id).status is TradeStatus.PANIC_SELL_FINISHED
