"""One process, many threads: calls of one account at once, at a simulated exchange."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.errors import HookfillError
from app.domain.identifiers import AccountId, EpochMs
from app.domain.status import OrderStatus
from app.exchanges.clients import Clients
from app.exchanges.templates import SHARED
from app.store.memory.venue_budget import Urgency
from tests.support.exchanges.server import Answer, Request
from tests.support.interleaving import THREADS, at_once
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [("binance", Market.SPOT), ("bybit", Market.USDM), ("poloniex", Market.SPOT)]


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    name, market = request.param
    with running_world(name, market, timeout_ms=20_000) as running:
        yield running


def test_each_of_many_orders_gets_its_own_answer(world: ExchangeWorld) -> None:
    small = "0.001" if world.market is Market.SPOT else "0.01"
    orders = [world.order(quantity=small, price=world.low) for _ in range(THREADS)]

    def lives(number: int) -> tuple[object, object]:
        venue = world.clients.of(world.account)
        placed = venue.place(orders[number])
        named = replace(orders[number], venue_order_id=placed.venue_order_id)
        venue.view()
        found = venue.find(named)
        return found and found.venue_order_id, venue.cancel(named).status

    told = at_once(lives)

    at_exchange = {one.ticket.client_id: str(one.id) for one in world.holder.orders}
    assert len(world.holder.orders) == THREADS
    assert told == [(at_exchange[one.client_order_id], OrderStatus.CANCELED) for one in orders]


def test_one_that_hangs_holds_up_no_other_of_its_account(world: ExchangeWorld) -> None:
    world.venue.view()  # what must be asked first is known
    let_go = threading.Event()
    answered, hangs = world.gateway.answer, threading.Event()

    def answer(request: Request) -> Answer | bytes | None:
        if not hangs.is_set():
            hangs.set()
            let_go.wait(30)
        return answered(request)

    world.gateway.answer = answer  # type: ignore[method-assign]
    stuck = threading.Thread(target=world.venue.view)
    stuck.start()
    hangs.wait(10)

    placed = world.venue.place(world.order())

    assert placed.status is not OrderStatus.UNKNOWN
    assert stuck.is_alive()
    let_go.set()
    stuck.join()


def test_time_stamps_of_orders_do_not_stray_into_other_requests() -> None:
    """An order carries the time of its claim, all else the time at which it is sent."""
    with running_world("binance", Market.SPOT, timeout_ms=20_000) as world:
        world.venue.view()
        carried: list[tuple[str, int]] = []
        answer = world.gateway.answer

        def noting(request: Request) -> Answer | bytes | None:
            fields = request.fields | request.form
            carried.append((request.method, int(fields.get("timestamp", "0"))))
            return answer(request)

        world.gateway.answer = noting  # type: ignore[method-assign]
        lease_ms = world.ports.policy.lease_ms(world.account)
        started_ms = world.clock.server_ms()
        claimed_ms = started_ms - 3_000

        def work(number: int) -> None:
            for _ in range(4):
                if number % 2:
                    world.clients.of(world.account).view()
                else:
                    order = world.order(quantity="0.001")
                    claimed = replace(order, lease_until_ms=EpochMs(claimed_ms + lease_ms))
                    with suppress(HookfillError):  # on a slow machine it is too late for the last
                        world.clients.of(world.account).place(claimed)

        assert at_once(work) == [None] * THREADS
        placed = [stamp for method, stamp in carried if method == "POST"]
        asked = [stamp for method, stamp in carried if method == "GET"]
        offset_ms = world.ports.memory.clock_offset_ms(world.account.venue) or 0
        assert placed
        assert {stamp - claimed_ms for stamp in placed} == {offset_ms}
        assert min(asked) >= started_ms + offset_ms


def test_accounts_share_what_is_traded_and_ask_for_it_once(world: ExchangeWorld) -> None:
    accounts = [replace(world.account, id=AccountId(10 + number)) for number in range(THREADS)]
    tables = []

    def work(number: int) -> None:
        exchange = world.clients.exchange(accounts[number])
        with exchange.asking(Urgency.LOOK_UP, is_public=True) as api:
            tables.append((api.markets, api.markets_by_id, api.currencies))

    at_once(work)
    paths = [path for _, path in world.gateway.log]

    assert len(tables) == THREADS
    assert all(one is two for row in tables for one, two in zip(row, tables[0], strict=True))
    assert sum("exchangeInfo" in path or path.endswith("/markets") for path in paths) <= 1


def test_each_account_trades_with_its_own_key_and_nothing_of_another(world: ExchangeWorld) -> None:
    """The exchange looks at every signature; an order with another one's key would be its order."""
    names = [f"k{number}".ljust(20, "k") for number in range(THREADS)]
    keys = {AccountId(10 + number): name for number, name in enumerate(names)}
    for name in names:
        world.exchange.open_account(name, f"secret of {name}", USDT="10000", MARGIN="1000")
        world.exchange.accounts[name].hedged = True
    secrets = {one: {"apiKey": key, "secret": f"secret of {key}"} for one, key in keys.items()}
    clients = Clients(replace(world.ports, secrets=lambda one: secrets[one.id]))
    accounts = [replace(world.account, id=one) for one in keys]
    small = "0.001" if world.market is Market.SPOT else "0.01"
    orders = [world.order(quantity=small, price=world.low) for _ in range(2 * THREADS)]
    asked = _keys_noted(world)
    shared = [_shared_parts(clients, accounts[0])]

    def trades(number: int) -> None:
        venue = clients.of(accounts[number])
        for order in orders[number::THREADS]:
            venue.place(replace(order, account=accounts[number].id))
            venue.view()

    try:
        assert at_once(trades) == [None] * THREADS
        shared.append(_shared_parts(clients, accounts[0]))
    finally:
        clients.close()

    placed = [
        [one.ticket.client_id for one in world.exchange.accounts[name].orders] for name in names
    ]
    assert placed == [
        [one.client_order_id for one in orders[number::THREADS]] for number in range(THREADS)
    ]
    assert asked == set(names)
    assert shared[0] == shared[1]
    assert not any(name in shared[1] for name in names)


def _keys_noted(world: ExchangeWorld) -> set[str]:
    """Return the keys that will have been named in requests."""
    found: set[str] = set()
    answered = world.gateway.answer

    def answer(request: Request) -> Answer | bytes | None:
        headers = {name.lower(): text for name, text in request.headers.items()}
        found.update(headers[name] for name in _KEY_HEADERS if name in headers)
        return answered(request)

    world.gateway.answer = answer  # type: ignore[method-assign]
    return found


_KEY_HEADERS = ("x-mbx-apikey", "x-bapi-api-key", "key")


def _shared_parts(clients: Clients, account: Account) -> str:
    """Return all that the exchanges of all accounts have in common, as text."""
    with clients.exchange(account).call() as line:
        return repr([(name, getattr(line.api, name)) for name in sorted(SHARED)])
