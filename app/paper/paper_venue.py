"""One account of the paper venue, behind the port that every exchange is behind."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from app.domain.account import Account
from app.domain.effects import AT_ONCE
from app.domain.enums import Listing, Market, PositionSide, ReasonCode
from app.domain.errors import (
    Conflict,
    HookfillError,
    InsufficientFunds,
    NotFound,
    OutcomeUnknown,
    StoreUnavailable,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.finding import Finding
from app.domain.frozen import Placed, PlacedOrder
from app.domain.identifiers import ClientOrderId, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position, Quote
from app.domain.market_data import Look
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.paper.domain.fault import FaultWord, FaultyCall
from app.paper.domain.ledger import BookEntry, CurrentPrice, PaperChange, PaperSnapshot
from app.paper.domain.order import PaperOrder
from app.paper.engine import engine
from app.paper.ports import PaperPorts, until_committed

_REQUESTED = Reason(ReasonCode.REQUESTED, "canceled by request")

_LOST_ON_THE_WAY = frozenset({FaultWord.TIMEOUT, FaultWord.ERROR})
_LOST_ON_THE_WAY_BACK = frozenset({FaultWord.ACCEPT_THEN_TIMEOUT, FaultWord.ACCEPT_THEN_ERROR})


class PaperVenue:
    """An account at the paper venue; any number of them may serve the same account at once.

    Args:
        account: whose it is. Market and position mode count only until the venue knows better.
        ports: what the venue is built from.
    """

    def __init__(self, account: Account, ports: PaperPorts) -> None:
        self._account = account
        self._ports = ports
        # Whoever asks for the rules asks for the price next, which comes with them.
        self._told: dict[Symbol, CurrentPrice] = {}

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here."""
        price = self._told[symbol] = self._ports.prices.current(symbol)
        return price.rules.get(self._account.market)

    def doubt_rules(self) -> None:
        """Do nothing: the rules are always the newest."""

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known.

        Those that came with the rules count once: ask right after them.
        """
        price = self._told.pop(symbol, None) or self._ports.prices.current(symbol)
        return self._ports.quote_of(symbol, price)

    def listing(self, symbol: Symbol) -> Listing:
        """Return whether a symbol is traded: what there are no rules for is not, and never was."""
        return Listing.GONE if self.instrument(symbol) is None else Listing.TRADED

    def look(self, wanted: Look) -> None:
        """Do nothing: what everybody may see of play money is known everywhere."""
        del wanted

    def view(self) -> AccountView:
        """Return balances and positions as they are now."""
        with _instead(VenueUnavailable):
            return self._ports.ledger.load(self._account.id).account_of(self._account).view()

    def positions(self) -> Mapping[tuple[Symbol, PositionSide], Position]:
        """Return the positions as they are now; a leg that is not listed is flat."""
        return self.view().positions

    def prepare(self, order: Order) -> None:
        """Do nothing: an order sets its leverage itself when it arrives."""

    def place(self, order: Order) -> OrderReport:
        """Let the order arrive. A repeat is refused, and answered with what became of the first."""
        with self._call(FaultyCall.PLACE) as word:
            if word is FaultWord.NOT_FOUND:
                raise VenueRejected("the venue knows no such account")
            placed = _won(lambda: self._placed(order, word))
            if word in _LOST_ON_THE_WAY_BACK:
                raise OutcomeUnknown(f"order {order.client_order_id}: the answer was lost")
            return _answer(placed)

    def cancel(self, order: Order) -> OrderReport:
        """Take the order off and return how it ended."""
        return self._taken_off(order.client_order_id, order.reason or _REQUESTED)

    def _taken_off(self, client_order_id: ClientOrderId, reason: Reason) -> OrderReport:
        with self._call(FaultyCall.CANCEL) as word:
            if word is FaultWord.REJECT:
                raise VenueUnavailable("the venue refused to cancel just now")
            if word is FaultWord.NOT_FOUND:
                raise NotFound(f"the venue has no order {client_order_id}")
            canceled = _won(lambda: self._canceled(client_order_id, reason))
            if word in _LOST_ON_THE_WAY_BACK:
                raise OutcomeUnknown(f"order {client_order_id}: the answer was lost")
            return canceled.report()

    def find(self, order: Order) -> OrderReport | None:
        """Return what became of the order, looked up by client order id, or None if absent."""
        with self._call(FaultyCall.FIND) as word:
            found = self._reports(order.client_order_id).get(order.client_order_id)
            return None if word is FaultWord.NOT_FOUND else found

    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        """Return how these orders stand."""
        return self._reports(*(order.client_order_id for order in orders))

    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        """Return all that rests."""
        del symbols
        with _instead(VenueUnavailable):
            orders = self._ports.ledger.rows(self._account.id)
        return [
            VenueOrder(
                client_order_id=one.client_order_id,
                venue_order_id=one.venue_order_id,
                symbol=one.symbol,
                side=one.side,
                quantity=one.quantity,
                filled_quantity=one.filled_quantity,
                price=one.price,
                is_stop=one.condition is not None,
            )
            for one in orders
            if one.is_open
        ]

    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        """Return every order of a symbol that was received from a moment on."""
        with _instead(VenueUnavailable):
            orders = self._ports.rows(self._account.id)
        return Placed(
            orders=tuple(
                PlacedOrder(
                    client_order_id=one.client_order_id,
                    venue_order_id=one.venue_order_id,
                    symbol=one.symbol,
                    side=one.side,
                    quantity=one.quantity,
                    filled_quantity=one.filled_quantity,
                    placed_at_ms=one.received_at_ms,
                    is_open=one.is_open,
                )
                for one in orders
                if one.symbol == symbol and one.received_at_ms >= since_ms
            )
        )

    def cancel_standing(self, order: VenueOrder) -> None:
        """Take an order off, whoever placed it."""
        self._taken_off(order.client_order_id, _REQUESTED)

    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        """Return what became of such an order, or None if there never was one."""
        return self._reports(order.client_order_id).get(order.client_order_id)

    def inspect(self) -> Sequence[Finding]:
        """Return that there is nothing that could be wrong."""
        return (Finding(check="adapter", message="the paper venue is built in, play money"),)

    def _reports(self, *ids: ClientOrderId) -> Mapping[ClientOrderId, OrderReport]:
        with _instead(VenueUnavailable):
            found = self._ports.load(self._account.id, ids).orders
        return {one: order.report() for one, order in found.items()}

    @contextmanager
    def _call(self, call: FaultyCall) -> Iterator[FaultWord]:
        """Meet the next planned fault: what was lost does not happen, every answer may be late."""
        with _instead(VenueUnavailable):
            fault = self._ports.faults.next(self._account.id, call)
        try:
            if fault.word in _LOST_ON_THE_WAY:
                # A question that was lost has changed nothing.
                lost = VenueUnavailable if call is FaultyCall.FIND else OutcomeUnknown
                raise lost(f"the {call} call met a {fault.word}")
            yield fault.word
        finally:
            if fault.delay_ms:
                self._ports.clock.sleep(fault.delay_ms)

    def _placed(self, order: Order, word: FaultWord) -> PaperOrder:
        """Try once to enter the order in the ledger.

        The book is entered before the price is read and before the commit, so a tick that comes in
        between finds the entry. If the matcher gets there first it raises the account's version,
        and this try loses the commit.

        Raises:
            Conflict: somebody else changed the account meanwhile.
            VenueUnavailable: the claim to the order is over.
        """
        ports, account_id = self._ports, self._account.id
        with _instead(VenueUnavailable):
            snapshot = ports.load(account_id, [order.client_order_id])
            arrival = ports.book.arrive(account_id, _arriving(order, ports))
        arrived = replace(_arriving(order, ports), number=arrival.number, tick=arrival.price.tick)
        entry = None if arrived.waits_at is None else BookEntry.of(account_id, arrived)
        try:
            with _instead(VenueUnavailable):
                change = self._change(order, arrived, snapshot, arrival.price, word)
            with _instead(OutcomeUnknown):
                # Whoever asks after that for an order that is not there knows that it never comes.
                until_ms = order.lease_until_ms if change.orders else AT_ONCE
                ports.ledger.commit(account_id, snapshot.version, change, until_ms)
        except OutcomeUnknown:
            raise  # the order may be there, and then it needs its entry
        except HookfillError:
            self._leave(entry)
            raise
        if not any(one.is_open for one in change.orders):
            self._leave(entry)
        return snapshot.orders.get(order.client_order_id) or change.orders[0]

    def _change(
        self,
        order: Order,
        arrived: PaperOrder,
        snapshot: PaperSnapshot,
        price: CurrentPrice,
        word: FaultWord,
    ) -> PaperChange:
        """Return what the arrival of an order changes."""
        if order.client_order_id in snapshot.orders:
            return PaperChange(repeats=(_repeat(arrived),))
        account = snapshot.account_of(self._account)
        if order.leverage is not None and order.market is not Market.SPOT:
            account = account.with_leverage(order.symbol, order.leverage)
        if word is FaultWord.REJECT:
            reason = Reason(ReasonCode.VENUE_REJECTED, "the venue was told to reject this")
            refused = replace(arrived, status=OrderStatus.REJECTED, reason=reason)
            return PaperChange(account=account, orders=(refused,))
        quote = self._ports.quote_of(order.symbol, price)
        outcome = engine.place(account, arrived, price.rules.get(order.market), quote)
        return PaperChange(account=outcome.account, orders=(outcome.order,))

    def _canceled(self, client_order_id: ClientOrderId, reason: Reason) -> PaperOrder:
        """Try once to take the order off; see `_placed` for what it raises."""
        ports, account_id = self._ports, self._account.id
        with _instead(VenueUnavailable):
            snapshot = ports.load(account_id, [client_order_id])
        found = snapshot.orders.get(client_order_id)
        if found is None:
            raise NotFound(f"the venue has no order {client_order_id}")
        if not found.is_open:
            return found
        account = snapshot.account_of(self._account)
        outcome = engine.cancel(account, found, reason, ports.clock.now_ms())
        change = PaperChange(account=outcome.account, orders=(outcome.order,))
        with _instead(OutcomeUnknown):
            ports.ledger.commit(account_id, snapshot.version, change)
        self._leave(BookEntry.of(account_id, found))
        return outcome.order

    def _leave(self, entry: BookEntry | None) -> None:
        """Take an entry out, if there is one, or leave that to the tick that reaches it."""
        if entry is not None:
            with suppress(StoreUnavailable):
                self._ports.book.leave([entry])


def _won(attempt: Callable[[], PaperOrder]) -> PaperOrder:
    """Repeat an attempt until it is the first to commit.

    Raises:
        VenueUnavailable: others were first every time; nothing has happened.
    """
    try:
        return until_committed(attempt)
    except Conflict as error:
        raise VenueUnavailable(str(error)) from error


@contextmanager
def _instead(error: type[HookfillError]) -> Iterator[None]:
    """Say what the store's silence means to somebody who believes in an exchange."""
    try:
        yield
    except StoreUnavailable as silence:
        raise error(f"the paper venue's store: {silence}") from silence


def _arriving(order: Order, ports: PaperPorts) -> PaperOrder:
    now_ms = ports.clock.now_ms()
    return PaperOrder(
        client_order_id=order.client_order_id,
        number=0,
        symbol=order.symbol,
        market=order.market,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        received_at_ms=now_ms,
        updated_at_ms=now_ms,
        position_side=order.position_side,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        amount=order.amount,
        price=order.price,
        condition=order.condition,
    )


def _repeat(arrived: PaperOrder) -> PaperOrder:
    reason = Reason(
        ReasonCode.DUPLICATE, f"client order id {arrived.client_order_id} is known already"
    )
    return replace(arrived, status=OrderStatus.REJECTED, reason=reason, is_repeat=True)


def _answer(placed: PaperOrder) -> OrderReport:
    """Return the report of an order, or raise what a venue answers to one that it refuses."""
    if placed.status is not OrderStatus.REJECTED:
        return placed.report()
    reason = placed.reason or Reason(ReasonCode.VENUE_REJECTED, "refused")
    if reason.code is ReasonCode.INSUFFICIENT_FUNDS:
        raise InsufficientFunds(reason.message)
    raise VenueRejected(reason.message, reason.code)
