"""What must be known before an order is asked once, and what is ready need not wait for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from app.domain.enums import Market
from app.domain.errors import HookfillError, VenueBusy, VenueUnavailable
from app.domain.identifiers import AccountId
from app.domain.status import OrderStatus
from app.exchanges.clients import Clients
from app.exchanges.exchange import Exchange
from app.exchanges.one_asks import OneAsks
from app.store.memory import venue_keys
from app.store.memory.venue_budget import BURST_SECONDS
from tests.support.exchanges.faults import Call
from tests.support.exchanges.server import Answer, Request
from tests.support.interleaving import THREADS, at_once
from tests.support.redis_store import server_ms
from tests.support.venue_world import EXCHANGES, ExchangeWorld, running_world

#: Long enough for all threads to find that somebody asks.
LATENCY_SECONDS = 0.1


@pytest.fixture(params=EXCHANGES, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(*request.param, timeout_ms=20_000) as running:
        running.plan.latency_seconds = LATENCY_SECONDS
        yield running


@pytest.fixture
def alone(world: ExchangeWorld) -> Iterator[ExchangeWorld]:
    """Another one of the same kind."""
    with running_world(world.account.venue, world.market) as running:
        yield running


@pytest.fixture
def spot() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.SPOT, timeout_ms=20_000) as running:
        yield running


def exchange_of(world: ExchangeWorld) -> Exchange:
    return world.clients.exchange(world.account)


def leave(world: ExchangeWorld, share: float) -> None:
    """Let so much of the budget be left, and no more until somebody takes of it."""
    with exchange_of(world).call() as line:
        most = 1000 / line.api.rateLimit * BURST_SECONDS
    pool = f"{world.account.hosts}:{world.ports.address}"
    ahead_ms = server_ms(world.redis) + 3_600_000
    world.redis.hset(venue_keys.budget(pool), mapping={"tokens": most * share, "at": ahead_ms})


def asked(world: ExchangeWorld) -> Counter[str]:
    return Counter(path for _, path in world.gateway.log)


def test_many_accounts_in_two_processes_ask_what_one_alone_asks(
    world: ExchangeWorld, alone: ExchangeWorld
) -> None:
    assert alone.venue.quote(alone.symbol) is not None
    with closing(Clients(world.ports)) as other:

        def work(number: int) -> None:
            account = replace(world.account, id=AccountId(10 + number))
            clients = world.clients if number % 2 else other
            assert clients.of(account).quote(world.symbol) is not None

        assert at_once(work) == [None] * THREADS

    # Each account must know for itself of what kind it is (Bybit).
    own = {"GET /v5/user/query-api", "GET /v5/account/info"}
    assert {path: count for path, count in asked(world).items() if path not in own} == {
        path: count for path, count in asked(alone).items() if path not in own
    }


def test_an_account_asks_the_same_however_many_lines_it_has(
    world: ExchangeWorld, alone: ExchangeWorld
) -> None:
    alone.venue.instrument(alone.symbol)

    at_once(lambda _: world.clients.of(world.account).instrument(world.symbol))

    assert asked(world) == asked(alone)


def test_an_order_that_is_ready_goes_where_no_question_does(world: ExchangeWorld) -> None:
    order = world.order()
    world.venue.prepare(order)
    leave(world, 0.17)
    world.gateway.log.clear()

    with pytest.raises(VenueBusy):
        world.venue.view()
    with pytest.raises(VenueBusy):
        world.venue.placed(order.symbol, order.created_at_ms)
    with pytest.raises(VenueBusy):
        world.venue.find(order)  # before it is sent
    with pytest.raises(VenueBusy):
        world.venue.find(replace(order, status=OrderStatus.FILLED))  # for its fills
    assert world.gateway.log == []
    world.venue.place(order)

    assert world.gateway.counted(Call.PLACE) == 1
    assert world.count() == 1


def test_what_has_been_asked_is_not_asked_in_vain() -> None:
    """The second question of a call waits longer than the first one of another may."""
    with running_world("bybit", Market.USDM) as world:
        world.venue.view()
        answer = world.gateway.answer
        world.gateway.log.clear()

        def used_up_meanwhile(request: Request) -> Answer | bytes | None:
            leave(world, 0.25)
            return answer(request)

        world.gateway.answer = used_up_meanwhile  # type: ignore[method-assign]
        world.venue.view()

        assert len(world.gateway.log) == 2
        leave(world, 0.25)
        with pytest.raises(VenueBusy):
            world.venue.view()
        assert len(world.gateway.log) == 2


def test_the_leverage_of_an_order_is_set_once_for_its_attempts() -> None:
    with running_world("binance", Market.USDM) as world:
        order = world.order(leverage=7)

        for _ in range(3):
            world.venue.prepare(order)
        world.venue.prepare(replace(order, leverage=5))
        world.venue.prepare(order)

        assert leverages(world) == 3


def test_a_leverage_whose_setting_was_not_answered_is_set_again() -> None:
    with running_world("binance", Market.USDM) as world:
        order = world.order(leverage=7)
        world.venue.prepare(order)
        world.plan.plan(Call.OTHER, "accept_then_cut")

        with pytest.raises(VenueUnavailable):
            exchange_of(world).set_leverage(world.symbol, 5)
        world.venue.prepare(order)

        assert leverages(world) == 3


def test_two_accounts_with_one_key_know_what_the_other_one_has_set() -> None:
    with running_world("binance", Market.USDM) as world:
        other = world.clients.of(replace(world.account, id=AccountId(77)))
        world.venue.prepare(world.order(leverage=7))

        other.prepare(world.order(leverage=5))
        world.venue.prepare(world.order(leverage=7))

        assert leverages(world) == 3


def leverages(world: ExchangeWorld) -> int:
    return sum(count for path, count in asked(world).items() if path.endswith("/leverage"))


class Questions:
    """A question of many that is answered, or not, when the test says so."""

    def __init__(self, world: ExchangeWorld, *failures: HookfillError) -> None:
        self.told: int | None = None
        self.asked = 0
        self._failures = list(failures)
        self._world = world
        self._one_asks = OneAsks(world.ports.locks, world.clock)

    @property
    def remembered(self) -> int:
        """How many questions are kept in mind."""
        return len(self._one_asks)

    def known(self, _: int) -> int:
        with exchange_of(self._world).call() as line:
            return self._one_asks.known("it", line, lambda: self.told, self._ask)

    def _ask(self) -> int:
        self.asked += 1
        time.sleep(LATENCY_SECONDS)
        if self._failures:
            raise self._failures.pop(0)
        self.told = 4711
        return self.told


def test_what_one_is_told_all_know(spot: ExchangeWorld) -> None:
    questions = Questions(spot)

    assert at_once(questions.known) == [4711] * THREADS
    assert questions.asked == 1
    assert questions.remembered == 0  # strangers ask for ever other candles


def test_what_a_venue_leaves_unanswered_the_others_do_not_ask_as_well(spot: ExchangeWorld) -> None:
    questions = Questions(spot, VenueUnavailable("silence"))

    came_to = Counter(map(type, at_once(questions.known)))

    assert came_to == {VenueUnavailable: 1, VenueBusy: THREADS - 1}
    assert questions.asked == 1
    assert questions.known(0) == 4711


def test_who_may_not_ask_is_followed_by_the_next_one(spot: ExchangeWorld) -> None:
    questions = Questions(spot, VenueBusy("no budget"))

    came_to = Counter(map(type, at_once(questions.known)))

    assert came_to == {VenueBusy: 1, int: THREADS - 1}
    assert questions.asked == 2


def test_a_worker_that_died_over_a_question_holds_nobody_up_for_longer_than_his_call(
    spot: ExchangeWorld,
) -> None:
    questions = Questions(spot)
    spot.ports.locks.acquire("ask:it", 60_000)

    with exchange_of(spot).call(0.1), pytest.raises(VenueBusy):
        questions.known(0)

    assert questions.asked == 0


def test_a_freeze_while_a_request_waits_keeps_it_here(
    spot: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = spot.order()
    spot.venue.prepare(order)
    leave(spot, 0.17)
    spot.gateway.log.clear()

    def banned(_: int) -> None:
        with exchange_of(spot).call() as line:
            line.limited(60_000)

    monkeypatch.setattr(spot.clock, "sleep", banned)

    with pytest.raises(VenueBusy):
        spot.venue.place(order)

    assert spot.gateway.log == []
