"""Random prices, people, faults and deaths: only what is held is sold, and all trades end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import CommandError, HookfillError
from app.domain.exits import ExitRules
from app.domain.identifiers import AggregateId, ClientOrderId
from app.domain.smart_trade.enums import StepKind, TakeProfitType, TradeType
from app.domain.smart_trade.profit import closed_quantity, entered_quantity
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watch import WatchKind
from app.domain.status import OPEN, OrderStatus
from app.paper.domain.fault import FaultPlan, FaultWord
from app.paper.domain.order import PaperOrder
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
from app.services.watching.watch import watch_prices
from tests.support.builders import ETH, PAPER, SPOT
from tests.support.searching import times
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

IN_STEPS = (("50", "105"), ("25", "110"), ("25", "112"))
TRAILING = entry("conditional", "98", trailing="2")

COMMANDS = {
    "sale": a_sale("10", **classic("105"), **stop("95")),
    "steps": a_sale("10", **steps(*IN_STEPS), **stop("95", trailing=True)),
    "limit steps": a_sale("10", **steps(*IN_STEPS, limit=True), **stop("96")),
    "trailing profit": a_sale("10", **steps(*IN_STEPS, trailing="2"), **stop("95", timeout=5)),
    "patient": a_sale("10", **classic("110"), **stop("97", trailing=True, timeout=5)),
    "limits": a_sale("10", **classic("105", limit="106"), **stop("95", limit="94")),
    "market": a_trade(
        TradeType.CLASSIC, "2", entry=entry("market"), **classic("108"), **stop("93")
    ),
    "limit": a_trade(
        TradeType.CLASSIC, "2", entry=entry("limit", "98"), **steps(*IN_STEPS), **stop("90")
    ),
    "conditional": a_trade(
        TradeType.CONDITIONAL_BUY,
        "3",
        entry=TRAILING,
        **classic(percentage="5"),
        **stop(percentage="-3", trailing=True),
    ),
    "cover": a_trade(
        TradeType.SELL_BUY_BACK,
        "4",
        entry=entry("market"),
        **classic("92", source="ask"),
        **stop("106", source="ask", trailing=True),
    ),
    "cover steps": a_trade(
        TradeType.CONDITIONAL_SELL,
        "4",
        entry=entry("conditional", "104"),
        **steps(("50", "99"), ("50", "95"), source="ask"),
        **stop("110", source="last"),
    ),
    "resting": a_trade(
        TradeType.CLASSIC,
        "2",
        entry=entry("limit", "101"),
        **steps(*IN_STEPS, limit=True),
        **stop("95"),
    ),
    "resting cover": a_trade(
        TradeType.SELL_BUY_BACK,
        "4",
        entry=entry("market"),
        **classic("97", source="ask", limit="98"),
        **stop("106", source="ask", timeout=5),
    ),
    "held": a_trade(
        TradeType.CLASSIC, "2", entry=entry("limit", "101"), **steps(*IN_STEPS), **stop("95")
    ),
    "held limits": a_trade(
        TradeType.CLASSIC,
        "2",
        entry=entry(),
        **steps(*IN_STEPS, limit=True),
        **stop("97", limit="96", timeout=5),
    ),
    "held trailing": a_trade(
        TradeType.CONDITIONAL_BUY,
        "3",
        entry=entry("conditional", "98"),
        **classic(percentage="8", trailing="2"),
        **stop(percentage="-3", trailing=True),
    ),
    "held there first": a_trade(
        TradeType.CLASSIC, "2", entry=entry(), **classic("110"), **stop("95", source="last")
    ),
    "simple": a_trade(TradeType.SIMPLE_BUY, "1", entry=entry("limit", "97")),
}
ACTIONS = ("cancel", "panic", "force", "funds", "limit funds", "cheap", "replan", "unprotect")
FAULTS = ("reject", "timeout", "accept_then_timeout", "error")
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(sorted(COMMANDS))),
    st.tuples(st.just("tick"), st.integers(88, 116), st.sampled_from([None, "0.5", "3"])),
    st.tuples(st.just("see"), st.integers(88, 116)),
    st.tuples(st.just("act"), st.sampled_from(ACTIONS), st.integers(0, 3)),
    st.tuples(st.just("act on step"), st.booleans(), st.integers(0, 3), st.integers(0, 5)),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.booleans(), st.integers(1, 6)),
    st.tuples(st.just("coins"), st.sampled_from(["0", "0.4", "3.3", "1000"])),
    st.tuples(st.just("work"), st.integers(1, 6)),
    st.tuples(st.just("die"), st.integers(1, 12)),
    st.tuples(st.just("lose messages")),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("wait"), st.sampled_from([100, 1_000, 6_000])),
    st.tuples(st.just("sweep")),
)


class Chaos:
    """A rig to which things happen in any order."""

    def __init__(self) -> None:
        self.rig = TradeRig(price=LONG)
        self.opened: list[AggregateId] = []
        self.final: dict[AggregateId, str] = {}

    def happen(self, step: tuple[object, ...]) -> None:  # noqa: C901 - a table
        rig = self.rig
        match step:
            case "open", str(name):
                with suppress(HookfillError):
                    rules = ExitRules(
                        profits_rest="resting" in name,
                        beyond_percent=Decimal(3) if "held" in name else None,
                        venue_first="first" in name,
                    )
                    self.opened.append(rig.begin(COMMANDS[name], rules).id)
            case "tick", int(bid), depth:
                self.price(bid, depth)
                with suppress(HookfillError):
                    while watch_prices(PAPER, rig.ports):
                        rig.work(2)
            case "see", int(bid):
                self.price(bid, None)
            case "coins", str(held):  # somebody moves them elsewhere, or back
                with suppress(HookfillError):
                    rig.desk.set_account(SPOT, {"balances": {"ETH": held}})
            case (("act" | "act on step"), *_) if not self.opened:
                pass
            case "act", str(word), int(which):
                trade_id = self.opened[which % len(self.opened)]
                with suppress(CommandError):
                    ACT[word](trade_id, rig.ports)
            case "act on step", bool(panics), int(which), int(number):
                self.act_on_step(panics, which, number)
            case "fault", str(word), bool(cancels), int(times):
                words = (FaultWord(word),) * times
                plan = FaultPlan(cancel=words) if cancels else FaultPlan(place=words)
                rig.world.ports.faults.put(SPOT.id, plan)
            case _:
                rig.happen(step)

    def price(self, bid: int, depth: object) -> None:
        quote: dict[str, object] = {"bid": str(bid), "ask": f"{bid}.1", "last": str(bid)}
        if depth is not None:
            quote |= {"bids": [[str(bid), depth]], "asks": [[f"{bid}.1", depth]]}
        self.rig.desk.set_prices({"prices": {ETH: quote}})

    def act_on_step(self, panics: object, which: int, number: int) -> None:
        trade = self.rig.trade(self.opened[which % len(self.opened)])
        step = trade.steps[number % len(trade.steps)]
        act = panic_sell_step if panics else cancel_step
        with suppress(CommandError):
            act(trade.id, step.id, self.rig.ports)

    def trades(self) -> list[SmartTrade]:
        found = self.rig.reader.newest(None)
        return [one for one in found if isinstance(one, SmartTrade)]

    def assert_safe(self) -> None:
        """What is true at any moment, whatever else is."""
        venue = {one.client_order_id: one for one in self.rig.world.ledger.rows(SPOT.id)}
        for trade in self.trades():
            entered, closed = entered_quantity(trade), closed_quantity(trade)
            assert closed <= entered
            exits = [one for one in trade.orders if one.side is trade.type.exit_side]
            assert closed + sum(one.remaining_quantity for one in exits) <= entered
            known = [venue[one.client_order_id] for one in exits if one.client_order_id in venue]
            sold = sum((one.filled_quantity for one in known), Decimal(0))
            resting = sum(
                (one.quantity - one.filled_quantity for one in known if one.status in OPEN),
                Decimal(0),
            )
            assert sold + resting <= entered_at_venue(trade, venue)
            assert stops_of(trade) <= 1
            before = self.final.get(trade.id)
            assert before in {None, trade.status}, "an end is an end"
            if trade.is_final:
                self.final[trade.id] = trade.status
                assert trade.closed_at_ms is not None

    def end(self) -> None:
        """Let the faults end, stop whatever is left, and wait for everything to end."""
        rig = self.rig
        rig.undisturbed()
        rig.world.ports.faults.put(SPOT.id, FaultPlan())
        self.price(100, None)
        rig.settle()
        rig.follow()
        rig.settle()
        for trade in self.trades():
            with suppress(CommandError):
                panic_sell(trade.id, rig.ports)
            with suppress(CommandError):
                cancel_trade(trade.id, rig.ports)
        rig.settle()

    def assert_at_rest(self) -> None:
        """All trades have ended; nothing of them is live, owed, or held in the trigger book."""
        for trade in self.trades():
            assert trade.is_final, trade
            assert not trade.is_live
            assert all(one.is_final for one in trade.steps), trade.steps
            assert trade.watches == ()
            assert self.rig.held(trade.id) == []
        assert self.rig.resting() == []
        assert not self.rig.ports.book.symbols(PAPER)
        assert not self.rig.ports.book.fired(PAPER)

    def assert_sums_match_the_venue(self) -> None:
        """Each order was taken in once at most, and each trade counts what the venue counts."""
        rows = self.rig.world.ledger.rows(SPOT.id)
        assert not [one for one in rows if one.is_repeat]
        venue = {one.client_order_id: one for one in rows}
        orders = [order for trade in self.trades() for order in trade.orders]
        kept = {one.client_order_id for one in orders}
        assert venue.keys() <= {one.client_order_id for one in self.rig.orders()}
        assert not [one for one in rows if one.filled_quantity and one.client_order_id not in kept]
        for order in orders:
            row = venue.get(order.client_order_id)
            assert order.filled_quantity == (row.filled_quantity if row else 0)
            assert row is None or order.status in {row.status, OrderStatus.FILLED}


def stops_of(trade: SmartTrade) -> int:
    """How many orders of the stop are live, or, if there is none, how often it is watched.

    Of those that wait at the venue there is one at most, which counts for itself.
    """
    stops = {one.id for one in trade.steps_of(StepKind.STOP_LOSS)}
    live = [one for one in trade.orders if one.step_id in stops and one.is_live]
    waits = [one for one in live if one.level is not None]
    assert len(waits) <= 1
    live = [one for one in live if one not in waits]
    fixed = [one for one in trade.watches if one.is_wanted and one.aim.kind is WatchKind.STOP]
    return len(live) + len(fixed)


def entered_at_venue(trade: SmartTrade, venue: Mapping[ClientOrderId, PaperOrder]) -> Decimal:
    side = trade.type.entry_side
    held = trade.asked_quantity if trade.type is TradeType.SMART_SALE else Decimal(0)
    known = [venue.get(one.client_order_id) for one in trade.orders if one.side is side]
    return sum((one.filled_quantity for one in known if one), held)


def _update(**facts: object) -> Callable[[AggregateId, Ports], object]:
    update = TradeUpdate(**facts)  # type: ignore[arg-type]
    return lambda trade_id, ports: update_trade(trade_id, update, ports)


ACT: dict[str, Callable[[AggregateId, Ports], object]] = {
    "cancel": cancel_trade,
    "panic": panic_sell,
    "force": force_process,
    "funds": lambda trade_id, ports: add_funds(trade_id, Decimal(1), None, ports),
    "limit funds": lambda trade_id, ports: add_funds(trade_id, Decimal(1), Decimal(97), ports),
    "cheap": _update(
        take_profit_enabled=True,
        stop_loss_enabled=True,
        take_profit_type=TakeProfitType.CLASSIC,
        take_profit_price=Decimal(103),
        stop_loss_price=Decimal(98),
    ),
    "replan": _update(
        take_profit_enabled=True,
        stop_loss_enabled=True,
        stop_loss_price=Decimal(94),
        take_profit_type=TakeProfitType.STEP_SELL,
        **planned((1, "30", "101"), (5, "70", "104")),
    ),
    "unprotect": _update(take_profit_enabled=False, stop_loss_enabled=False),
}
assert {*ACT} == {*ACTIONS}


@times(0.5)
@given(
    st.lists(st.sampled_from(sorted(COMMANDS)), min_size=1, max_size=3),
    st.lists(STEPS, min_size=5, max_size=40),
)
def test_whatever_happens_nothing_is_sold_that_is_not_held_and_all_ends(
    names: list[str],
    happenings: list[tuple[object, ...]],
) -> None:
    chaos = Chaos()
    for name in names:
        chaos.happen(("open", name))
    chaos.rig.work(20)
    for step in happenings:
        chaos.happen(step)
        chaos.assert_safe()

    chaos.end()

    chaos.assert_safe()
    chaos.assert_at_rest()
    chaos.assert_sums_match_the_venue()
