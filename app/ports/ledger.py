"""The aggregates in the store, and who waits for his turn there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from app.domain.aggregate import Aggregate
from app.domain.decision import TimelineEntry
from app.domain.effects import AT_ONCE, Effect
from app.domain.enums import AccountState, PositionSide
from app.domain.identifiers import AccountId, AggregateId, EpochMs, OrderId, Symbol
from app.domain.limit_checks import Sent
from app.domain.order import Order
from app.domain.quarantined import Quarantined
from app.domain.smart_order import SmartOrder


@dataclass(frozen=True, slots=True)
class Stored:
    """An aggregate as it was loaded. `version` counts its commits; 0 has never been stored."""

    aggregate: Aggregate
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """One aggregate before and after, and what its timeline gains.

    Attributes:
        before: None for one that is new.
        read: news that `after` has taken in: id of the child → its version.
        heard: the child of this very commit that `after` has taken in as it is then: whoever has
            looked at it before, and still is to tell of it, comes too late.
    """

    before: Stored | None
    after: Aggregate
    entries: tuple[TimelineEntry, ...] = ()
    read: Mapping[AggregateId, int] = field(default_factory=dict)
    heard: AggregateId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """One lane as it was at one moment.

    Attributes:
        changes: counts how often an order has come to be in flight, has left, or has changed its
            status there. Give it to a commit, which is refused if it has changed.
        turns: counts the same of orders that had a turn in the lane.
        waiting: ids in order of their turn: due time, then arrival.
        in_flight: orders of the lane whose effect on the position is not yet known.
    """

    account: AccountId
    symbol: Symbol
    changes: int
    turns: int
    waiting: tuple[AggregateId, ...]
    in_flight: tuple[OrderId, ...]


@dataclass(frozen=True, slots=True)
class Once:
    """What a commit must be the first to bring.

    Attributes:
        dedupe_keys: as in `Admission`.
        made: what repeats are told of.
    """

    dedupe_keys: Mapping[str, EpochMs]
    made: AggregateId


@dataclass(frozen=True, slots=True)
class Claim:
    """That a commit claims an order by what the limits of its account say; an exit needs none.

    Attributes:
        seen: how many were claimed so when the order was checked, which must not have changed.
        entry: the order, where it is to be counted among those that were sent.
        looks_back_ms: how long it is counted.
    """

    seen: int
    entry: Order | None = None
    looks_back_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """What of an account may still trade, at one moment.

    Attributes:
        claims: how many orders that may open something were claimed so far. Give it to a commit by
            `Claim`.
        orders: at the venue, on their way, or of which nobody knows; and those that wait to be
            sent.
        sent: entries that were sent lately, oldest first.
        filled: orders that have filled something within the last seconds.
    """

    claims: int
    orders: tuple[AggregateId, ...]
    sent: tuple[Sent, ...]
    filled: tuple[AggregateId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitConditions:
    """Conditions that the store checks in the same step as the commit.

    Attributes:
        permits: the account states under which it may happen; None does not ask.
        vouched: a symbol, and the run of the store, which must last still, in which all its orders
            at the venue are known; None does not ask.
        lane: what is in flight in it must not have changed since it was looked at.
        turns: the same, save for orders that are in flight without having had a turn in it.
        tell: further aggregates that the change concerns, besides the parent.
        once: it must not have come before; None does not ask.
        is_entry: it opens or adds to something, so the store must have room to spare.
        claim: it claims an order that the limits of its account let go; None claims none of such.
        limits_of: the version of the registry by which the limits of the account are known; they
            must not have changed since. None does not ask.
    """

    permits: frozenset[AccountState] | None = None
    vouched: tuple[Symbol, str] | None = None
    lane: LaneView | None = None
    turns: LaneView | None = None
    tell: tuple[AggregateId, ...] = ()
    once: Once | None = None
    is_entry: bool = False
    claim: Claim | None = None
    limits_of: int | None = None


NO_TERMS = CommitConditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Conditions under which a new request is taken in.

    Attributes:
        dedupe_keys: hash of what makes two requests the same → business time until which it
            counts; a request that has one of them is a repeat.
        caller_id_scope: the origin within which live caller ids must differ; None asks nothing.
        rate_key: whose budget this counts against, or None.
        rate_per_minute: how many a minute; 0 is without limit.
        give_up_at_ms: server time after which the store must refuse to write.
        registry_version: of the accounts and credentials that the caller was checked against.
        waiting_max: how many smart orders may wait in the account; None asks nothing.
        is_entry: it opens or adds to something, so the store must have room to spare.
    """

    dedupe_keys: Mapping[str, EpochMs] = field(default_factory=dict)
    caller_id_scope: str | None = None
    rate_key: str | None = None
    rate_per_minute: int = 0
    give_up_at_ms: EpochMs = AT_ONCE
    registry_version: int | None = None
    waiting_max: int | None = None
    is_entry: bool = False


class Admitted(NamedTuple):
    """What became of a new request.

    Attributes:
        repeats: the one that it repeats: nothing was written.
        is_behind: others were in its lane when it came in.
    """

    repeats: AggregateId | None = None
    is_behind: bool = False


class Ledger(Protocol):
    """The aggregates, their timelines and the outbox; the truth."""

    def load(self, aggregate_id: AggregateId) -> Stored:
        """Return the aggregate as it is now.

        Raises:
            NotFound: there is none with this id.
            UnreadableRecord: this release cannot read it; see `Quarantine`.
        """

    def load_all(self, ids: Collection[AggregateId]) -> Sequence[Stored]:
        """Return these as they are now, save those that are not here or cannot be read."""

    def in_groups(self, ids: Collection[AggregateId], most: int) -> Iterable[Sequence[AggregateId]]:
        """Return these, some at a time that one commit can change, in the order they have there."""

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        """Write all the changes or none, and return the effects that came to be owed.

        Raises:
            Conflict: one of them has another version by now.
            ClaimsChanged: others were claimed since the order was checked.
            LaneChanged: what is in flight in the lane has changed since it was looked at.
            NewsChanged: news that is to count as read is not the newest, or was read already.
            NotPermitted: the account's state is not among those that `terms` permit.
            NotVouched: the venue must be asked first; see `Runs`.
            StaleRegistry: the limits of the account have changed since they were read.
            StoreFull: it is an entry, and the store runs short of room.
        """

    def present(self, ids: Collection[AggregateId]) -> Collection[AggregateId]:
        """Return which of these are in the store, readable or not."""

    def admit(self, changes: Sequence[Change], admission: Admission) -> Admitted:
        """Write a new request, and what changes with it, unless it repeats one.

        Args:
            changes: the new one comes first.
            admission: what it must meet.

        Raises:
            Conflict: one of the others has another version by now.
            TooManyOpen: as many smart orders wait as may.
            RateLimited: the caller has used up its budget.
            StaleRegistry: accounts or credentials have changed since the caller was checked.
            StoreFull: it is an entry, and the store runs short of room.
            StoreUnavailable: nothing was written, or it is in doubt.
        """

    def writes(self) -> int:
        """Return how many commits this thread has sent that were not refused.

        Compare two of them: if they are equal, nothing was written and nothing is in doubt.
        """

    def with_news(
        self, aggregate_id: AggregateId
    ) -> tuple[Stored | None, Mapping[AggregateId, int]]:
        """Return the aggregate, and what changed for it and was not read yet: child → version.

        None is for one that is not in the store; there may be news of its children all the same.

        Raises:
            UnreadableRecord: this release cannot read it; see `Quarantine`.
        """

    def repeated(self, account: AccountId, dedupe_key: str, now_ms: EpochMs) -> AggregateId | None:
        """Return what was admitted under a dedupe key that still counts, or None."""

    def state_of(self, account: AccountId) -> AccountState:
        """Return the risk state of an account; HALT if it is missing or unreadable."""

    def revision(self) -> Sequence[str]:
        """Return a mark of the newest change of each shard.

        Two equal marks: nothing was committed between them.
        """


class Quarantine(Protocol):
    """Records that this release cannot read. The store notes them when it comes upon them."""

    def all(self) -> Sequence[Quarantined]:
        """Return them, longest first."""

    def count(self) -> int:
        """Return how many there are."""

    def find(self, aggregate_id: AggregateId) -> Quarantined | None:
        """Return what is known of one, or None if it is not among them."""

    def release(self, aggregate_id: AggregateId) -> None:
        """Forget one, which can be read again, or is gone."""


class Live(Protocol):
    """Which aggregates are live, by several keys."""

    def of_origin(self, account: AccountId, origin: str) -> Mapping[AggregateId, str]:
        """Return the live top-level aggregates of one origin: id → caller id or ''."""

    def of_account(self, account: AccountId) -> Collection[AggregateId]:
        """Return every live aggregate of an account."""

    def open_orders(self, account: AccountId) -> Collection[AggregateId]:
        """Return the orders of an account that are at its venue, but for stops that rest there."""

    def stops(self, account: AccountId) -> Collection[AggregateId]:
        """Return the stops of an account that rest at its venue."""

    def holds_caller_id(self, account: AccountId, scope: str, caller_id: str) -> bool:
        """Tell whether something live holds a caller id; see `Order.caller_id_scope`."""

    def under_way(self, account: AccountId) -> UnderWay:
        """Return what of an account may still trade, and what was sent lately."""

    def with_any(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts of which anything is live, asked all at once."""

    def with_open_orders(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts that have open orders, as above, asked all at once."""

    def with_guards(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts with guards, here or at the venue, asked all at once."""

    def placing(self) -> Collection[AggregateId]:
        """Return the orders that are PENDING_NEW or PLACING, of all accounts."""

    def unknown(self) -> Collection[AggregateId]:
        """Return the orders that are UNKNOWN, of all accounts."""

    def failing_exits(self) -> Collection[AggregateId]:
        """Return what has an exit that does not get through and goes on, of all accounts."""

    def only_here(self) -> Collection[AggregateId]:
        """Return what has a stop here alone though its venue was to hold one, of all accounts."""

    def protectors(self, order: Order) -> Collection[AggregateId]:
        """Return the aggregates that guard the position which this order works on."""

    def guards(
        self, account: AccountId, of: tuple[Symbol, PositionSide] | None = None
    ) -> Collection[AggregateId]:
        """Return what guards one leg of an account's positions, or any of them."""

    def waiting(self, account: AccountId) -> Sequence[SmartOrder]:
        """Return the smart orders of an account that stand alone and wait, newest first."""


class Lanes(Protocol):
    """Position-dependent work of one (account, symbol), one at a time and in order."""

    def look(self, account: AccountId, symbol: Symbol) -> LaneView:
        """Return who waits, and what is in flight. It is a look, not a lock."""

    def head(self, account: AccountId, symbol: Symbol) -> AggregateId | None:
        """Return the id to wake next, or None while an order of the lane is in flight."""


class Timers(Protocol):
    """Tell me at time T; the due times are the truth, messages only hurry."""

    def due(self, now_ms: EpochMs, limit: int) -> Sequence[AggregateId]:
        """Return what is due at this business time, earliest first within a shard."""

    def soon(self, now_ms: EpochMs, within_ms: int) -> Sequence[EpochMs]:
        """Return the due times up to `within_ms` ahead."""


class Outbox(Protocol):
    """Effects that are owed."""

    def overdue(self, limit: int) -> Sequence[Effect]:
        """Return effects whose message is due again, and put off their next one."""

    def owed(self) -> Sequence[Effect]:
        """Return everything that is owed, due or not."""
