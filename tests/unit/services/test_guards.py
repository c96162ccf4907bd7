"""Guards belong to the position that they were made for, and are looked after from the start."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.enums import PositionSide, ReasonCode
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Stage
from app.domain.status import OrderStatus
from app.services.following.follow import follow_news
from tests.support.builders import ETH, USDM_ID, a_command, a_tick, a_view, fixed
from tests.support.paper_rig import PaperRig
from tests.support.rig import Rig

LONG = PositionSide.LONG
HOLDING = a_view({"USDT": "100000"}, {LONG: "0.4"})
OPEN = a_command(
    Action.OPEN_LONG, size=fixed("0.4"), take_profit=Decimal(2_200), stop_loss=Decimal(1_900)
)


def sold(rig: Rig) -> list[Decimal]:
    return [order.filled_quantity for order in rig.orders() if order.reduce_only]


# A price that was passed before the guard was there


@pytest.mark.parametrize("last", ["1850", "1900", "2200", "2250"])
def test_a_level_that_is_passed_when_its_guard_is_armed_fires_at_once(rig: Rig, last: str) -> None:
    rig.feed.seen[ETH] = a_tick(last=last)
    rig.venue.account = HOLDING

    signal = rig.run(OPEN)
    rig.drain()

    assert sold(rig) == [Decimal("0.4")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


@pytest.mark.parametrize("last", ["1901", "2199", None])
def test_a_level_that_is_not_passed_or_not_known_waits(rig: Rig, last: str | None) -> None:
    if last is not None:
        rig.feed.seen[ETH] = a_tick(last=last)
    rig.venue.account = HOLDING

    signal = rig.run(OPEN)

    assert sold(rig) == []
    assert rig.signal(signal.id).stage is Stage.PROTECTED


def test_an_entry_that_fills_past_its_stop_is_out_again_on_paper() -> None:
    rig = PaperRig()
    rig.world.price("2000", ETH)
    signal = rig.run(replace(OPEN, limit_price=Decimal(1_950)))

    rig.world.set_price("1850", ETH)
    rig.watch_and_work()

    assert sold(rig) == [Decimal("0.4")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


@pytest.mark.parametrize("end", [OrderStatus.CANCELED, OrderStatus.EXPIRED])
def test_what_an_entry_has_filled_is_guarded_however_its_rest_ends(
    rig: Rig, end: OrderStatus
) -> None:
    a_part = OrderReport(
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.1"),
        average_price=Decimal(1_950),
    )
    rig.venue.place_script.append(a_part)
    signal = rig.run(replace(OPEN, limit_price=Decimal(1_950)))
    assert rig.smart_orders() == []

    entry = rig.order()
    reason = Reason(ReasonCode.TIME_IN_FORCE, "its time was over")
    rig.venue.account = HOLDING
    ended = replace(a_part, status=end, reason=reason)
    rig.reports.news[USDM_ID] = {entry.client_order_id: ended}
    follow_news(rig.ports)
    rig.drain()

    assert rig.signal(signal.id).stage is Stage.PROTECTED
    assert [one.quantity for one in rig.smart_orders()] == [Decimal("0.1")] * 2
