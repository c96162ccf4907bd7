"""How often the store is asked for one order: round trips are most of what an order costs."""

from collections import deque
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from app.domain.channel import Channel
from app.domain.commands import Action, SignalCommand
from app.domain.identifiers import AggregateId
from app.domain.notice import NoticeKind
from app.domain.request.signal import RequestStatus
from app.domain.trigger import Firing
from app.paper.paper_venues import PaperVenues
from app.paper.prices.walk import WalkSource
from app.paper.store.faults import RedisPaperFaults
from app.ports.notices import Mailbox
from app.services.perform import carry_out
from app.services.watching.watch import HANDED_ON_MAX, watch_prices
from app.store.core.registry import RedisRegistry
from app.venues import KnownVenues
from tests.support.builders import ETH, PAPER, a_command, a_quote, fixed
from tests.support.paper_rig import PaperRig
from tests.support.round_trips import round_trips

BUY = a_command(size=fixed("0.01"))
SELL = a_command(Action.SELL, size=fixed("0.01"))
OPEN = a_command(Action.OPEN_LONG, size=fixed("0.1"))
GUARDED = a_command(Action.OPEN_LONG, size=fixed("0.1"), stop_loss=Decimal(2))

#: How many wait in the lane of the backlog.
BACKLOG = 10


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> PaperRig:
    """A rig with prices that walk, in which everything has happened once."""
    # However long a test takes, ids are drawn once.
    monkeypatch.setattr("app.store.core.ids.BLOCK_LIFE_SECONDS", 1_000.0)
    rig = PaperRig()
    world = rig.world
    faults = RedisPaperFaults(rig.redis, may_come=False)
    world.ports = replace(world.ports, source=WalkSource("demo"), faults=faults)
    venues = KnownVenues({}, partial(PaperVenues, world.ports))
    # The registry looks for changes by a clock of its own: here that stands still.
    rig.registry = RedisRegistry(rig.redis, lambda: 0.0)
    rig.ports = replace(rig.ports, venues=venues, accounts=rig.registry)
    world.ports.prices.clear()
    for command in (BUY, SELL, OPEN, GUARDED):
        rig.run(command)
    for price in (1, 2_000):
        tick(rig, price)
        watch_prices(PAPER, rig.ports)
        carry_out_what_is_due(rig)
    return rig


def tick(rig: PaperRig, price: int) -> None:
    """Set the price of what futures trade."""
    rig.world.ports.prices.set({ETH: a_quote(str(price))}, rig.clock.now_ms())


def carry_out_what_is_due(rig: PaperRig) -> None:
    """Carry out what was published and is due, and what follows, as a worker does."""
    waiting = rig.publisher.waiting
    while waiting:
        effect = waiting.popleft()
        if not effect.due_at_ms:
            carry_out(effect.kind, effect.target, rig.ports)


def test_a_webhook_is_one_round_trip(rig: PaperRig) -> None:
    with round_trips(rig.redis) as trips:
        rig.accept(BUY)

    assert len(trips) == 1, trips


@pytest.mark.parametrize(
    ("command", "count"),
    [
        pytest.param(BUY, 10, id="buy"),
        pytest.param(SELL, 11, id="sell"),
        pytest.param(OPEN, 12, id="open"),
    ],
)
def test_a_market_order_from_its_message_to_the_end(
    rig: PaperRig, command: SignalCommand, count: int
) -> None:
    signal = rig.accept(command)

    with round_trips(rig.redis) as trips:
        carry_out_what_is_due(rig)

    assert rig.states(signal.id) == [RequestStatus.DONE]
    assert len(trips) == count, trips


def test_who_is_told_of_it_costs_no_round_trip(rig: PaperRig) -> None:
    known = rig.told_by
    known.put_channel(Channel(name="phone", sealed="-", service="tgram"))
    rig.registry.refresh()
    rig.accept(BUY)

    with round_trips(rig.redis) as trips:
        carry_out_what_is_due(rig)

    assert len(trips) == 10, trips
    assert sum(rig.notices.count([Mailbox(NoticeKind.FILL, "phone")]).values()) == 1


def test_what_is_read_alone_needs_no_transaction(rig: PaperRig) -> None:
    rig.accept(OPEN)

    with round_trips(rig.redis) as trips:
        carry_out_what_is_due(rig)

    assert [one for one in trips if one.startswith("MULTI") and len(one.split()) == 2] == []


def test_nobody_reads_a_record_to_see_whose_work_it_is(rig: PaperRig) -> None:
    accept_backlog(rig)
    rig.accept(SELL)

    carry_out_what_is_due(rig)

    assert [one for one in rig.publisher.published if one.account is None] == []


def accept_backlog(rig: PaperRig) -> list[AggregateId]:
    """Take in so many buys that all wait in one lane."""
    return [rig.accept(BUY).id for _ in range(BACKLOG)]


def test_a_backlog_of_one_lane_is_worked_off_by_the_first_message(rig: PaperRig) -> None:
    ids = accept_backlog(rig)
    first = rig.publisher.waiting.popleft()
    rig.publisher.waiting.clear()
    rig.publisher.waiting.append(first)

    with round_trips(rig.redis) as trips:
        carry_out_what_is_due(rig)

    assert rig.states(*ids) == [RequestStatus.DONE] * BACKLOG
    assert len(trips) == 91, trips


@pytest.mark.parametrize(
    ("fired", "count"),
    [pytest.param(0, 13, id="none"), pytest.param(1, 16, id="one"), pytest.param(10, 25, id="ten")],
)
def test_a_tick_costs_one_more_for_each_stop_that_it_fires(
    rig: PaperRig, fired: int, count: int
) -> None:
    ids = [rig.accept(GUARDED).id for _ in range(max(fired, 1))]
    carry_out_what_is_due(rig)
    tick(rig, 1 if fired else 1_999)

    with round_trips(rig.redis) as trips:
        watch_prices(PAPER, rig.ports)
    carry_out_what_is_due(rig)

    assert rig.states(*ids).count(RequestStatus.DONE) == fired
    assert len(trips) == count, trips


def test_what_has_fired_is_read_once_however_long_it_takes_to_hand_on(rig: PaperRig) -> None:
    for _ in range(HANDED_ON_MAX + 5):
        rig.accept(a_command(Action.OPEN_LONG, size=fixed("0.01"), stop_loss=Decimal(2)))
    carry_out_what_is_due(rig)
    tick(rig, 1)
    left: deque[Firing] = deque()

    with round_trips(rig.redis) as trips:
        watch_prices(PAPER, rig.ports, left)
        left_over = len(left)
        watch_prices(PAPER, rig.ports, left)

    assert (left_over, len(left)) == (5, 0)
    assert trips.count("GET HGETALL") == 1
    assert rig.ports.book.fired(PAPER) == []
