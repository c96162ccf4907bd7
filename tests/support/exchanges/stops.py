"""Stops in an exchange's books: orders that rest until a price comes, and then go to the market."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.exchanges.books import OPEN, SPOT, Account, Order, Refused, Stop, Ticket, Why

if TYPE_CHECKING:
    from tests.support.exchanges.trading import Exchange

#: How a stop stands that has not become an order.
WAITING = "UNTRIGGERED"


class Stops:
    """The stops of an exchange.

    Attributes:
        apart: they are kept apart from orders, and another order is made of each (as at Binance);
            else a stop becomes an order under its own ids, and goes when its position
            does (as at Bybit).
        binds_coins: one that sells coins is an order as any other, and holds them (as at Binance);
            else it is kept apart, and holds none (as at Poloniex).
        bear_ids: the order that is made of a stop bears the client order id of the stop.
        lists_fired: those of which an order was made are listed as open all the same.
        fire_at_once: one whose price has come already is taken in and fires (as at Poloniex); else
            it is refused.
        stalled: what fires stays on its way; it goes on when a price is set again.
        most: so many may wait in an account.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.apart = False
        self.bear_ids = False
        self.lists_fired = False
        self.fire_at_once = False
        self.binds_coins = True
        self.stalled = False
        self.most = 200

    def place(self, account: Account, ticket: Ticket, stop: Stop) -> Order:
        """Take a stop in.

        Raises:
            Refused: it is not taken.
        """
        exchange = self._exchange
        kept = self._kept(account, ticket)
        exchange.check_new(ticket, kept)
        exchange.check_filters(ticket)
        if stop.level <= 0 or stop.level % ticket.market.price_step:
            raise Refused(Why.TICK)
        if ticket.market.kind != SPOT:
            exchange.check_leg(account, ticket)
        elif self.binds_coins:
            exchange.check_coins(account, ticket)
        is_reached = self._is_reached(ticket.market.symbol, stop)
        if is_reached and not self.fire_at_once:
            raise Refused(Why.HAS_RISEN if stop.rises else Why.HAS_FALLEN)
        if ticket.reduce_only and not self.apart and exchange.closable(account, ticket) <= 0:
            raise Refused(Why.REDUCE_ONLY)
        if len([one for one in kept if one.status == WAITING]) >= self.most:
            raise Refused(Why.STOPS)
        now = exchange.now_ms()
        order = Order(
            id=exchange.number(), ticket=ticket, created_ms=now, updated_ms=now, status=WAITING
        )
        kept.append(order)
        if is_reached:
            self._fire(account, order)
        return order

    def cancel(self, account: Account, order: Order) -> Order:
        """Take a stop off that waits."""
        if order.status != WAITING:
            raise Refused(Why.GONE)
        return self._keep(account, replace(order, status="DEACTIVATED"))

    def find(self, account: Account, client_id: str, venue_id: str = "") -> Order:
        """Return the newest stop with this client order id or this id, of those kept apart."""
        for order in reversed(account.stops):
            if (client_id and order.ticket.client_id == client_id) or str(order.id) == venue_id:
                return order
        raise Refused(Why.NO_ORDER)

    def made_of(self, account: Account, stop: Order) -> Order | None:
        """Return the order that was made of a stop, if there is one."""
        return next((one for one in account.orders if stop.made and one.id == stop.made), None)

    def fire(self, account: Account, symbol: str) -> None:
        """Send to the market what a price of now has reached."""
        for order in [*account.stops, *account.orders]:
            stop = order.ticket.stop
            if stop is None or order.ticket.market.symbol != symbol:
                continue
            reached = order.status == WAITING and self._is_reached(symbol, stop)
            if reached or order.status == "TRIGGERING":
                self._fire(account, order)
        self.let_go(account)

    def let_go(self, account: Account) -> None:
        """Cancel stops of which the position is gone, where they go with it."""
        for order in [] if self.apart else list(account.orders):
            is_idle = self._exchange.closable(account, order.ticket) <= 0
            if order.status == WAITING and order.ticket.reduce_only and is_idle:
                self._keep(account, replace(order, status="DEACTIVATED", reduces_nothing=True))

    def _fire(self, account: Account, order: Order) -> None:
        if self.stalled:
            self._keep(account, replace(order, status="TRIGGERING"))
        elif order in account.stops:
            self._make(account, order)
        else:
            self._exchange.send(account, self._keep(account, replace(order, status="NEW")))

    def _make(self, account: Account, order: Order) -> None:
        """Make an order of a stop, or refuse it, as the exchange would refuse that order."""
        client_id = order.ticket.client_id if self.bear_ids else f"made-of-{order.id}"
        ticket = replace(order.ticket, client_id=client_id, stop=None)
        try:
            made = self._exchange.place(account, ticket)
        except Refused:
            self._keep(account, replace(order, status="REJECTED"))
        else:
            self._keep(account, replace(order, status="TRIGGERED", made=made.id))

    def _is_reached(self, symbol: str, stop: Stop) -> bool:
        last = self._exchange.prices[symbol]
        price = self._exchange.marks.get(symbol, last) if stop.by_mark else last
        return price >= stop.level if stop.rises else price <= stop.level

    def _kept(self, account: Account, ticket: Ticket) -> list[Order]:
        is_apart = self.apart and not (ticket.market.kind == SPOT and self.binds_coins)
        return account.stops if is_apart else account.orders

    def _keep(self, account: Account, order: Order) -> Order:
        return self._exchange.keep(self._kept(account, order.ticket), order)


def waits(order: Order) -> bool:
    """Tell whether a stop waits for its price, or is on its way to the market."""
    return order.status in {WAITING, "TRIGGERING"}


def is_open(order: Order) -> bool:
    """Tell whether an order may still fill, now or when its price comes."""
    return order.status in OPEN or waits(order)


def waiting(account: Account) -> list[Order]:
    """Return the stops of an account that wait for their prices."""
    return [one for one in [*account.orders, *account.stops] if waits(one)]


def taken_in(account: Account) -> int:
    """Return how many orders an account has placed; what was made of its stops is none of them."""
    made = len([one for one in account.stops if one.made])
    return len(account.orders) + len(account.stops) - made
