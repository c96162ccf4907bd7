"""An exchange that takes seconds over each request: what is wanted there is done all the same.

The seconds are those of the clock by hand, so they cost none; `python -m benchmarks.slow_venue` and
the end-to-end tests let them pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from app.domain.commands import Action, SignalRules
from app.domain.enums import Market
from app.domain.errors import VenueBusy
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from tests.support.builders import a_command, an_order, fixed, percent
from tests.support.exchanges.faults import Call
from tests.support.venue_rig import VenueRig, venue_rig

#: From none to just below what counts as silence.
LATENCIES_MS = [0, 1_600, 4_000, 9_000]

EXITS = [
    ("binance", Market.SPOT, Action.SELL),
    ("bybit", Market.SPOT, Action.SELL),
    ("poloniex", Market.SPOT, Action.SELL),
    ("binance", Market.USDM, Action.CLOSE_LONG),
    ("bybit", Market.USDM, Action.CLOSE_LONG),
]


@contextmanager
def slow(venue: str, market: Market, latency_ms: int) -> Iterator[VenueRig]:
    """Yield a rig whose exchange takes this long over each request, half of it on either way."""
    with venue_rig(venue, market) as rig:
        if market is Market.USDM:
            rig.run(a_command(Action.OPEN_LONG, size=fixed("1")), SignalRules(leverage=5))
        else:
            rig.run(a_command(size=fixed("0.01")))
        rig.wire.plan.on_the_way = lambda: rig.clock.advance(latency_ms // 2)
        yield rig


@pytest.mark.parametrize("latency_ms", LATENCIES_MS)
@pytest.mark.parametrize(("venue", "market", "action"), EXITS)
def test_an_exit_in_percent_is_placed_once(
    venue: str, market: Market, action: Action, latency_ms: int
) -> None:
    with slow(venue, market, latency_ms) as rig:
        before = rig.gateway.counted(Call.PLACE)
        accepted = rig.accept(a_command(action, size=percent("10")))

        rig.drain()

        assert rig.signal(accepted.id).status is RequestStatus.DONE
        assert rig.gateway.counted(Call.PLACE) == before + 1


#: What is asked or set before an entry: its leverage, or, where one says what to spend, the price.
ENTRIES = [
    ("binance", Market.USDM, Action.OPEN_LONG),
    ("bybit", Market.USDM, Action.OPEN_LONG),
    ("poloniex", Market.SPOT, Action.BUY),
]


@pytest.mark.parametrize("latency_ms", LATENCIES_MS)
@pytest.mark.parametrize(("venue", "market", "action"), ENTRIES)
def test_an_entry_before_which_something_must_be_known_or_set_is_in_time(
    venue: str, market: Market, action: Action, latency_ms: int
) -> None:
    with slow(venue, market, latency_ms) as rig:
        before = rig.gateway.counted(Call.PLACE)
        leverage = 7 if market is Market.USDM else 1
        rig.accept(a_command(action, size=fixed("0.01")), SignalRules(leverage=leverage))

        rig.drain()

        newest = rig.orders()[-1]
        assert (newest.status, newest.attempts) == (OrderStatus.FILLED, 1)
        assert rig.gateway.counted(Call.PLACE) == before + 1


def test_a_clock_that_is_set_back_meanwhile_lets_nothing_leave_late() -> None:
    """The claim is by the server's clock, and the exchange may look at no time stamp."""
    with venue_rig("binanceus", Market.SPOT) as rig:

        def late() -> None:
            rig.clock.advance(3_000)
            rig.clock.step(-1_800_000)

        rig.wire.plan.on_the_way = late
        order = an_order()
        until_ms = rig.clock.server_ms() + rig.ports.policy.lease_ms(rig.account)

        with pytest.raises(VenueBusy, match="too late"):
            rig.clients.of(rig.account).place(replace(order, lease_until_ms=EpochMs(until_ms)))

        assert rig.received() == []
