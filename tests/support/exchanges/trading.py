"""An exchange's own books: accounts, orders, fills. No wire format, no HTTP; see its neighbors.

It is written apart from the paper venue, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.support.exchanges.books import (
    INVERSE,
    LINEAR,
    OPEN,
    SPOT,
    Account,
    Market,
    Order,
    Position,
    Refused,
    Ticket,
    Trade,
    Why,
)
from tests.support.exchanges.stops import WAITING, Stops, is_open


@dataclass
class Level:
    """A price at which so much is offered."""

    price: Decimal
    quantity: Decimal


class Exchange:
    """One exchange.

    Attributes:
        unique_among_open: a client order id may come again once its order is closed (as at Binance
            spot); else it never may.
        fill_share: how much of a taking order fills at once; the rest waits for `fill_more`.
        clock_skew_ms: how far its clock is ahead of ours.
        repeats: client order ids that came again and were refused.
        refused: why orders were refused, in turn.
        depth: what the next market orders find in the book, one after the other, in base; then all
            there is to find.
        sides: the touch of symbols whose sides are apart, as bid and ask.
        books: what is offered to buyers and sellers of symbols whose book is thin, from the touch
            on; what is taken is gone.
        says_no: why the next orders are refused, whatever they are; None lets one pass.
        one_way: the kinds of markets in which nobody's legs are apart.
        marks: the mark prices that are not the last ones.
        stops: the orders that wait for a price.
    """

    def __init__(self, markets: tuple[Market, ...], *, unique_among_open: bool = False) -> None:
        self.markets = {(one.symbol, one.kind): one for one in markets}
        self.prices: dict[str, Decimal] = {}
        self.sides: dict[str, tuple[Decimal, Decimal]] = {}
        self.books: dict[tuple[str, str], list[Level]] = {}
        self.accounts: dict[str, Account] = {}
        self.unique_among_open = unique_among_open
        self.fill_share = Decimal(1)
        self.fee_rate = Decimal("0.001")
        self.clock_skew_ms = 0
        self.repeats: list[str] = []
        self.refused: list[Why] = []
        self.depth: deque[Decimal] = deque()
        self.says_no: deque[Why | None] = deque()
        self.one_way: frozenset[str] = frozenset()
        self.marks: dict[str, Decimal] = {}
        self.stops = Stops(self)
        self._clock: Callable[[], float] = time.time
        self._contracts: dict[str, Market] = {}
        self._next = 1000

    def follow(self, clock_ms: Callable[[], int]) -> None:
        """Go by another clock than the machine's."""
        self._clock = lambda: clock_ms() / 1000

    def now_ms(self) -> int:
        return int(self._clock() * 1000) + self.clock_skew_ms

    def open_account(self, key: str, secret: str, **balances: str) -> Account:
        """Add an account with these spot balances; MARGIN is the futures wallet, M_ETH its ETH."""
        margin = Decimal(balances.pop("MARGIN", "0"))
        there = {name: Decimal(text) for name, text in balances.items()}
        coins = {name[2:]: one for name, one in there.items() if name.startswith("M_")}
        total = {name: one for name, one in there.items() if not name.startswith("M_")}
        self.accounts[key] = Account(key, secret, total, margin, coins)
        return self.accounts[key]

    def of_kind(self, kind: str) -> list[Market]:
        return [one for one in self.markets.values() if one.kind == kind]

    def set_price(self, symbol: str, price: str) -> None:
        """Move both sides of a symbol in all its markets; resting orders that they reach fill."""
        self.set_book(symbol, price, price, price)

    def set_book(
        self,
        symbol: str,
        last: str,
        bid: str,
        ask: str,
        **levels: Sequence[Sequence[str]],
    ) -> None:
        """Move last price and touch of a symbol in all its markets, and what is behind the touch.

        Args:
            symbol: whose prices.
            last, bid, ask: the prices.
            levels: `asks` and `bids` as price and quantity, the best first; without them there is
                all that anybody wants.
        """
        self.prices[symbol], self.sides[symbol] = Decimal(last), (Decimal(bid), Decimal(ask))
        for side, name in (("BUY", "asks"), ("SELL", "bids")):
            self.books.pop((symbol, side), None)
            if levels.get(name):
                rows = levels[name]
                self.books[symbol, side] = [Level(*map(Decimal, row)) for row in rows]
        for account in self.accounts.values():
            for order in list(account.orders):
                if order.status in OPEN and order.ticket.market.symbol == symbol:
                    self._meet(account, order)
            self.stops.fire(account, symbol)

    def set_mark(self, symbol: str, price: str) -> None:
        """Move the mark price of a symbol alone."""
        self.marks[symbol] = Decimal(price)
        for account in self.accounts.values():
            self.stops.fire(account, symbol)

    def fill_more(self, account: Account) -> None:
        """Fill the rest of all open orders that the touch reaches."""
        share, self.fill_share = self.fill_share, Decimal(1)
        for order in list(account.orders):
            if order.status in OPEN:
                self._meet(account, order)
        self.fill_share = share

    def set_status(self, symbol: str, status: str = "") -> None:
        """Let a symbol be traded, `halted`, or `closed` for good, in all its markets."""
        for key, market in self.markets.items():
            if market.symbol == symbol:
                self.markets[key] = replace(market, status=status)

    def delist(self, symbol: str) -> None:
        """Forget all markets of a symbol; prices and orders are as they were."""
        self.markets = {key: one for key, one in self.markets.items() if one.symbol != symbol}

    # Orders

    def place(self, account: Account, ticket: Ticket) -> Order:
        """Take an order in, and fill what the touch allows."""
        try:
            return self._place(account, ticket)
        except Refused as refused:
            self.refused.append(refused.why)
            raise

    def _place(self, account: Account, ticket: Ticket) -> Order:
        if ticket.stop is not None:
            return self.stops.place(account, ticket, ticket.stop)
        self.check_new(ticket, account.orders)
        touch = self._touch(ticket)
        if ticket.budget is not None:
            step = ticket.market.quantity_step
            ticket = replace(ticket, quantity=ticket.budget / touch // step * step)
        self.check_filters(ticket)
        takes = self._reaches(ticket, touch)
        if ticket.type == "LIMIT_MAKER" and takes:
            raise Refused(Why.WOULD_TAKE)
        self._check_means(account, ticket, touch)
        now = self.now_ms()
        order = Order(id=self.number(), ticket=ticket, created_ms=now, updated_ms=now)
        account.orders.append(order)
        order = self.send(account, order, takes=takes)
        self.stops.let_go(account)
        return order

    def send(self, account: Account, order: Order, *, takes: bool = True) -> Order:
        """Let an order that has come to the market take what it can."""
        ticket = order.ticket
        if takes and not self._is_killed(ticket):
            order = self._meet(account, order, arrives=True)
        fades = ticket.type == "MARKET" or ticket.time_in_force in {"IOC", "FOK"}
        if fades and order.status in OPEN and self.fill_share == 1:
            order = self._keep(account, replace(order, status="EXPIRED"))
        return order

    def check_new(self, ticket: Ticket, known: Sequence[Order]) -> None:
        """Refuse what nobody may place now, or what is among those that are known.

        Raises:
            Refused: it is.
        """
        self._check_open(ticket)
        for one in known:
            is_taken = is_open(one) or not self.unique_among_open
            if one.ticket.client_id == ticket.client_id and is_taken:
                self.repeats.append(ticket.client_id)
                raise Refused(Why.DUPLICATE)

    def _check_open(self, ticket: Ticket) -> None:
        no = self.says_no.popleft() if self.says_no else None
        if no is not None:
            raise Refused(no)
        if ticket.market.status:
            raise Refused(Why.HALTED)

    def take_in_and_cancel(self, account: Account, ticket: Ticket) -> Order:
        """Take in a post-only order that would take, and cancel it, as some do."""
        now = self.now_ms()
        order = Order(
            id=self.number(),
            ticket=ticket,
            created_ms=now,
            updated_ms=now,
            status="CANCELED",
            would_take=True,
        )
        account.orders.append(order)
        return order

    def cancel(self, account: Account, order: Order) -> Order:
        """Take an order off."""
        if order.status == WAITING:
            return self.stops.cancel(account, order)
        if order.status not in OPEN:
            raise Refused(Why.GONE)
        return self._keep(account, replace(order, status="CANCELED"))

    def find(self, account: Account, client_id: str, venue_id: str = "") -> Order:
        """Return the newest order with this client order id or this id."""
        for order in reversed(account.orders):
            if (client_id and order.ticket.client_id == client_id) or str(order.id) == venue_id:
                return order
        raise Refused(Why.NO_ORDER)

    def set_mode(self, account: Account, *, hedged: bool) -> None:
        """Hold long and short apart, or as one; not while there is anything."""
        if hedged is account.hedged:
            raise Refused(Why.MODE_IS_SET)
        held = any(one.quantity for one in account.positions.values())
        if held or any(map(is_open, [*account.orders, *account.stops])):
            raise Refused(Why.MODE_IN_USE)
        account.hedged = hedged

    def held(self, account: Account, currency: str) -> Decimal:
        """Return what open spot orders hold of a currency."""
        held = Decimal(0)
        for order in account.orders:
            ticket = order.ticket
            if not is_open(order) or ticket.market.kind != SPOT:
                continue
            if ticket.side == "SELL" and ticket.market.base == currency:
                held += order.left
            if ticket.side == "BUY" and ticket.market.quote == currency:
                held += order.left * (ticket.price or Decimal(0))
        return held

    def free(self, account: Account, currency: str) -> Decimal:
        return account.total.get(currency, Decimal(0)) - self.held(account, currency)

    def wallet(self, account: Account, currency: str) -> Decimal:
        """Return what there is of a currency to trade futures with."""
        known = {one.margin for one in self.of_kind(INVERSE)}
        return account.coins.get(currency, Decimal(0)) if currency in known else account.margin

    def free_margin(self, account: Account, currency: str = "USDT") -> Decimal:
        used = Decimal(0)
        for (symbol, _), one in account.positions.items():
            market = self.contract(symbol)
            if market.margin == currency and one.quantity:
                worth = market.worth(abs(one.quantity), one.entry)
                used += worth / account.leverage.get(symbol, 20)
        return self.wallet(account, currency) - used

    def contract(self, symbol: str) -> Market:
        """Return the futures market of a symbol, which may be gone while a position is there."""
        listed = [*self.of_kind(LINEAR), *self.of_kind(INVERSE)]
        self._contracts.update({one.symbol: one for one in listed})
        return self._contracts[symbol]

    def number(self) -> int:
        """Return an id that nothing else has."""
        self._next += 1
        return self._next

    def offered(self, symbol: str, side: str) -> list[list[str]]:
        """Return price and quantity of what buyers or sellers find, the best first."""
        bid, ask = self.touch(symbol)
        touch = [Level(ask if side == "BUY" else bid, Decimal(1))]
        return [
            [str(one.price), str(one.quantity)] for one in self.books.get((symbol, side), touch)
        ]

    def touch(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return the best bid and the best ask."""
        return self.sides.get(symbol) or (self.prices[symbol], self.prices[symbol])

    def _touch(self, ticket: Ticket) -> Decimal:
        if ticket.market.symbol not in self.prices:
            raise Refused(Why.SYMBOL, "no price")
        bid, ask = self.touch(ticket.market.symbol)
        return ask if ticket.side == "BUY" else bid

    def check_filters(self, ticket: Ticket) -> None:
        """Refuse figures that the market does not take.

        Raises:
            Refused: it does not.
        """
        market, touch = ticket.market, self._touch(ticket)
        most = market.max_quantity
        if ticket.price is None:
            most = min(most, market.max_market_quantity)
        if ticket.quantity > most:
            raise Refused(Why.SIZE)
        if ticket.quantity < market.min_quantity:
            raise Refused(Why.LOT)
        if ticket.quantity % market.quantity_step:
            raise Refused(Why.LOT)
        if ticket.price is not None:
            _check_price(ticket, ticket.price, touch)
        exempt = ticket.reduce_only or ticket.closes_leg or market.kind == INVERSE
        if not exempt and ticket.quantity * (ticket.price or touch) < market.min_notional:
            raise Refused(Why.NOTIONAL)

    @staticmethod
    def _reaches(ticket: Ticket, touch: Decimal) -> bool:
        if ticket.price is None:
            return True
        return touch <= ticket.price if ticket.side == "BUY" else touch >= ticket.price

    def _check_means(self, account: Account, ticket: Ticket, touch: Decimal) -> None:
        market = ticket.market
        if market.kind != SPOT:
            self._check_margin(account, ticket, touch)
        elif ticket.side == "SELL":
            self.check_coins(account, ticket)
        elif ticket.quantity * (ticket.price or touch) > self.free(account, market.quote):
            raise Refused(Why.FUNDS)

    def check_coins(self, account: Account, ticket: Ticket) -> None:
        """Refuse a sale of more than is there and free.

        Raises:
            Refused: it is.
        """
        if ticket.quantity > self.free(account, ticket.market.base):
            raise Refused(Why.FUNDS)

    def check_leg(self, account: Account, ticket: Ticket) -> bool:
        """Refuse a leg that is not how the account holds positions, and tell whether it has legs.

        Raises:
            Refused: it is not.
        """
        is_hedged = account.hedged and ticket.market.kind not in self.one_way
        if (ticket.leg != "BOTH") is not is_hedged:
            raise Refused(Why.LEG)
        return is_hedged

    def _check_margin(self, account: Account, ticket: Ticket, touch: Decimal) -> None:
        is_hedged = self.check_leg(account, ticket)
        closes = self.closable(account, ticket)
        if ticket.reduce_only or ticket.closes_leg:
            if closes <= 0 or (is_hedged and ticket.quantity > closes):
                raise Refused(Why.REDUCE_ONLY)
            return
        opens = max(ticket.quantity - closes, Decimal(0))
        market = ticket.market
        leverage = account.leverage.get(market.symbol, 20)
        worth = market.worth(opens, ticket.price or touch)
        if worth / leverage > self.free_margin(account, market.margin):
            raise Refused(Why.FUNDS)

    @staticmethod
    def closable(account: Account, ticket: Ticket) -> Decimal:
        """Return how much of a position an order could close."""
        position = account.positions.get((ticket.market.symbol, ticket.leg), Position())
        return max(-position.quantity * ticket.way, Decimal(0))

    # Fills

    def _meet(self, account: Account, order: Order, *, arrives: bool = False) -> Order:
        """Fill what the touch allows: of an order that rests at its limit, and not better."""
        ticket = order.ticket
        touch = self._touch(ticket)
        if not self._reaches(ticket, touch):
            return order
        quantity = self._share(order)
        if ticket.reduce_only:
            quantity = min(quantity, self.closable(account, ticket))
            if quantity <= 0:
                return self._keep(account, replace(order, status="EXPIRED"))
        price = touch if ticket.price is None or arrives else ticket.price
        for one in self._taken(ticket, price, quantity):
            trade = self._trade(account, ticket, one.quantity, one.price)
            order = replace(order, trades=(*order.trades, trade))
        if not order.trades:
            return order
        status = "FILLED" if order.left == 0 else "PARTIALLY_FILLED"
        return self._keep(account, replace(order, status=status))

    def _share(self, order: Order) -> Decimal:
        """Return how much of an order may fill now."""
        ticket, quantity = order.ticket, order.left
        step = ticket.market.quantity_step
        if self.fill_share < 1:
            quantity = max(order.left * self.fill_share // step * step, step)
        if ticket.price is None and self.depth:
            quantity = min(quantity, self.depth.popleft())
        return quantity

    def _is_killed(self, ticket: Ticket) -> bool:
        book = self.books.get((ticket.market.symbol, ticket.side))
        if ticket.time_in_force != "FOK" or book is None:
            return False
        offered = sum(one.quantity for one in book if self._reaches(ticket, one.price))
        return offered < ticket.quantity

    def _taken(self, ticket: Ticket, price: Decimal, quantity: Decimal) -> list[Level]:
        """Return what an order takes, at which price; what it takes of a thin book is gone."""
        book = self.books.get((ticket.market.symbol, ticket.side))
        if book is None:
            return [Level(price, quantity)] if quantity else []
        taken = []
        for level in book:
            part = min(level.quantity, quantity)
            if part and self._reaches(ticket, level.price):
                taken.append(Level(level.price, part))
                level.quantity -= part
                quantity -= part
        return taken

    def _trade(self, account: Account, ticket: Ticket, quantity: Decimal, price: Decimal) -> Trade:
        market, cost = ticket.market, ticket.market.worth(quantity, price)
        if market.kind != SPOT:
            fee, currency = cost * self.fee_rate, market.margin
            self._move_position(account, ticket, quantity, price)
            self._pay(account, market, -fee)
        elif ticket.side == "BUY":
            fee, currency = quantity * self.fee_rate, market.base
            self._add(account, market.base, quantity - fee)
            self._add(account, market.quote, -cost)
        else:
            fee, currency = cost * self.fee_rate, market.quote
            self._add(account, market.base, -quantity)
            self._add(account, market.quote, cost - fee)
        return Trade(self.number(), price, quantity, fee, currency, self.now_ms())

    @staticmethod
    def _add(account: Account, currency: str, amount: Decimal) -> None:
        account.total[currency] = account.total.get(currency, Decimal(0)) + amount

    @staticmethod
    def _pay(account: Account, market: Market, amount: Decimal) -> None:
        """Add what a futures trade brings, or takes, to the wallet of its margin."""
        if market.kind == INVERSE:
            account.coins[market.margin] = account.coins.get(market.margin, Decimal(0)) + amount
        else:
            account.margin += amount

    def _move_position(
        self, account: Account, ticket: Ticket, quantity: Decimal, price: Decimal
    ) -> None:
        market = ticket.market
        key = (market.symbol, ticket.leg)
        position = account.positions.setdefault(key, Position())
        signed = quantity * ticket.way
        before, after = position.quantity, position.quantity + signed
        if before * signed >= 0:
            held = market.worth(abs(before), position.entry) if before else Decimal(0)
            position.entry = market.price_of(abs(after), held + market.worth(quantity, price))
        else:
            closed = min(abs(before), quantity)
            gain = market.worth(closed, price) - market.worth(closed, position.entry)
            # An inverse contract is worth fewer coins when the price rises, good for a long.
            way = (1 if before > 0 else -1) * (-1 if market.kind == INVERSE else 1)
            self._pay(account, market, gain * way)
            if before * after < 0:
                position.entry = price
        position.quantity = after
        if not after:
            position.entry = Decimal(0)

    def _keep(self, account: Account, order: Order) -> Order:
        return self.keep(account.orders, order)

    def keep(self, orders: list[Order], order: Order) -> Order:
        """Put an order in the place of how it stood before."""
        order = replace(order, updated_ms=self.now_ms())
        at = next(n for n, one in enumerate(orders) if one.id == order.id)
        orders[at] = order
        return order


def _check_price(ticket: Ticket, price: Decimal, touch: Decimal) -> None:
    market = ticket.market
    if price <= 0 or price % market.price_step:
        raise Refused(Why.TICK)
    if ticket.side == "BUY" and price > touch * market.multiplier_up:
        raise Refused(Why.TOO_HIGH)
    if ticket.side == "SELL" and price < touch * market.multiplier_down:
        raise Refused(Why.TOO_LOW)
