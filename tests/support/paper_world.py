"""The whole paper venue over one client, with hands on its clock and its prices."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import count

import redis

from app.bootstrap import paper_ports
from app.domain.account import Account
from app.domain.enums import Market, PositionSide, Side
from app.domain.identifiers import AggregateId, ClientOrderId, Currency, EpochMs, OrderId, Symbol
from app.domain.market import Quote, Tick
from app.domain.order import Order
from app.history.database import Database
from app.history.sql_history import SqlHistory
from app.paper.domain.ledger import Rules
from app.paper.domain.order import PaperOrder
from app.paper.feed import PaperFeed
from app.paper.paper_venue import PaperVenue
from app.paper.store.ledger import RedisPaperLedger
from app.paper.store.reports import RedisPaperReports
from app.paper.store.rows import RedisPaperRows
from tests.support.builders import BTC, ETH, SPOT, USDM, an_order
from tests.support.clocks import FrozenClock
from tests.support.paper_builders import NOW
from tests.support.paper_desk import PaperDesk

USDT = Currency("USDT")

#: More rows than any test has.
ROWS_MAX = 10_000


class HandSource:
    """Has the prices that somebody put there."""

    def __init__(self) -> None:
        self.quotes: dict[Symbol, Quote] = {}

    def quote(self, symbol: Symbol, rules: Rules, at_ms: EpochMs) -> Quote | None:
        del rules, at_ms
        return self.quotes.get(symbol)

    def past(self, symbol: Symbol, rules: Rules, moments: Iterable[EpochMs]) -> list[Quote | None]:
        del symbol, rules
        return [None for _ in moments]


class PaperWorld:
    """The parts of the venue, built as a process would."""

    def __init__(
        self,
        client: redis.Redis,
        clock: FrozenClock | None = None,
        history: SqlHistory | None = None,
    ) -> None:
        self.client = client
        self.history = history or SqlHistory(Database("sqlite://"))
        self.clock = clock or FrozenClock(start=NOW)
        self.source = HandSource()
        self.ledger = RedisPaperLedger(client)
        self.reports = RedisPaperReports(client)
        self.leaving = RedisPaperRows(client)
        self.ports = paper_ports(client, self.clock, self.source, self.history)
        self.desk = PaperDesk(self.ports)
        self.feed = PaperFeed(self.ports)
        self.spot = PaperVenue(SPOT, self.ports)
        self.usdm = PaperVenue(USDM, self.ports)
        self._ids = count(1)

    def opened(self) -> "PaperWorld":
        """Open a spot and a futures account, with the figures of the Crypto Arsenal spec."""
        self.desk.seed_instruments()
        self.desk.set_account(SPOT, {"balances": {"USDT": "10000", "BTC": "0.5"}})
        self.desk.set_account(USDM, {"balances": {"USDT": "1000"}, "leverage": {"ETH/USDT": 5}})
        self.price("50000")
        return self

    def price(self, last: str, symbol: Symbol = BTC) -> None:
        """Set a price, and let everything meet the tick."""
        self.set_price(last, symbol)
        self.evaluate()

    def set_price(self, last: str, symbol: Symbol = BTC) -> int:
        """Set a price; nothing has met the tick yet."""
        return self.desk.set_prices({"prices": {symbol: {"last": last}}})

    def evaluate(self) -> list[Tick]:
        """Let everything meet every tick that waits; return them."""
        ticks = []
        while tick := self.feed.next_tick([]):
            self.feed.match(tick)
            self.feed.done(tick)
            ticks.append(tick)
        return ticks

    def order(
        self,
        side: Side,
        quantity: str,
        price: str | None = None,
        leg: PositionSide | None = None,
        leverage: int | None = None,
    ) -> Order:
        """A new order: in BTC/USDT spot, or with a leg in ETH/USDT futures."""
        number = next(self._ids)
        order = an_order(
            id=OrderId(AggregateId(number)),
            account=SPOT.id if leg is None else USDM.id,
            symbol=BTC if leg is None else ETH,
            market=Market.SPOT if leg is None else Market.USDM,
            side=side,
            position_side=leg,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            client_order_id=ClientOrderId(f"h{number:04d}"),
            created_at_ms=self.clock.now_ms(),
            updated_at_ms=self.clock.now_ms(),
        )
        return order if leverage is None else replace(order, leverage=leverage)

    def row(self, order: Order) -> PaperOrder:
        """What the venue's ledger says about an order now."""
        account = SPOT if order.market is Market.SPOT else USDM
        snapshot = self.ledger.load(account.id, [order.client_order_id])
        return snapshot.orders[order.client_order_id]

    def let_go(self) -> int:
        """Let all rows go that may, as if their orders of ours had left; tell how many went."""
        accounts = [SPOT.id, USDM.id]
        rows = [
            *self.leaving.ended(self.leaving.some(accounts, ROWS_MAX)),
            *self.leaving.repeats(accounts, ROWS_MAX),
        ]
        self.history.keep_paper_rows(rows)
        return self.leaving.leave(rows)

    def in_store(self) -> list[str]:
        """What the store has of the spot account's ledger, by arrival."""
        return [row.client_order_id for row in self.ledger.rows(SPOT.id)]

    def available(self, currency: Currency = USDT, account: Account = SPOT) -> Decimal:
        """What an account may spend."""
        venue = self.spot if account is SPOT else self.usdm
        return venue.view().available(currency)

    def resting(self) -> int:
        """How many entries all books hold."""
        return sum(self.client.zcard(key) for key in self.client.scan_iter("{paper}:book:*"))
