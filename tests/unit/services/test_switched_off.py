"""An account that is switched off sends nothing any more, and what was live of it ends."""

from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest

from app.domain.commands import Action
from app.domain.enums import Dialect, PositionSide, ReasonCode
from app.domain.errors import Conflict, OutcomeUnknown, VenueError, VenueRejected, VenueUnavailable
from app.domain.identifiers import AccountId
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrderStatus
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import OrderStatus
from app.ports.policy import Policy
from app.services.intake.trades import open_trade
from app.services.placing import switched_off
from app.services.placing.switched_off import SwitchedOff
from app.services.smart_trades.acting import find_trade
from app.services.watching.watch import watch_prices
from tests.support.builders import (
    BTC,
    PAPER,
    SPOT,
    SPOT_ID,
    USDM,
    USDM_ID,
    a_command,
    a_tick,
    a_view,
    fixed,
)
from tests.support.rig import Rig
from tests.support.trade_rig import TradeRig, a_sale, classic, stop

DISABLED = ReasonCode.ACCOUNT_DISABLED
GUARDED = a_command(Action.OPEN_LONG, size=fixed("0.4"), stop_loss=Decimal(1_900))


def a_guarded_one(rig: Rig) -> Signal:
    """Open a position of which a stop is armed."""
    rig.venue.account = a_view({"USDT": "100000"}, {PositionSide.LONG: "0.4"})
    signal = rig.run(GUARDED)
    assert rig.smart_order().armed
    return signal


def switch_off(rig: Rig, account: AccountId = USDM_ID) -> None:
    rig.registry.put_account(replace(rig.registry.account(account), enabled=False))


def switch_on(rig: Rig) -> None:
    rig.registry.put_account(replace(rig.registry.account(USDM_ID), enabled=True))


def sweep_all(rig: Rig) -> None:
    SwitchedOff()(rig.ports)
    rig.settle(step_ms=1_000)


def test_what_is_delayed_is_canceled(rig: Rig) -> None:
    signal = rig.accept(replace(GUARDED, delay_ms=60_000))
    switch_off(rig)

    sweep_all(rig)
    rig.settle(rounds=70, step_ms=1_000)

    ended = rig.signal(signal.id)
    assert ended.status is RequestStatus.CANCELED
    assert ended.reason is not None
    assert ended.reason.code is DISABLED
    assert rig.venue.sent == []


def test_guards_go_and_fire_no_more(rig: Rig) -> None:
    signal = a_guarded_one(rig)
    switch_off(rig)
    sent = len(rig.venue.sent)

    sweep_all(rig)
    rig.feed.ticks.append(a_tick(number=2, last="1800"))
    watch_prices(PAPER, rig.ports)
    rig.settle(step_ms=1_000)

    assert len(rig.venue.sent) == sent
    assert not rig.signal(signal.id).is_live
    assert rig.smart_order().status is SmartOrderStatus.CANCELED
    assert not rig.ports.book.symbols(PAPER)


@pytest.mark.parametrize("swept", [True, False])
def test_a_guard_that_fires_meanwhile_sends_nothing(rig: Rig, *, swept: bool) -> None:
    a_guarded_one(rig)
    switch_off(rig)
    sent = len(rig.venue.sent)
    rig.feed.ticks.append(a_tick(number=2, last="1800"))
    watch_prices(PAPER, rig.ports)
    if swept:
        sweep_all(rig)
    rig.settle(step_ms=1_000)

    assert len(rig.venue.sent) == sent
    assert not rig.smart_order().is_live


def test_a_smart_trade_is_failed(rig: Rig) -> None:
    sender = Sender(
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:1",
        account=SPOT,
        received_at_ms=rig.clock.now_ms(),
    )
    command = replace(a_sale("0.1", **stop("49000")), symbol=BTC)
    trade_id = open_trade(command, sender, rig.ports).id
    rig.drain()
    switch_off(rig, SPOT_ID)

    sweep_all(rig)

    trade = find_trade(trade_id, rig.ports)
    assert trade.status is TradeStatus.FAILED
    assert trade.reason is not None
    assert trade.reason.code is DISABLED
    assert not trade.is_live
    assert rig.venue.sent == []


@pytest.mark.parametrize("tick", ["80/81/80", "120/121/120"])
def test_a_smart_trade_that_closes_meanwhile_fails_with_its_first_order(tick: str) -> None:
    rig = TradeRig(price="99.9/100/100")
    sender = Sender(
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:1",
        account=SPOT,
        received_at_ms=rig.clock.now_ms(),
    )
    trade_id = open_trade(a_sale("1", **classic("110"), **stop("90")), sender, rig.ports).id
    rig.drain()
    switch_off(rig, SPOT_ID)

    rig.tick(tick)  # before any sweep
    rig.settle(step_ms=1_000)

    assert find_trade(trade_id, rig.ports).status is TradeStatus.FAILED
    assert rig.order().status is OrderStatus.DENIED


def test_what_rests_at_the_venue_is_taken_off(rig: Rig) -> None:
    rig.venue.answer = lambda _: OrderReport(status=OrderStatus.NEW)
    signal = rig.run(replace(GUARDED, limit_price=Decimal(1_950)))
    switch_off(rig)

    sweep_all(rig)

    assert rig.order().status is OrderStatus.CANCELED
    assert rig.signal(signal.id).status is RequestStatus.CANCELED


def test_what_has_its_turn_then_is_not_sent(rig: Rig) -> None:
    signal = rig.accept(GUARDED)
    switch_off(rig)

    rig.settle(step_ms=1_000)

    ended = rig.signal(signal.id)
    assert (ended.is_live, rig.venue.sent) == (False, [])
    assert ended.reason is not None
    assert ended.reason.code is DISABLED


def test_others_are_left_alone(rig: Rig) -> None:
    signal = a_guarded_one(rig)
    switch_off(rig, SPOT_ID)

    sweep_all(rig)

    assert rig.signal(signal.id).is_protecting


def test_a_thousand_that_are_switched_off_are_asked_for_at_once(rig: Rig) -> None:
    accounts = [replace(SPOT, id=AccountId(one), enabled=False) for one in range(100, 1_100)]
    known, asked = Mock(), Mock(wraps=rig.ports.live)
    known.accounts.return_value = [*accounts, SPOT, USDM]

    SwitchedOff()(replace(rig.ports, accounts=known, live=asked))

    assert len(asked.method_calls) == 1


@pytest.mark.parametrize("refusal", [VenueUnavailable, OutcomeUnknown, VenueRejected])
def test_what_its_venue_keeps_is_asked_for_once(
    rig: Rig, refusal: type[VenueError], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = OrderReport(status=OrderStatus.NEW)
    rig.venue.answer = lambda _: opened
    rig.run(replace(GUARDED, limit_price=Decimal(1_950)))
    cancels = Mock(side_effect=refusal("not now"))
    switch_off(rig)
    with monkeypatch.context() as patch:
        patch.setattr(rig.venue, "cancel", cancels)
        patch.setattr(rig.venue, "find", lambda _: opened)
        sweep_all(rig)
        asked, writes = cancels.call_count, Mock()
        rig.redis.after_write = writes
        for _ in range(3):
            SwitchedOff()(rig.ports)
        rig.drain()
        rig.undisturbed()
    assert asked > 0
    assert (cancels.call_count, writes.call_count) == (asked, 0)

    rig.settle(step_ms=1_000)

    assert rig.order().status is OrderStatus.CANCELED


def test_what_its_venue_keeps_is_asked_again_after_longer_and_longer_pauses(rig: Rig) -> None:
    rig.venue.answer = lambda _: OrderReport(status=OrderStatus.NEW)
    rig.run(replace(GUARDED, limit_price=Decimal(1_950)))
    switch_off(rig)
    end, asked = SwitchedOff(), Mock(wraps=rig.ports.ledger)
    ports = replace(rig.ports, ledger=asked, policy=Policy())

    def reads(seconds: int) -> int:
        """Sweep once a second, and return how often something was read."""
        before = int(asked.load.call_count)
        for _ in range(seconds):
            end(ports)
            rig.clock.advance(1_000)
        return int(asked.load.call_count) - before

    first, later, at_last = reads(1), reads(10), reads(300)

    assert first == len(rig.ports.live.of_account(USDM_ID)) > 0
    assert first < later <= 4 * first
    assert first < at_last <= 8 * first


def test_what_comes_later_is_asked_at_once_and_so_is_what_could_not_be(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.venue.answer = lambda _: OrderReport(status=OrderStatus.NEW)
    end, told = SwitchedOff(), Mock(side_effect=Conflict("others"))
    signals = [rig.run(replace(GUARDED, limit_price=Decimal(1_950)))]
    switch_off(rig)
    with monkeypatch.context() as patch:
        patch.setattr(switched_off, "request_cancel", told)
        end(rig.ports)
    end(rig.ports)
    switch_on(rig)
    signals.append(rig.run(replace(GUARDED, limit_price=Decimal(1_900))))
    switch_off(rig)

    end(rig.ports)
    rig.settle(step_ms=1_000)

    assert told.call_count > 0
    assert [rig.signal(one.id).is_live for one in signals] == [False, False]
