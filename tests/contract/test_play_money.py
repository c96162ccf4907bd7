"""Play money and real money at one venue: what is true of one says nothing of the other.

An exchange has other steps, another clock and other limits on its testnet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.account import Account
from app.domain.enums import Market, Mode
from app.domain.errors import VenueBusy
from app.domain.identifiers import AccountId, AccountName
from app.domain.instrument import Instrument
from app.exchanges.remembered import RememberedVenues
from app.store.memory.venue_budget import Urgency
from tests.support.builders import BTC, must
from tests.support.exchanges.books import SPOT
from tests.support.venue_world import ExchangeWorld, running_world

BTC_SPOT = (str(BTC), SPOT)


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.SPOT, timeout_ms=20_000) as running:
        yield running


@pytest.fixture
def play(world: ExchangeWorld) -> Account:
    name = AccountName("play")
    return replace(world.account, id=AccountId(7), name=name, group=name, mode=Mode.TESTNET)


def step(found: Instrument | None) -> Decimal:
    return must(found).quantity_step


def test_steps_of_the_testnet_are_not_those_of_real_money(
    world: ExchangeWorld, play: Account
) -> None:
    real = step(world.venue.instrument(BTC))
    # From now on the exchange is what its testnet is.
    was = world.exchange.markets[BTC_SPOT]
    world.exchange.markets[BTC_SPOT] = replace(was, quantity_step=Decimal("0.01"))

    assert step(world.clients.of(play).instrument(BTC)) == Decimal("0.01")
    assert step(world.venue.instrument(BTC)) == real
    web = RememberedVenues(world.ports)
    assert step(web.of(play).instrument(BTC)) == Decimal("0.01")
    assert step(web.of(world.account).instrument(BTC)) == real
    assert [step(one) for one in web.trading_rules(play).instruments() if one.symbol == BTC] == [
        Decimal("0.01")
    ]


def test_what_only_the_testnet_is_known_to_trade_can_be_spelled(
    world: ExchangeWorld, play: Account
) -> None:
    world.clients.of(play).instrument(BTC)

    assert BTC in {one.symbol for one in world.clients.listed(play.hosts)}


def test_a_clock_of_the_testnet_is_not_that_of_real_money(
    world: ExchangeWorld, play: Account
) -> None:
    world.venue.view()
    world.exchange.clock_skew_ms = 60_000
    ahead_ms, _ = world.clients.exchange(play).measure_clock()

    real = world.clients.exchange(world.account).clock
    assert ahead_ms > 50_000
    assert abs(real.venue_ms(0)) < 30_000
    assert world.clients.exchange(play).clock.venue_ms(0) == ahead_ms


def test_a_ban_of_the_testnet_keeps_no_real_order_away(world: ExchangeWorld, play: Account) -> None:
    world.venue.view()
    with world.clients.exchange(play).call() as line:
        line.limited(60_000)

    world.venue.view()
    with pytest.raises(VenueBusy), world.clients.exchange(play).asking(Urgency.LOOK_UP) as api:
        api.fetch_balance()
