"""Whoever dies between two steps, and whoever comes in between: the trade ends as it should."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial

import pytest

from app.domain.errors import CommandError
from app.domain.smart_trade.enums import StepKind, TradeStatus, TradeType
from app.domain.smart_trade.profit import closed_quantity, entered_quantity
from app.domain.smart_trade.spec import NewTrade, TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    force_process,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from tests.support.builders import PAPER, SPOT
from tests.support.rig import deaths, encounters
from tests.support.trade_rig import LONG, TradeRig, a_sale, a_trade, classic, entry, steps, stop

Act = Callable[[TradeRig], object]

HELD = a_sale("10", **steps(("50", "105"), ("50", "110")), **stop("95"))
RESTING = a_sale("10", **classic("105", limit="106"), **stop("95"))
PATIENT = a_sale("10", **stop("95", timeout=5))
TRAILING = a_sale("10", **classic("105", trailing="2"), **stop("95", trailing=True))
BUYING = a_trade(TradeType.CLASSIC, "2", entry=entry(), **classic("110"), **stop("90"))


def opened(command: NewTrade, *ticks: str) -> Callable[[], TradeRig]:
    """Return how to make a rig with this trade after these ticks."""

    def prepare() -> TradeRig:
        rig = TradeRig(price=LONG)
        rig.open(command)
        for tick in ticks:
            rig.tick(tick)
        return rig

    return prepare


def only(rig: TradeRig) -> SmartTrade:
    """Return the one trade that there is."""
    (trade_id,) = rig.statuses
    return rig.trade(trade_id)


def ticked(price: str) -> Act:
    return lambda rig: rig.tick(price)


def by(action: Callable[..., object], *more: object) -> Act:
    """Return the act of a caller, and what follows from it."""

    def act(rig: TradeRig) -> None:
        with suppress(CommandError):
            action(only(rig).id, *more, rig.ports)
        rig.drain()

    return act


def by_step(action: Callable[..., object], kind: StepKind) -> Act:
    def act(rig: TradeRig) -> None:
        with suppress(CommandError):
            action(only(rig).id, only(rig).steps_of(kind)[0].id, rig.ports)
        rig.drain()

    return act


def forced(rig: TradeRig) -> None:
    """Have the trade looked at when its price has come, before the tick is evaluated."""
    rig.set_price("94")
    by(force_process)(rig)


def recovers(rig: TradeRig) -> None:
    """Let others take over, until nothing is owed."""
    rig.clock.advance(6_000)  # the leases of the dead are over
    rig.follow()
    rig.settle()
    rig.follow()
    rig.settle()


def assert_whole(rig: TradeRig) -> None:
    """Nothing was sold twice, nothing is left behind, and the venue counts what we count."""
    trade = only(rig)
    assert closed_quantity(trade) <= entered_quantity(trade)
    rows = rig.world.ledger.rows(SPOT.id)
    assert not [one for one in rows if one.is_repeat]
    venue = {one.client_order_id: one.filled_quantity for one in rows}
    for order in trade.orders:
        assert order.filled_quantity == venue.get(order.client_order_id, Decimal(0))
    if trade.is_final:
        assert not trade.is_live
        assert trade.watches == ()
        assert rig.held(trade.id) == []
        assert not rig.ports.book.fired(PAPER)
    assert not rig._owes_anything()  # noqa: SLF001 - a question, no more


STOP_IT = ticked("94")

CASES = {
    "stop": (opened(HELD), STOP_IT, TradeStatus.STOP_LOSS_FINISHED),
    "stop over a resting profit": (opened(RESTING, "105"), STOP_IT, TradeStatus.STOP_LOSS_FINISHED),
    "steps": (opened(HELD), ticked("110"), TradeStatus.TAKE_PROFIT_FINISHED),
    "fill of a resting profit": (
        opened(RESTING, "105"),
        ticked("106"),
        TradeStatus.TAKE_PROFIT_FINISHED,
    ),
    "anchor and trail": (opened(TRAILING), ticked("100"), TradeStatus.BOUGHT),
    "trailing profit begins": (
        opened(TRAILING, "100"),
        ticked("105"),
        TradeStatus.TRAILING_TAKE_PROFIT_ACTIVATED,
    ),
    "trailing profit": (
        opened(TRAILING, "100", "105", "110"),
        ticked("107.8"),
        TradeStatus.TAKE_PROFIT_FINISHED,
    ),
    "panic": (opened(HELD), by(panic_sell), TradeStatus.PANIC_SELL_FINISHED),
    "panic over a resting profit": (
        opened(RESTING, "105"),
        by(panic_sell),
        TradeStatus.PANIC_SELL_FINISHED,
    ),
    "cancel": (opened(RESTING, "105"), by(cancel_trade), TradeStatus.CANCELLED),
    "panic of a step": (
        opened(HELD),
        by_step(panic_sell_step, StepKind.TAKE_PROFIT),
        TradeStatus.BOUGHT,
    ),
    "cancel of a step": (
        opened(RESTING, "105"),
        by_step(cancel_step, StepKind.TAKE_PROFIT),
        TradeStatus.BOUGHT,
    ),
    "funds": (opened(BUYING), by(add_funds, Decimal(1), None), TradeStatus.BOUGHT),
    "update": (
        opened(TRAILING, "100"),
        by(
            update_trade,
            TradeUpdate(
                take_profit_enabled=False, stop_loss_enabled=True, stop_loss_price=Decimal(97)
            ),
        ),
        TradeStatus.BOUGHT,
    ),
    "forced": (opened(HELD), forced, TradeStatus.STOP_LOSS_FINISHED),
}


@pytest.mark.parametrize("name", CASES)
def test_whoever_dies_leaves_what_others_bring_to_its_end(name: str) -> None:
    prepare, act, status = CASES[name]

    for rig in deaths(prepare, act):
        recovers(rig)
        assert only(rig).status is status
        assert_whole(rig)


def test_whoever_dies_while_a_trade_is_opened_leaves_one_or_none() -> None:
    for rig in deaths(partial(TradeRig, price=LONG), lambda rig: rig.open(BUYING)):
        recovers(rig)
        trades = [one for one in rig.reader.newest(None) if isinstance(one, SmartTrade)]
        assert [one.status for one in trades] in ([], [TradeStatus.BOUGHT])
        assert len(rig.fills()) == len(trades)


def test_whoever_dies_at_the_end_of_a_timeout_leaves_it_to_others() -> None:
    def prepare() -> TradeRig:
        rig = opened(PATIENT, "94")()
        rig.clock.advance(5_000)
        return rig

    for rig in deaths(prepare, lambda rig: rig.wait(0)):
        recovers(rig)
        assert only(rig).status is TradeStatus.STOP_LOSS_FINISHED
        assert_whole(rig)


MEETINGS = {
    f"{first} meets {second}": (CASES[first][:2], CASES[second][1])
    for first, second in (
        ("stop", "panic"),
        ("stop", "cancel"),
        ("stop", "funds"),
        ("stop", "update"),
        ("stop over a resting profit", "panic"),
        ("stop over a resting profit", "fill of a resting profit"),
        ("steps", "panic"),
        ("steps", "stop"),
        ("steps", "update"),
        ("panic", "steps"),
        ("panic over a resting profit", "fill of a resting profit"),
        ("cancel", "fill of a resting profit"),
        ("cancel of a step", "fill of a resting profit"),
        ("panic of a step", "stop"),
        ("funds", "panic"),
        ("update", "stop"),
        ("update", "panic"),
        ("forced", "stop"),
    )
}


@pytest.mark.parametrize("name", MEETINGS)
def test_whoever_comes_in_between_sells_nothing_twice(name: str) -> None:
    (prepare, act), meanwhile = MEETINGS[name]

    for rig in encounters(prepare, act, meanwhile):
        recovers(rig)
        assert_whole(rig)
        by(panic_sell)(rig)
        by(cancel_trade)(rig)
        recovers(rig)
        assert only(rig).is_final
        assert_whole(rig)
