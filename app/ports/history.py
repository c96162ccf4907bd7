"""What has finished: on its way out of the store, and kept for good."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.aggregate import Aggregate
from app.domain.decision import TimelineEntry
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs
from app.domain.search import Place, Search
from app.ports.room import StoreMemory

#: Commits, and entries in the timeline: both only rise.
Mark = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that there is of one aggregate: what leaves the store, and what the history keeps.

    Attributes:
        version: counts its commits.
        body, timeline: as the store wrote them, so that nothing is lost that this release does
            not know; the timeline oldest first.
        children: what it has brought forth, oldest first.
    """

    aggregate: Aggregate
    version: int
    body: str
    timeline: tuple[str, ...] = ()
    children: tuple[AggregateId, ...] = ()

    @property
    def mark(self) -> Mark:
        """What tells it from the same aggregate at another time."""
        return self.version, len(self.timeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """A row of a paper account's ledger that changes no more: an order that ended, or a repeat.

    Attributes:
        number: the venue's own, over all accounts.
        body: as the store wrote it.
    """

    number: int
    account: AccountId
    client_order_id: ClientOrderId
    body: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """A timeline entry as it was written: at which position of the streams, by which process.

    Attributes:
        position: None where the same commit has told more, so that nobody goes on from the middle.
    """

    position: str | None
    id: AggregateId
    entry: TimelineEntry
    process: str


class EventFeed(Protocol):
    """Tells what happens as it happens."""

    def events(self, after: str | None = None) -> Generator[TimelineEvent | None]:
        """Yield what happens from now on, or after an earlier position; None while nothing does.

        The first None comes at once: from then on nothing is missed.

        Args:
            after: a position that was told; entries of its very millisecond may come again.
        """


class History(Protocol):
    """Finished aggregates, for good.

    Each of its methods may raise HistoryUnavailable.
    """

    def identity(self) -> str:
        """Return a name that no other history has, nor this one if it was made anew."""

    def epoch(self) -> int:
        """Return how far it has counted together with the store; 0 if it never has."""

    def raise_epoch(self, to: int) -> None:
        """Count up to this; what is higher already stays."""

    def keep(self, records: Sequence[Record]) -> None:
        """Write them for good, all or none; what it knows in a newer form stays as it is.

        Raises:
            HistoryUnavailable: nothing was written, or it is in doubt; do it again.
        """

    def complete(self, limit: int) -> bool:
        """Write what an older release has not written of up to so many that it has kept.

        Returns:
            Whether there may be more of them.
        """

    def marks(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Mark]:
        """Return in which form it knows these; those it does not know are left out."""

    def load(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Record]:
        """Return these; those it does not know are left out."""

    def newest(
        self, search: Search, before: Place | None, floor: Place | None
    ) -> Iterator[Aggregate]:
        """Yield what a search finds between two places, newest first; lazily, in pages."""

    def keep_paper_rows(self, rows: Sequence[PaperRow]) -> None:
        """Write them for good, all or none; each takes the place of one with its number.

        Raises:
            HistoryUnavailable: nothing was written, or it is in doubt; do it again.
        """

    def paper_rows(self, account: AccountId, numbers: range) -> Iterator[PaperRow]:
        """Yield the rows of an account with these numbers, in their order; lazily, in pages."""

    def paper_rows_of(
        self, account: AccountId, numbers: range, orders: Collection[ClientOrderId]
    ) -> Sequence[PaperRow]:
        """Return the rows of these orders with these numbers, in no order."""


class PaperRows(Protocol):
    """Rows of paper accounts' ledgers on their way out of the store."""

    def some(
        self, accounts: Collection[AccountId], limit: int
    ) -> Sequence[tuple[AccountId, ClientOrderId]]:
        """Return some orders of these accounts, taken at random from all that are in the store.

        Args:
            accounts: whose; those with more rows are taken from more often.
            limit: about how many; if there are no more, all of them.
        """

    def ended(self, orders: Sequence[tuple[AccountId, ClientOrderId]]) -> Sequence[PaperRow]:
        """Return those of these that have ended."""

    def repeats(self, accounts: Collection[AccountId], limit: int) -> Sequence[PaperRow]:
        """Return the oldest refused repeats of each of these accounts, so many at most."""

    def leave(self, rows: Sequence[PaperRow]) -> int:
        """Forget these, which the history has, save those that have changed or are news.

        From then on the store tells that they may have left, in the same step.

        Returns:
            How many have left.
        """


class ArchiveQueue(Protocol):
    """Finished aggregates on their way out of the store."""

    def finished(self, limit: int) -> Sequence[AggregateId]:
        """Return what has finished or changed since the history got it, oldest first."""

    def load(self, ids: Sequence[AggregateId]) -> Sequence[Record]:
        """Return these as they are now; those that are gone or not finished are left out."""

    def kept(self, marks: Mapping[AggregateId, Mark]) -> None:
        """Count these as kept by the history, save those that have changed since."""

    def postpone(self, ids: Sequence[AggregateId], until_ms: EpochMs) -> None:
        """Let `finished` leave these out until this server time."""

    def leaving(self, kept_before_ms: EpochMs, limit: int) -> Mapping[AggregateId, Mark]:
        """Return, longest kept first, what the history has had since before this server time."""

    def leave(self, marks: Mapping[AggregateId, Mark]) -> int:
        """Forget these, save those that must stay.

        What has changed must stay, what has news to read, what a request may still repeat, and what
        has a parent or a child that the history does not have as it is, because it is live.

        Returns:
            How many have left.
        """

    def keep_again(self, ids: Collection[AggregateId]) -> None:
        """Let `finished` return these once more: the history does not know them as they are.

        Until it does, they are in the lists of the store.
        """

    def enqueue(self) -> None:
        """Let `finished` return all that has finished, also what an older release let finish."""

    def history(self) -> str | None:
        """Return the identity of the history that has what counts as kept, if any has."""

    def set_history(self, identity: str) -> None:
        """Say which history has what counts as kept."""

    def memory(self) -> StoreMemory:
        """Return how full the memory is of what they are in."""

    def bring_back(self, record: Record, give_up_at_ms: EpochMs) -> None:
        """Put an aggregate back as it left, unless it is there.

        Raises:
            StoreUnavailable: it is later than `give_up_at_ms`, server time; nothing was written.
        """
