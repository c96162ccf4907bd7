"""An exchange whose every answer takes its time, less than what counts as none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.errors import VenueBusy
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.domain.words import Market, PositionMode
from tests.contract.venue_world import Numbers
from tests.exchanges.server import Answer, Request
from tests.venue_rig import VenueRig, venue_rig


def slowed(rig: VenueRig, latency_ms: int) -> None:
    """Let each answer be so long on its way back, by the clock that all go by."""
    answer = rig.gateway.answer

    def late(request: Request) -> Answer | bytes | None:
        found = answer(request)
        rig.clock.advance(latency_ms)
        return found

    rig.gateway.answer = late  # type: ignore[method-assign]


def placed(rig: VenueRig, order: Order, attempts: int) -> OrderReport:
    """Place as workers do: with a new claim, as soon as it may be tried again."""
    lease_ms = rig.ports.policy.lease_ms(rig.account)
    for _ in range(attempts):
        until_ms = EpochMs(rig.clock.server_ms() + lease_ms)
        try:
            return rig.clients.venue(rig.account).place(replace(order, lease_until_ms=until_ms))
        except VenueBusy as busy:
            rig.clock.advance(busy.retry_after_ms)
    raise AssertionError("it was never sent")


@pytest.mark.parametrize("latency_ms", [1_600, 4_000, 6_000, 9_000])
@pytest.mark.parametrize(
    ("venue", "market", "leverage"),
    [("binance", Market.USDM, 3), ("bybit", Market.USDM, 3), ("poloniex", Market.SPOT, None)],
)
def test_an_order_that_needs_questions_first_is_sent_all_the_same(
    venue: str, market: Market, leverage: int | None, latency_ms: int
) -> None:
    with venue_rig(venue, market) as rig:
        slowed(rig, latency_ms)
        order = replace(Numbers(market, PositionMode.HEDGE).order(), leverage=leverage)

        report = placed(rig, order, attempts=6)

        assert report.status in {OrderStatus.FILLED, OrderStatus.NEW}
        assert rig.received() == [order.client_order_id]


def test_a_clock_that_is_set_back_meanwhile_lets_nothing_leave_late() -> None:
    """The claim is by the server's clock, and the exchange may look at no time stamp."""
    with venue_rig("binanceus", Market.SPOT) as rig:
        answer = rig.gateway.answer

        def late(request: Request) -> Answer | bytes | None:
            found = answer(request)
            rig.clock.advance(6_000)
            rig.clock.step(-3_600_000)
            return found

        rig.gateway.answer = late  # type: ignore[method-assign]
        order = Numbers(Market.SPOT, PositionMode.HEDGE).order()
        until_ms = rig.clock.server_ms() + rig.ports.policy.lease_ms(rig.account)

        with pytest.raises(VenueBusy, match="too late"):
            rig.clients.venue(rig.account).place(replace(order, lease_until_ms=EpochMs(until_ms)))

        assert rig.received() == []
