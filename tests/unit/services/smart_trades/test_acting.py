"""What callers do with trades: refusals, and what is left afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import AccountState, Flaw, OrderType, PriceSource
from app.domain.errors import Complaint, NotFound, RuleBroken, TermsRefused, WrongState
from app.domain.identifiers import AggregateId
from app.domain.smart_trade.enums import (
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.profit import remaining_quantity
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    force_process,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from app.services.smart_trades.trailing import view_of
from app.store.core.ids import RedisIds
from tests.support.builders import an_id
from tests.support.trade_rig import (
    LONG,
    TradeRig,
    a_sale,
    a_trade,
    classic,
    entry,
    planned,
    steps,
    stop,
)

IN_STEPS = (("50", "105"), ("25", "110"), ("25", "115"))
WAITING = a_trade(
    TradeType.CONDITIONAL_BUY, "1", entry=entry("conditional", "105"), **classic("115")
)


@pytest.fixture
def rig() -> TradeRig:
    return TradeRig(price=LONG)


def step_at(trade: SmartTrade, position: int) -> AggregateId:
    return next(one.id for one in trade.steps if one.position == position)


def an_update(**facts: object) -> TradeUpdate:
    known: dict[str, object] = {"take_profit_enabled": True, "stop_loss_enabled": False}
    return TradeUpdate(**{**known, **facts})  # type: ignore[arg-type]


A_STOP: dict[str, object] = {"stop_loss_enabled": True, "stop_loss_price": Decimal(90)}


# Refusals


ACTIONS: dict[str, Callable[[AggregateId, Ports], object]] = {
    "cancel": cancel_trade,
    "panic": panic_sell,
    "funds": lambda one, ports: add_funds(one, Decimal(1), None, ports),
    "update": lambda one, ports: update_trade(one, an_update(), ports),
}


@pytest.mark.parametrize("name", ["panic", "funds"])
def test_before_the_entry_nothing_can_be_sold_or_added(rig: TradeRig, name: str) -> None:
    trade = rig.open(WAITING)

    with pytest.raises(WrongState):
        ACTIONS[name](trade.id, rig.ports)

    assert rig.trade(trade.id) == trade


@pytest.mark.parametrize("name", ACTIONS)
def test_a_trade_that_has_ended_takes_no_action(rig: TradeRig, name: str) -> None:
    trade = rig.open(WAITING)
    cancel_trade(trade.id, rig.ports)

    with pytest.raises(WrongState):
        ACTIONS[name](trade.id, rig.ports)


def test_what_is_forced_after_the_end_stays_as_it_is(rig: TradeRig) -> None:
    trade = rig.open(WAITING)
    ended = cancel_trade(trade.id, rig.ports)

    assert force_process(trade.id, rig.ports) == ended


@pytest.mark.parametrize("act", [panic_sell_step, cancel_step])
def test_a_step_that_the_trade_does_not_have_is_not_found(
    rig: TradeRig, act: Callable[[AggregateId, AggregateId, Ports], object]
) -> None:
    trade = rig.open(a_sale("10", **classic("105")))

    with pytest.raises(NotFound):
        act(trade.id, an_id(9), rig.ports)


def test_an_order_is_no_trade(rig: TradeRig) -> None:
    rig.open(a_trade(TradeType.SIMPLE_BUY, "1", entry=entry("limit", "90")))

    with pytest.raises(NotFound):
        cancel_trade(rig.order().id, rig.ports)


def test_simple_trades_take_no_funds(rig: TradeRig) -> None:
    trade = rig.open(a_trade(TradeType.SIMPLE_BUY, "1", entry=entry("limit", "90")))

    with pytest.raises(WrongState):
        add_funds(trade.id, Decimal(1), None, rig.ports)


@pytest.mark.parametrize(("quantity", "price"), [("1.000000001", None), ("1", "90.000000001")])
def test_figures_off_the_step_are_refused(rig: TradeRig, quantity: str, price: str | None) -> None:
    trade = rig.open(a_sale("10", **classic("105")))

    with pytest.raises(RuleBroken) as refused:
        add_funds(trade.id, Decimal(quantity), price and Decimal(price), rig.ports)  # type: ignore[arg-type]

    name = "quantity" if price is None else "price"
    assert refused.value.fields == {name: [Complaint(Flaw.OFF_STEP, Decimal("1e-8"))]}


# Cancel, by step


def test_a_canceled_step_leaves_its_share_in_the_position(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(*IN_STEPS), **stop("90")))

    cancel_step(trade.id, step_at(trade, 2), rig.ports)
    rig.drain()
    for tick in ("105", "110", "115"):
        rig.tick(tick)

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.BOUGHT
    assert remaining_quantity(trade) == Decimal("2.5")
    assert len(rig.held(trade.id)) == 1


def test_a_canceled_limit_step_is_taken_off_first(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105", limit="106")))
    rig.tick("105")
    (step,) = rig.trade(trade.id).steps

    during = cancel_step(trade.id, step.id, rig.ports)
    assert during.status is TradeStatus.TAKE_PROFIT_ORDER_PLACED
    rig.drain()

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.BOUGHT
    assert trade.steps[0].status is StepStatus.CANCELLED
    assert rig.resting() == []


def test_a_canceled_stop_is_switched_off(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95")))
    (stop_step,) = trade.steps_of(StepKind.STOP_LOSS)

    cancel_step(trade.id, stop_step.id, rig.ports)
    rig.drain()
    rig.tick("90")

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.BOUGHT
    assert trade.stop_loss is None


def test_a_resting_stop_that_is_canceled_brings_the_profits_back(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95", limit="94")))
    rig.tick("93")
    (stop_step,) = rig.trade(trade.id).steps_of(StepKind.STOP_LOSS)

    cancel_step(trade.id, stop_step.id, rig.ports)
    rig.drain()
    rig.tick("105")

    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED
    assert [one[2] for one in rig.fills()] == [Decimal(10)]


@pytest.mark.parametrize("waits", [True, False])
def test_a_canceled_entry_cancels_the_trade(rig: TradeRig, waits: bool) -> None:  # noqa: FBT001
    command = WAITING
    if not waits:
        command = a_trade(TradeType.CLASSIC, "1", entry=entry("limit", "90"), **classic("115"))
    trade = rig.open(command)

    cancel_step(trade.id, trade.steps[0].id, rig.ports)
    rig.drain()

    assert rig.trade(trade.id).status is TradeStatus.CANCELLED
    assert rig.resting() == []


def test_funds_that_were_not_filled_can_be_taken_back(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95")))
    _, step = add_funds(trade.id, Decimal(1), Decimal(98), rig.ports)
    rig.drain()

    cancel_step(trade.id, step.id, rig.ports)
    rig.drain()

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.BOUGHT
    assert trade.steps[-1].status is StepStatus.CANCELLED


# Panic


def test_a_panic_takes_off_a_resting_exit_and_sells_all(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(*IN_STEPS, limit=True)))
    rig.tick("105/105.1")
    rig.tick("104/104.1")
    add_funds(trade.id, Decimal(3), Decimal(100), rig.ports)
    rig.drain()

    panic_sell(trade.id, rig.ports)
    rig.drain()

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.PANIC_SELL_FINISHED
    assert trade.panic_order_id is not None
    assert sum(one[2] for one in rig.fills() if one[0] == "SELL") == Decimal(10)
    assert rig.resting() == []


def test_what_a_halted_account_sells_in_panic_goes_when_it_runs_again(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105")))
    rig.state(AccountState.HALT)
    panic_sell(trade.id, rig.ports)
    rig.drain()
    assert rig.trade(trade.id).status is TradeStatus.PANIC_SELL_ORDER_PLACED

    rig.state(AccountState.RUN)
    rig.settle()

    assert rig.trade(trade.id).status is TradeStatus.PANIC_SELL_FINISHED


def test_all_steps_sold_in_panic_end_the_trade_in_panic(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(("50", "105"), ("50", "110"))))

    for position in (1, 2):
        panic_sell_step(trade.id, step_at(trade, position), rig.ports)
        rig.drain()

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.PANIC_SELL_FINISHED
    assert {one.status for one in trade.steps} == {StepStatus.PANIC_SOLD}


def test_the_last_exit_says_how_it_ended_though_its_id_is_lower(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(("50", "105"), ("50", "110"))))
    another_process = replace(rig.ports, ids=RedisIds(rig.redis))

    panic_sell_step(trade.id, step_at(trade, 2), another_process)
    rig.drain()
    rig.tick("105")

    trade = rig.trade(trade.id)
    panicked, taken = trade.orders
    assert panicked.id > taken.id
    assert trade.status is TradeStatus.TAKE_PROFIT_FINISHED


def test_a_resting_step_is_taken_off_before_its_panic(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105", limit="106"), **stop("90")))
    rig.tick("105")

    panic_sell_step(trade.id, trade.steps[0].id, rig.ports)
    rig.drain()

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.PANIC_SELL_FINISHED
    assert [(kind, quantity) for _, kind, quantity, _ in rig.fills()] == [("MARKET", Decimal(10))]


# Funds


def test_funds_that_wait_go_before_everything_is_closed(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95")))
    add_funds(trade.id, Decimal(1), Decimal(98), rig.ports)
    rig.drain()

    rig.tick("105")

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.TAKE_PROFIT_FINISHED
    assert [one.status for one in trade.steps][-1] is StepStatus.CANCELLED
    assert rig.resting() == []


# Update


def test_a_step_is_dropped_and_another_takes_its_share(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(*IN_STEPS)))
    before = {one.position: one.id for one in trade.steps}

    update = an_update(**planned((1, "50", "105"), (2, "25", "110"), (4, "25", "120")))
    update_trade(trade.id, update, rig.ports)
    rig.drain()

    trade = rig.trade(trade.id)
    now = {one.position: one for one in trade.steps}
    assert [now[1].id, now[2].id] == [before[1], before[2]]
    assert now[3].status is StepStatus.CANCELLED
    assert (now[4].status, now[4].quantity) == (StepStatus.IDLE, Decimal("2.5"))
    for tick in ("105", "110", "115"):
        rig.tick(tick)
    assert rig.trade(trade.id).status is TradeStatus.BOUGHT
    rig.tick("120")
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_an_executed_step_may_be_repeated_and_not_changed(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(*IN_STEPS)))
    rig.tick("105")

    rest = ((2, "25", "111"), (3, "25", "115"))
    update_trade(trade.id, an_update(**planned((1, "50", "105"), *rest)), rig.ports)
    with pytest.raises(TermsRefused) as refused:
        update_trade(trade.id, an_update(**planned((1, "50", "104"), *rest)), rig.ports)

    assert refused.value.fields == {"take_profit_steps[0]": [Complaint(Flaw.FIXED)]}


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        (planned((1, "50", "105"), (1, "50", "106")), {"take_profit_steps[1].position"}),
        (planned((0, "50", "105"), (1, "50", "106")), {"take_profit_steps[0].position"}),
        (planned((1, "50", "105"), (2, "40", "106")), {"take_profit_steps"}),
        (planned(*((n, "20", "105") for n in range(1, 6))), {"take_profit_steps"}),
        ({"basis_price": Decimal(90)}, {"basis_price"}),
        ({"entry_price": Decimal(90)}, {"entry_price"}),
        ({"stop_loss_enabled": True}, {"stop_loss_price"}),
        (
            {"stop_loss_enabled": True, "stop_loss_price": Decimal(90)}
            | {"stop_loss_percentage": Decimal(5)},
            {"stop_loss_percentage"},
        ),
        ({"take_profit_type": TakeProfitType.CLASSIC}, {"take_profit_price"}),
        ({"take_profit_is_trailing": True}, {"take_profit_trailing_percent"}),
        (planned((None, "50", "105"), (1, "100", "106")), {"take_profit_steps[0].position"}),
        (
            {"take_profit_type": TakeProfitType.CLASSIC, "take_profit_price": Decimal(110)}
            | {"take_profit_order_type": OrderType.LIMIT},
            {"take_profit_order_price"},
        ),
        (
            {"take_profit_type": TakeProfitType.CLASSIC, "take_profit_price": Decimal(110)}
            | {"take_profit_percentage": Decimal(-5)},
            {"take_profit_percentage"},
        ),
        (
            {"take_profit_is_trailing": True, "take_profit_trailing_percent": Decimal(1)}
            | {"take_profit_order_type": OrderType.LIMIT},
            {"take_profit_is_trailing"},
        ),
        (A_STOP | {"stop_loss_order_type": OrderType.LIMIT}, {"stop_loss_order_price"}),
        (
            A_STOP
            | {"stop_loss_order_type": OrderType.LIMIT, "stop_loss_order_price": Decimal(89)}
            | {"stop_loss_is_trailing": True},
            {"stop_loss_is_trailing"},
        ),
    ],
)
def test_what_cannot_be_changed_so_is_told_by_its_name(
    rig: TradeRig, facts: dict[str, object], fields: set[str]
) -> None:
    trade = rig.open(a_trade(TradeType.CLASSIC, "10", entry=entry(), **steps(*IN_STEPS)))

    with pytest.raises(TermsRefused) as refused:
        update_trade(trade.id, an_update(**facts), rig.ports)

    assert refused.value.fields.keys() == fields
    assert rig.trade(trade.id) == trade


def fields_refused(trade: SmartTrade, rig: TradeRig, **facts: object) -> set[str]:
    """Return which fields of an update are refused; the trade stays as it is."""
    before = rig.trade(trade.id)
    with pytest.raises(TermsRefused) as refused:
        update_trade(trade.id, an_update(**facts), rig.ports)
    assert rig.trade(trade.id) == before
    return set(refused.value.fields)


def test_a_simple_trade_gets_no_exits_and_does_not_trail(rig: TradeRig) -> None:
    simple = TradeType.CONDITIONAL_SIMPLE_BUY
    trade = rig.open(a_trade(simple, "1", entry=entry("conditional", "105")))

    exits = fields_refused(trade, rig, **A_STOP, take_profit_price=Decimal(120))
    trailing = fields_refused(trade, rig, take_profit_enabled=False, entry_is_trailing=True)

    assert exits == {"take_profit_enabled", "stop_loss_enabled"}
    assert trailing == {"entry_is_trailing"}


def test_an_entry_that_trails_has_no_limit(rig: TradeRig) -> None:
    waits = entry("conditional", "105", limit="106")
    trade = rig.open(a_trade(TradeType.CONDITIONAL_BUY, "1", entry=waits, **classic("115")))

    trailing: dict[str, object] = {"entry_is_trailing": True}
    # Where its entry will be nobody knows, so that the profit is a share of it.
    assert fields_refused(trade, rig, **trailing) == {"entry_limit_price", "take_profit_percentage"}
    trailing["take_profit_percentage"] = Decimal(5)
    assert fields_refused(trade, rig, **trailing) == {"entry_limit_price"}


def test_a_take_profit_that_comes_later_must_be_whole(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("90")))

    assert fields_refused(trade, rig) == {"take_profit_type"}
    in_steps = TakeProfitType.STEP_SELL
    assert fields_refused(trade, rig, take_profit_type=in_steps) == {"take_profit_steps"}

    numbered = planned((None, "50", "105"), (None, "50", "110"))  # counted by their places
    update_trade(trade.id, an_update(take_profit_type=in_steps, **numbered), rig.ports)
    rig.drain()
    rig.tick("105")
    rig.tick("110")
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_a_take_profit_that_has_begun_keeps_its_terms(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **steps(*IN_STEPS)))
    rig.tick("105")

    assert fields_refused(trade, rig, take_profit_enabled=False) == {"take_profit_enabled"}
    by_limit = fields_refused(trade, rig, take_profit_order_type=OrderType.LIMIT)
    assert by_limit == {"take_profit_order_type"}
    trails = {"take_profit_is_trailing": True, "take_profit_trailing_percent": Decimal(1)}
    assert fields_refused(trade, rig, **trails) == {"take_profit_trailing_percent"}


def test_the_same_values_never_fail(rig: TradeRig) -> None:
    trade = rig.open(WAITING)
    same = an_update(
        entry_price=Decimal(105),
        entry_is_trailing=False,
        entry_trailing_percent=Decimal(5),
        take_profit_price=Decimal(115),
    )

    assert update_trade(trade.id, same, rig.ports).steps[0].id == trade.steps[0].id
    rig.tick("105")
    assert update_trade(trade.id, same, rig.ports).status is TradeStatus.BOUGHT


def test_a_trigger_that_is_moved_is_waited_for_from_where_the_price_is_now(rig: TradeRig) -> None:
    trade = rig.open(WAITING)

    update_trade(trade.id, an_update(entry_price=Decimal(95)), rig.ports)
    rig.drain()
    rig.tick("104.9/105")
    assert rig.trade(trade.id).status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE
    rig.tick("94.9/95")

    assert rig.trade(trade.id).status is TradeStatus.BOUGHT
    assert rig.fills()[0][3] == Decimal(95)


def test_a_stop_sent_back_as_it_was_shown_keeps_what_it_has_followed(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", trailing=True)))
    for tick in ("100", "120"):
        rig.tick(tick)
    shown = view_of(rig.trade(trade.id), rig.ports)
    assert shown.stop_level == Decimal(114)

    update = TradeUpdate(
        take_profit_enabled=False, stop_loss_enabled=True, stop_loss_price=Decimal(114)
    )
    update_trade(trade.id, update, rig.ports)
    rig.drain()
    rig.tick("119")

    assert view_of(rig.trade(trade.id), rig.ports).stop_level == Decimal(114)


def test_a_stop_that_is_moved_begins_anew(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", trailing=True)))
    for tick in ("100", "120"):
        rig.tick(tick)

    update = TradeUpdate(
        take_profit_enabled=False, stop_loss_enabled=True, stop_loss_price=Decimal(90)
    )
    update_trade(trade.id, update, rig.ports)
    rig.drain()
    rig.tick("100")

    assert view_of(rig.trade(trade.id), rig.ports).stop_level == Decimal(90)
    assert rig.trade(trade.id).steps[0].trailing_percent == Decimal(10)


def test_an_update_ends_a_timeout_that_runs(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", timeout=60)))
    rig.tick("94")
    assert rig.trade(trade.id).stop_deadline_ms is not None

    update = TradeUpdate(take_profit_enabled=False, stop_loss_enabled=True)
    update_trade(trade.id, update, rig.ports)
    rig.drain()
    rig.wait(60_000)

    trade = rig.trade(trade.id)
    assert trade.status is TradeStatus.BOUGHT
    assert trade.stop_deadline_ms is None
    assert len(rig.held(trade.id)) == 1


def test_exits_are_switched_off_and_on(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95")))

    off = TradeUpdate(take_profit_enabled=False, stop_loss_enabled=False)
    update_trade(trade.id, off, rig.ports)
    rig.drain()
    assert rig.held(trade.id) == []
    on = TradeUpdate(
        take_profit_enabled=True,
        stop_loss_enabled=True,
        take_profit_type=TakeProfitType.CLASSIC,
        take_profit_price=Decimal(106),
        take_profit_source=PriceSource.LAST,
        stop_loss_price=Decimal(94),
    )
    update_trade(trade.id, on, rig.ports)
    rig.drain()

    assert len(rig.held(trade.id)) == 2
    rig.tick("105/105.1/106")
    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED


# Force


def test_a_forced_look_finds_a_stop_that_is_hit(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95")))
    rig.set_price("94")

    force_process(trade.id, rig.ports)
    rig.drain()
    rig.follow()

    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED
    assert len(rig.fills()) == 1
    assert rig.held(trade.id) == []


def test_a_forced_look_at_a_price_that_nobody_waits_for_does_nothing(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95")))

    assert force_process(trade.id, rig.ports) == trade
