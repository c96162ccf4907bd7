"""One account at a real exchange, behind the port that the paper venue is behind, too."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from app.domain.account import Account
from app.domain.enums import Listing, Market, PositionSide
from app.domain.errors import (
    CannotAsk,
    OutcomeUnknown,
    VenueBusy,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.finding import Finding
from app.domain.frozen import Placed
from app.domain.identifiers import ClientOrderId, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position, Quote
from app.domain.market_data import Look, Shown
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.status import OPEN, OrderStatus
from app.domain.venue_traits import AdapterClass
from app.exchanges import parse
from app.exchanges.apart import are_apart, is_apart, manner_of
from app.exchanges.exchange import CALL_SECONDS, Exchange
from app.exchanges.inspection import inspected
from app.exchanges.listings import (
    open_among,
    placed_orders,
    standing_orders,
    standing_report,
)
from app.exchanges.look_up import found_order
from app.exchanges.order_checks import check_figures, check_kind
from app.exchanges.order_request import order_arguments
from app.exchanges.ports import VenuePorts
from app.exchanges.profiles import LookUp
from app.exchanges.refusals import told_of
from app.exchanges.report_details import completed, positions_in
from app.exchanges.showcase import seen
from app.exchanges.templates import Json
from app.ports.policy import RECEIVE_WINDOW_MS
from app.store.memory.venue_budget import Urgency

#: A placement ends so long before its lease does: the answer must be written down by then.
_LEASE_MARGIN_SECONDS = 3.0

#: Proof of absence asks up to four places, each of which may take as long as an answer may.
_PROOF_SECONDS = 45.0

#: Prices that somebody here has asked for within this time are those of now.
_QUOTE_AGE_MS = 2_000

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _in_one_call(
    method: Callable[Concatenate["CcxtVenue", _Arguments], _Result],
) -> Callable[Concatenate["CcxtVenue", _Arguments], _Result]:
    """Have one line for all that a method asks, and one time for all of it."""

    @wraps(method)
    def within(
        venue: "CcxtVenue", /, *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        with venue.exchange.call():
            return method(venue, *arguments, **named)

    return within


class CcxtVenue:
    """An account at a real exchange; any number of them may serve the same account at once.

    Args:
        account: whose it is.
        exchange: as this account sees it.
        ports: what it is built from.
    """

    def __init__(self, account: Account, exchange: Exchange, ports: VenuePorts) -> None:
        self._account = account
        self.exchange = exchange
        self._profile = exchange.profile
        self._ports = ports

    # What is traded, and what there is

    @_in_one_call
    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here."""
        found = self.exchange.rules(symbol)
        if found is None or found.get("active") is False:
            return None
        return parse.instrument_of(symbol, self._account.market, found)

    @_in_one_call
    def listing(self, symbol: Symbol) -> Listing:
        """Return whether a symbol is traded here."""
        return self.exchange.listing(symbol)

    def doubt_rules(self) -> None:
        """Let the rules be read anew before the next order, for all workers."""
        self.exchange.doubt_rules()

    @_in_one_call
    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known; those of just now are the newest."""
        with self.exchange.asking(Urgency.QUESTION) as api:
            if self.exchange.market(api, symbol) is None:
                return None
            return self._known_quote(symbol) or self._asked_quote(api, symbol)

    def _asked_quote(self, api: Json, symbol: Symbol) -> Quote | None:
        def ask() -> Quote | None:
            ticker = api.fetch_ticker(unified)
            bare = ticker.get("bid") is None or ticker.get("ask") is None
            quote = parse.quote_of(ticker, api.fetch_order_book(unified, 5) if bare else None)
            if quote is not None:
                self._ports.memory.keep_quotes(self._account.feed, {symbol: quote})
            return quote

        unified = self.exchange.unified(symbol)
        name = f"quote:{self._account.feed}:{symbol}"
        with self.exchange.call() as line:
            return self.exchange.one_asks.known(name, line, lambda: self._known_quote(symbol), ask)

    @_in_one_call
    def look(self, wanted: Look) -> None:
        """See what everybody may see, without the account's key, and keep it for all processes.

        It waits for no budget: orders and prices that somebody waits for go first.
        """

        def known() -> Shown | None:
            return self._ports.memory.shown(feed, wanted)

        def ask() -> Shown:
            found = seen(wanted, api, self.exchange)
            self._ports.memory.keep_shown(feed, wanted, found)
            return found

        feed = self._account.feed
        with (
            self.exchange.asking(Urgency.POLL, is_public=True) as api,
            self.exchange.call() as line,
        ):
            self.exchange.one_asks.known(f"shown:{feed}:{wanted.name}", line, known, ask)

    @_in_one_call
    def view(self) -> AccountView:
        """Return balances and positions as they are now."""
        moved = self._ports.memory.moved(self._account.id)
        with self.exchange.reading(Urgency.QUESTION) as api:
            balances = parse.balances_of(api.fetch_balance())
            positions = positions_in(api, self.exchange)
        mode = self._account.position_mode
        view = AccountView(position_mode=mode, balances=balances, positions=positions)
        self._ports.memory.keep_view(self._account.id, view, moved)
        return view

    @_in_one_call
    def positions(self) -> Mapping[tuple[Symbol, PositionSide], Position]:
        """Return the positions as they are now; a leg that is not listed is flat."""
        with self.exchange.reading(Urgency.GUARDED) as api:
            return positions_in(api, self.exchange)

    # Orders

    @_in_one_call
    def prepare(self, order: Order) -> None:
        """Learn clock, rules and price, make sure that the key may trade, and set the leverage."""
        found = self._checked(order)
        with self.exchange.changing(Urgency.ORDER):
            pass  # it is made ready for a change
        if order.leverage is not None and order.market is not Market.SPOT:
            self.exchange.see_to_leverage(order.symbol, order.leverage)
        order_arguments(order, found, self.exchange, self.quote)

    def place(self, order: Order) -> OrderReport:
        """Send the order.

        The request carries the time of the claim. So a process that slept after its claim sends
        what the venue refuses, and an order that was claimed anew is not sent twice.
        """
        with self.exchange.call(self._seconds_for(order)):
            not_after_ms = self._last_moment_ms(order)
            found = self._checked(order)
            arguments = order_arguments(order, found, self.exchange, self.quote)
            signed_at_ms = self.exchange.clock.venue_ms(self._claimed_at_ms(order))
            with (
                told_of(order),
                self.exchange.changing(Urgency.ORDER, signed_at_ms, not_after_ms) as api,
            ):
                answer = api.create_order(*arguments)
            report = self._acknowledged(order, answer, found)
        if report.status is OrderStatus.REJECTED and report.reason is not None:
            raise VenueRejected(report.reason.message, report.reason.code)
        return report

    def _seconds_for(self, order: Order) -> float:
        """Return how long a placement may take: others may send the order when its lease ends."""
        if not order.lease_until_ms:
            return CALL_SECONDS
        left = (order.lease_until_ms - self._ports.clock.server_ms()) / 1000
        return min(CALL_SECONDS, left - _LEASE_MARGIN_SECONDS)

    def _last_moment_ms(self, order: Order) -> int:
        """Return the steady time after which the order may not leave, if the exchange looks or not.

        The server's clock, by which it was claimed, may be set while questions are asked.
        """
        clock = self._ports.clock
        left_ms = self._claimed_at_ms(order) + RECEIVE_WINDOW_MS - clock.server_ms()
        return clock.steady_ms() + min(left_ms, RECEIVE_WINDOW_MS)

    def _claimed_at_ms(self, order: Order) -> int:
        """Return the server time of the claim that permits this placement."""
        if not order.lease_until_ms:
            return self._ports.clock.server_ms()  # nobody else can have claimed it
        return order.lease_until_ms - self._ports.policy.lease_ms(self._account)

    def _checked(self, order: Order) -> Json:
        """Return ccxt's market of an order that is fit to be sent.

        Raises:
            VenueRejected: it is not.
            VenueUnavailable: the rules could not be read.
        """
        check_kind(order, self.exchange)
        found = self.exchange.rules(order.symbol)
        check_figures(order, found, self.exchange)
        return found

    def _known_quote(self, symbol: Symbol) -> Quote | None:
        """Return prices that somebody has asked for just now, or None."""
        tick = self._ports.memory.tick(self._account.feed, symbol)
        fresh = tick and tick.seen_within(_QUOTE_AGE_MS, self._ports.clock.server_ms())
        return fresh.quotes.get(symbol) if fresh else None

    def _acknowledged(self, order: Order, answer: Json, found: Json) -> OrderReport:
        """Return what the answer to an order says, and where it says little, what a look-up says.

        Raises:
            OutcomeUnknown: it is no answer to this order.
        """
        if not isinstance(answer, dict) or not parse.is_answer_to(order, answer):
            raise OutcomeUnknown("the answer names another order, or none")
        size = parse.contract_size(found)
        if self._profile.answers_in_full:
            try:
                report = parse.report_of(order, answer, self._profile, size)
            except VenueUnavailable as error:
                raise OutcomeUnknown(str(error)) from error
            return completed(order, report, self.exchange, report.venue_order_id)
        venue_id = parse.venue_id_of(answer)
        taken = OrderReport(status=OrderStatus.NEW, venue_order_id=venue_id)
        with suppress(VenueError):
            return self.find(replace(order, venue_order_id=venue_id)) or taken
        return taken

    @_in_one_call
    def cancel(self, order: Order) -> OrderReport:
        """Take the order off and return how it ended."""
        with self.exchange.changing(Urgency.CANCEL) as api:
            if is_apart(order, self.exchange):
                named = str(order.client_order_id)
                off = manner_of(self.exchange).take_off
                off(api, self.exchange, order.symbol, client_id=named)
            else:
                unified = self.exchange.unified(order.symbol)
                api.cancel_order(order.venue_order_id, unified, self._naming(order))
        report = self.find(order)
        if report is None or report.status in OPEN:
            raise OutcomeUnknown("the venue took the cancel, and has not carried it out yet")
        return report

    def _naming(self, order: Order) -> dict[str, object]:
        """Return by what a cancel names its order besides the venue's own id."""
        if self._profile.look_up is LookUp.NONE:
            return {}
        named = f"{self._profile.cancel_prefix}{order.client_order_id}"
        return {self._profile.cancel_field: named}

    def find(self, order: Order) -> OrderReport | None:
        """Return what became of the order, looked up by client order id, or None if absent."""
        if self._profile.adapter_class is AdapterClass.MANUAL and order.venue_order_id is None:
            raise CannotAsk(f"{self._account.venue} cannot be asked by client order id")
        everywhere = self._is_about_absence(order)
        with self.exchange.call(_PROOF_SECONDS if everywhere else CALL_SECONDS):
            return self._found(order, everywhere=everywhere)

    def _found(self, order: Order, *, everywhere: bool) -> OrderReport | None:
        # One that waits to be sent is asked about before: that must not cost it what sends it. One
        # that has ended is asked about for its fills.
        is_live = order.status is not OrderStatus.PENDING_NEW and not order.is_closed
        try:
            with self.exchange.asking(Urgency.LOOK_UP if is_live else Urgency.QUESTION) as api:
                answer = found_order(api, self.exchange, order, everywhere=everywhere)
                if answer is None:
                    return None
                size = self.exchange.contract_size(api, order.symbol)
                report = parse.report_of(order, answer, self._profile, size)
        except (VenueRejected, OutcomeUnknown) as error:
            raise VenueUnavailable(str(error)) from error
        return completed(order, report, self.exchange, parse.traded_id_of(answer))

    def _is_about_absence(self, order: Order) -> bool:
        """Tell whether "no such order" would count as proof, so that no place may be left out."""
        if order.status is not OrderStatus.UNKNOWN:
            return False
        return not self._ports.policy.proof_in_ms(self._account, order, self._ports.clock)

    @_in_one_call
    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        """Return how these open orders stand: one list, and a look-up of each that has changed.

        What cannot be learned of one order, or not in time, is left to the next time.

        Raises:
            VenueUnavailable: nothing could be learned.
        """
        listed = open_among(self.exchange, orders)
        reports: dict[ClientOrderId, OrderReport] = {}
        failed: VenueUnavailable | None = None
        for order in orders:
            try:
                report = self._news(order, listed.get(order.client_order_id))
            except VenueBusy as error:
                failed = error
                break
            except VenueUnavailable as error:
                failed = error
                continue
            if report is not None:
                reports[order.client_order_id] = report
        if failed is not None and not reports:
            raise failed
        return reports

    def _news(self, order: Order, answer: Json | None) -> OrderReport | None:
        """Return news of an order, or None if there are none: it is open as it was."""
        if answer is not None:
            with suppress(VenueError):
                with self.exchange.call() as line:
                    size = self.exchange.contract_size(line.api, order.symbol)
                report = parse.report_of(order, answer, self._profile, size)
                if report.status in OPEN and report.filled_quantity == order.filled_quantity:
                    return None
        return self.find(order)

    @_in_one_call
    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        """Return all that is open at the venue, whoever placed it."""
        found = standing_orders(self.exchange, sorted(symbols))
        self.exchange.learn_currencies()
        return found

    @_in_one_call
    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        """Return the orders of a symbol that were placed from a server time on, open or closed."""
        return placed_orders(self.exchange, symbol, since_ms, self._ports.clock.server_ms())

    @_in_one_call
    def cancel_standing(self, order: VenueOrder) -> None:
        """Ask that an order be taken off, whoever placed it, by the exchange's own id."""
        if order.venue_order_id is None:
            raise VenueRejected(f"{self._account.venue} has told no id of this order")
        with self.exchange.changing(Urgency.CANCEL) as api:
            if order.is_stop and are_apart(self.exchange):
                named = str(order.venue_order_id)
                off = manner_of(self.exchange).take_off
                off(api, self.exchange, order.symbol, venue_id=named)
            else:
                api.cancel_order(order.venue_order_id, self.exchange.unified(order.symbol))

    @_in_one_call
    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        """Return what became of such an order: its own record tells, else the list of open ones."""
        return standing_report(self.exchange, order)

    @_in_one_call
    def inspect(self) -> Sequence[Finding]:
        """Return what there is to say about the account and its venue; nothing changes there."""
        return inspected(self.exchange)
