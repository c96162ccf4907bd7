"""Paper is no kinder than an exchange: each refusal has one reason, whatever venue refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from app.domain.enums import Market, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.errors import VenueRejected
from app.domain.identifiers import Symbol
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from tests.support.servers import fresh_client
from tests.support.venue_world import PaperVenueWorld, VenueWorld, running_world

HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
SPOT, USDM, COINM = Market.SPOT, Market.USDM, Market.COINM

WORLDS = [
    *((venue, SPOT, HEDGE) for venue in ("paper", "binance", "bybit", "poloniex")),
    *((venue, USDM, mode) for venue in ("paper", "binance", "bybit") for mode in (HEDGE, ONEWAY)),
    *((venue, COINM, mode) for venue in ("paper", "binance") for mode in (HEDGE, ONEWAY)),
    ("bybit", COINM, ONEWAY),
]

#: What every market of these worlds has: in base currency, or what stands for it, and times the
#: price.
MAX_QUANTITY, MAX_MARKET_QUANTITY = 9_000, 120
UP, DOWN = Decimal("1.05"), Decimal("0.95")


@pytest.fixture(params=WORLDS, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[VenueWorld]:
    venue, market, mode = request.param
    if venue != "paper":
        with running_world(venue, market, position_mode=mode) as running:
            markets = running.exchange.markets
            for key, one in markets.items():
                most = running.size(str(MAX_QUANTITY))
                markets[key] = replace(
                    one, multiplier_up=UP, multiplier_down=DOWN, max_quantity=most
                )
            yield running
        return
    paper = PaperVenueWorld(fresh_client(), market, mode)
    desk = paper.world.desk
    bounds = {
        "max_quantity": f"{paper.size(str(MAX_QUANTITY)):f}",
        "max_market_quantity": f"{paper.size(str(MAX_MARKET_QUANTITY)):f}",
        "multiplier_up": str(UP),
        "multiplier_down": str(DOWN),
    }
    shown = desk.instruments()["instruments"]
    assert isinstance(shown, list)
    desk.set_instruments({"instruments": [{**one, **bounds} for one in shown]})
    yield paper


def price_of(world: VenueWorld, times: str) -> str:
    """The price as it is now, so many times."""
    return f"{Decimal(50_000 if world.market is SPOT else 2_000) * Decimal(times):f}"


class Case(NamedTuple):
    """An order that is refused, and why; `made` may trade before it."""

    made: Callable[[VenueWorld], Order]
    reason: ReasonCode


def beyond_the_leg(world: VenueWorld) -> Order:
    world.venue.place(world.order(quantity="0.1"))
    return world.order(Side.SELL, quantity="0.101")


def opening_short(world: VenueWorld, price: str) -> Order:
    order = world.order(Side.SELL, quantity="0.01", price=price, reduce_only=False)
    return replace(order, position_side=order.position_side and PositionSide.SHORT)


def taking_maker(world: VenueWorld) -> Order:
    return world.order(price=price_of(world, "1.01"), type=OrderType.LIMIT_MAKER)


CASES = {
    "beyond the leg": Case(beyond_the_leg, ReasonCode.WOULD_NOT_REDUCE),
    "nothing to reduce": Case(lambda w: w.order(Side.SELL), ReasonCode.WOULD_NOT_REDUCE),
    "off the lot": Case(lambda w: w.order(quantity="0.1000001"), ReasonCode.AGAINST_RULES),
    "off the tick": Case(lambda w: w.order(price="1600.001"), ReasonCode.AGAINST_RULES),
    "too small": Case(lambda w: w.order(quantity="0.001", price="1000"), ReasonCode.BELOW_MINIMUM),
    "too small at the market": Case(
        lambda w: w.order(quantity="0.00005" if w.market is SPOT else "0.001"),
        ReasonCode.BELOW_MINIMUM,
    ),
    "too large": Case(
        lambda w: w.order(quantity=str(MAX_QUANTITY + 1), price=w.low), ReasonCode.ABOVE_MAXIMUM
    ),
    "too large at the market": Case(
        lambda w: w.order(quantity=str(MAX_MARKET_QUANTITY + 1)), ReasonCode.ABOVE_MAXIMUM
    ),
    "too high a buy": Case(
        lambda w: w.order(quantity="0.01", price=price_of(w, "1.06")), ReasonCode.AGAINST_RULES
    ),
    "too low a sale": Case(
        lambda w: opening_short(w, price_of(w, "0.94")), ReasonCode.AGAINST_RULES
    ),
    "not covered": Case(lambda w: w.order(quantity="50"), ReasonCode.INSUFFICIENT_FUNDS),
    "takes, though it may not": Case(taking_maker, ReasonCode.WOULD_TAKE),
    "not traded": Case(
        lambda w: replace(w.order(), symbol=Symbol("DOGE/USDT")), ReasonCode.UNKNOWN_INSTRUMENT
    ),
}

NO_POSITIONS = "there are no positions"
ONE_NET = "what is too much is cut off; see below"
ONE_CONTRACT = "the least lot is one contract, and worth enough"
PRICE_MOVED = "it moves the price to the nearest that is allowed, unless the account says otherwise"

#: Case, venue (or all), market, mode (or both) → why it is not refused there.
NO_SUCH_RULE = {
    ("beyond the leg", "", SPOT, None): NO_POSITIONS,
    ("nothing to reduce", "", SPOT, None): NO_POSITIONS,
    ("beyond the leg", "", USDM, ONEWAY): ONE_NET,
    ("beyond the leg", "", COINM, ONEWAY): ONE_NET,
    ("too small", "", COINM, None): ONE_CONTRACT,
    ("too small at the market", "", COINM, None): ONE_CONTRACT,
    ("too high a buy", "bybit", USDM, None): PRICE_MOVED,
    ("too low a sale", "bybit", USDM, None): PRICE_MOVED,
    ("too high a buy", "bybit", COINM, None): PRICE_MOVED,
    ("too low a sale", "bybit", COINM, None): PRICE_MOVED,
}

#: Case, venue, market → the reason there, where less comes back from the exchange.
LESS_TOLD = {
    # A market order leaves without a price, so its notional is the exchange's to refuse.
    ("too small at the market", "binance", SPOT): ReasonCode.AGAINST_RULES,
    ("too small at the market", "binance", USDM): ReasonCode.AGAINST_RULES,
    ("too small at the market", "bybit", SPOT): ReasonCode.AGAINST_RULES,
    ("too small at the market", "bybit", USDM): ReasonCode.AGAINST_RULES,
    ("too small at the market", "poloniex", SPOT): ReasonCode.AGAINST_RULES,
    # Of this one ccxt passes on the words alone, without the code.
    ("too high a buy", "binance", SPOT): ReasonCode.VENUE_REJECTED,
    ("too low a sale", "binance", SPOT): ReasonCode.VENUE_REJECTED,
}


def venue_of(world: VenueWorld) -> str:
    return "paper" if isinstance(world, PaperVenueWorld) else str(world.account.venue)


def why_not(name: str, world: VenueWorld) -> str | None:
    for (case, venue, market, mode), reason in NO_SUCH_RULE.items():
        fits = venue in {"", venue_of(world)} and mode in {None, world.position_mode}
        if case == name and market is world.market and fits:
            return reason
    return None


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_for_the_same_reason_everywhere(world: VenueWorld, name: str) -> None:
    excuse = why_not(name, world)
    if excuse is not None:
        pytest.skip(excuse)
    order = CASES[name].made(world)
    before = world.venue.view()

    with pytest.raises(VenueRejected) as refused:
        world.venue.place(order)

    where = name, venue_of(world), world.market
    assert refused.value.code is LESS_TOLD.get(where, CASES[name].reason)
    assert world.venue.view() == before


def test_a_post_only_order_that_would_take_is_told_as_one(world: VenueWorld) -> None:
    with pytest.raises(VenueRejected, match=r"^post only, and ") as refused:
        world.venue.place(taking_maker(world))

    assert refused.value.code is ReasonCode.WOULD_TAKE


def test_an_exit_of_what_an_exchange_does_not_list_may_pass(world: VenueWorld) -> None:
    if venue_of(world) == "paper":
        pytest.skip("what is not there was taken away by a person")
    halted = replace(world.order(Side.SELL), symbol=Symbol("DOGE/USDT"), reduces=True)

    with pytest.raises(VenueRejected) as refused:
        world.venue.place(halted)

    reason = Reason(refused.value.code, "")
    assert (reason.may_pass, reason.is_by_rules) == (True, True)


def test_one_way_what_is_too_much_to_reduce_is_cut_off(world: VenueWorld) -> None:
    if world.position_mode is HEDGE:
        pytest.skip("it is refused")
    world.venue.place(world.order(quantity="0.1"))

    closed = world.venue.place(world.order(Side.SELL, quantity="9"))

    assert closed.filled_quantity == world.size("0.1")
    assert closed.status not in {OrderStatus.FILLED, OrderStatus.REJECTED}
    assert closed.position_after == 0


def test_what_only_reduces_may_be_small(world: VenueWorld) -> None:
    if world.market is SPOT:
        pytest.skip(NO_POSITIONS)
    world.venue.place(world.order(quantity="0.1"))

    closed = world.venue.place(world.order(Side.SELL, quantity="0.001"))

    assert closed.status is OrderStatus.FILLED
