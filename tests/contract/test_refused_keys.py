"""A key that an exchange refuses is not knocked with, by whichever request of whichever process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from app.domain.enums import ReasonCode
from app.domain.errors import KeyRefused, VenueError, VenueUnavailable
from app.domain.order import Order
from app.exchanges.account_key import AccountKeys
from app.exchanges.ccxt_venue import CcxtVenue
from app.exchanges.clients import Clients
from app.store.memory import venue_keys
from app.store.memory.key_trials import PAUSE_MS, RedisKeyTrials, RefusedKeys, Scope
from tests.support.builders import must
from tests.support.exchanges.books import Why
from tests.support.exchanges.faults import Call
from tests.support.interleaving import THREADS, at_once
from tests.support.venue_world import (
    EXCHANGES_AND_MANUAL,
    KEY,
    ExchangeWorld,
    every_request,
    running_world,
)


@pytest.fixture(params=EXCHANGES_AND_MANUAL, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(*request.param) as running:
        yield running


def wait(world: ExchangeWorld, for_ms: int) -> None:
    """Let so much of each pause be over."""
    key = venue_keys.key(world.account.id)
    for scope in Scope:
        if world.redis.hexists(key, f"{scope}_until"):
            world.redis.hincrby(key, f"{scope}_until", -for_ms)


def shut(world: ExchangeWorld) -> None:
    """Let the exchange know the key no more."""
    world.exchange.accounts["another"] = world.exchange.accounts.pop(KEY)


def open_up(world: ExchangeWorld) -> None:
    world.exchange.accounts[KEY] = world.exchange.accounts.pop("another")


def refused_key(world: ExchangeWorld) -> RefusedKeys | None:
    return AccountKeys(world.ports.trials).refused(world.account)


def ask_everything(world: ExchangeWorld, *venues: CcxtVenue) -> list[VenueError]:
    refusals = []
    for venue in venues:
        for request in every_request(world):
            try:
                request(venue)
            except VenueError as error:
                refusals.append(error)
    return refusals


def refused(world: ExchangeWorld, order: Order) -> VenueError:
    with pytest.raises((KeyRefused, VenueUnavailable)) as caught:
        world.venue.place(order)
    return caught.value


def test_whatever_is_asked_by_whom_it_is_knocked_once(world: ExchangeWorld) -> None:
    shut(world)
    with closing(Clients(world.ports)) as other:
        refusals = ask_everything(world, world.venue, other.of(world.account))

    assert len(world.gateway.patience.knocks) == 1
    assert not world.gateway.patience.has_ended
    codes = {getattr(one, "code", None) for one in refusals}
    assert ReasonCode.CREDENTIALS_REFUSED in codes
    assert ReasonCode.VENUE_REJECTED not in codes


def test_of_many_at_once_one_knocks_for_all(world: ExchangeWorld) -> None:
    shut(world)
    world.plan.latency_seconds = 0.05
    with closing(Clients(world.ports)) as other:
        clients = [world.clients, other]

        def ask(number: int) -> None:
            with suppress(VenueError):
                clients[number % 2].of(world.account).view()
            with suppress(VenueError):
                clients[number % 2].of(world.account).place(world.order())

        at_once(ask)

    assert len(world.gateway.patience.knocks) <= len(Scope)  # it may be tried for each


def test_keys_that_are_good_are_tried_by_one_and_used_by_all(world: ExchangeWorld) -> None:
    world.plan.latency_seconds = 0.05

    def look(_: int) -> None:
        world.clients.of(world.account).view()

    assert at_once(look) == [None] * THREADS


def test_an_order_is_refused_with_the_word_for_it(world: ExchangeWorld) -> None:
    shut(world)

    first, second = refused(world, world.order()), refused(world, world.order())

    assert getattr(first, "code", None) == ReasonCode.CREDENTIALS_REFUSED
    assert getattr(second, "code", None) == ReasonCode.CREDENTIALS_REFUSED
    assert "tried again in" in str(second)
    assert world.gateway.counted(Call.PLACE) <= 1


def test_each_pause_is_twice_as_long_and_ends_with_one_try(world: ExchangeWorld) -> None:
    shut(world)
    ask_everything(world, world.venue)

    pauses = []
    for _ in range(7):
        again_ms = must(refused_key(world)).again_at_ms
        left_ms = again_ms - world.clock.server_ms()
        world.gateway.patience.knocks.clear()
        wait(world, left_ms - 5_000)
        ask_everything(world, world.venue)
        assert world.gateway.patience.knocks == []
        wait(world, 5_001)
        ask_everything(world, world.venue)
        assert len(world.gateway.patience.knocks) == 1
        again_ms = must(refused_key(world)).again_at_ms
        pauses.append(again_ms - world.clock.server_ms())

    for pause, factor in zip(pauses, (2, 4, 8, 16, 30, 30, 30), strict=True):
        assert pause == pytest.approx(PAUSE_MS * factor, abs=5_000)


def test_after_its_pause_a_key_that_is_good_again_serves(world: ExchangeWorld) -> None:
    shut(world)
    refused(world, world.order())
    open_up(world)
    with suppress(VenueError):
        world.venue.view()
    assert refused_key(world) is not None

    wait(world, PAUSE_MS + 2_000)
    world.venue.view()
    world.venue.place(world.order())

    assert refused_key(world) is None
    assert world.count() == 1


def test_new_keys_are_tried_at_once(world: ExchangeWorld) -> None:
    shut(world)
    refused(world, world.order())
    open_up(world)

    changed = replace(world.account, credentials="sealed anew")
    world.clients.of(changed).place(world.order())

    assert AccountKeys(world.ports.trials).refused(changed) is None
    assert world.count() == 1


def test_a_person_who_asks_has_them_tried_at_once(world: ExchangeWorld) -> None:
    shut(world)
    refused(world, world.order())
    open_up(world)

    world.ports.trials.forget(world.account.id)
    found = {one.check: one for one in world.venue.inspect()}

    assert "are good" in found["keys"].message
    world.venue.place(world.order())
    assert world.count() == 1


def test_who_looks_at_an_account_is_told_and_knocks_no_more(world: ExchangeWorld) -> None:
    shut(world)
    with pytest.raises(VenueUnavailable):
        world.venue.view()

    found = {one.check: one for one in world.venue.inspect()}

    assert "tried again in" in found["keys"].message
    assert "account test" in found["keys"].fix
    assert len(world.gateway.patience.knocks) == 1


def test_what_an_exchange_refuses_for_another_reason_refuses_no_key(world: ExchangeWorld) -> None:
    world.venue.view()
    world.exchange.says_no.append(Why.FUNDS)
    with pytest.raises(VenueError):
        world.venue.place(world.order())

    world.venue.place(world.order())

    assert refused_key(world) is None


def test_a_try_without_an_answer_leaves_the_next_one_to_try(world: ExchangeWorld) -> None:
    world.plan.plan(Call.VIEW, "cut")
    with pytest.raises(VenueUnavailable):
        world.venue.view()

    assert world.venue.view() is not None


def test_a_process_that_died_over_a_try_holds_nobody_up_for_long(world: ExchangeWorld) -> None:
    trials: RedisKeyTrials = world.ports.trials
    with world.clients.exchange(world.account).call() as line:
        name = line.key._name  # noqa: SLF001 - as another process would
    trials.begin(world.account.id, name, Scope.READS, 200)

    assert world.venue.view() is not None


def test_a_key_that_may_only_read_still_reads(world: ExchangeWorld) -> None:
    world.venue.view()
    world.exchange.says_no.append(Why.KEY)
    refused(world, world.order())

    assert world.venue.view() is not None
    assert must(refused_key(world)).scope is Scope.TRADES
    refused(world, world.order())
    assert world.gateway.counted(Call.PLACE) == 1
