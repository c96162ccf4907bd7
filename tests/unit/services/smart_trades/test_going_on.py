"""Exits of smart trades go on until nothing is left, each for what is there when it is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Dialect, ReasonCode, Side
from app.domain.errors import CommandError, InsufficientFunds, KeyRefused, VenueRejected, WrongState
from app.domain.events import OrderReported
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.sender import Sender
from app.domain.smart_trade.enums import (
    GUARDED,
    StepKind,
    StepStatus,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.profit import closed_quantity, profit
from app.domain.smart_trade.spec import NewTrade
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.services.advance import advance
from app.services.following.follow import poll_orders
from app.services.intake.trades import open_trade
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    find_trade,
    panic_sell,
    panic_sell_step,
)
from app.services.watching.release import release_due
from app.services.watching.watch import watch_prices
from tests.support.builders import BTC, BTC_SPOT, PAPER, SPOT, a_quote, a_tick, a_view
from tests.support.rig import Rig, deaths, encounters
from tests.support.trade_rig import a_sale, a_trade, classic, entry, steps, stop

FLAT = Decimal(0)
STOPPED = a_sale("0.1", **stop("49000"))
IN_STEPS = a_sale("0.1", **steps(("50", "51000"), ("50", "52000")), **stop("49000"))
REFUSED = VenueRejected("Filter failure: LOT_SIZE")


class Coins:
    """Lets the venue fill what its depth has, order after order, and keep the coins.

    Attributes:
        refusal: what it says to all orders; None takes them.
        rests: whether limit orders rest; else they are gone at once.
    """

    def __init__(self, rig: Rig, held: str, *depth: str) -> None:
        self._rig, self.held = rig, Decimal(held)
        self.depth = [Decimal(one) for one in depth]
        self.refusal: VenueRejected | None = None
        self.rests = False
        rig.venue.answer = self.answer
        self.show()

    def show(self) -> None:
        self._rig.venue.account = a_view({"USDT": "100000", "BTC": str(self.held)})

    def answer(self, order: Order) -> OrderReport:
        if self.refusal is not None:
            raise self.refusal
        if self.rests and order.price is not None:
            return OrderReport(status=OrderStatus.NEW)
        if order.side is Side.SELL and order.quantity > self.held:
            raise InsufficientFunds("170131: Insufficient balance.")
        filled = min(order.quantity, self.depth.pop(0)) if self.depth else FLAT
        self.held += filled if order.side is Side.BUY else -filled
        self.show()
        is_whole = filled == order.quantity
        return OrderReport(
            status=OrderStatus.FILLED if is_whole else OrderStatus.CANCELED,
            filled_quantity=filled,
            average_price=Decimal(50_000) if filled else None,
            reason=None if is_whole else Reason(ReasonCode.TIME_IN_FORCE, "no more depth"),
        )


def opened(rig: Rig, command: NewTrade = STOPPED, exits: ExitRules = USUAL) -> AggregateId:
    sender = Sender(
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:1",
        account=SPOT,
        received_at_ms=rig.clock.now_ms(),
        exits=exits,
    )
    trade = open_trade(replace(command, symbol=BTC), sender, rig.ports)
    rig.drain()
    rig.venue.sent.clear()
    return trade.id


def price(rig: Rig, last: str) -> None:
    number = len(rig.feed.matched) + 2
    rig.feed.ticks.append(a_tick(number=number, symbol=BTC, last=last))
    watch_prices(PAPER, rig.ports)
    rig.drain()


def later(rig: Rig, ms: int = 500, rounds: int = 40) -> None:
    rig.settle(rounds=rounds, step_ms=ms)


def sizes(rig: Rig) -> list[Decimal]:
    return [order.quantity for order in rig.venue.sent]


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(one) for one in texts]


def step_of(rig: Rig, trade_id: AggregateId, kind: StepKind, number: int = 0) -> AggregateId:
    return find_trade(trade_id, rig.ports).steps_of(kind)[number].id


def told(rig: Rig, trade_id: AggregateId) -> int:
    return rig.events(trade_id).count("alert")


def stuck(rig: Rig, command: NewTrade = STOPPED, at: str = "48000") -> tuple[AggregateId, Coins]:
    """Open a trade whose exit fires, and is refused for now."""
    trade_id = opened(rig, command)
    coins = Coins(rig, "0.1", "9", "9", "9")
    coins.refusal = REFUSED
    price(rig, at)
    return trade_id, coins


# How large


def test_coins_that_a_fee_has_taken_are_not_sold(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.0999", "9")

    price(rig, "48000")

    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), coins.held) == (decimals("0.0999"), FLAT)
    assert (trade.status, trade.is_live) == (TradeStatus.STOP_LOSS_FINISHED, False)
    assert trade.reason is not None
    assert "nothing of BTC/USDT is left" in trade.reason.message
    assert profit(trade, a_quote("90000")) == profit(trade, a_quote("10000"))


def test_dust_is_closed(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "0.09995")

    price(rig, "48000")
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), coins.held) == (decimals("0.1"), Decimal("0.00005"))
    assert trade.status is TradeStatus.STOP_LOSS_FINISHED
    assert trade.reason is not None
    assert "less than can be traded" in trade.reason.message


def test_above_the_greatest_order_it_is_several_at_once(rig: Rig) -> None:
    trade_id = opened(rig)
    rig.venue.instruments[BTC] = replace(BTC_SPOT, max_quantity=Decimal("0.04"))
    coins = Coins(rig, "0.1", "9", "9", "9")

    price(rig, "48000")

    assert sizes(rig) == decimals("0.04", "0.04", "0.02")
    assert (coins.held, find_trade(trade_id, rig.ports).is_final) == (FLAT, True)


def test_steps_take_their_shares_of_what_is_there(rig: Rig) -> None:
    trade_id = opened(rig, IN_STEPS)
    coins = Coins(rig, "0.0999", "9", "9")

    price(rig, "51000")
    price(rig, "52000")
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), coins.held) == (decimals("0.05", "0.0499"), FLAT)
    assert trade.status is TradeStatus.TAKE_PROFIT_FINISHED
    kept = [one.status for one in trade.steps_of(StepKind.TAKE_PROFIT)]
    assert kept == [StepStatus.PROCESSED, StepStatus.PROCESSED]


def test_a_share_that_is_dust_goes_with_the_last_step(rig: Rig) -> None:
    command = a_sale("0.0003", **steps(("20", "51000"), ("80", "52000")))
    trade_id = opened(rig, command)
    coins = Coins(rig, "0.0003", "9", "9")

    price(rig, "51000")
    later(rig, 1_000, rounds=10)
    assert sizes(rig) == []
    price(rig, "52000")

    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), coins.held) == (decimals("0.0003"), FLAT)
    assert trade.status is TradeStatus.TAKE_PROFIT_FINISHED


def test_coins_that_are_gone_end_it_when_the_venue_has_said_so_twice(rig: Rig) -> None:
    trade_id = opened(rig)
    Coins(rig, "0")
    price(rig, "48000")
    later(rig, 1_000, rounds=1)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_ORDER_PLACED

    later(rig, 1_000)

    assert sizes(rig) == []
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


@pytest.mark.parametrize("again", [panic_sell, lambda *_: None])
def test_coins_that_are_shown_a_moment_late_are_sold(
    rig: Rig, again: Callable[..., object]
) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0", "9")
    price(rig, "48000")
    again(trade_id, rig.ports)
    rig.drain()
    assert not find_trade(trade_id, rig.ports).is_final

    coins.held = Decimal("0.1")
    coins.show()
    later(rig, 1_000)

    assert (sizes(rig), coins.held) == (decimals("0.1"), FLAT)


def test_two_steps_that_find_nothing_at_once_have_said_it_once(rig: Rig) -> None:
    trade_id = opened(rig, IN_STEPS)
    coins = Coins(rig, "0", "9", "9")
    price(rig, "52000")

    coins.held = Decimal("0.1")
    coins.show()
    later(rig, 1_000)

    assert (sizes(rig), coins.held) == (decimals("0.05", "0.05"), FLAT)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_what_rests_promises_no_more_than_was_sent(rig: Rig) -> None:
    trade_id, coins = stuck(rig, a_sale("0.1", **classic("51000", limit="51000")), at="52000")
    later(rig, 3_000, rounds=20)
    coins.held, coins.refusal, coins.rests = Decimal("0.06"), None, True
    coins.show()

    later(rig, 30_000, rounds=3)

    trade = find_trade(trade_id, rig.ports)
    assert [one.quantity for one in trade.orders] == sizes(rig) == decimals("0.06")
    assert trade.misses > 0
    assert not trade.exit_fails


def test_a_cover_buys_back_in_parts_and_waits_for_money(rig: Rig) -> None:
    command = a_trade(TradeType.SELL_BUY_BACK, "0.1", entry=entry(), **stop("51000", source="ask"))
    coins = Coins(rig, "0.1", "9", "0.03", "9", "9")
    trade_id = opened(rig, command)
    rig.venue.instruments[BTC] = replace(BTC_SPOT, max_quantity=Decimal("0.05"))
    coins.refusal = InsufficientFunds("too little USDT")
    price(rig, "52000")
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_ORDER_PLACED

    coins.refusal = None
    later(rig)

    assert sizes(rig) == decimals("0.05", "0.05", "0.02")
    assert coins.held == Decimal("0.1")
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


# For how long


def test_a_part_is_not_the_end(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "0.03", "0", "9")

    price(rig, "48000")
    later(rig)

    assert sizes(rig) == decimals("0.1", "0.07", "0.07")
    assert len({order.client_order_id for order in rig.venue.sent}) == 3
    trade = find_trade(trade_id, rig.ports)
    assert (coins.held, trade.status) == (FLAT, TradeStatus.STOP_LOSS_FINISHED)
    assert (trade.reason, trade.exit_fails) == (None, False)


@pytest.mark.parametrize(
    ("command", "at", "status"),
    [
        (STOPPED, "48000", TradeStatus.STOP_LOSS_ORDER_PLACED),
        (
            a_sale("0.1", **stop("49000", limit="48500")),
            "48000",
            TradeStatus.STOP_LOSS_ORDER_PLACED,
        ),
        (a_sale("0.1", **classic("51000")), "52000", TradeStatus.TAKE_PROFIT_ORDER_PLACED),
        (
            a_sale("0.1", **classic("51000", limit="51000")),
            "52000",
            TradeStatus.TAKE_PROFIT_ORDER_PLACED,
        ),
    ],
)
def test_a_refusal_that_may_pass_is_not_the_end_and_a_person_is_told(
    rig: Rig, command: NewTrade, at: str, status: TradeStatus
) -> None:
    trade_id, coins = stuck(rig, command, at)

    later(rig, 3_000, rounds=200)
    trade = find_trade(trade_id, rig.ports)
    assert (trade.status, trade.exit_fails, told(rig, trade_id)) == (status, True, 1)
    assert trade.reason == Reason(ReasonCode.VENUE_REJECTED, str(REFUSED))
    assert len(trade.orders) == 1  # what came to nothing is not kept for ever
    assert trade_id in rig.ports.live.failing_exits()

    coins.refusal = None
    later(rig, 30_000)

    trade = find_trade(trade_id, rig.ports)
    assert (coins.held, trade.is_final) == (FLAT, True)
    assert trade_id not in rig.ports.live.failing_exits()


def test_a_panic_goes_on_and_can_be_canceled_between_two_tries(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "9")
    coins.refusal = REFUSED
    panic_sell(trade_id, rig.ports)
    later(rig, 1_000, rounds=20)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.PANIC_SELL_ORDER_PLACED

    cancel_trade(trade_id, rig.ports)
    coins.refusal = None
    later(rig, 30_000)

    assert find_trade(trade_id, rig.ports).status is TradeStatus.CANCELLED
    assert (coins.held, sizes(rig)) == (Decimal("0.1"), [])


def test_a_panic_whose_order_is_at_work_cannot_be_canceled(rig: Rig) -> None:
    trade_id = opened(rig)
    panic_sell(trade_id, rig.ports)  # not sent yet

    with pytest.raises(WrongState):
        cancel_trade(trade_id, rig.ports)


@pytest.mark.parametrize(
    "refusal",
    [KeyRefused("API-key format invalid."), VenueRejected("", ReasonCode.UNKNOWN_INSTRUMENT)],
)
def test_what_cannot_pass_fails_loudly(rig: Rig, refusal: VenueRejected) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "9")
    coins.refusal = refusal

    price(rig, "48000")
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (trade.status, told(rig, trade_id)) == (TradeStatus.FAILED, 1)
    assert trade.steps_of(StepKind.STOP_LOSS)[0].status is StepStatus.FAILED


def test_a_market_that_is_halted_is_waited_for(rig: Rig) -> None:
    trade_id, coins = stuck(rig)
    del rig.venue.instruments[BTC]
    later(rig, 1_000, rounds=20)

    rig.venue.instruments[BTC] = BTC_SPOT
    coins.refusal = None
    later(rig, 30_000)

    assert (coins.held, find_trade(trade_id, rig.ports).is_final) == (FLAT, True)


def test_a_limit_stop_that_is_taken_off_at_the_venue_comes_back(rig: Rig) -> None:
    trade_id = opened(rig, a_sale("0.1", **stop("49000", limit="48500")))
    coins = Coins(rig, "0.1", "0", "9")

    price(rig, "48000")
    later(rig)

    assert sizes(rig) == decimals("0.1", "0.1")
    assert (coins.held, find_trade(trade_id, rig.ports).is_final) == (FLAT, True)


def test_a_limit_profit_that_is_taken_off_at_the_venue_does_not(rig: Rig) -> None:
    trade_id = opened(rig, a_sale("0.1", **classic("51000", limit="51000")))
    Coins(rig, "0.1", "0", "9")

    price(rig, "52000")
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), trade.status) == (decimals("0.1"), TradeStatus.BOUGHT)
    assert trade.steps_of(StepKind.TAKE_PROFIT)[0].status is StepStatus.CANCELLED


# What comes in between


def test_a_panic_does_not_wait_for_the_pause_of_a_stop(rig: Rig) -> None:
    trade_id, coins = stuck(rig)
    later(rig, 10_000, rounds=10)
    coins.refusal = None

    panic_sell(trade_id, rig.ports)
    rig.drain()

    assert (sizes(rig), coins.held) == (decimals("0.1"), FLAT)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.PANIC_SELL_FINISHED


def test_a_cancel_ends_it(rig: Rig) -> None:
    trade_id, coins = stuck(rig)
    cancel_trade(trade_id, rig.ports)
    coins.refusal = None

    later(rig, 30_000)

    assert (sizes(rig), find_trade(trade_id, rig.ports).status) == ([], TradeStatus.CANCELLED)


def test_a_stop_that_is_canceled_between_two_tries_is_switched_off(rig: Rig) -> None:
    trade_id, coins = stuck(rig, IN_STEPS)
    later(rig, 3_000, rounds=20)
    assert find_trade(trade_id, rig.ports).exit_fails
    cancel_step(trade_id, step_of(rig, trade_id, StepKind.STOP_LOSS), rig.ports)
    coins.refusal = None
    later(rig, 30_000)
    trade = find_trade(trade_id, rig.ports)
    assert (sizes(rig), trade.status, trade.stop_loss) == ([], TradeStatus.BOUGHT, None)
    assert not trade.exit_fails

    price(rig, "52000")

    assert coins.held == 0


def test_a_stop_overtakes_a_profit_that_pauses(rig: Rig) -> None:
    trade_id, coins = stuck(rig, IN_STEPS, at="51000")
    later(rig, 10_000, rounds=10)
    coins.refusal = None

    price(rig, "48000")

    assert (sizes(rig), coins.held) == (decimals("0.1"), FLAT)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


def test_the_next_step_does_not_wait_for_one_that_pauses(rig: Rig) -> None:
    trade_id, coins = stuck(rig, IN_STEPS, at="51000")
    later(rig, 10_000, rounds=10)
    coins.refusal = None

    price(rig, "52000")

    assert (sizes(rig), coins.held) == (decimals("0.05", "0.05"), FLAT)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.TAKE_PROFIT_FINISHED


def test_a_profit_that_was_reached_goes_on_though_the_price_comes_back(rig: Rig) -> None:
    trade_id, coins = stuck(rig, IN_STEPS, at="51000")

    price(rig, "50000")
    price(rig, "51000")
    coins.refusal = None
    later(rig)

    assert (sizes(rig), coins.held) == (decimals("0.05"), Decimal("0.05"))
    assert find_trade(trade_id, rig.ports).status is TradeStatus.BOUGHT


def test_a_step_that_pauses_is_canceled_or_sold_in_panic(rig: Rig) -> None:
    trade_id, coins = stuck(rig, IN_STEPS, at="52000")
    first, second = (step_of(rig, trade_id, StepKind.TAKE_PROFIT, at) for at in (0, 1))
    cancel_step(trade_id, first, rig.ports)
    rig.drain()
    coins.refusal = None

    panic_sell_step(trade_id, second, rig.ports)
    rig.drain()

    trade = find_trade(trade_id, rig.ports)
    kept = [one.status for one in trade.steps_of(StepKind.TAKE_PROFIT)]
    assert kept == [StepStatus.CANCELLED, StepStatus.PANIC_SOLD]
    assert (sizes(rig), coins.held) == (decimals("0.05"), Decimal("0.05"))


def test_funds_that_come_while_a_step_pauses_are_guarded_as_well(rig: Rig) -> None:
    trade_id = opened(rig, a_sale("0.1", **classic("51000"), **stop("49000")))
    coins = Coins(rig, "0.1", "0.05", "9", "9", "9")
    panic_sell_step(trade_id, step_of(rig, trade_id, StepKind.TAKE_PROFIT), rig.ports)
    rig.drain()

    add_funds(trade_id, Decimal("0.02"), None, rig.ports)
    later(rig)
    assert coins.held == Decimal("0.02")
    price(rig, "48000")

    assert coins.held == 0
    assert find_trade(trade_id, rig.ports).is_final


def test_a_profit_that_pauses_leaves_the_timeout_of_the_stop_as_it_is(rig: Rig) -> None:
    command = a_sale("0.1", **classic("51000"), **stop("49000", timeout=10))
    trade_id, coins = stuck(rig, command, at="52000")
    price(rig, "48000")
    ends_ms = rig.clock.now_ms() + 10_000

    for _ in range(9):
        later(rig, 1_000, rounds=1)
        trade = find_trade(trade_id, rig.ports)
        assert (trade.wakes_at_ms, trade.status in GUARDED) == (ends_ms, True)
    rig.feed.seen[BTC] = replace(
        a_tick(number=9, symbol=BTC, last="48000"), at_ms=rig.clock.now_ms()
    )
    later(rig, 1_000, rounds=1)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_ORDER_PLACED

    coins.refusal = None
    later(rig, 30_000)
    assert coins.held == 0


def test_an_exit_that_pauses_does_not_sleep_when_the_clock_is_set_back(rig: Rig) -> None:
    trade_id, coins = stuck(rig)
    coins.refusal = None
    rig.clock.step(-3_600_000)

    later(rig, 1_000, rounds=20)

    assert coins.held == 0
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


def test_funds_that_are_refused_leave_the_trade_as_it_was(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "9")
    coins.refusal = InsufficientFunds("too little USDT")

    add_funds(trade_id, Decimal("0.02"), None, rig.ports)
    rig.drain()

    trade = find_trade(trade_id, rig.ports)
    (funds,) = trade.steps_of(StepKind.FUNDS)
    assert (trade.status, funds.status) == (TradeStatus.BOUGHT, StepStatus.FAILED)
    assert told(rig, trade_id) == 1
    coins.refusal = None
    price(rig, "48000")
    assert coins.held == 0
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


def test_an_entry_that_is_refused_leaves_exits_to_the_funds_that_were_added(rig: Rig) -> None:
    coins = Coins(rig, "0", "0.02", "9")
    coins.rests = True
    entering = a_trade(TradeType.CLASSIC, "0.1", entry=entry("limit", "50000"), **stop("49000"))
    trade_id = opened(rig, entering)
    add_funds(trade_id, Decimal("0.02"), None, rig.ports)
    rig.drain()
    assert find_trade(trade_id, rig.ports).status is TradeStatus.BUY_ORDER_PLACED

    refused = OrderReport(status=OrderStatus.REJECTED, reason=Reason(REFUSED.code, str(REFUSED)))
    event = OrderReported(at_ms=rig.clock.now_ms(), report=refused)
    advance(rig.orders()[0].id, event, rig.ports)
    later(rig)
    assert find_trade(trade_id, rig.ports).status is TradeStatus.BOUGHT
    price(rig, "48000")

    assert coins.held == 0
    assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED


@pytest.mark.parametrize("by_caller", [False, True])
def test_a_trade_of_which_nothing_is_left_ends(rig: Rig, *, by_caller: bool) -> None:
    coins = Coins(rig, "0")
    coins.rests = True
    entering = a_trade(TradeType.CLASSIC, "0.1", entry=entry("limit", "50000"), **stop("49000"))
    trade_id = opened(rig, entering)
    add_funds(trade_id, Decimal("0.02"), Decimal(49_500), rig.ports)
    rig.drain()
    refused = OrderReport(status=OrderStatus.REJECTED, reason=Reason(REFUSED.code, str(REFUSED)))
    gone = OrderReport(status=OrderStatus.CANCELED)
    told = OrderReported(at_ms=rig.clock.now_ms(), report=refused)
    advance(rig.orders()[0].id, told, rig.ports)
    rig.drain()
    assert find_trade(trade_id, rig.ports).status is TradeStatus.BUY_ORDER_PLACED

    if by_caller:
        cancel_step(trade_id, step_of(rig, trade_id, StepKind.FUNDS), rig.ports)
    else:
        advance(rig.orders()[1].id, replace(told, report=gone), rig.ports)
    later(rig)

    status = find_trade(trade_id, rig.ports).status
    assert status is (TradeStatus.CANCELLED if by_caller else TradeStatus.FAILED)


# A limit that does not fill in time

AFTER_10_S = ExitRules(limit_ms=10_000)
LIMITS = {
    "stop": (a_sale("0.1", **stop("49000", limit="48900")), "48000"),
    "profit": (a_sale("0.1", **classic("51000", limit="52000")), "51500"),
    "step": (a_sale("0.1", **steps(("100", "51000"), limit=True)), "51500"),
}


def waits(rig: Rig, seconds: int) -> None:
    for _ in range(seconds):
        rig.clock.advance(1_000)
        release_due([], rig.ports)
        rig.drain()


def kinds(rig: Rig) -> list[tuple[Decimal, bool]]:
    return [(order.quantity, order.price is not None) for order in rig.venue.sent]


@pytest.mark.parametrize("name", list(LIMITS))
def test_a_limit_exit_falls_back_to_the_market(rig: Rig, name: str) -> None:
    command, at = LIMITS[name]
    trade_id = opened(rig, command, AFTER_10_S)
    coins = Coins(rig, "0.1", "9")
    coins.rests = True
    price(rig, at)

    waits(rig, 9)
    assert kinds(rig) == decimals_of(("0.1", True))
    waits(rig, 1)

    assert kinds(rig) == decimals_of(("0.1", True), ("0.1", False))
    assert coins.held == 0
    trade = find_trade(trade_id, rig.ports)
    finished = TradeStatus.STOP_LOSS_FINISHED
    if name != "stop":
        finished = TradeStatus.TAKE_PROFIT_FINISHED
    assert (trade.status, closed_quantity(trade)) == (finished, Decimal("0.1"))


def decimals_of(*sent: tuple[str, bool]) -> list[tuple[Decimal, bool]]:
    return [(Decimal(quantity), is_limit) for quantity, is_limit in sent]


@pytest.mark.parametrize("name", list(LIMITS))
def test_without_the_setting_a_limit_exit_rests_for_ever(rig: Rig, name: str) -> None:
    command, at = LIMITS[name]
    trade_id = opened(rig, command)
    Coins(rig, "0.1", "9").rests = True
    price(rig, at)

    waits(rig, 100)

    assert kinds(rig) == decimals_of(("0.1", True))
    assert find_trade(trade_id, rig.ports).is_live


@pytest.mark.parametrize("name", list(LIMITS))
def test_at_the_market_it_goes_on_until_nothing_is_left(rig: Rig, name: str) -> None:
    command, at = LIMITS[name]
    trade_id = opened(rig, command, AFTER_10_S)
    coins = Coins(rig, "0.1", "0.04", "0", "9")
    coins.rests = True
    price(rig, at)

    waits(rig, 10)
    later(rig, 1_000)

    assert coins.held == 0
    assert [is_limit for _, is_limit in kinds(rig)] == [True, False, False, False]
    assert find_trade(trade_id, rig.ports).is_final


@pytest.mark.parametrize("name", list(LIMITS))
def test_a_limit_that_fills_while_it_is_taken_off_is_not_all_that_its_step_sells(
    rig: Rig, name: str
) -> None:
    command, at = LIMITS[name]
    trade_id = opened(rig, command, AFTER_10_S)
    rig.venue.instruments[BTC] = replace(BTC_SPOT, max_quantity=Decimal("0.04"))
    coins = Coins(rig, "0.1", "9", "9")
    coins.rests = True
    price(rig, at)
    first = rig.venue.sent[0]
    coins.held = Decimal("0.06")
    coins.show()
    rig.venue.ledger[first.client_order_id] = OrderReport(
        status=OrderStatus.FILLED, filled_quantity=first.quantity, average_price=first.price
    )

    waits(rig, 10)

    assert kinds(rig) == decimals_of(("0.04", True), ("0.04", False), ("0.02", False))
    assert (coins.held, find_trade(trade_id, rig.ports).is_final) == (FLAT, True)


def test_a_profit_that_the_stop_overtakes_is_at_its_limit_again_later(rig: Rig) -> None:
    command = a_sale("0.1", **classic("51000", limit="52000"), **stop("49000", limit="48900"))
    trade_id = opened(rig, command, AFTER_10_S)
    coins = Coins(rig, "0.1", "9")
    coins.rests = True
    price(rig, "51500")
    waits(rig, 5)
    price(rig, "48000")
    waits(rig, 5)
    cancel_step(trade_id, step_of(rig, trade_id, StepKind.STOP_LOSS), rig.ports)
    rig.drain()
    assert [order.price for order in rig.venue.sent] == decimals("52000", "48900")

    waits(rig, 100)
    price(rig, "51500")

    assert [order.price for order in rig.venue.sent] == decimals("52000", "48900", "52000")
    waits(rig, 10)
    assert (coins.held, rig.venue.sent[-1].price) == (FLAT, None)


def test_a_panic_does_not_wait_for_a_limit(rig: Rig) -> None:
    command, at = LIMITS["profit"]
    trade_id = opened(rig, command, AFTER_10_S)
    coins = Coins(rig, "0.1", "9")
    coins.rests = True
    price(rig, at)

    panic_sell(trade_id, rig.ports)
    waits(rig, 20)

    assert kinds(rig) == decimals_of(("0.1", True), ("0.1", False))
    assert find_trade(trade_id, rig.ports).status is TradeStatus.PANIC_SELL_FINISHED


# Late, twice, at once, and cut short


def resting() -> Rig:
    rig = Rig()
    command, at = LIMITS["stop"]
    opened(rig, command, AFTER_10_S)
    Coins(rig, "0.1", "9").rests = True
    price(rig, at)
    rig.clock.advance(10_000)
    return rig


def falls_back(rig: Rig) -> None:
    release_due([], rig.ports)
    rig.drain()


def test_of_two_at_once_a_limit_falls_back_once() -> None:
    for rig in encounters(resting, falls_back, falls_back):
        later(rig, 1_000)
        assert kinds(rig) == decimals_of(("0.1", True), ("0.1", False))


def test_whoever_dies_while_a_limit_falls_back_leaves_the_rest_to_others() -> None:
    for rig in deaths(resting, falls_back):
        recovers(rig)
        assert kinds(rig) == decimals_of(("0.1", True), ("0.1", False))
        assert only(rig).is_final


def test_a_fill_that_is_told_of_a_try_that_seemed_to_have_come_to_nothing_counts(rig: Rig) -> None:
    trade_id = opened(rig)
    coins = Coins(rig, "0.1", "0", "0", "0", "9")
    price(rig, "48000")
    first = rig.venue.sent[0]
    later(rig, 250, rounds=3)
    coins.held = Decimal("0.06")
    coins.show()

    late = OrderReport(
        status=OrderStatus.CANCELED,
        filled_quantity=Decimal("0.04"),
        average_price=Decimal(50_000),
    )
    for _ in range(2):
        event = OrderReported(at_ms=rig.clock.now_ms(), report=late)
        advance(first.id, event, rig.ports)
        rig.drain()
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (trade.status, closed_quantity(trade)) == (
        TradeStatus.STOP_LOSS_FINISHED,
        Decimal("0.1"),
    )
    assert coins.held == 0


def test_a_late_fill_takes_off_what_would_sell_too_much(rig: Rig) -> None:
    trade_id = opened(rig, a_sale("0.1", **stop("49000", limit="48500")))
    coins = Coins(rig, "0.1", "0")
    price(rig, "48000")
    first = rig.venue.sent[0]
    coins.rests = True
    later(rig, 1_000, rounds=1)
    assert len(rig.venue.sent) == 2

    late = OrderReport(
        status=OrderStatus.FILLED, filled_quantity=Decimal("0.1"), average_price=Decimal(48_500)
    )
    advance(first.id, OrderReported(at_ms=rig.clock.now_ms(), report=late), rig.ports)
    later(rig)

    trade = find_trade(trade_id, rig.ports)
    assert (trade.status, trade.is_live) == (TradeStatus.STOP_LOSS_FINISHED, False)
    assert closed_quantity(trade) == Decimal("0.1")


def pausing() -> Rig:
    rig = Rig()
    opened(rig, IN_STEPS)
    Coins(rig, "0.0999", "0.03", "9", "9")
    price(rig, "48000")
    rig.clock.advance(250)
    return rig


def only(rig: Rig) -> SmartTrade:
    (found,) = [one for one in rig.whole.newest(None) if isinstance(one, SmartTrade)]
    return found


def goes_on(rig: Rig) -> None:
    later(rig)


def by(action: Callable[..., object]) -> Callable[[Rig], object]:
    def act(rig: Rig) -> None:
        with suppress(CommandError):
            action(only(rig).id, rig.ports)
        rig.drain()

    return act


def recovers(rig: Rig) -> None:
    rig.clock.advance(6_000)
    poll_orders(SPOT.id, rig.ports)
    later(rig, 3_000)


def assert_whole(rig: Rig) -> None:
    trade = only(rig)
    assert trade.is_final
    assert not trade.is_live
    assert rig.venue.repeats == []
    assert sum(one.filled_quantity for one in rig.orders()) == closed_quantity(trade)
    assert closed_quantity(trade) <= Decimal("0.0999")


@pytest.mark.parametrize("meanwhile", [goes_on, by(panic_sell), by(cancel_trade)])
def test_whoever_works_at_once_no_more_is_sold_than_is_held(
    meanwhile: Callable[[Rig], object],
) -> None:
    for rig in encounters(pausing, goes_on, meanwhile):
        recovers(rig)
        assert_whole(rig)


def test_whoever_dies_between_two_tries_leaves_the_rest_to_others() -> None:
    for rig in deaths(pausing, goes_on):
        recovers(rig)
        assert_whole(rig)
        assert closed_quantity(only(rig)) == Decimal("0.0999")
