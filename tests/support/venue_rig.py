"""The whole way of an order to a simulated exchange: all use cases, ccxt, real sockets.

The exchange's clock follows the rig's, so that a test need not wait for a grace period.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Market, Mode, PositionMode
from app.domain.identifiers import Symbol, VenueName
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.exchanges.clients import Clients
from app.services.following.follow import poll_orders, poll_stops
from app.services.keeping.sweep import sweep
from app.services.watching.watch import watch_prices
from tests.support.builders import SPOT, USDM
from tests.support.exchanges.server import Dialect as Wire
from tests.support.exchanges.server import Gateway, served
from tests.support.exchanges.silence import sat_out
from tests.support.rig import Rig
from tests.support.venue_world import KEY, REAL, TRADED, mode_at, size, venue_ports, wire_of


class VenueRig(Rig):
    """All use cases over a real store and a simulated exchange.

    Attributes:
        wire: the exchange's manners; `wire.plan` are its faults.
        exchange: its books.
        gateway: what was asked.
        account: that of the signals.
        venue_ports: what another process would be built from.
    """

    def __init__(
        self,
        wire: Wire,
        gateway: Gateway,
        url: str,
        venue: str,
        market: Market,
        mode: PositionMode,
    ) -> None:
        super().__init__()
        if market is not Market.SPOT:
            self.futures_symbol = TRADED[market][0]
        self.wire, self.gateway, self.exchange = wire, gateway, wire.exchange
        self.exchange.follow(self.clock.server_ms)
        self.account = replace(
            SPOT if market is Market.SPOT else USDM,
            market=market,
            venue=VenueName(venue),
            mode=Mode.TESTNET if venue.endswith("_testnet") else Mode.LIVE,
            position_mode=mode,
        )
        self.exchange.accounts[KEY].hedged = mode is PositionMode.HEDGE
        self.registry.put_account(self.account)
        self.venue_ports = venue_ports(self.redis, self.clock, {venue: url})
        self.clients = Clients(self.venue_ports)
        self.ports = replace(self.ports, venues=self.clients, policy=REAL)

    @property
    def symbol(self) -> Symbol:
        """What the account trades."""
        return TRADED[self.account.market][0]

    def size(self, quantity: str) -> Decimal:
        """What stands for a quantity of coins there."""
        return size(quantity, self.account.market)

    def received(self) -> list[str]:
        """Return the client order id of every order that the exchange has taken in."""
        return [one.ticket.client_id for one in self.exchange.accounts[KEY].orders]

    def poll(self) -> None:
        """Do what beat starts, once: look at orders and prices, send what was lost."""
        self.clock.advance(1)
        poll_orders(self.account.id, self.ports)
        poll_stops(self.account.id, self.ports)
        watch_prices(self.account.feed, self.ports)
        sweep(self.ports)
        self.drain()

    def resolved(self, order: Order, rounds: int = 200) -> Order:
        """Let time pass until an order is neither in flight nor unknown."""
        waiting = {OrderStatus.PENDING_NEW, OrderStatus.PLACING, OrderStatus.UNKNOWN}
        for _ in range(rounds):
            found = self.order(order.id)
            if found.status not in waiting:
                return found
            ahead = max(found.next_action_at_ms, found.lease_until_ms) - self.clock.server_ms()
            self.clock.advance(min(max(ahead, 100), 5_000))
            sweep(self.ports)
            self.drain()
        raise AssertionError(f"the order is still in flight: {self.order(order.id)}")


@contextmanager
def venue_rig(venue: str, market: Market, mode: PositionMode | None = None) -> Iterator[VenueRig]:
    """Yield a rig whose accounts are at a simulated exchange."""
    mode = mode_at(venue, market) if mode is None else mode
    wire = wire_of(venue, market)
    with sat_out() as silence, served(wire, silence) as (url, gateway):
        rig = VenueRig(wire, gateway, url, venue, market, mode)
        with closing(rig.clients):
            yield rig
