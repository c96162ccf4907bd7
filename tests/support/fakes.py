"""Stand-ins for what lies outside: an exchange, its feed and reports, and who sends messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Concatenate, ParamSpec, TypeVar

from app.domain.account import Account
from app.domain.enums import Listing, OrderType, PositionMode, PositionSide, ReasonCode
from app.domain.errors import HookfillError, NotFound
from app.domain.finding import Finding
from app.domain.frozen import Placed, PlacedOrder
from app.domain.identifiers import (
    AccountId,
    ClientOrderId,
    EpochMs,
    Symbol,
    VenueName,
    VenueOrderId,
)
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position, Quote, Tick
from app.domain.market_data import Look
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.status import OPEN, OrderStatus
from app.domain.symbols import Listed
from app.ports.venue import Feed, TradingRules, Venue
from tests.support.builders import BTC, BTC_SPOT, ETH, ETH_USDM, NOW, a_quote, a_view
from tests.support.clocks import nothing

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ThenSilent:
    """The order arrives and gets this report, but the caller gets the error."""

    report: OrderReport
    error: HookfillError


Answer = OrderReport | HookfillError | ThenSilent


@dataclass(frozen=True, slots=True)
class Lost:
    """The cancel arrives, but the caller gets the error."""

    error: HookfillError


def _planned(script: deque[T]) -> T | None:
    """Return what a script has for this call, or None; if it is an error, raise it."""
    planned = script.popleft() if script else None
    if isinstance(planned, HookfillError):
        raise planned
    return planned


def _a_call(
    call: Callable[Concatenate[ScriptedVenue, P], T],
) -> Callable[Concatenate[ScriptedVenue, P], T]:
    """Let others act when the venue's answer is made, an error too, and nobody knows it yet."""

    def called(venue: ScriptedVenue, /, *args: P.args, **options: P.kwargs) -> T:
        venue.before_call()
        try:
            return call(venue, *args, **options)
        finally:
            venue.after_call()

    return called


class ScriptedVenue:
    """An exchange with one account. It fills what arrives at once, unless the script says else.

    Attributes:
        ledger: what it has received, once each: client order id → how it stands.
        repeats: client order ids that came again.
        sent: the orders as they arrived, repeats included.
        doubts: how often its rules were doubted.
        learns: rules that it tells after that.
        listings: of symbols that are not simply traded if it has rules of them.
        forgets_closed: client order ids are unique among open orders only, as at Binance.
        taken: the report of each order that was taken in, which is more than one to an id only
            where closed orders are forgotten.
        strangers: the venue's own id → an order that nobody here has placed, and how it stands.
        canceled: the ids of the cancels of those that have arrived.
        place_script, cancel_script, find_script, view_script, adjust_script, standing_script,
            stranger_script, placed_script: answers to the next calls.
        others: orders that it lists besides those that it has received.
        asked_since: since when somebody wanted to know what was placed, each time.
        leverage: as it was set.
        before_view, before_find: called when somebody asks, before the answer is made.
        before_place: called while whatever comes before an order is done.
        answer: what it says to an order for which the script has nothing.
        after_place: called with an order that was taken in.
        before_call: called when a call has left us, before the venue knows of it.
        after_call: called when a call is done, before its answer is known to anybody.
    """

    def __init__(self) -> None:
        self.account = a_view()
        self.quotes: dict[Symbol, Quote] = {BTC: a_quote("50000"), ETH: a_quote("2000")}
        self.instruments: dict[Symbol, Instrument] = {BTC: BTC_SPOT, ETH: ETH_USDM}
        self.listings: dict[Symbol, Listing] = {}
        self.ledger: dict[ClientOrderId, OrderReport] = {}
        self.repeats: list[ClientOrderId] = []
        self.sent: list[Order] = []
        self.doubts = 0
        self.learns: dict[Symbol, Instrument] = {}
        self.forgets_closed = False
        self.taken: list[OrderReport] = []
        self.place_script: deque[Answer] = deque()
        self.cancel_script: deque[HookfillError | None] = deque()
        self.find_script: deque[HookfillError | None] = deque()
        self.view_script: deque[HookfillError] = deque()
        self.adjust_script: deque[HookfillError] = deque()
        self.strangers: dict[VenueOrderId, tuple[VenueOrder, OrderReport]] = {}
        self.canceled: list[VenueOrderId] = []
        self.standing_script: deque[Lost | HookfillError | None] = deque()
        self.stranger_script: deque[OrderReport | HookfillError | None] = deque()
        self.placed_script: deque[Placed | HookfillError] = deque()
        self.others: list[PlacedOrder] = []
        self.asked_since: list[EpochMs] = []
        self.leverage: dict[Symbol, int] = {}
        self.before_view: Callable[[], None] = nothing
        self.before_find: Callable[[], None] = nothing
        self.before_place: Callable[[], None] = nothing
        self.answer: Callable[[Order], OrderReport] = self._filled
        self.after_place: Callable[[Order], None] = lambda _: None
        self.before_call: Callable[[], None] = nothing
        self.after_call: Callable[[], None] = nothing

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self.instruments.get(symbol)

    def doubt_rules(self) -> None:
        self.doubts += 1
        self.instruments |= self.learns

    @_a_call
    def quote(self, symbol: Symbol) -> Quote | None:
        return self.quotes.get(symbol)

    @_a_call
    def view(self) -> AccountView:
        self.before_view()
        _planned(self.view_script)
        return self.account

    def positions(self) -> Mapping[tuple[Symbol, PositionSide], Position]:
        return self.view().positions

    def prepare(self, order: Order) -> None:
        del order
        self.before_place()

    @_a_call
    def place(self, order: Order) -> OrderReport:
        answer = _planned(self.place_script) or self.answer(order)
        assert not isinstance(answer, HookfillError)
        self.sent.append(order)
        known = self.ledger.get(order.client_order_id)
        if known is not None:
            self.repeats.append(order.client_order_id)
        report = answer.report if isinstance(answer, ThenSilent) else answer
        if known is None or (self.forgets_closed and known.status not in OPEN):
            self.ledger[order.client_order_id] = report
            self.taken.append(report)
        report = self.ledger[order.client_order_id]
        self.after_place(order)
        if isinstance(answer, ThenSilent):
            raise answer.error
        return report

    @_a_call
    def cancel(self, order: Order) -> OrderReport:
        _planned(self.cancel_script)
        found = self.ledger.get(order.client_order_id)
        if found is None:
            raise NotFound(f"the venue has no order {order.client_order_id}")
        if found.status in OPEN:
            reason = Reason(ReasonCode.REQUESTED, "taken off")
            found = replace(found, status=OrderStatus.CANCELED, reason=reason)
            self.ledger[order.client_order_id] = found
        return found

    @_a_call
    def find(self, order: Order) -> OrderReport | None:
        return self._find(order)

    def _find(self, order: Order) -> OrderReport | None:
        self.before_find()
        if self.find_script:
            _planned(self.find_script)
            return None
        return self.ledger.get(order.client_order_id)

    @_a_call
    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        found = {order.client_order_id: self._find(order) for order in orders}
        return {one: report for one, report in found.items() if report is not None}

    @_a_call
    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        del symbols
        orders = {order.client_order_id: order for order in self.sent}
        strangers = [one for one, report in self.strangers.values() if report.status in OPEN]
        return strangers + [
            VenueOrder(
                client_order_id=one,
                venue_order_id=report.venue_order_id,
                symbol=orders[one].symbol,
                side=orders[one].side,
                quantity=orders[one].quantity,
                filled_quantity=report.filled_quantity,
                price=orders[one].price,
            )
            for one, report in self.ledger.items()
            if report.status in OPEN and one in orders
        ]

    @_a_call
    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        self.asked_since.append(since_ms)
        planned = _planned(self.placed_script)
        if isinstance(planned, Placed):
            return planned
        mine = [
            PlacedOrder(
                client_order_id=one.client_order_id,
                venue_order_id=None,
                symbol=one.symbol,
                side=one.side,
                quantity=one.quantity,
                filled_quantity=Decimal(0),
                placed_at_ms=NOW,
            )
            for one in self.sent
        ]
        found = [one for one in [*mine, *self.others] if one.symbol == symbol]
        return Placed(orders=tuple(one for one in found if one.placed_at_ms >= since_ms))

    @_a_call
    def cancel_standing(self, order: VenueOrder) -> None:
        planned = _planned(self.standing_script)
        assert order.venue_order_id is not None
        self.canceled.append(order.venue_order_id)
        known, report = self.strangers[order.venue_order_id]
        if report.status in OPEN:
            off = replace(report, status=OrderStatus.CANCELED)
            self.strangers[order.venue_order_id] = known, off
        if isinstance(planned, Lost):
            raise planned.error

    @_a_call
    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        if self.stranger_script:
            planned = _planned(self.stranger_script)
            assert not isinstance(planned, HookfillError)
            return planned
        assert order.venue_order_id is not None
        _, report = self.strangers.get(order.venue_order_id, (order, None))
        return report

    def listing(self, symbol: Symbol) -> Listing:
        absent = Listing.GONE if self.instrument(symbol) is None else Listing.TRADED
        return self.listings.get(symbol, absent)

    def look(self, wanted: Look) -> None:
        del wanted

    def inspect(self) -> Sequence[Finding]:
        return (Finding(check="adapter", message="it is scripted"),)

    def _filled(self, order: Order) -> OrderReport:
        touch = self.quotes[order.symbol].touch(order.side)
        left = Decimal(0) if order.reduce_only else order.quantity
        return OrderReport(
            status=OrderStatus.FILLED,
            venue_order_id=VenueOrderId(f"v{len(self.ledger) + 1}"),
            filled_quantity=order.quantity,
            average_price=order.price or touch,
            position_after=None if order.position_side is None else left,
        )


class ScriptedReports:
    """News of orders, as somebody has put them there."""

    def __init__(self) -> None:
        self.news: dict[AccountId, dict[ClientOrderId, OrderReport]] = {}

    def unread(self, account: Account) -> Mapping[ClientOrderId, OrderReport]:
        return dict(self.news.get(account.id, {}))

    def mark_read(self, account: Account, reports: Mapping[ClientOrderId, OrderReport]) -> None:
        left = {
            one: report
            for one, report in self.news.get(account.id, {}).items()
            if reports.get(one) != report
        }
        self.news[account.id] = left

    def accounts_with_news(self) -> Collection[AccountId]:
        return sorted(one for one, reports in self.news.items() if reports)


class ScriptedFeed:
    """A row of ticks.

    Attributes:
        ticks: those that are not done.
        matched: numbers of the ticks that the venue's resting orders have met.
        before_match: called before they meet one.
        asked: the symbols of the last question for a tick.
        seen: symbol → its newest prices.
    """

    def __init__(self) -> None:
        self.ticks: deque[Tick] = deque()
        self.matched: list[int] = []
        self.asked: Collection[Symbol] = ()
        self.seen: dict[Symbol, Tick] = {}
        self.before_match: Callable[[], None] = nothing

    def newest(self, symbol: Symbol) -> Tick | None:
        return self.seen.get(symbol)

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        self.asked = symbols
        return self.ticks[0] if self.ticks else None

    def match(self, tick: Tick) -> None:
        self.before_match()
        self.matched.append(tick.number)

    def done(self, tick: Tick) -> None:
        if self.ticks and self.ticks[0].number == tick.number:
            self.ticks.popleft()

    def symbols(self) -> Collection[Symbol]:
        return ()


class ScriptedConditions:
    """What the scripted exchange trades, and how; `adjust_script` holds its refusals."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self._venue = venue

    def instruments(self) -> Sequence[Instrument]:
        return sorted(self._venue.instruments.values(), key=lambda one: one.symbol)

    def order_types(self) -> Collection[OrderType]:
        return frozenset(OrderType)

    def leverage_of(self, symbol: Symbol) -> int:
        return self._venue.leverage.get(symbol, 1)

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        _planned(self._venue.adjust_script)
        self._venue.leverage[symbol] = leverage
        self._venue.after_call()

    def set_position_mode(self, mode: PositionMode) -> None:
        _planned(self._venue.adjust_script)
        self._venue.account = replace(self._venue.account, position_mode=mode)
        self._venue.after_call()


class ScriptedVenues:
    """The same scripted exchange for every account, and its feed."""

    def __init__(self, venue: ScriptedVenue, feed: ScriptedFeed) -> None:
        self._venue = venue
        self._feed = feed

    def of(self, account: Account) -> Venue:
        del account
        return self._venue

    def trading_rules(self, account: Account) -> TradingRules:
        del account
        return ScriptedConditions(self._venue)

    def feed(self, venue: VenueName) -> Feed:
        del venue
        return self._feed

    def listed(self, venue: VenueName) -> Collection[Listed]:
        del venue
        return [Listed(one.symbol, one.market) for one in self._venue.instruments.values()]
