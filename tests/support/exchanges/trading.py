"""An exchange's own books: accounts, orders, fills. No wire format, no HTTP; see its neighbors.

It is written apart from the paper venue, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from tests.support.exchanges.books import (
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
        says_no: why the next orders are refused, whatever they are.
    """

    def __init__(self, markets: tuple[Market, ...], *, unique_among_open: bool = False) -> None:
        self.markets = {(one.symbol, one.kind): one for one in markets}
        self.prices: dict[str, Decimal] = {}
        self.accounts: dict[str, Account] = {}
        self.unique_among_open = unique_among_open
        self.fill_share = Decimal(1)
        self.fee_rate = Decimal("0.001")
        self.clock_skew_ms = 0
        self.repeats: list[str] = []
        self.refused: list[Why] = []
        self.depth: deque[Decimal] = deque()
        self.says_no: deque[Why] = deque()
        self._clock: Callable[[], float] = time.time
        self._next = 1000

    def follow(self, clock_ms: Callable[[], int]) -> None:
        """Go by another clock than the machine's."""
        self._clock = lambda: clock_ms() / 1000

    def now_ms(self) -> int:
        return int(self._clock() * 1000) + self.clock_skew_ms

    def open_account(self, key: str, secret: str, **balances: str) -> Account:
        """Add an account with these spot balances; MARGIN is the futures wallet."""
        margin = Decimal(balances.pop("MARGIN", "0"))
        total = {name: Decimal(text) for name, text in balances.items()}
        self.accounts[key] = Account(key, secret, total, margin)
        return self.accounts[key]

    def of_kind(self, kind: str) -> list[Market]:
        return [one for one in self.markets.values() if one.kind == kind]

    def set_price(self, symbol: str, price: str) -> None:
        """Move both sides of a symbol in all its markets; resting orders that they reach fill."""
        self.prices[symbol] = Decimal(price)
        for account in self.accounts.values():
            for order in list(account.orders):
                if order.status in OPEN and order.ticket.market.symbol == symbol:
                    self._meet(account, order)

    def fill_more(self, account: Account) -> None:
        """Fill the rest of all open orders that the touch reaches."""
        share, self.fill_share = self.fill_share, Decimal(1)
        for order in list(account.orders):
            if order.status in OPEN:
                self._meet(account, order)
        self.fill_share = share

    # Orders

    def place(self, account: Account, ticket: Ticket) -> Order:
        """Take an order in, and fill what the touch allows."""
        try:
            return self._place(account, ticket)
        except Refused as refused:
            self.refused.append(refused.why)
            raise

    def _place(self, account: Account, ticket: Ticket) -> Order:
        if self.says_no:
            raise Refused(self.says_no.popleft())
        for known in account.orders:
            is_taken = known.status in OPEN or not self.unique_among_open
            if known.ticket.client_id == ticket.client_id and is_taken:
                self.repeats.append(ticket.client_id)
                raise Refused(Why.DUPLICATE)
        touch = self._touch(ticket)
        if ticket.budget is not None:
            step = ticket.market.quantity_step
            ticket = replace(ticket, quantity=ticket.budget / touch // step * step)
        self._check_filters(ticket, touch)
        takes = self._reaches(ticket, touch)
        if ticket.type == "LIMIT_MAKER" and takes:
            raise Refused(Why.WOULD_TAKE)
        self._check_means(account, ticket, touch)
        now = self.now_ms()
        order = Order(id=self._number(), ticket=ticket, created_ms=now, updated_ms=now)
        account.orders.append(order)
        if takes:
            order = self._meet(account, order)
        fades = ticket.type == "MARKET" or ticket.time_in_force in {"IOC", "FOK"}
        if fades and order.status in OPEN and self.fill_share == 1:
            order = self._keep(account, replace(order, status="EXPIRED"))
        return order

    def take_in_and_cancel(self, account: Account, ticket: Ticket) -> Order:
        """Take in a post-only order that would take, and cancel it, as some do."""
        now = self.now_ms()
        order = Order(
            id=self._number(),
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
        if order.status not in OPEN:
            raise Refused(Why.GONE)
        return self._keep(account, replace(order, status="CANCELED"))

    def find(self, account: Account, client_id: str, venue_id: str = "") -> Order:
        """Return the newest order with this client order id or this id."""
        for order in reversed(account.orders):
            if (client_id and order.ticket.client_id == client_id) or str(order.id) == venue_id:
                return order
        raise Refused(Why.NO_ORDER)

    def held(self, account: Account, currency: str) -> Decimal:
        """Return what open spot orders hold of a currency."""
        held = Decimal(0)
        for order in account.orders:
            ticket = order.ticket
            if order.status not in OPEN or ticket.market.kind != SPOT:
                continue
            if ticket.side == "SELL" and ticket.market.base == currency:
                held += order.left
            if ticket.side == "BUY" and ticket.market.quote == currency:
                held += order.left * (ticket.price or Decimal(0))
        return held

    def free(self, account: Account, currency: str) -> Decimal:
        return account.total.get(currency, Decimal(0)) - self.held(account, currency)

    def free_margin(self, account: Account) -> Decimal:
        used = sum(
            (
                abs(one.quantity) * one.entry / account.leverage.get(symbol, 20)
                for (symbol, _), one in account.positions.items()
            ),
            Decimal(0),
        )
        return account.margin - used

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _touch(self, ticket: Ticket) -> Decimal:
        if ticket.market.symbol not in self.prices:
            raise Refused(Why.SYMBOL, "no price")
        return self.prices[ticket.market.symbol]

    @staticmethod
    def _check_filters(ticket: Ticket, touch: Decimal) -> None:
        market = ticket.market
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
        exempt = ticket.reduce_only or ticket.closes_leg
        if not exempt and ticket.quantity * (ticket.price or touch) < market.min_notional:
            raise Refused(Why.NOTIONAL)

    @staticmethod
    def _reaches(ticket: Ticket, touch: Decimal) -> bool:
        if ticket.price is None:
            return True
        return touch <= ticket.price if ticket.side == "BUY" else touch >= ticket.price

    def _check_means(self, account: Account, ticket: Ticket, touch: Decimal) -> None:
        market = ticket.market
        if market.kind == LINEAR:
            self._check_margin(account, ticket, touch)
            return
        currency = market.quote if ticket.side == "BUY" else market.base
        needed = ticket.quantity
        if ticket.side == "BUY":
            needed *= ticket.price or touch
        if needed > self.free(account, currency):
            raise Refused(Why.FUNDS)

    def _check_margin(self, account: Account, ticket: Ticket, touch: Decimal) -> None:
        if (ticket.leg != "BOTH") is not account.hedged:
            raise Refused(Why.LEG)
        closes = self._closable(account, ticket)
        if ticket.reduce_only or ticket.closes_leg:
            if closes <= 0 or (account.hedged and ticket.quantity > closes):
                raise Refused(Why.REDUCE_ONLY)
            return
        opens = max(ticket.quantity - closes, Decimal(0))
        leverage = account.leverage.get(ticket.market.symbol, 20)
        if opens * (ticket.price or touch) / leverage > self.free_margin(account):
            raise Refused(Why.FUNDS)

    @staticmethod
    def _closable(account: Account, ticket: Ticket) -> Decimal:
        position = account.positions.get((ticket.market.symbol, ticket.leg), Position())
        return max(-position.quantity * ticket.way, Decimal(0))

    # Fills

    def _meet(self, account: Account, order: Order) -> Order:
        ticket = order.ticket
        touch = self._touch(ticket)
        if not self._reaches(ticket, touch):
            return order
        step = ticket.market.quantity_step
        quantity = order.left
        if self.fill_share < 1:
            quantity = max(order.left * self.fill_share // step * step, step)
        if ticket.price is None and self.depth:
            quantity = min(quantity, self.depth.popleft())
            if not quantity:
                return order
        if ticket.reduce_only:
            quantity = min(quantity, self._closable(account, ticket))
            if quantity <= 0:
                return self._keep(account, replace(order, status="EXPIRED"))
        price = touch if ticket.price is None or order.status == "NEW" else ticket.price
        trade = self._trade(account, ticket, quantity, price)
        order = replace(order, trades=(*order.trades, trade))
        status = "FILLED" if order.left == 0 else "PARTIALLY_FILLED"
        return self._keep(account, replace(order, status=status))

    def _trade(self, account: Account, ticket: Ticket, quantity: Decimal, price: Decimal) -> Trade:
        market, cost = ticket.market, quantity * price
        if market.kind == LINEAR:
            fee, currency = cost * self.fee_rate, market.quote
            self._move_position(account, ticket, quantity, price)
            account.margin -= fee
        elif ticket.side == "BUY":
            fee, currency = quantity * self.fee_rate, market.base
            self._add(account, market.base, quantity - fee)
            self._add(account, market.quote, -cost)
        else:
            fee, currency = cost * self.fee_rate, market.quote
            self._add(account, market.base, -quantity)
            self._add(account, market.quote, cost - fee)
        return Trade(self._number(), price, quantity, fee, currency, self.now_ms())

    @staticmethod
    def _add(account: Account, currency: str, amount: Decimal) -> None:
        account.total[currency] = account.total.get(currency, Decimal(0)) + amount

    @staticmethod
    def _move_position(account: Account, ticket: Ticket, quantity: Decimal, price: Decimal) -> None:
        key = (ticket.market.symbol, ticket.leg)
        position = account.positions.setdefault(key, Position())
        signed = quantity * ticket.way
        before, after = position.quantity, position.quantity + signed
        if before * signed >= 0:
            position.entry = (abs(before) * position.entry + quantity * price) / abs(after)
        else:
            closed = min(abs(before), quantity)
            account.margin += closed * (price - position.entry) * (1 if before > 0 else -1)
            if before * after < 0:
                position.entry = price
        position.quantity = after
        if not after:
            position.entry = Decimal(0)

    def _keep(self, account: Account, order: Order) -> Order:
        order = replace(order, updated_ms=self.now_ms())
        at = next(n for n, one in enumerate(account.orders) if one.id == order.id)
        account.orders[at] = order
        return order


def _check_price(ticket: Ticket, price: Decimal, touch: Decimal) -> None:
    market = ticket.market
    if price <= 0 or price % market.price_step:
        raise Refused(Why.TICK)
    if ticket.side == "BUY" and price > touch * market.multiplier_up:
        raise Refused(Why.TOO_HIGH)
    if ticket.side == "SELL" and price < touch * market.multiplier_down:
        raise Refused(Why.TOO_LOW)
