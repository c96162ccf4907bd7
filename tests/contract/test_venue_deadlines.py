"""No call takes longer than it may, whatever an exchange does; and what it came to is certain."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace

import pytest

from app.domain.enums import Market
from app.domain.errors import OutcomeUnknown, VenueBusy, VenueUnavailable
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.exchanges.clients import Clients
from tests.support.exchanges.server import Answer, Request
from tests.support.venue_world import ExchangeWorld, running_world

#: For one answer; far longer than any call here may take.
PATIENCE_MS = 25_000


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("binance_testnet", Market.SPOT, timeout_ms=PATIENCE_MS) as running:
        running.venue.place(running.order(quantity="0.001"))  # what must be asked first is known
        yield running


def claimed(world: ExchangeWorld, ago_ms: int, lease_ms: int) -> Order:
    """An order whose claim was made so long ago, and ends so long after that."""
    now_ms = world.clock.server_ms()
    until_ms = now_ms - ago_ms + lease_ms
    world.ports = replace(
        world.ports, policy=replace(world.ports.policy, venue_place_lease_ms=lease_ms)
    )
    return replace(world.order(), lease_until_ms=EpochMs(until_ms))


@contextmanager
def elsewhere(world: ExchangeWorld, url: str) -> Iterator[ExchangeWorld]:
    """Let the exchange be at another host from now on."""
    ports = replace(world.ports, urls={world.account.venue: url})
    with closing(Clients(ports)) as clients:
        world.venue = clients.of(world.account)
        yield world


class Swallowing:
    """Requests that arrive, and are answered when the test ends at the earliest."""

    def __init__(self, world: ExchangeWorld) -> None:
        self.lets_go = threading.Event()
        self._answer = world.gateway.answer
        world.gateway.answer = self.answer  # type: ignore[method-assign]

    def answer(self, request: Request) -> Answer | bytes | None:
        answer = self._answer(request)
        self.lets_go.wait(60)
        return answer


def test_a_placement_that_is_swallowed_ends_before_its_lease(world: ExchangeWorld) -> None:
    order = claimed(world, ago_ms=0, lease_ms=4_000)
    venue = Clients(world.ports).of(world.account)
    swallowing = Swallowing(world)

    with pytest.raises(OutcomeUnknown):
        venue.place(order)

    assert world.clock.server_ms() < order.lease_until_ms
    assert not swallowing.lets_go.is_set()
    swallowing.lets_go.set()


def test_a_placement_for_which_there_is_no_time_is_not_sent(world: ExchangeWorld) -> None:
    before = world.count()
    order = claimed(world, ago_ms=1_500, lease_ms=4_000)

    with pytest.raises(VenueBusy):
        Clients(world.ports).of(world.account).place(order)

    assert world.count() == before


def test_a_placement_whose_claim_is_old_is_not_sent(world: ExchangeWorld) -> None:
    """A process that was frozen; some exchanges would take the request however late it comes."""
    before = world.count()
    order = claimed(world, ago_ms=6_000, lease_ms=30_000)

    with pytest.raises(VenueBusy, match="too late"):
        world.venue.place(order)

    assert world.count() == before


def test_a_question_that_is_swallowed_ends_in_time(world: ExchangeWorld) -> None:
    swallowing = Swallowing(world)

    with world.clients.exchange(world.account).call(seconds=0.5), pytest.raises(VenueUnavailable):
        world.venue.view()

    assert not swallowing.lets_go.is_set()
    swallowing.lets_go.set()


@contextmanager
def trickling(head: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Serve an answer that takes a minute, byte by byte; yield URL, and whether it has ended."""
    ended, stop = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(head)
                for _ in range(600):
                    if stop.wait(0.1):
                        return
                    connection.sendall(b"a")
                ended.set()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", ended
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Header: "],
    ids=["body", "head"],
)
def test_an_answer_that_trickles_is_not_waited_for(world: ExchangeWorld, head: bytes) -> None:
    order = claimed(world, ago_ms=0, lease_ms=4_000)

    with trickling(head) as (url, ended), elsewhere(world, url), pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert not ended.is_set()


def test_a_refused_connection_is_certain(world: ExchangeWorld) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with elsewhere(world, url), pytest.raises(VenueUnavailable):
        world.venue.place(world.order())


@contextmanager
def black_hole() -> Iterator[str]:
    """Yield the URL of a host that answers no attempt to connect: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            full = stack.enter_context(closing(socket.socket()))
            full.settimeout(0)
            full.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"


def test_a_host_that_lets_nobody_connect_is_given_up_soon_and_for_certain(
    world: ExchangeWorld,
) -> None:
    order = claimed(world, ago_ms=0, lease_ms=PATIENCE_MS)

    with black_hole() as url, elsewhere(world, url), pytest.raises(VenueUnavailable):
        world.venue.place(order)

    # Sooner than an answer would have been waited for.
    assert world.clock.server_ms() < order.lease_until_ms - PATIENCE_MS // 2


def test_a_list_of_orders_tells_what_could_be_learned(world: ExchangeWorld) -> None:
    orders = [world.order(quantity="0.001", price="40000") for _ in range(3)]
    rest = [replace(one, venue_order_id=world.venue.place(one).venue_order_id) for one in orders]
    world.price(rest[0].symbol, "39000")
    looked_up = 0
    answer = world.gateway.answer

    def once(request: Request) -> Answer | bytes | None:
        """Tell of one order, and be silent then."""
        nonlocal looked_up
        looked_up += request.path.endswith("/order")
        return answer(request) if looked_up < 2 else None

    world.gateway.answer = once  # type: ignore[method-assign]

    assert list(world.venue.reports(rest)) == [rest[0].client_order_id]
