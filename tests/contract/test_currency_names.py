"""What exchanges call their currencies, as workers learn it for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.enums import Market
from app.domain.identifiers import Currency
from app.exchanges.account_key import AccountKeys
from app.exchanges.clients import Clients
from tests.support.exchanges.books import NAMES, Refused, Why
from tests.support.exchanges.server import Request
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [
    ("binance", Market.SPOT),
    ("bybit", Market.SPOT),
    ("bybit", Market.USDM),
    ("poloniex", Market.SPOT),
]
ASKED = ("getall", "query-info", "currencies")


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    name, market = request.param
    with running_world(name, market) as running:
        yield running


def name_of(world: ExchangeWorld, code: str) -> str | None:
    return world.ports.memory.currency_name(world.account.hosts, Currency(code))


def asked(world: ExchangeWorld) -> int:
    return sum(1 for _, path in world.gateway.log if path.endswith(ASKED))


def test_a_comparison_learns_what_the_exchange_calls_them(world: ExchangeWorld) -> None:
    assert name_of(world, "BTC") is None

    world.venue.standing([world.symbol])

    assert {code: name_of(world, code) for code in NAMES} == NAMES
    assert name_of(world, "XYZ") is None


def test_all_workers_ask_for_them_once_in_an_hour(world: ExchangeWorld) -> None:
    other = Clients(world.ports)
    for venue in (world.venue, other.of(world.account), world.venue):
        venue.standing([world.symbol])
    other.close()

    assert asked(world) == 1


def test_a_key_that_may_not_ask_for_them_is_good_all_the_same(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = world.wire.answer

    def without_that_right(request: Request, fault: object) -> object:
        if request.path.endswith(ASKED):
            raise Refused(Why.KEY)
        return answer(request, fault)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(world.wire, "answer", without_that_right)

    world.venue.standing([world.symbol])

    assert AccountKeys(world.ports.trials).refused(world.account) is None
    assert world.venue.view() is not None
    assert asked(world) == 1
    assert name_of(world, "BTC") is None
