"""What the adapters of real exchanges share over all workers: small Protocols over plain values.

They lie here rather than in `app.exchanges`, because the store that keeps them may not know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from app.domain.identifiers import AccountId, EpochMs, Symbol, VenueName
from app.domain.market import AccountView, Quote, Tick


class Urgency(IntEnum):
    """Whose request may use up how much of a budget; the lower the number, the more."""

    CANCEL = 0
    LOOK_UP = 1
    ORDER = 2
    POLL = 3


@dataclass(frozen=True, slots=True)
class KeptMarkets:
    """Market metadata as ccxt has it, as JSON, and for how long it has been kept."""

    text: str
    age_ms: int


@dataclass(frozen=True, slots=True)
class KeptView:
    """What an account had, and how long ago that was."""

    view: AccountView
    age_ms: int


class VenueMemory(Protocol):
    """What one worker has learned about a venue, and the others need not ask again."""

    def markets(self, venue: VenueName, scope: str) -> KeptMarkets | None:
        """Return the market metadata as it was kept, or None if that is too long ago."""

    def keep_markets(self, venue: VenueName, scope: str, text: str) -> None:
        """Keep market metadata for all workers."""

    def view(self, account: AccountId) -> KeptView | None:
        """Return what an account had when a worker looked last, or None."""

    def keep_view(self, account: AccountId, view: AccountView) -> None:
        """Keep what an account has now."""

    def want_view(self, account: AccountId) -> None:
        """Let a worker look soon."""

    def tick(self, feed: VenueName, symbol: Symbol) -> Tick | None:
        """Return prices that were seen within seconds, numbered by the server's time, or None."""

    def tick_number(self, feed: VenueName) -> int:
        """Return the number of a new tick, above all that came before, whatever the clock says."""

    def keep_quotes(self, feed: VenueName, quotes: Mapping[Symbol, Quote]) -> None:
        """Keep prices for a few seconds."""

    def leverage(self, account: AccountId, symbol: Symbol) -> int | None:
        """Return the leverage that was set last, or None if none was."""

    def keep_leverage(self, account: AccountId, symbol: Symbol, leverage: int) -> None:
        """Note a leverage that was set."""

    def clock_offset_ms(self, venue: VenueName) -> int | None:
        """Return how far the venue's clock is ahead of the server's, if measured lately."""

    def keep_clock_offset(self, venue: VenueName, offset_ms: int) -> None:
        """Keep a measurement."""

    def forget_clock_offset(self, venue: VenueName) -> None:
        """Let the next request measure anew."""


class SymbolMap(Protocol):
    """How people want symbols of a venue to be read, above our own rules."""

    def spellings(self, venue: VenueName) -> Mapping[str, Symbol]:
        """Return spelling, in upper case → symbol."""

    def put_spelling(self, venue: VenueName, spelling: str, symbol: Symbol | None) -> None:
        """Set what a spelling means; None takes it away."""


class RateBudget(Protocol):
    """The requests that a venue allows one address, shared by all workers there."""

    def take(self, pool: str, cost: float, per_second: float, urgency: Urgency) -> int:
        """Take `cost` out of the budget.

        Returns:
            0 when it was taken, else the milliseconds after which it may be there; nothing was
            taken then.
        """

    def freeze(self, pool: str, for_ms: int) -> None:
        """Close the budget for a while, as the venue has asked for."""

    def frozen_until_ms(self, pool: str) -> EpochMs | None:
        """Return the server time until which the budget is closed, or None if it is open."""

    def failed(self, pool: str, most: int) -> int:
        """Count one more request in a row that the venue left without an answer, up to `most`.

        Returns:
            How many there are.
        """

    def answered(self, pool: str) -> None:
        """Note an answer: the row of failures has ended."""

    def failures(self, pool: str) -> int:
        """Return how many requests in a row had no answer."""
