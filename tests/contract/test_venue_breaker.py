"""An exchange that does not answer holds up nobody for long, and is found again by questions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from urllib3.connection import HTTPConnection

from app.domain.enums import Market
from app.domain.errors import HookfillError, VenueBusy
from app.domain.identifiers import AccountId, VenueOrderId
from app.domain.status import OrderStatus
from app.exchanges import breaker
from app.exchanges.clients import Clients
from app.ports.venue import Venue
from app.store.memory.venue_budget import Urgency
from tests.support.exchanges.server import Answer, Request
from tests.support.venue_world import ExchangeWorld, running_world


class Wire:
    """What stands between the exchange and those who ask it.

    Attributes:
        came: the path of each request that arrived, in order.
        is_cut: whether connections end without an answer.
        holds: requests wait for this before they are answered.
    """

    def __init__(self, world: ExchangeWorld) -> None:
        self._answer = world.gateway.answer
        self.came: list[str] = []
        self.is_cut = False
        self.holds = threading.Event()
        self.holds.set()
        world.gateway.answer = self.answer  # type: ignore[method-assign]

    def answer(self, request: Request) -> Answer | bytes | None:
        self.came.append(f"{request.method} {request.path}")
        self.holds.wait(30)
        return None if self.is_cut else self._answer(request)


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.SPOT, timeout_ms=20_000) as running:
        running.venue.quote(running.symbol)  # what must be asked first is known
        yield running


@pytest.fixture
def wire(world: ExchangeWorld) -> Iterator[Wire]:
    wire = Wire(world)
    yield wire
    wire.holds.set()


@pytest.fixture
def other(world: ExchangeWorld) -> Iterator[Venue]:
    """Another account, in another process."""
    clients = Clients(world.ports)
    yield clients.of(replace(world.account, id=AccountId(7)))
    clients.close()


def opened(world: ExchangeWorld, wire: Wire) -> None:
    """Let the exchange be silent for long enough."""
    wire.is_cut = True
    for _ in range(breaker.FAILURES_MAX):
        with pytest.raises(HookfillError):
            world.venue.view()


def refused(call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except VenueBusy:
        return True
    return False


def test_nobody_waits_for_an_exchange_that_is_silent(
    world: ExchangeWorld, wire: Wire, other: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PROBE_MS", 60_000)
    opened(world, wire)
    with pytest.raises(HookfillError):
        world.venue.view()  # the question, in vain
    asked = len(wire.came)

    order = world.order()
    for venue in (world.venue, other):
        assert refused(venue.place, order)
        assert refused(venue.find, order)
        assert refused(venue.cancel, replace(order, venue_order_id=VenueOrderId("1")))
        assert refused(venue.view)

    assert len(wire.came) == asked


def test_one_question_at_a_time_goes_to_it(world: ExchangeWorld, wire: Wire, other: Venue) -> None:
    opened(world, wire)
    wire.is_cut = False
    wire.holds.clear()
    asked = len(wire.came)
    question = threading.Thread(target=world.venue.view)
    question.start()
    while len(wire.came) == asked:
        question.join(0.01)

    assert refused(other.view)
    assert refused(other.place, world.order())
    assert len(wire.came) == asked + 1

    wire.holds.set()
    question.join()
    assert other.place(world.order()).status is OrderStatus.FILLED


def test_an_order_that_nobody_asks_for_asks_by_itself(
    world: ExchangeWorld, wire: Wire, other: Venue
) -> None:
    opened(world, wire)
    wire.is_cut = False
    wire.came.clear()

    report = other.place(world.order())

    assert report.status is OrderStatus.FILLED
    questions = wire.came[: wire.came.index("POST /api/v3/order")]
    assert "GET /api/v3/time" in questions


def test_answers_in_between_keep_it_closed(world: ExchangeWorld, wire: Wire) -> None:
    for _ in range(breaker.FAILURES_MAX * 2):
        wire.is_cut = True
        with pytest.raises(HookfillError):
            world.venue.view()
        wire.is_cut = False
        world.venue.view()

    assert not refused(world.venue.view)


def test_an_order_that_cannot_be_sent_at_all_ends_no_row_of_failures(
    world: ExchangeWorld, wire: Wire
) -> None:
    """It is checked with what is known, which is no answer of the exchange."""
    wire.is_cut = True
    for _ in range(breaker.FAILURES_MAX):
        with pytest.raises(HookfillError):
            world.venue.place(world.order())
    asked = wire.came.count("POST /api/v3/order")

    with pytest.raises(HookfillError):
        world.venue.place(world.order())

    assert wire.came.count("POST /api/v3/order") == asked


def test_the_longer_an_outage_lasts_the_rarer_an_order_tries(
    world: ExchangeWorld, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try is written down in its timeline."""
    monkeypatch.setattr(breaker, "PROBE_MS", 60_000)
    opened(world, wire)
    with pytest.raises(HookfillError):
        world.venue.view()  # the question, in vain
    pauses = []
    for _ in range(40):
        with pytest.raises(VenueBusy) as refusal:
            world.venue.place(world.order())
        pauses.append(refusal.value.retry_after_ms)
        world.ports.budget.failed(f"{world.account.feed}:{world.ports.address}", 100)

    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == breaker.RETRY_MS_MAX


def test_many_that_fail_at_one_moment_make_no_long_outage(world: ExchangeWorld, wire: Wire) -> None:
    """An exit that was refused tries again soon: nothing says yet that the exchange is away."""
    world.venue.view()  # of a key that is not known to be good one is tried at a time
    before = len(wire.came)
    wire.is_cut = True
    wire.holds.clear()

    def ask() -> None:
        with suppress(HookfillError):
            world.venue.view()

    asking = [threading.Thread(target=ask) for _ in range(16)]
    for one in asking:
        one.start()
    while len(wire.came) - before < len(asking):
        time.sleep(0.01)
    wire.holds.set()
    for one in asking:
        one.join()

    failures = world.ports.budget.failures(f"{world.account.feed}:{world.ports.address}")
    assert failures == breaker.FAILURES_MAX


def test_what_was_refused_here_is_no_failure_of_the_exchange(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept with fifty orders on their way has no exchange that is silent."""
    exchange, clock = world.clients.exchange(world.account), world.ports.clock
    connect, steady_ms = HTTPConnection.connect, clock.steady_ms

    def slept(connection: HTTPConnection) -> None:
        monkeypatch.setattr(clock, "steady_ms", lambda: steady_ms() + 60_000)
        connect(connection)

    def send() -> None:
        with exchange.changing(Urgency.ORDER, None, steady_ms() + 5_000) as api:
            world.clients.close()  # so that a connection is opened for it
            monkeypatch.setattr(HTTPConnection, "connect", slept)
            api.create_order("BTC/USDT", "limit", "buy", "0.001", "40000")

    with pytest.raises(VenueBusy, match="too late"):
        send()
    assert world.count() == 0
    assert not world.ports.budget.failures(f"{world.account.feed}:{world.ports.address}")
