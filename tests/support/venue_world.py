"""Any venue with hands on its prices and its faults: the paper venue, or a simulated exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import redis

from app.domain.enums import (
    Direction,
    Market,
    Mode,
    PositionMode,
    PositionSide,
    PriceSource,
    Side,
)
from app.domain.identifiers import (
    AccountId,
    AccountName,
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    OrderId,
    Symbol,
    VenueName,
    VenueOrderId,
)
from app.domain.money import settled_in
from app.domain.order import Condition, Order
from app.domain.reconciliation import VenueOrder
from app.exchanges.ccxt_venue import CcxtVenue
from app.exchanges.clients import Clients
from app.exchanges.ports import VenuePorts
from app.paper.paper_venue import PaperVenue
from app.ports.clock import Clock
from app.ports.policy import Policy
from app.ports.venue import Venue
from app.store.coordination.locks import RedisLocks
from app.store.core.clock import RedisClock
from app.store.memory.key_trials import RedisKeyTrials
from app.store.memory.venue_budget import RedisRateBudget
from app.store.memory.venue_memory import RedisVenueMemory
from tests.support.builders import BTC, ETH, SPOT, USDM, a_live_account, an_order
from tests.support.exchanges.binance import Binance
from tests.support.exchanges.books import INVERSE, LINEAR, Ticket
from tests.support.exchanges.books import Account as Holder
from tests.support.exchanges.books import Market as Listed
from tests.support.exchanges.bybit import Bybit
from tests.support.exchanges.faults import PATIENCE_MS
from tests.support.exchanges.poloniex import Poloniex
from tests.support.exchanges.server import Dialect as Wire
from tests.support.exchanges.server import Gateway, served
from tests.support.exchanges.silence import sat_out
from tests.support.exchanges.stops import taken_in
from tests.support.exchanges.trading import Exchange
from tests.support.paper_world import PaperWorld
from tests.support.servers import fresh_client

KEY, SECRET = "k" * 20, "s" * 20
REAL = Policy(venue_poll_ms=0)

LISTED = (
    Listed("BTC", "USDT"),
    Listed("ETH", "USDT", quantity_step=Decimal("0.0001"), min_quantity=Decimal("0.0001")),
    Listed("ETH", "USDT", LINEAR, quantity_step=Decimal("0.001"), min_quantity=Decimal("0.001")),
)


def inverse(coin: str, contract_size: str = "1", delivery: str = "") -> Listed:
    """An inverse contract of a coin, in contracts of so many US dollars."""
    return Listed(
        coin,
        "USD",
        INVERSE,
        quantity_step=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(120_000),
        contract_size=Decimal(contract_size),
        delivery=delivery,
    )


#: As listed at Binance, which has quarterly futures of the same coins; and at Bybit.
INVERSE_AT = {
    "binance": (inverse("BTC", "100"), inverse("ETH", "10"), inverse("ETH", "10", "261225")),
    "bybit": (inverse("BTC"), inverse("ETH")),
}

#: The exchanges that have an adapter of their own, in each of their markets.
EXCHANGES = [
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("binance", Market.COINM),
    ("bybit", Market.SPOT),
    ("bybit", Market.USDM),
    ("bybit", Market.COINM),
    ("poloniex", Market.SPOT),
]

#: These, and one that is known to ccxt alone.
EXCHANGES_AND_MANUAL = [*EXCHANGES, ("binanceus", Market.SPOT)]


def one_of_each(worlds: Sequence[tuple[str, Market]]) -> Sequence[object]:
    """Return the parameters of what takes long: `make test` has one market of each exchange."""
    firsts = dict(reversed(worlds))
    return [
        pytest.param(one, marks=() if firsts[one[0]] is one[1] else pytest.mark.matrix)
        for one in worlds
    ]


#: Settings of a stack, in milliseconds: short, since nothing is slow on purpose.
QUICK = {
    "HOOKFILL_VENUE_POLL_MS": "200",
    "HOOKFILL_VENUE_TIMEOUT_MS": "2000",
    "HOOKFILL_VENUE_MARGIN_MS": "0",
    "HOOKFILL_VENUE_ABSENCE_MS": "500",
}


def by_hand(price: int = 30_000) -> Ticket:
    """A buy at an exchange that no installation knows of."""
    return Ticket(
        client_id=f"by-hand-{price}",
        market=LISTED[0],
        side="BUY",
        quantity=Decimal("0.01"),
        price=Decimal(price),
    )


def account_at(venue: str, market: str = "SPOT") -> dict[str, object]:
    """The account that each simulated exchange has, as the API takes it."""
    mode = "testnet" if venue.endswith("_testnet") else "live"
    credentials = {"apiKey": KEY, "secret": SECRET}
    return {"venue": venue, "market": market, "mode": mode, "credentials": credentials}


#: A paper account of inverse contracts.
COINM = replace(USDM, id=AccountId(3), name=AccountName("coinm"), market=Market.COINM)

#: What each account trades, and a price at which a buy of it rests.
TRADED = {
    Market.SPOT: (BTC, "40000"),
    Market.USDM: (ETH, "1600"),
    Market.COINM: (Symbol("ETH/USD"), "1600"),
}

#: Contracts of inverse markets that tests trade in place of one coin.
CONTRACTS = 1_000


def size(quantity: str, market: Market) -> Decimal:
    """What stands for a quantity of coins in a market."""
    return Decimal(quantity) * (CONTRACTS if market is Market.COINM else 1)


def mode_at(venue: str, market: Market) -> PositionMode:
    """HEDGE where there is such a thing."""
    one_way = venue.startswith("bybit") and market is Market.COINM
    return PositionMode.ONEWAY if one_way else PositionMode.HEDGE


class _World:
    """A venue with one account, 10,000 USDT (futures: 1,000; COINM: 1 ETH and 1 BTC).

    Prices are BTC 50,000 and ETH 2,000.

    Attributes:
        venue: as the account sees it.
        symbol: what the account trades.
        low: a price at which a buy of it rests.
    """

    venue: Venue

    def __init__(self, market: Market, position_mode: PositionMode) -> None:
        self.market, self.position_mode = market, position_mode
        self.symbol, self.low = TRADED[market]
        self.account_id = AccountId(1 + list(TRADED).index(market))
        self._ids = count(1)

    def size(self, quantity: str) -> Decimal:
        """What stands for a quantity of coins here."""
        return size(quantity, self.market)

    def at(self, price: str) -> str:
        """What stands for a price of ETH, of which one is 2,000, here."""
        return f"{Decimal(price) * (25 if self.market is Market.SPOT else 1):f}"

    def stop(
        self,
        level: str,
        side: Side = Side.SELL,
        quantity: str = "0.1",
        *,
        rises: bool = False,
        source: PriceSource = PriceSource.LAST,
    ) -> Order:
        """A new order that closes a long, or a short if it buys, and waits for a price there.

        On spot it sells coins. The level is as in `at`.
        """
        direction = Direction.RISING if rises else Direction.FALLING
        leg = PositionSide.SHORT if side is Side.BUY else PositionSide.LONG
        condition = Condition(level=Decimal(self.at(level)), direction=direction, source=source)
        if self.market is Market.SPOT:
            return self.order(side, quantity, condition=condition, reduces=True)
        return self.order(
            side,
            quantity,
            condition=condition,
            reduce_only=True,
            reduces=True,
            position_side=leg if self.position_mode is PositionMode.HEDGE else None,
        )

    @property
    def purse(self) -> Currency:
        """The currency that entries are paid with, or that is their margin."""
        return settled_in(self.market, self.symbol)

    def order(
        self, side: Side = Side.BUY, quantity: str = "0.1", price: str | None = None, **more: object
    ) -> Order:
        """A new order like no other; with futures a buy opens a long, and a sale closes it."""
        number = next(self._ids)
        spot = self.market is Market.SPOT
        has_legs = not spot and self.position_mode is PositionMode.HEDGE
        order = an_order(
            id=OrderId(AggregateId(number)),
            account=self.account_id,
            symbol=self.symbol,
            market=self.market,
            side=side,
            position_side=PositionSide.LONG if has_legs else None,
            quantity=self.size(quantity),
            price=None if price is None else Decimal(price),
            client_order_id=ClientOrderId(f"habcd{number:011d}"),
            created_at_ms=EpochMs(1),
            updated_at_ms=EpochMs(1),
            reduce_only=not spot and side is Side.SELL,
        )
        return replace(order, **more)  # type: ignore[arg-type]  # fields by name


class PaperVenueWorld(_World):
    """The paper venue."""

    def __init__(
        self,
        client: redis.Redis,
        market: Market,
        position_mode: PositionMode = PositionMode.HEDGE,
    ) -> None:
        super().__init__(market, position_mode)
        self.world = PaperWorld(client).opened()
        self.account = {Market.SPOT: SPOT, Market.USDM: USDM, Market.COINM: COINM}[market]
        if market is not Market.SPOT:
            setting = {"position_mode": position_mode}
            purse = {"balances": {"ETH": "1"}} if market is Market.COINM else {}
            self.world.desk.set_account(self.account, {**setting, **purse})
            self.world.price("2000", self.symbol)
        self.venue = PaperVenue(self.account, self.world.ports)

    def price(self, symbol: Symbol, last: str) -> None:
        """Move a price; resting orders meet it."""
        self.world.price(last, symbol)

    def fault(self, call: str, *words: str) -> None:
        """Plan faults of the next calls."""
        self.world.desk.set_faults(self.account, {call: list(words)})

    def count(self) -> int:
        """Return how many orders the venue has taken in, repeats not counted."""
        rows = self.world.ledger.rows(self.account.id)
        return sum(1 for row in rows if row.outcome not in {"DUPLICATE", "REJECTED"})


class _SleeplessClock(RedisClock):
    """The time as it is; nobody who is held back waits for it."""

    def sleep(self, for_ms: int) -> None:
        del for_ms


class ExchangeWorld(_World):
    """A simulated exchange over real sockets, asked through ccxt.

    Attributes:
        exchange: its books.
        plan: its faults.
        gateway: what was asked.
        redis: the store.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        client: redis.Redis,
        wire: Wire,
        gateway: Gateway,
        url: str,
        *,
        venue: str,
        market: Market,
        position_mode: PositionMode | None = None,
        timeout_ms: int = PATIENCE_MS,
    ) -> None:
        position_mode = mode_at(venue, market) if position_mode is None else position_mode
        super().__init__(market, position_mode)
        self.wire, self.gateway, self.redis = wire, gateway, client
        self.exchange, self.plan = wire.exchange, wire.plan
        self.account = a_live_account(
            id=self.account_id,
            venue=VenueName(venue),
            market=market,
            position_mode=position_mode,
            mode=Mode.TESTNET if venue.endswith("_testnet") else Mode.LIVE,
        )
        self.clock = _SleeplessClock(client)
        self.ports = venue_ports(client, self.clock, {venue: url}, timeout_ms)
        self.clients = Clients(self.ports)
        self.venue: CcxtVenue = self.clients.of(self.account)
        self.profile = self.clients.exchange(self.account).profile
        self.holder: Holder = self.exchange.accounts[KEY]
        self.holder.hedged = position_mode is PositionMode.HEDGE

    def price(self, symbol: Symbol, last: str) -> None:
        self.exchange.set_price(symbol, last)

    def fault(self, call: str, *words: str) -> None:
        # Bybit is asked in two places.
        asked = 2 if call == "find" and self.account.venue.startswith("bybit") else 1
        self.plan.plan(call, *(word for word in words for _ in range(asked)))

    def count(self) -> int:
        return taken_in(self.holder)


VenueWorld = PaperVenueWorld | ExchangeWorld


def venue_ports(
    client: redis.Redis, clock: Clock, urls: Mapping[str, str], timeout_ms: int = PATIENCE_MS
) -> VenuePorts:
    """Return what a client of these exchanges needs, for the one account that each has."""
    return VenuePorts(
        memory=RedisVenueMemory(client, clock),
        budget=RedisRateBudget(client),
        locks=RedisLocks(client),
        clock=clock,
        policy=REAL,
        trials=RedisKeyTrials(client),
        secrets=lambda _: {"apiKey": KEY, "secret": SECRET},
        urls=urls,
        proxy_of=lambda _: None,
        address="here",
        timeout_ms=timeout_ms,
    )


def an_exchange(venue: str = "", **options: bool) -> Exchange:
    """An exchange with one account and the prices of `VenueWorld`."""
    exchange = Exchange((*LISTED, *INVERSE_AT.get(venue, ())), **options)
    purses = {"USDT": "10000", "MARGIN": "1000", "M_ETH": "1", "M_BTC": "1"}
    exchange.open_account(KEY, SECRET, **purses).hedged = True
    for market in exchange.markets.values():
        exchange.set_price(market.symbol, "50000" if market.base == "BTC" else "2000")
    return exchange


def wire_of(venue: str, market: Market) -> Wire:
    """Return the wire format of a venue over a fresh exchange."""
    name = venue.partition("_")[0]
    if name in {"binance", "binanceus", "binanceusdm"}:
        return Binance(an_exchange("binance", unique_among_open=True))
    if name == "poloniex":
        return Poloniex(an_exchange())
    exchange = an_exchange("bybit")
    if market is not Market.SPOT:
        exchange.accounts[KEY].total.clear()  # one wallet for all markets
    if market is not Market.COINM:
        exchange.accounts[KEY].coins.clear()
    return Bybit(exchange)


@contextmanager
def running_world(venue: str, market: Market, **options: object) -> Iterator[ExchangeWorld]:
    """Serve a simulated exchange, and yield it with a venue that asks it."""
    with ExitStack() as stack:
        wire = wire_of(venue, market)
        url, gateway = stack.enter_context(served(wire, stack.enter_context(sat_out())))
        made: dict[str, Any] = {"venue": venue, "market": market, **options}
        world = ExchangeWorld(fresh_client(), wire, gateway, url, **made)
        stack.callback(world.clients.close)
        yield world


def every_request(world: ExchangeWorld) -> list[Callable[[CcxtVenue], object]]:
    """All that anybody asks of an exchange with a key."""
    known = replace(world.order(price=world.low), venue_order_id=VenueOrderId("1"))
    standing = VenueOrder(
        client_order_id=known.client_order_id,
        venue_order_id=known.venue_order_id,
        symbol=known.symbol,
        side=Side.BUY,
        quantity=known.quantity,
        filled_quantity=known.filled_quantity,
        price=known.price,
    )
    leveraged = world.order(leverage=3) if world.market is not Market.SPOT else world.order()
    return [
        lambda venue: venue.view(),
        lambda venue: venue.positions(),
        lambda venue: venue.prepare(leveraged),
        lambda venue: venue.place(world.order()),
        lambda venue: venue.cancel(known),
        lambda venue: venue.find(known),
        lambda venue: venue.reports([known]),
        lambda venue: venue.standing([world.symbol]),
        lambda venue: venue.placed(world.symbol, EpochMs(1)),
        lambda venue: venue.cancel_standing(standing),
        lambda venue: venue.find_standing(standing),
    ]
