"""What is said about an account at a real exchange before anybody trades with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.account import Account
from app.domain.enums import Market, PositionMode
from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.finding import Finding, Grade
from app.exchanges import exchange as exchange_module
from tests.support.venue_world import KEY, ExchangeWorld, running_world


@pytest.fixture(params=["binance", "bybit", "poloniex"])
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(request.param, Market.SPOT) as running:
        yield running


def named(world: ExchangeWorld, check: str) -> Finding:
    (found,) = [one for one in world.venue.inspect() if one.check == check]
    return found


def test_all_is_well(world: ExchangeWorld) -> None:
    tells = world.account.venue != "poloniex"

    assert {one.check: one.grade for one in world.venue.inspect()} == {
        "adapter": Grade.OK,
        "clock": Grade.OK,
        "markets": Grade.OK,
        "keys": Grade.OK,
        "rights": Grade.OK if tells else Grade.WARNING,
    }
    assert "full adapter, real money" in named(world, "adapter").message
    assert "10000 USDT" in named(world, "keys").message


def test_a_look_changes_nothing(world: ExchangeWorld) -> None:
    world.venue.inspect()

    assert {path.split()[0] for _, path in world.gateway.log} == {"GET"}


def test_a_clock_that_is_far_off_is_said_with_its_fix(world: ExchangeWorld) -> None:
    world.exchange.clock_skew_ms = 3_000

    found = named(world, "clock")

    assert found.grade is Grade.WARNING
    assert "chrony" in found.fix


def test_wrong_keys_are_said_with_their_fix(world: ExchangeWorld) -> None:
    world.exchange.accounts[KEY].secret = "another"  # noqa: S105 - of no exchange

    found = named(world, "keys")

    assert found.grade is Grade.ERROR
    assert "secret" in found.fix


def test_a_venue_that_cannot_be_reached_is_said_once(world: ExchangeWorld) -> None:
    nowhere = replace(world.ports, urls={world.account.venue: "http://127.0.0.1:9"})
    world.clients.__init__(nowhere)  # type: ignore[misc]  # built anew, over another host

    found = world.clients.of(world.account).inspect()

    assert [(one.check, one.grade) for one in found] == [
        ("clock", Grade.ERROR),
        ("adapter", Grade.OK),
    ]


def test_a_key_that_can_withdraw_is_not_traded_with(world: ExchangeWorld) -> None:
    if world.account.venue == "poloniex":
        pytest.skip("it does not tell")
    world.holder.can_withdraw = True

    assert named(world, "rights").grade is Grade.ERROR
    with pytest.raises(VenueRejected, match="withdraw"):
        world.venue.place(world.order())
    assert world.count() == 0


def test_a_key_of_unknown_rights_trades(world: ExchangeWorld) -> None:
    world.fault("other", *["ok"] * 4, *["error"] * 3)

    world.venue.place(world.order())

    assert world.count() == 1


def test_rights_that_could_not_be_asked_for_are_asked_for_later(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No order waits for them, and none is placed for ever because they were missed once."""
    if world.account.venue == "poloniex":
        pytest.skip("it does not tell")
    exchange = world.clients.exchange(world.account)
    world.holder.can_withdraw = True
    away = Mock(side_effect=VenueUnavailable("it does not answer"))
    with monkeypatch.context() as patch:
        patch.setattr(exchange, "can_withdraw", away)
        world.venue.place(world.order(quantity="0.01"))
        world.venue.place(world.order(quantity="0.01"))
    patience_ms = exchange_module.RIGHTS_AGAIN_MS
    clock = world.ports.clock
    steady_ms = clock.steady_ms
    monkeypatch.setattr(clock, "steady_ms", lambda: steady_ms() + patience_ms)

    with pytest.raises(VenueRejected, match="withdraw"):
        world.venue.place(world.order(quantity="0.01"))
    assert away.call_count == 1
    assert world.count() == 2


def test_the_position_mode_is_compared() -> None:
    with running_world("binance", Market.USDM, position_mode=PositionMode.ONEWAY) as world:
        same = named(world, "position_mode")
        world.holder.hedged = True
        other = named(world, "position_mode")

    assert same.grade is Grade.OK
    assert other.grade is Grade.ERROR
    assert "HEDGE" in other.fix


def test_an_exchange_without_a_table_is_said_to_tell_nothing_of_a_restored_store() -> None:
    with running_world("binanceus", Market.SPOT) as world:
        found = named(world, "adapter")

    assert found.grade is Grade.WARNING
    assert "restored" in found.message
    assert "hookfill restore" in found.fix


def test_an_exchange_without_a_table_waits_for_people(world: ExchangeWorld) -> None:
    account: Account = replace(world.account, venue=type(world.account.venue)("kraken"))

    assert world.clients.exchange(account).profile.adapter_class == "manual"
