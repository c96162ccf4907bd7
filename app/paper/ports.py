"""What the paper venue is built from: its store, and where its prices come from."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol, TypeVar

from app.domain.errors import Conflict
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs, Symbol
from app.domain.market import Quote
from app.paper.domain.ledger import CurrentPrice, PaperSnapshot, Rules
from app.paper.domain.order import PaperOrder
from app.paper.store.book import RedisPaperBook
from app.paper.store.faults import RedisPaperFaults
from app.paper.store.instruments import RedisPaperInstruments
from app.paper.store.ledger import RedisPaperLedger
from app.paper.store.prices import RedisPaperPrices
from app.paper.store.records import value_from
from app.ports.clock import Clock
from app.ports.history import History, PaperRow
from app.unhurried import unhurried

#: Commits that others may win before an attempt is given up. Each loss means that somebody got on.
ATTEMPTS_MAX = 100

Done = TypeVar("Done")


def until_committed(attempt: Callable[[], Done]) -> Done:
    """Repeat an attempt, which reads anew each time, until it is the first to commit.

    Raises:
        Conflict: others were first every time; nothing has happened.
    """
    for _ in range(ATTEMPTS_MAX):
        with suppress(Conflict):
            return attempt()
    raise Conflict(f"{ATTEMPTS_MAX} times others changed the account first")


class QuoteSource(Protocol):
    """Where prices come from that nobody set, given the rules by which a symbol is traded."""

    def quote(self, symbol: Symbol, rules: Rules, at_ms: EpochMs) -> Quote | None:
        """Return the prices at a business time, or None if none are known.

        Raises:
            VenueUnavailable: the source cannot be reached.
        """

    def past(self, symbol: Symbol, rules: Rules, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments, none of them to come; None where none are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPorts:
    """Everything that the parts of the paper venue share.

    Attributes:
        ledger: what is in the store of it; `load` and `rows` know all of it.
        source: prices of the symbols for which nobody set one.
        history: where rows of the ledger go that change no more.
    """

    ledger: RedisPaperLedger
    book: RedisPaperBook
    prices: RedisPaperPrices
    instruments: RedisPaperInstruments
    faults: RedisPaperFaults
    source: QuoteSource
    history: History
    clock: Clock

    def load(self, account_id: AccountId, orders: Collection[ClientOrderId]) -> PaperSnapshot:
        """Return an account and these of its orders, wherever they are kept.

        Raises:
            HistoryUnavailable: one may have left the store, and the history does not answer.
        """
        snapshot = self.ledger.load(account_id, orders)
        departed = snapshot.departed
        if departed is None:
            return snapshot
        missing = set(orders) - snapshot.orders.keys()
        left = [one for one in missing if departed.may_include(one)]
        if not left:
            return snapshot
        rows = map(_order_of, self.history.paper_rows_of(account_id, departed.numbers, left))
        found = {row.client_order_id: row for row in rows if not row.is_repeat}
        return replace(snapshot, orders={**found, **snapshot.orders})

    def rows(self, account_id: AccountId) -> Sequence[PaperOrder]:
        """Return every order since the last reset, repeats included, by arrival.

        Raises:
            HistoryUnavailable: some have left the store, and the history does not answer.
        """
        here = self.ledger.rows(account_id)
        # Asked after that: what has left the store before is among these.
        departed = self.ledger.load(account_id).departed
        if departed is None:
            return here
        left = map(_order_of, self.history.paper_rows(account_id, departed.numbers))
        rows = {row.number: row for row in unhurried(chain(left, here))}
        return [rows[number] for number in sorted(rows)]

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, set or from the source, or None if none are known.

        Raises:
            VenueUnavailable: they come from an exchange that cannot be reached.
        """
        return self.quote_of(symbol, self.prices.current(symbol))

    def quote_of(self, symbol: Symbol, price: CurrentPrice) -> Quote | None:
        """Return what was set, else what the source says now."""
        if price.is_set:
            return price.quote
        return self.source.quote(symbol, price.rules, self.clock.now_ms())


def _order_of(row: PaperRow) -> PaperOrder:
    return value_from(PaperOrder, row.body)
