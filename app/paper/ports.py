"""What the paper venue is built from: its store, and where its prices come from."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.domain.errors import Conflict
from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote
from app.paper.domain.ledger import CurrentPrice
from app.paper.store.book import RedisPaperBook
from app.paper.store.faults import RedisPaperFaults
from app.paper.store.instruments import RedisPaperInstruments
from app.paper.store.ledger import RedisPaperLedger
from app.paper.store.prices import RedisPaperPrices
from app.ports.clock import Clock

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
    """Where prices come from that nobody set."""

    def quote(self, symbol: Symbol, at_ms: EpochMs) -> Quote | None:
        """Return the prices at a business time, or None if none are known.

        Raises:
            VenueUnavailable: the source cannot be reached.
        """

    def past(self, symbol: Symbol, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments, none of them to come; None where none are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPorts:
    """Everything that the parts of the paper venue share.

    Attributes:
        source: prices of the symbols for which nobody set one.
    """

    ledger: RedisPaperLedger
    book: RedisPaperBook
    prices: RedisPaperPrices
    instruments: RedisPaperInstruments
    faults: RedisPaperFaults
    source: QuoteSource
    clock: Clock

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, set or from the source, or None if none are known.

        Raises:
            VenueUnavailable: they come from an exchange that cannot be reached.
        """
        return self.quote_of(symbol, self.prices.current(symbol))

    def quote_of(self, symbol: Symbol, price: CurrentPrice) -> Quote | None:
        """Return what was set, else what the source says now."""
        return price.quote if price.is_set else self.source.quote(symbol, self.clock.now_ms())
