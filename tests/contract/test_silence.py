"""Nothing of ours asks an exchange while it wants silence, by whichever request of whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from urllib3.connection import HTTPConnection

from app.domain.errors import HookfillError, VenueBusy, VenueError
from app.exchanges.clients import Clients
from app.exchanges.tickers import CcxtTickers
from app.store.memory import venue_keys
from tests.support.exchanges.faults import Call, Fault
from tests.support.redis_store import server_ms
from tests.support.venue_world import (
    EXCHANGES_AND_MANUAL,
    ExchangeWorld,
    every_request,
    one_of_each,
    running_world,
)

SECONDS = 3


@pytest.fixture(params=EXCHANGES_AND_MANUAL, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(*request.param) as running:
        running.plan.retry_after_seconds = SECONDS
        running.venue.view()
        running.venue.place(running.order(quantity="0.01"))
        yield running


def pause_ms(world: ExchangeWorld) -> int:
    """For how long nobody may ask."""
    frozen = world.redis.hget(venue_keys.budget(f"{world.account.hosts}:here"), "frozen")
    return int(frozen or 0) - server_ms(world.redis)


@pytest.mark.parametrize("call", [Call.PLACE, Call.CANCEL, Call.FIND, Call.LIST, Call.VIEW])
def test_the_pause_is_as_long_as_told_whatever_was_asked(world: ExchangeWorld, call: Call) -> None:
    order = world.order(price=world.low)
    order = replace(order, venue_order_id=world.venue.place(order).venue_order_id)
    world.plan.retry_after_seconds = 40
    world.plan.plan(call, Fault.LIMIT)

    asked: dict[Call, Callable[[], object]] = {
        Call.PLACE: lambda: world.venue.place(world.order(price=world.low)),
        Call.CANCEL: lambda: world.venue.cancel(order),
        Call.FIND: lambda: world.venue.find(order),
        Call.LIST: lambda: world.venue.standing([world.symbol]),
        Call.VIEW: world.venue.view,
    }
    with pytest.raises(VenueError):
        asked[call]()

    assert pause_ms(world) == pytest.approx(40_000, abs=3_000)
    assert world.count() == 2


@pytest.mark.parametrize("world", one_of_each(EXCHANGES_AND_MANUAL), ids="-".join, indirect=True)
def test_an_exchange_that_bans_who_goes_on_asking_bans_nobody(world: ExchangeWorld) -> None:
    """Two processes ask everything that there is to ask, all the time; so does play money."""
    until = time.monotonic() + 2 * SECONDS + 3
    world.gateway.patience.on_the_way_ms = 1_000 * SECONDS // 2  # eight threads, a busy machine
    others = [Clients(world.ports), Clients(world.ports)]
    tickers = CcxtTickers(world.account.venue, others[0])

    def ask(number: int) -> None:
        venue = others[number % 2].of(world.account)
        while time.monotonic() < until:
            for request in every_request(world):
                with suppress(HookfillError):
                    request(venue)
                with suppress(HookfillError):
                    tickers.ticker(world.symbol)
            time.sleep(0.02)

    with ExitStack() as stack:
        for one in others:
            stack.callback(one.close)
        world.plan.plan(Call.VIEW, Fault.LIMIT)
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS + 1)
        asked = len(world.gateway.log)
        world.plan.plan(Call.LIST, Fault.LIMIT)
        for thread in threads:
            thread.join()

    assert not world.gateway.patience.has_ended
    assert world.gateway.patience.knocks == []
    assert len(world.gateway.log) > asked  # nobody was silent for ever


def test_a_ban_is_kept_for_all_processes(world: ExchangeWorld) -> None:
    world.plan.plan(Call.VIEW, Fault.BAN)
    with pytest.raises(VenueError):
        world.venue.view()
    world.gateway.log.clear()
    other = Clients(world.ports)

    with pytest.raises(VenueBusy):
        other.of(world.account).place(world.order())
    with pytest.raises(VenueBusy):
        CcxtTickers(world.account.venue, other).ticker(world.symbol)
    other.close()

    assert world.gateway.log == []


def test_a_word_for_silence_while_a_connection_is_made_keeps_the_request_here(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order(price=world.low)
    world.venue.prepare(order)
    other = Clients(world.ports)
    venue = other.of(world.account)
    venue.quote(world.symbol)
    other.close()  # so that the next request needs a connection
    world.gateway.log.clear()
    with world.clients.exchange(world.account).call() as line:
        limited = line.limited
    connect = HTTPConnection.connect

    def connect_and_hear(connection: HTTPConnection) -> None:
        connect(connection)
        limited(10_000)

    monkeypatch.setattr(HTTPConnection, "connect", connect_and_hear)
    with pytest.raises(VenueBusy):
        venue.place(order)
    other.close()

    assert world.gateway.log == []
