"""Everything live of an account ends in a reset, whatever state it is in and whoever dies."""

import pytest

from app.domain.commands import Action
from app.domain.enums import AccountState, PositionSide, ReasonCode
from app.domain.errors import Conflict, OutcomeUnknown
from app.domain.events import Event, PlacementClaimed
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.signal import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services import reset
from app.services.advance import advance
from app.services.keeping.resume import wake_account
from app.services.reset import cancel_everything
from tests.support.builders import SPOT_ID, USDM_ID, a_command, a_report, a_view, an_order, fixed
from tests.support.rig import POLICY, Rig, deaths, encounters

RESTING = a_command(Action.BUY, size=fixed("0.01"), limit_price=fixed("40000").value)
DELAYED = a_command(Action.BUY, size=fixed("0.01"), delay_ms=60_000)
PROTECTED = a_command(
    Action.OPEN_LONG,
    size=fixed("0.5"),
    take_profit=fixed("2200").value,
    stop_loss=fixed("1900").value,
)


def _reset(rig: Rig) -> None:
    for account in (SPOT_ID, USDM_ID):
        cancel_everything(account, rig.ports)


def _busy() -> Rig:
    """Return a rig with a resting order, a delay, a position with its protection, and a signal."""
    rig = Rig()
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.run(RESTING)
    rig.accept(DELAYED)
    rig.venue.account = a_view({"USDT": "10000"}, {PositionSide.LONG: "0.5"})
    rig.run(PROTECTED)
    rig.accept(a_command(Action.BUY, size=fixed("0.02")))
    rig.publisher.waiting.clear()
    return rig


def _assert_ended(rig: Rig) -> None:
    assert not rig.ports.live.of_account(SPOT_ID)
    assert not rig.ports.live.of_account(USDM_ID)
    assert not rig.ports.outbox.owed()
    assert not rig.ports.timers.due(EpochMs(2**52), 1)
    assert not rig.ports.live.placing()


def test_everything_ends_and_says_why() -> None:
    rig = _busy()

    _reset(rig)

    _assert_ended(rig)
    resting, _entry = rig.orders()
    assert (resting.status, resting.reason.code if resting.reason else None) == (
        OrderStatus.CANCELED,
        ReasonCode.RESET,
    )
    assert {one.status for one in rig.smart_orders()} == {SmartOrderStatus.CANCELED}


def test_the_venue_is_not_asked() -> None:
    rig = _busy()
    sent = len(rig.venue.sent)

    _reset(rig)

    assert len(rig.venue.sent) == sent
    assert [one.status for one in rig.venue.ledger.values()].count(OrderStatus.CANCELED) == 0


def test_an_order_of_unknown_outcome_counts_as_canceled() -> None:
    rig = Rig()
    rig.venue.place_script.append(OutcomeUnknown("no answer"))
    signal = rig.run(a_command(Action.BUY, size=fixed("0.01")))
    assert rig.order().status is OrderStatus.UNKNOWN

    _reset(rig)

    assert rig.order().status is OrderStatus.CANCELED
    assert rig.signal(signal.id).status is RequestStatus.CANCELED
    _assert_ended(rig)


def _placing(rig: Rig) -> Order:
    """Return an order that a worker has claimed and not answered for."""
    order = an_order()
    rig.put(order)
    _claim(rig)
    return order


def _claim(rig: Rig) -> None:
    lease_ms = EpochMs(rig.clock.server_ms() + 3_000)
    claim = PlacementClaimed(at_ms=rig.clock.now_ms(), lease_until_ms=lease_ms)
    advance(an_order().id, claim, rig.ports)


def test_one_that_is_claimed_while_it_is_to_end_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig()
    rig.put(an_order())
    before_ms = rig.clock.steady_ms()

    def claimed_first(aggregate_id: AggregateId, event: Event, ports: Ports) -> object:
        monkeypatch.setattr(reset, "advance", advance)
        _claim(rig)
        return advance(aggregate_id, event, ports)

    monkeypatch.setattr(reset, "advance", claimed_first)
    cancel_everything(SPOT_ID, rig.ports)

    assert rig.clock.steady_ms() - before_ms == POLICY.reset_wait_ms
    assert rig.order().status is OrderStatus.CANCELED


def test_a_placement_under_way_is_waited_for() -> None:
    rig = Rig()
    order = _placing(rig)
    before_ms = rig.clock.steady_ms()

    cancel_everything(SPOT_ID, rig.ports)

    assert rig.clock.steady_ms() - before_ms == POLICY.reset_wait_ms
    assert rig.order(order.id).status is OrderStatus.CANCELED


def test_without_one_nobody_waits() -> None:
    rig = _busy()
    before_ms = rig.clock.steady_ms()

    _reset(rig)

    assert rig.clock.steady_ms() == before_ms


def test_a_reset_that_died_is_finished_by_the_next() -> None:
    for rig in deaths(_busy, _reset):
        _reset(rig)
        rig.settle()  # the sweep has what an ended aggregate still owed to the trigger book

        _assert_ended(rig)


def test_a_reset_beside_a_worker_ends_everything() -> None:
    for rig in encounters(_busy, _reset, Rig.drain):
        _reset(rig)

        _assert_ended(rig)


def test_what_never_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = _busy()
    monkeypatch.setattr(reset, "ROUNDS_MAX", 0)

    with pytest.raises(Conflict):
        _reset(rig)


def test_what_waits_for_an_account_is_woken() -> None:
    rig = Rig()
    rig.state(AccountState.HALT)
    signal = rig.run(a_command(Action.SELL, size=fixed("0.01")))
    assert signal.status is RequestStatus.EXECUTING

    rig.state(AccountState.REDUCE_ONLY)
    wake_account(USDM_ID, rig.ports)
    assert not rig.publisher.waiting
    wake_account(SPOT_ID, rig.ports)
    rig.drain()

    assert rig.signal(signal.id).status is RequestStatus.DONE
