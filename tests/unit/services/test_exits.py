"""Exits go on until the position is flat, each order for what is there when it is sent."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import (
    Action,
    LateExits,
    NetAction,
    NetCommand,
    OnOpposite,
    SignalRules,
)
from app.domain.enums import Dialect, PositionSide, ReasonCode
from app.domain.errors import VenueBusy, VenueRejected, VenueUnavailable
from app.domain.events import OrderReported
from app.domain.exits import USUAL
from app.domain.market import AccountView, Position
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.services.advance import advance
from app.services.intake.requests import accept_reversal
from app.services.placing.cancel import request_cancel
from app.services.watching.watch import watch_prices
from tests.support.builders import (
    ETH,
    ETH_USDM,
    PAPER,
    REQUESTED,
    USDM,
    a_command,
    a_quote,
    a_tick,
    a_view,
    fixed,
    percent,
)
from tests.support.rig import Rig, encounters

LONG = PositionSide.LONG
FLAT = Decimal(0)
PATIENCE_MS = USUAL.patience_ms
CLOSE = a_command(Action.CLOSE_LONG, size=percent("100"))


def holding(size: Decimal, leg: PositionSide = LONG) -> AccountView:
    return a_view({"USDT": "100000"}, {leg: str(size)} if size else {})


class Book:
    """Lets the venue fill what its depth has, order after order, and keep the position."""

    def __init__(self, rig: Rig, size: str, *depth: str, leg: PositionSide = LONG) -> None:
        self._rig, self.held, self._leg = rig, Decimal(size), leg
        self.depth = [Decimal(one) for one in depth]
        self.refusal: VenueRejected | None = None
        rig.venue.account = holding(self.held, leg)
        rig.venue.answer = self.answer

    def answer(self, order: Order) -> OrderReport:
        if self.refusal is not None:
            raise self.refusal
        filled = min(order.quantity, self.depth.pop(0)) if self.depth else Decimal(0)
        self.held += filled if not order.reduce_only else -filled
        leg = order.position_side or self._leg
        self._rig.venue.account = holding(self.held, leg)
        is_whole = filled == order.quantity
        return OrderReport(
            status=OrderStatus.FILLED if is_whole else OrderStatus.CANCELED,
            filled_quantity=filled,
            average_price=Decimal(1_890) if filled else None,
            position_after=self.held,
            reason=None if is_whole else Reason(ReasonCode.TIME_IN_FORCE, "no more depth"),
        )


def a_guarded_long(rig: Rig, size: str = "0.4", profit: str | None = None) -> Signal:
    """Open a long that has a stop at 1,900, and forget what was sent for it."""
    Book(rig, "0", size)
    command = a_command(
        Action.OPEN_LONG,
        size=fixed(size),
        stop_loss=Decimal(1_900),
        take_profit=None if profit is None else Decimal(profit),
    )
    accepted = rig.accept(command)
    rig.drain()
    rig.venue.sent.clear()
    return rig.signal(accepted.id)


def price(rig: Rig, last: str, number: int = 2) -> None:
    rig.feed.ticks.append(a_tick(number=number, last=last))
    watch_prices(PAPER, rig.ports)


def sizes(rig: Rig) -> list[Decimal]:
    return [order.quantity for order in rig.venue.sent]


def told(rig: Rig) -> int:
    """Return how often a person was told of a guard."""
    return sum(rig.events(one.id).count("alert") for one in rig.smart_orders())


# Guards


def test_a_stop_sells_what_is_left_of_its_leg_when_it_fires(rig: Rig) -> None:
    signal = a_guarded_long(rig)
    book = Book(rig, "0.2", "9")

    price(rig, "1890")
    rig.settle(step_ms=500)

    assert (sizes(rig), book.held) == ([Decimal("0.2")], FLAT)
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_part_is_not_the_end(rig: Rig) -> None:
    signal = a_guarded_long(rig, profit="2200")
    book = Book(rig, "0.4", "0.15", "0.05", "0", "9")

    price(rig, "1890")
    rig.settle(step_ms=500)

    assert sizes(rig) == [Decimal(one) for one in ("0.4", "0.25", "0.2", "0.2")]
    assert len({order.client_order_id for order in rig.venue.sent}) == 4
    assert (book.held, rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)
    assert not rig.ports.book.symbols(PAPER)


def test_what_is_told_of_one_order_twice_counts_once(rig: Rig) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.4", "0.1")
    told = OrderReport(
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.3"),
        average_price=Decimal(1_890),
    )
    rig.venue.answer = lambda _: told
    price(rig, "1890")
    rig.drain()
    book.held = Decimal("0.1")
    rig.venue.account, rig.venue.answer = holding(book.held), book.answer

    for report in (told, replace(told, status=OrderStatus.CANCELED)):
        event = OrderReported(at_ms=rig.clock.now_ms(), report=report)
        advance(rig.orders()[1].id, event, rig.ports)
        rig.settle(step_ms=500)

    assert sizes(rig) == [Decimal("0.4"), Decimal("0.1")]
    assert (book.held, rig.smart_order().filled_quantity) == (FLAT, Decimal("0.4"))


def test_a_refusal_is_not_the_end_and_a_person_is_told(rig: Rig) -> None:
    signal = a_guarded_long(rig)
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("Filter failure: LOT_SIZE")

    price(rig, "1890")
    rig.settle(rounds=200, step_ms=3_000)
    assert rig.signal(signal.id).is_live
    assert told(rig) == 1

    book.refusal = None
    rig.settle(step_ms=30_000)

    assert (book.held, rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)


def test_above_the_greatest_order_a_stop_is_several(rig: Rig) -> None:
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal(120))
    a_stop = a_guarded_long(rig, "100")
    book = Book(rig, "100", "60", "99")
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal(60))

    price(rig, "1890")
    rig.settle(step_ms=500)

    assert (sizes(rig), book.held) == ([Decimal(60), Decimal(40)], FLAT)
    assert rig.signal(a_stop.id).status is RequestStatus.DONE


def test_a_position_that_is_gone_takes_both_guards_with_it(rig: Rig) -> None:
    signal = a_guarded_long(rig, profit="2200")
    Book(rig, "0")

    price(rig, "1890")
    rig.settle(step_ms=1_000)

    assert sizes(rig) == []
    ended = rig.signal(signal.id)
    assert (ended.status, ended.reason and ended.reason.code) == (
        RequestStatus.DONE,
        ReasonCode.POSITION_CLOSED,
    )
    assert not rig.ports.book.symbols(PAPER)


def test_a_venue_that_shows_the_position_a_moment_late_does_not_leave_it_unguarded(
    rig: Rig,
) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.4", "9")
    late = [AccountView()]
    shown = rig.venue.account

    def shows() -> None:
        rig.venue.account = late.pop() if late else shown

    price(rig, "1890")
    rig.venue.before_view = shows
    rig.settle(step_ms=1_000)

    assert (sizes(rig), book.held) == ([Decimal("0.4")], FLAT)


def test_a_venue_that_cannot_tell_is_asked_again(rig: Rig) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.4", "9")
    rig.venue.view_script.extend([VenueUnavailable("away")] * 8)

    price(rig, "1890")
    rig.settle(step_ms=2_000)

    assert (sizes(rig), book.held) == ([Decimal("0.4")], FLAT)


def test_a_venue_that_refuses_the_key_is_asked_again_and_a_person_is_told_at_once(
    rig: Rig,
) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.4", "9")
    refused = VenueUnavailable("Invalid API-key", ReasonCode.CREDENTIALS_REFUSED)
    rig.venue.view_script.extend([refused] * 2)

    price(rig, "1890")
    rig.drain()
    failed = rig.orders()[-1]
    assert (failed.status, failed.reason and failed.reason.code) == (
        OrderStatus.DENIED,
        ReasonCode.CREDENTIALS_REFUSED,
    )
    assert told(rig) == 1
    rig.settle(step_ms=2_000)

    assert (sizes(rig), book.held, told(rig)) == ([Decimal("0.4")], FLAT, 1)


def test_an_exit_that_rules_refuse_lets_them_be_read_anew(rig: Rig) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("Filter failure: LOT_SIZE", ReasonCode.AGAINST_RULES)
    price(rig, "1890")
    rig.drain()
    assert rig.venue.doubts == 1

    book.refusal = None
    rig.settle(step_ms=2_000)

    assert (book.held, rig.venue.doubts) == (FLAT, 1)


def test_a_symbol_that_is_traded_again_is_not_missed(rig: Rig) -> None:
    Book(rig, "0.4", "9")
    rig.venue.learns[ETH] = rig.venue.instruments.pop(ETH)

    signal = rig.accept(CLOSE)
    rig.settle(step_ms=1_000)

    assert sizes(rig) == [Decimal("0.4")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_cancel_ends_a_guard_between_two_of_its_orders(rig: Rig) -> None:
    signal = a_guarded_long(rig)
    Book(rig, "0.4", "0.1")
    price(rig, "1890")
    rig.drain()

    rig.accept(a_command(Action.CANCEL_ALL), futures=True)
    rig.settle(step_ms=2_000)

    assert sizes(rig) == [Decimal("0.4")]
    assert not rig.signal(signal.id).is_live


def test_a_guard_of_a_symbol_that_is_halted_is_armed_and_sells_when_it_is_traded_again(
    rig: Rig,
) -> None:
    def halted(_: Order) -> None:
        rig.venue.instruments.pop(ETH, None)

    rig.venue.after_place = halted
    signal = a_guarded_long(rig)
    assert rig.smart_order().armed
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("Market is closed.")
    price(rig, "1890")
    rig.settle(rounds=20, step_ms=3_000)
    assert rig.signal(signal.id).is_live

    rig.venue.instruments[ETH], book.refusal = ETH_USDM, None
    rig.settle(step_ms=30_000)

    assert (book.held, rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)


def test_a_guard_that_waits_does_not_sleep_when_the_clock_is_set_back(rig: Rig) -> None:
    signal = a_guarded_long(rig)
    book = Book(rig, "0.4", "0.1", "9")
    price(rig, "1890")
    rig.drain()
    rig.clock.step(-3_600_000)

    rig.settle(rounds=20, step_ms=1_000)

    assert (book.held, rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)


# Closes that a message asks for


def test_a_close_that_fills_in_part_goes_on(rig: Rig) -> None:
    book = Book(rig, "0.4", "0.1", "0", "0.3")

    signal = rig.accept(CLOSE)
    rig.settle(step_ms=1_000)

    assert sizes(rig) == [Decimal("0.4"), Decimal("0.3"), Decimal("0.3")]
    done = rig.signal(signal.id)
    assert (done.status, done.filled_quantity, done.quantity) == (
        RequestStatus.DONE,
        Decimal("0.4"),
        Decimal("0.4"),
    )
    assert book.held == 0


def test_a_close_that_does_not_get_through_is_partial_with_the_reason(rig: Rig) -> None:
    Book(rig, "0.4", "0.1")

    signal = rig.accept(CLOSE)
    rig.settle(rounds=PATIENCE_MS // 1_000 + 30, step_ms=1_000)

    ended = rig.signal(signal.id)
    assert (ended.status, ended.filled_quantity) == (RequestStatus.PARTIAL, Decimal("0.1"))
    assert ended.reason is not None
    assert rig.events(signal.id).count("alert") == 1


def test_a_close_is_tried_for_a_minute(rig: Rig) -> None:
    Book(rig, "0.4")
    begun_ms = rig.clock.now_ms()

    signal = rig.accept(CLOSE)
    rig.settle(rounds=PATIENCE_MS // 500 + 10, step_ms=500)

    assert rig.signal(signal.id).status is RequestStatus.CANCELED
    last_ms = rig.venue.sent[-1].created_at_ms
    assert PATIENCE_MS <= last_ms - begun_ms <= PATIENCE_MS + 1_000


def test_a_close_whose_orders_fill_whole_does_not_give_up(rig: Rig) -> None:
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal(1))
    book = Book(rig, "3", *["1"] * 3)
    rig.venue.after_place = lambda _: rig.clock.advance(PATIENCE_MS + 1)

    rig.accept(CLOSE)
    rig.settle(step_ms=1_000)

    assert (sizes(rig), book.held) == ([Decimal(1)] * 3, FLAT)


def test_a_close_does_not_send_one_order_after_the_other_when_the_clock_is_set_back(
    rig: Rig,
) -> None:
    Book(rig, "0.4")
    signal = rig.accept(CLOSE)
    rig.drain()

    rig.clock.step(-3_600_000)
    rig.settle(rounds=PATIENCE_MS // 1_000 + 30, step_ms=1_000)

    assert not rig.signal(signal.id).is_live
    assert len(rig.venue.sent) <= USUAL.misses_max


def test_a_close_that_is_canceled_between_its_orders_has_closed_a_part(rig: Rig) -> None:
    Book(rig, "0.4", "0.1")
    signal = rig.accept(CLOSE)
    rig.drain()

    rig.accept(a_command(Action.CANCEL_ALL), futures=True)
    rig.settle(step_ms=1_000)

    ended = rig.signal(signal.id)
    assert (ended.status, len(rig.venue.sent)) == (RequestStatus.PARTIAL, 1)
    assert "alert" not in rig.events(signal.id)


def test_what_is_promised_to_orders_that_rest_is_not_closed(rig: Rig) -> None:
    Book(rig, "0.4", "0.1")
    signal = rig.accept(CLOSE)
    rig.drain()

    promise(rig, "0.3")
    rig.settle(rounds=PATIENCE_MS // 1_000 + 30, step_ms=1_000)

    ended = rig.signal(signal.id)
    assert ended.reason is not None
    assert (ended.status, sizes(rig)) == (RequestStatus.PARTIAL, [Decimal("0.4")])
    assert ended.reason.code is ReasonCode.INSUFFICIENT_FUNDS
    assert rig.events(signal.id).count("alert") == 1


def promise(rig: Rig, size: str) -> None:
    """Let orders that rest have reserved a position of this size."""
    rest = Position(size=Decimal(size), available=FLAT)
    rig.venue.account = replace(rig.venue.account, positions={(ETH, LONG): rest})


@pytest.mark.parametrize("lacks", ["position", "price", "instrument"])
def test_a_close_waits_for_what_its_turn_lacks_for_a_moment(rig: Rig, lacks: str) -> None:
    book = Book(rig, "0.4", "0.1", "9")
    signal = rig.accept(CLOSE)
    rig.drain()
    match lacks:
        case "position":
            promise(rig, "0.3")
        case "price":
            del rig.venue.quotes[ETH]
        case _:
            del rig.venue.instruments[ETH]
    rig.settle(rounds=10, step_ms=1_000)
    assert (rig.signal(signal.id).is_live, sizes(rig)) == (True, [Decimal("0.4")])

    rig.venue.account = holding(book.held)
    rig.venue.quotes[ETH] = a_quote("2000")
    rig.venue.instruments[ETH] = ETH_USDM
    rig.settle(rounds=20, step_ms=1_000)

    assert (sizes(rig)[1:], book.held) == ([Decimal("0.3")], FLAT)
    ended = rig.signal(signal.id)
    assert (ended.status, ended.reason) == (RequestStatus.DONE, None)


@pytest.mark.parametrize("net", [False, True])
def test_a_fill_that_is_told_after_the_next_order_is_not_closed_again(
    rig: Rig, *, net: bool
) -> None:
    book = Book(rig, "0.4")
    sender = Sender(
        dialect=Dialect.APISIFY,
        origin="apisify:one",
        account=rig.registry.account_named(USDM.name),
        received_at_ms=rig.clock.now_ms(),
    )
    if net:
        command = NetCommand(action=NetAction.CLOSE, quantity=Decimal("0.2"))
        accept_reversal(command, ETH, sender, rig.ports)
    else:
        rig.accept(a_command(Action.CLOSE_LONG, size=percent("50")))
    rig.settle(rounds=1, step_ms=1_000)
    first, *_ = rig.orders()

    book.held = Decimal("0.2")
    rig.venue.account = holding(book.held)
    told = OrderReport(
        status=OrderStatus.CANCELED,
        filled_quantity=Decimal("0.2"),
        average_price=Decimal(1_890),
    )
    report = OrderReported(at_ms=rig.clock.now_ms(), report=told)
    advance(first.id, report, rig.ports)
    book.depth = [Decimal(9)] * 3
    rig.settle(step_ms=1_000)

    assert book.held == Decimal("0.2")


def test_a_close_that_is_refused_is_tried_again(rig: Rig) -> None:
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("ReduceOnly Order is rejected.")
    signal = rig.accept(CLOSE)
    rig.drain()
    assert rig.signal(signal.id).is_live

    book.refusal = None
    rig.settle(step_ms=1_000)

    assert (book.held, rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)


def test_a_close_that_never_gets_through_says_so(rig: Rig) -> None:
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("Filter failure: LOT_SIZE")

    signal = rig.accept(CLOSE)
    rig.settle(rounds=PATIENCE_MS // 1_000 + 30, step_ms=1_000)

    ended = rig.signal(signal.id)
    assert (ended.status, ended.reason and ended.reason.message) == (
        RequestStatus.REJECTED,
        "Filter failure: LOT_SIZE",
    )
    assert rig.events(signal.id).count("alert") == 1


def test_a_close_that_is_dropped_when_late_is_sent_no_more_then(rig: Rig) -> None:
    Book(rig, "0.4", "9")
    rules = SignalRules(leverage=5, late_exits=LateExits.DROP)
    rig.venue.place_script.extend([VenueBusy("not now", 1_000)] * 100)

    signal = rig.accept(CLOSE, rules)
    rig.settle(rounds=90, step_ms=1_000)

    rig.venue.place_script.clear()
    rig.settle(step_ms=1_000)
    ended = rig.signal(signal.id)
    assert (ended.status, ended.filled_quantity) == (RequestStatus.EXPIRED, FLAT)


def test_a_close_above_the_greatest_order_is_several(rig: Rig) -> None:
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal(120))
    book = Book(rig, "150", "120", "30")

    signal = rig.accept(CLOSE)
    rig.settle(step_ms=1_000)

    assert (sizes(rig), book.held) == ([Decimal(120), Decimal(30)], FLAT)
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_what_came_later_waits_for_a_close_that_goes_on(rig: Rig) -> None:
    book = Book(rig, "0.4", "0.1", "0", "0.3", "1")
    rig.accept(CLOSE)
    rig.drain()

    rig.accept(a_command(Action.OPEN_LONG, size=fixed("1")))
    rig.settle(step_ms=1_000)

    opens = [order.reduce_only for order in rig.venue.sent]
    assert opens == [True, True, True, False]
    assert book.held == 1


def test_a_close_that_the_venue_keeps_open_holds_up_no_other_exit_for_ever(rig: Rig) -> None:
    Book(rig, "0.4")
    rig.venue.answer = lambda _: OrderReport(status=OrderStatus.NEW)
    rig.accept(CLOSE)
    rig.drain()
    legs = {LONG: "0.4", PositionSide.SHORT: "0.3"}
    rig.venue.account = a_view({"USDT": "100000"}, legs)

    entry = rig.accept(a_command(Action.OPEN_LONG, size=fixed("1")))
    rig.accept(a_command(Action.CLOSE_SHORT, size=percent("100")))
    rig.settle(rounds=5, step_ms=1_000)
    assert sizes(rig) == [Decimal("0.4")]

    rig.settle(rounds=70, step_ms=1_000)
    assert sizes(rig) == [Decimal("0.4"), Decimal("0.3")]
    assert rig.signal(entry.id).status is RequestStatus.EXPIRED


def test_a_reversal_closes_all_before_it_opens(rig: Rig) -> None:
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal(1))
    Book(rig, "1.4", "1", "0.1", "0.3", "0.5")
    rules = SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE)

    signal = rig.accept(a_command(Action.OPEN_SHORT, size=fixed("0.5")), rules)
    rig.settle(step_ms=1_000)

    closes = [one.quantity for one in rig.venue.sent if one.reduce_only]
    assert closes == [Decimal(1), Decimal("0.4"), Decimal("0.3")]
    assert [one.quantity for one in rig.venue.sent if not one.reduce_only] == [Decimal("0.5")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_what_closes_first_goes_on_though_it_is_too_late_to_open(rig: Rig) -> None:
    book = Book(rig, "0.4", "9")
    book.refusal = VenueRejected("Filter failure: LOT_SIZE")
    rules = SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE)
    opening = a_command(Action.OPEN_SHORT, size=fixed("0.5"))

    signal = rig.accept(opening, rules, exits=replace(USUAL, patience_ms=300_000))
    rig.settle(rounds=40, step_ms=5_000)
    assert rig.signal(signal.id).is_live
    book.refusal = None
    rig.settle(step_ms=5_000)

    assert (sizes(rig), book.held) == ([Decimal("0.4")], FLAT)
    ended = rig.signal(signal.id)
    assert ended.reason is not None
    assert (ended.status, ended.reason.code) == (RequestStatus.PARTIAL, ReasonCode.TOO_LATE)


# At once, and cut short


def a_stopped_one() -> Rig:
    rig = Rig()
    a_guarded_long(rig)
    Book(rig, "0.4", "0.1", "9")
    price(rig, "1890")
    return rig


def test_whoever_works_at_once_no_more_is_sold_than_is_held() -> None:
    def go_on(rig: Rig) -> None:
        rig.settle(step_ms=500)

    for rig in encounters(a_stopped_one, go_on, go_on):
        assert sum(order.filled_quantity for order in rig.orders() if order.reduce_only) == Decimal(
            "0.4"
        )
        assert rig.venue.repeats == []
        (smart,) = rig.smart_orders()
        assert (smart.is_filled, smart.filled_quantity) == (True, Decimal("0.4"))


def test_whenever_a_cancel_comes_a_guard_sends_no_further_order() -> None:
    sent: list[int] = []

    def slowly_stopped() -> Rig:
        rig = a_stopped_one()
        Book(rig, "0.4", *["0.1"] * 4)
        return rig

    def cancel(rig: Rig) -> None:
        (smart,) = rig.smart_orders()
        assert request_cancel(smart.id, REQUESTED, rig.ports)
        sent[:] = [len(rig.venue.sent)]

    for rig in encounters(slowly_stopped, Rig.drain, cancel):
        rig.settle(step_ms=500)
        # The one that was on its way may have arrived.
        assert len(rig.venue.sent) <= sent[0] + 1
        assert not rig.smart_order().is_live


def test_a_stop_that_has_closed_what_was_left_does_not_close_what_was_opened_since(
    rig: Rig,
) -> None:
    a_guarded_long(rig)
    book = Book(rig, "0.2", "9", "9")

    def open_anew(_: Order) -> None:
        book.held = Decimal(1)
        rig.venue.account = holding(book.held)

    rig.venue.after_place = open_anew
    price(rig, "1890")
    rig.settle(step_ms=500)

    assert (sizes(rig), book.held) == ([Decimal("0.2")], Decimal(1))


def test_a_limit_close_that_a_person_takes_off_is_not_sent_again(rig: Rig) -> None:
    book = Book(rig, "0.4")
    rig.venue.answer = lambda _: OrderReport(status=OrderStatus.CANCELED, reason=REQUESTED)

    signal = rig.accept(replace(CLOSE, limit_price=Decimal(2_100)))
    rig.settle(step_ms=1_000)

    assert (len(rig.venue.sent), book.held) == (1, Decimal("0.4"))
    assert rig.signal(signal.id).status is RequestStatus.CANCELED
