"""A limit exit that does not fill in time falls back to the market, where somebody wants that."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action, NetAction, NetCommand, SignalCommand
from app.domain.enums import AccountState, Dialect, PositionMode, PositionSide
from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.events import OrderReported
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AggregateId, Currency
from app.domain.market import AccountView, Balance
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.request import Request, RequestStatus
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.services.advance import advance
from app.services.following.follow import poll_orders
from app.services.intake.accept import Accepted
from app.services.intake.requests import accept_reversal
from app.services.placing.cancel import request_cancel
from app.services.watching.release import release_due
from tests.support.builders import (
    ETH,
    ETH_USDM,
    REQUESTED,
    USDM,
    a_command,
    a_view,
    fixed,
    percent,
)
from tests.support.rig import Rig, deaths, encounters

FLAT = Decimal(0)
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
AFTER_10_S = ExitRules(limit_ms=10_000)
LIMIT = Decimal(2_100)
CLOSE = replace(a_command(Action.CLOSE_LONG, size=percent("100")), limit_price=LIMIT)


class Resting:
    """A venue where limits rest, and market orders fill, as long as it does not refuse them."""

    def __init__(self, rig: Rig, *, mode: PositionMode = PositionMode.HEDGE) -> None:
        self._rig, self._mode = rig, mode
        self.refusal: VenueRejected | None = None
        self.legs = {LONG: Decimal("0.4"), SHORT: Decimal(0)}
        self._show()
        rig.venue.answer = self.answer

    def _show(self) -> None:
        legs = {leg: str(size) for leg, size in self.legs.items() if size}
        view: AccountView = a_view({"USDT": "100000", "BTC": "0.5"}, legs)
        self._rig.venue.account = replace(view, position_mode=self._mode)

    def answer(self, order: Order) -> OrderReport:
        if self.refusal is not None and order.price is None:
            raise self.refusal
        if order.price is not None:
            return OrderReport(status=OrderStatus.NEW)
        self._fill(order, order.quantity)
        return filled(order, order.quantity, OrderStatus.FILLED)

    def fill(self, order: Order, quantity: str, status: OrderStatus) -> None:
        """Let a limit that rests fill so far, and have it told."""
        self._fill(order, Decimal(quantity))
        self._rig.venue.ledger[order.client_order_id] = filled(order, Decimal(quantity), status)
        poll_orders(order.account, self._rig.ports)
        self._rig.drain()

    def _fill(self, order: Order, quantity: Decimal) -> None:
        leg = order.position_side or order.side.works_on(reduces=order.reduce_only)
        self.legs[leg] += -quantity if order.reduce_only else quantity
        self._show()


def filled(order: Order, quantity: Decimal, status: OrderStatus) -> OrderReport:
    price = order.price or Decimal(1_999)
    return OrderReport(status=status, filled_quantity=quantity, average_price=price)


def begun(rig: Rig, command: SignalCommand = CLOSE, exits: ExitRules = AFTER_10_S) -> Accepted:
    """Take in a command, and follow it as far as it goes at once."""
    accepted = rig.accept(command, exits=exits)
    rig.drain()
    return accepted


def later(rig: Rig, steps: int, step_s: int = 1) -> None:
    for _ in range(steps):
        rig.clock.advance(step_s * 1_000)
        release_due([rig.clock.now_ms()], rig.ports)
        rig.settle(rounds=1, step_ms=0)


def sent(rig: Rig) -> list[tuple[Decimal, Decimal | None]]:
    return [(order.quantity, order.price) for order in rig.venue.sent]


def test_a_limit_close_that_rests_too_long_goes_at_the_market(rig: Rig) -> None:
    venue = Resting(rig)
    signal = begun(rig)

    later(rig, 9)
    assert sent(rig) == [(Decimal("0.4"), LIMIT)]
    later(rig, 2)

    assert sent(rig) == [(Decimal("0.4"), LIMIT), (Decimal("0.4"), None)]
    assert venue.legs[LONG] == FLAT
    ended = rig.signal(signal.id)
    assert (ended.status, ended.filled_quantity, ended.limit_price) == (
        RequestStatus.DONE,
        Decimal("0.4"),
        LIMIT,
    )
    assert {"cancel_requested", "deferred"} <= set(rig.events(signal.id))


def test_without_the_setting_it_rests_for_ever(rig: Rig) -> None:
    Resting(rig)
    signal = begun(rig, exits=USUAL)

    later(rig, 300)

    assert sent(rig) == [(Decimal("0.4"), LIMIT)]
    assert rig.signal(signal.id).is_live


def test_what_its_limit_has_filled_is_not_sold_again(rig: Rig) -> None:
    venue = Resting(rig)
    signal = begun(rig)
    venue.fill(rig.venue.sent[0], "0.1", OrderStatus.PARTIALLY_FILLED)

    later(rig, 11)

    assert sent(rig)[1:] == [(Decimal("0.3"), None)]
    ended = rig.signal(signal.id)
    assert (ended.status, ended.filled_quantity) == (RequestStatus.DONE, Decimal("0.4"))
    assert ended.average_price == (LIMIT * 1 + Decimal(1_999) * 3) / 4


def test_a_limit_that_fills_while_it_is_taken_off_needs_no_market_order(rig: Rig) -> None:
    venue = Resting(rig)
    signal = begun(rig)
    first = rig.venue.sent[0]
    rig.venue.ledger[first.client_order_id] = filled(first, first.quantity, OrderStatus.FILLED)
    venue.legs[LONG] = Decimal(0)

    later(rig, 11)

    assert len(rig.venue.sent) == 1
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_limit_whose_fill_is_told_after_its_end_needs_no_market_order(rig: Rig) -> None:
    Resting(rig)
    command = replace(a_command(Action.SELL, size=fixed("0.2")), limit_price=Decimal(60_000))
    signal = begun(rig, command)
    first = rig.venue.sent[0]
    rig.state(AccountState.HALT)
    later(rig, 12)
    assert rig.order(first.id).status is OrderStatus.CANCELED

    report = filled(first, first.quantity, OrderStatus.FILLED)
    advance(first.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    rig.drain()
    rig.state(AccountState.RUN)
    later(rig, 5)

    ended = rig.signal(signal.id)
    assert (ended.status, ended.filled_quantity) == (RequestStatus.DONE, first.quantity)
    assert (len(rig.venue.sent), ended.reason) == (1, None)


def test_it_is_not_sent_at_the_market_before_its_limit_is_known_to_be_gone(rig: Rig) -> None:
    venue = Resting(rig)
    signal = begun(rig)
    rig.venue.cancel_script.extend([VenueUnavailable("no answer")] * 3)

    later(rig, 10)
    assert sent(rig) == [(Decimal("0.4"), LIMIT)]
    later(rig, 60)

    assert sent(rig) == [(Decimal("0.4"), LIMIT), (Decimal("0.4"), None)]
    assert (venue.legs[LONG], rig.signal(signal.id).status) == (FLAT, RequestStatus.DONE)


def test_at_the_market_it_goes_on_as_any_other_close(rig: Rig) -> None:
    venue = Resting(rig)
    signal = begun(rig, exits=replace(AFTER_10_S, patience_ms=20_000))
    venue.refusal = VenueRejected("Filter failure: LOT_SIZE")

    later(rig, 25)
    assert rig.signal(signal.id).is_live
    later(rig, 6)

    ended = rig.signal(signal.id)
    assert (ended.status, ended.reason and ended.reason.message) == (
        RequestStatus.REJECTED,
        "Filter failure: LOT_SIZE",
    )
    assert rig.events(signal.id).count("alert") == 1
    assert [price for _, price in sent(rig)].count(LIMIT) == 1


def test_a_cancel_ends_it_before_and_while_it_falls_back(rig: Rig) -> None:
    Resting(rig)
    for seconds in (5, 10):
        rig.venue.cancel_script.append(VenueUnavailable("no answer"))
        signal = begun(rig)
        later(rig, seconds)
        assert request_cancel(signal.id, REQUESTED, rig.ports)
        later(rig, 60)

        assert rig.signal(signal.id).status is RequestStatus.CANCELED
        assert all(price == LIMIT for _, price in sent(rig))


def test_a_sale_of_coins_falls_back_as_well(rig: Rig) -> None:
    Resting(rig)
    command = replace(a_command(Action.SELL, size=fixed("0.2")), limit_price=Decimal(60_000))
    signal = begun(rig, command)

    later(rig, 11)

    assert sent(rig) == [(Decimal("0.2"), Decimal(60_000)), (Decimal("0.2"), None)]
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_coins_that_a_venue_shows_late_as_free_again_are_sold(rig: Rig) -> None:
    Resting(rig)
    command = replace(a_command(Action.SELL, size=fixed("0.5")), limit_price=Decimal(60_000))
    signal = begun(rig, command)
    free = rig.venue.account
    locked = Balance(total=Decimal("0.5"), available=Decimal(0))
    rig.venue.account = replace(free, balances={**free.balances, Currency("BTC"): locked})
    later(rig, 11)
    assert rig.signal(signal.id).is_live

    rig.venue.account = free
    later(rig, 5)

    assert sent(rig) == [(Decimal("0.5"), Decimal(60_000)), (Decimal("0.5"), None)]
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_an_entry_never_falls_back(rig: Rig) -> None:
    Resting(rig)
    command = replace(a_command(Action.OPEN_LONG, size=fixed("1")), limit_price=Decimal(1_500))
    signal = begun(rig, command)

    later(rig, 60)

    assert sent(rig) == [(Decimal(1), Decimal(1_500))]
    assert rig.signal(signal.id).is_live


# Requests about a net position


def net(
    rig: Rig,
    action: NetAction,
    quantity: str,
    mode: PositionMode = PositionMode.HEDGE,
    exits: ExitRules = AFTER_10_S,
) -> AggregateId:
    account = replace(rig.registry.account_named(USDM.name), position_mode=mode)
    rig.registry.put_account(account)
    sender = Sender(
        dialect=Dialect.APISIFY,
        origin="apisify:one",
        account=account,
        received_at_ms=rig.clock.now_ms(),
        exits=exits,
    )
    command = NetCommand(action=action, quantity=Decimal(quantity), limit_price=LIMIT)
    accepted = accept_reversal(command, ETH, sender, rig.ports)
    rig.drain()
    return accepted.id


def loaded(rig: Rig, request_id: AggregateId) -> Request:
    request = rig.load(request_id)
    assert isinstance(request, Request)
    return request


def status(rig: Rig, request_id: AggregateId) -> RequestStatus:
    return loaded(rig, request_id).status


@pytest.mark.parametrize("mode", list(PositionMode))
@pytest.mark.parametrize(("action", "quantity"), [(NetAction.CLOSE, "0"), (NetAction.SELL, "0.4")])
def test_what_only_closes_falls_back(
    rig: Rig, action: NetAction, quantity: str, mode: PositionMode
) -> None:
    venue = Resting(rig, mode=mode)
    request_id = net(rig, action, quantity, mode)

    later(rig, 11)

    assert sent(rig) == [(Decimal("0.4"), LIMIT), (Decimal("0.4"), None)]
    assert all(order.reduce_only for order in rig.venue.sent)
    assert (venue.legs[LONG], status(rig, request_id)) == (FLAT, RequestStatus.DONE)
    assert loaded(rig, request_id).reason is None


def test_what_closes_first_falls_back_and_what_opens_keeps_its_limit(rig: Rig) -> None:
    venue = Resting(rig)
    request_id = net(rig, NetAction.REVERSE_SELL, "0.3")
    assert sent(rig) == [(Decimal("0.4"), LIMIT)]

    later(rig, 11)
    assert sent(rig)[1:] == [(Decimal("0.4"), None), (Decimal("0.3"), LIMIT)]
    later(rig, 60)
    assert len(rig.venue.sent) == 3
    venue.fill(rig.venue.sent[2], "0.3", OrderStatus.FILLED)

    assert venue.legs == {LONG: FLAT, SHORT: Decimal("0.3")}
    assert status(rig, request_id) is RequestStatus.DONE


@pytest.mark.parametrize("mode", list(PositionMode))
def test_what_only_closes_falls_back_however_late_it_is_for_an_entry(
    rig: Rig, mode: PositionMode
) -> None:
    venue = Resting(rig, mode=mode)
    request_id = net(rig, NetAction.SELL, "0.4", mode, ExitRules(limit_ms=120_000))

    later(rig, 12, step_s=10)

    assert sent(rig) == [(Decimal("0.4"), LIMIT), (Decimal("0.4"), None)]
    assert (venue.legs[LONG], status(rig, request_id)) == (FLAT, RequestStatus.DONE)


def test_what_opens_is_due_when_the_limit_before_it_has_fallen_back(rig: Rig) -> None:
    venue = Resting(rig)
    request_id = net(rig, NetAction.REVERSE_SELL, "0.3", exits=ExitRules(limit_ms=120_000))

    later(rig, 12, step_s=10)

    assert sent(rig)[1:] == [(Decimal("0.4"), None), (Decimal("0.3"), LIMIT)]
    venue.fill(rig.venue.sent[2], "0.3", OrderStatus.FILLED)
    assert status(rig, request_id) is RequestStatus.DONE


@pytest.mark.parametrize("mode", list(PositionMode))
def test_what_a_limit_has_filled_after_its_end_is_not_closed_again(
    rig: Rig, mode: PositionMode
) -> None:
    venue = Resting(rig, mode=mode)
    rig.venue.instruments[ETH] = replace(ETH_USDM, max_quantity=Decimal("0.5"))
    request_id = net(rig, NetAction.REVERSE_SELL, "0.3", mode)
    first = rig.venue.sent[0]
    venue.refusal = VenueRejected("Filter failure: LOT_SIZE")
    later(rig, 11)

    venue.fill(first, "0.1", OrderStatus.CANCELED)
    report = filled(first, Decimal("0.1"), OrderStatus.CANCELED)
    advance(first.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    rig.drain()
    venue.refusal = None
    later(rig, 30)

    assert sent(rig)[1:] == [(Decimal("0.3"), None), (Decimal("0.3"), LIMIT)]
    assert (venue.legs[LONG], loaded(rig, request_id).closed_quantity) == (FLAT, Decimal("0.4"))


# At once, and cut short


def resting() -> Rig:
    rig = Rig()
    Resting(rig)
    begun(rig)
    rig.clock.advance(11_000)
    return rig


def falls_back(rig: Rig) -> None:
    release_due([rig.clock.now_ms()], rig.ports)
    rig.drain()


def assert_closed_once(rig: Rig) -> None:
    assert rig.venue.repeats == []
    assert sum(order.filled_quantity for order in rig.orders()) == Decimal("0.4")
    assert sent(rig) == [(Decimal("0.4"), LIMIT), (Decimal("0.4"), None)]


def test_two_workers_at_once_let_it_fall_back_once() -> None:
    for rig in encounters(resting, falls_back, falls_back):
        later(rig, 10)
        assert_closed_once(rig)


def test_whoever_dies_over_it_leaves_the_rest_to_others() -> None:
    for rig in deaths(resting, falls_back):
        later(rig, 60)
        assert_closed_once(rig)
