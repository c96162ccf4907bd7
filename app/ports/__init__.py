"""What the use cases need from outside: small Protocols, and Ports to carry them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.account import Account, ApiClient, Connector
from app.domain.adjustment import Adjustment, Outcome
from app.domain.aggregate import Aggregate
from app.domain.decision import TimelineEntry
from app.domain.effects import AT_ONCE, Effect
from app.domain.enums import AccountState, Dialect, Mode, OrderType, PositionMode
from app.domain.finding import Finding
from app.domain.frozen import Frozen, Knowledge, Placed
from app.domain.identifiers import (
    AccountId,
    AccountName,
    AggregateId,
    ClientOrderId,
    EpochMs,
    FreshId,
    OrderId,
    Symbol,
    VenueName,
)
from app.domain.instrument import Instrument
from app.domain.kill_switch import KillSwitch
from app.domain.market import AccountView, Quote, Tick
from app.domain.order import LOOKS_MAX, Order
from app.domain.quarantined import Quarantined
from app.domain.reconciliation import (
    FailedReconciliation,
    OrphanedFill,
    Reconciliation,
    VenueOrder,
)
from app.domain.report import Fill, OrderReport
from app.domain.search import EVERYTHING, FillPlace, Place, Search
from app.domain.smart_order import SmartOrder
from app.domain.symbols import Listed
from app.domain.trigger import Firing, Trigger, TriggerState
from app.domain.venue_cancel import VenueCancel


class Clock(Protocol):
    """The one place that reads the time."""

    def now_ms(self) -> EpochMs:
        """Return business time: the server's, unless a test has moved it."""

    def server_ms(self) -> EpochMs:
        """Return the server's time, which leases, grace periods and retries go by."""

    def lasted_ms(self, since_ms: EpochMs) -> int:
        """Return for how long something has lasted for certain, since a server time.

        Where the server's clock was set since, that is the time since then.
        """

    def steady_ms(self) -> int:
        """Return the time of a clock of this machine that nobody sets, to compare within a call."""


class Ids(Protocol):
    """Hands out ids that nobody has used."""

    def fresh(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids whose remainder names the shard of the account, rising."""

    def latest(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids like `fresh`, above all that any process has handed out: for a fair turn."""

    def order_of(self, client_order_id: ClientOrderId) -> AggregateId | None:
        """Return the order behind a client order id, or None if it is not one of ours."""

    def client_order_id(self, order_id: AggregateId) -> ClientOrderId:
        """Return by which id venues know an order."""


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
    """

    before: Stored | None
    after: Aggregate
    entries: tuple[TimelineEntry, ...] = ()
    read: Mapping[AggregateId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitConditions:
    """TradingRules that the store checks in the same step as the commit.

    Attributes:
        permits: the account states under which it may happen; None does not ask.
        vouched: a symbol, and the run of the store, which must last still, in which all its orders
            at the venue are known; None does not ask.
        lane: what is in flight in it must not have changed since it was looked at.
        turns: the same, save for orders that are in flight without having had a turn in it.
        tell: further aggregates that the change concerns, besides the parent.
    """

    permits: frozenset[AccountState] | None = None
    vouched: tuple[Symbol, str] | None = None
    lane: "LaneView | None" = None
    turns: "LaneView | None" = None
    tell: tuple[AggregateId, ...] = ()


NO_TERMS = CommitConditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """TradingRules under which a new request is taken in.

    Attributes:
        dedupe_key: hash of what makes two requests the same, or None.
        dedupe_until_ms: business time until which the key counts.
        caller_id_scope: the origin within which live caller ids must differ; None asks nothing.
        rate_key: whose budget this counts against, or None.
        rate_per_minute: how many a minute; 0 is without limit.
        give_up_at_ms: server time after which the store must refuse to write.
        registry_version: of the accounts and credentials that the caller was checked against.
        waiting_max: how many smart orders may wait in the account; None asks nothing.
    """

    dedupe_key: str | None = None
    dedupe_until_ms: EpochMs = AT_ONCE
    caller_id_scope: str | None = None
    rate_key: str | None = None
    rate_per_minute: int = 0
    give_up_at_ms: EpochMs = AT_ONCE
    registry_version: int | None = None
    waiting_max: int | None = None


class Ledger(Protocol):
    """The aggregates, their timelines and the outbox; the truth."""

    def load(self, aggregate_id: AggregateId) -> Stored:
        """Return the aggregate as it is now.

        Raises:
            NotFound: there is none with this id.
            UnreadableRecord: this release cannot read it; see `Quarantine`.
        """

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        """Write all the changes or none, and return the effects that came to be owed.

        Raises:
            Conflict: one of them has another version by now.
            LaneChanged: what is in flight in the lane has changed since it was looked at.
            NotPermitted: the account's state is not among those that `terms` permit.
            NotVouched: the venue must be asked first; see `Runs`.
        """

    def present(self, ids: Collection[AggregateId]) -> Collection[AggregateId]:
        """Return which of these are in the store, readable or not."""

    def admit(self, changes: Sequence[Change], admission: Admission) -> AggregateId | None:
        """Write a new request, and what changes with it, or return the id of the one it repeats.

        Args:
            changes: the new one comes first.
            admission: what it must meet.

        Raises:
            Conflict: one of the others has another version by now.
            TooManyOpen: as many smart orders wait as may.
            RateLimited: the caller has used up its budget.
            StaleRegistry: accounts or credentials have changed since the caller was checked.
            StoreUnavailable: nothing was written, or it is in doubt.
        """

    def writes(self) -> int:
        """Return how many commits this thread has sent that were not refused.

        The same number twice: nothing was written between, and nothing is in doubt.
        """

    def news(self, aggregate_id: AggregateId) -> Mapping[AggregateId, int]:
        """Return what changed for this aggregate and was not read yet: child → version."""

    def repeated(self, account: AccountId, dedupe_key: str, now_ms: EpochMs) -> AggregateId | None:
        """Return what was admitted under a dedupe key that still counts, or None."""

    def state_of(self, account: AccountId) -> AccountState:
        """Return the risk state of an account; HALT if it is missing or unreadable."""

    def revision(self) -> Sequence[str]:
        """Return how far things have happened: the same twice, and nothing did between."""


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
        """Return the orders of an account that are at its venue."""

    def with_open_orders(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts that have orders at their venues, asked all at once."""

    def placing(self) -> Collection[AggregateId]:
        """Return the orders that are PENDING_NEW or PLACING, of all accounts."""

    def unknown(self) -> Collection[AggregateId]:
        """Return the orders that are UNKNOWN, of all accounts."""

    def protectors(self, order: Order) -> Collection[AggregateId]:
        """Return the aggregates that guard the position which this order works on."""

    def waiting(self, account: AccountId) -> Sequence[SmartOrder]:
        """Return the smart orders of an account that stand alone and wait, newest first."""

    def smart_order_named(
        self, account: AccountId, origin: str, caller_id: str
    ) -> AggregateId | None:
        """Return the newest smart order of an origin with this caller id, in whatever state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """One lane as it was at one moment.

    Attributes:
        changes: counts each time that an order has joined or left those in flight, or become
            another of theirs: the same twice, and nothing did between.
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


class Lanes(Protocol):
    """Position-dependent work of one (account, symbol), one at a time and in order."""

    def look(self, account: AccountId, symbol: Symbol) -> LaneView:
        """Return who waits, and what is in flight; nobody is kept from anything by it."""

    def head(self, account: AccountId, symbol: Symbol) -> AggregateId | None:
        """Return whose turn would be next, or None while an order of the lane is in flight."""


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


class Slots(Protocol):
    """Which countdown messages are on their way, so that no time slot gets two."""

    def claim(self, slot: int, life_ms: int) -> bool:
        """Return whether nobody has claimed this slot within its life."""


class Heartbeat(Protocol):
    """Proof that the queue carries messages to a worker."""

    def beat(self, at_ms: EpochMs) -> None:
        """Note that a canary came through the queue at this server time."""

    def last_ms(self) -> EpochMs | None:
        """Return when one last came through, or None if none ever did."""


class TriggerBook(Protocol):
    """Every armed trigger, and which of them a tick fires (docs/design.md)."""

    def arm(self, trigger: Trigger, seen: Tick | None = None) -> bool:
        """Hold the trigger. Arming twice is arming once: a trailing one trails on.

        Args:
            trigger: armed.
            seen: the newest tick of its symbol, evaluated or not, if the trigger is to be compared
                with it at once and with later ticks only. A trailing trigger trails from it. With
                None the next tick that is evaluated is the first.

        Returns:
            Whether it has fired at once; then it stands in the fired list.
        """

    def disarm(self, trigger: Trigger) -> None:
        """Hold it no more. A trigger that is not held is no error."""

    def standing(self, trigger: Trigger) -> TriggerState | None:
        """Return where a trigger stands now, or None if the book does not hold it."""

    def begin(self, venue: VenueName, tick: Tick) -> None:
        """Note that a tick begins: what is armed from now on first meets the next one."""

    def fire(self, venue: VenueName, tick: Tick) -> Sequence[Firing]:
        """Move what this tick fires to the fired list and return it, by owner id.

        A tick that is not newer than the last one fires nothing.
        """

    def fired(self, venue: VenueName) -> Sequence[Firing]:
        """Return what has fired and is not yet done, by tick, then owner id."""

    def done(self, venue: VenueName, firing: Firing) -> None:
        """Take what one tick has fired of one owner off the list: the owner knows."""

    def symbols(self, venue: VenueName) -> Collection[Symbol]:
        """Return the symbols with something armed."""


class Venue(Protocol):
    """One account at one exchange. It never emulates quietly what the exchange lacks."""

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here."""

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known."""

    def view(self) -> AccountView:
        """Return balances and positions as they are now.

        Raises:
            VenueUnavailable: they could not be read.
        """

    def prepare(self, order: Order) -> None:
        """Do what must be done before an order is sent, its leverage for one. Twice is once.

        Raises:
            VenueRejected: the order is not fit to be sent.
            VenueUnavailable: something could not be done.
        """

    def place(self, order: Order) -> OrderReport:
        """Send a prepared order under its client order id.

        Raises:
            VenueRejected: a definite no.
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
        """

    def cancel(self, order: Order) -> OrderReport:
        """Take the order off and return how it ended; one that is closed already is no error.

        Raises:
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
            NotFound: the venue has no such order.
        """

    def find(self, order: Order) -> OrderReport | None:
        """Return what became of the order, looked up by client order id, or None if absent.

        Raises:
            VenueUnavailable: the question could not be asked.
            CannotAsk: it never can be.
        """

    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        """Return how these open orders stand, in as few questions as the venue allows.

        One that is missing from the answer is no proof of anything.

        Raises:
            VenueUnavailable: the questions could not be asked.
        """

    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        """Return all that is open at the venue, whoever placed it.

        Args:
            symbols: those that matter, where a venue must be asked symbol by symbol.

        Raises:
            VenueUnavailable: the question could not be asked.
        """

    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        """Return the orders of a symbol that were placed from a server time on, open or closed.

        Not necessarily up to now: what came later is asked for again. One that was placed earlier
        may be among them.

        Raises:
            VenueUnavailable: the question could not be asked.
            CannotAsk: it never can be.
        """

    def cancel_standing(self, order: VenueOrder) -> None:
        """Ask that an order be taken off which `standing` has told of, by the venue's own id.

        Raises:
            VenueRejected: a definite no, for instance since it is open no more.
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
            NotFound: the venue has no such order.
        """

    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        """Return what became of such an order, looked up by the venue's own id.

        None if the venue knows it no more, and does not list it as open either.

        Raises:
            VenueUnavailable: the question could not be asked.
        """

    def inspect(self) -> Sequence[Finding]:
        """Return what there is to say about the account and its venue; nothing changes there.

        Raises:
            VenueUnavailable: nothing could be asked.
        """


class Runs(Protocol):
    """The runs of the store's server, and what the present one knows of orders at venues.

    A store that was restored from an earlier copy begins a new run, and knows nothing of what was
    placed since. One that was merely started anew begins one, too, and cannot tell the difference.
    """

    def beat(self) -> None:
        """Note that the present run still lasts."""

    def knowledge(self, account: AccountId, symbol: Symbol) -> Knowledge:
        """Return what the present run knows of an account's orders of a symbol."""

    def vouch(self, account: AccountId, symbol: Symbol, run: str) -> bool:
        """Note that all orders of a symbol are known in a run; False if it is over."""

    def vouch_until(self, account: AccountId, symbol: Symbol, run: str, until_ms: EpochMs) -> bool:
        """Note that those are known that were placed before a server time."""

    def symbols(self, account: AccountId) -> Collection[Symbol]:
        """Return the symbols of an account that were ever vouched for."""

    def epoch(self) -> int:
        """Return how far the store has counted together with the history; 0 if it never has."""

    def raise_epoch(self) -> int:
        """Count on by one, and return how far that is."""

    def reach_epoch(self, to: int) -> None:
        """Count on from here."""


class Freezer(Protocol):
    """Why accounts are frozen, so that nothing at all is sent for them."""

    def freeze(self, frozen: Frozen) -> None:
        """Let nothing be sent for an account. One that is frozen already has another reason now."""

    def of(self, account: AccountId) -> Frozen | None:
        """Return why an account is frozen, or None if it is not."""

    def thaw(self, frozen: Frozen) -> AccountState | None:
        """Give an account its state back, and return it; None if it is not frozen for this.

        The orders of the list need not be known here any more.
        """

    def accepted(self, account: AccountId) -> Collection[ClientOrderId]:
        """Return the orders that somebody has seen when the account was released."""


class Findings(Protocol):
    """What a worker has found, for whoever asked; by ticket."""

    def put(self, ticket: str, findings: Sequence[Finding]) -> None:
        """Leave what was found."""

    def get(self, ticket: str) -> Sequence[Finding] | None:
        """Return what was found, or None while nobody has looked."""


class Views(Protocol):
    """What web processes want to know of accounts at real venues."""

    def wanted(self) -> Collection[AccountId]:
        """Return the accounts of which somebody wants to know lately what they have."""


class Reconciliations(Protocol):
    """How each account compared with its venue last, and fills whose orders nobody knows."""

    def put(self, account: AccountId, found: Reconciliation) -> None:
        """Keep an outcome; the next one replaces it."""

    def get(self, account: AccountId) -> Reconciliation | None:
        """Return the last outcome, or None if there was none yet."""

    def put_failure(self, account: AccountId, failed: FailedReconciliation) -> None:
        """Keep why none came about; the next that fails replaces it."""

    def failure(self, account: AccountId) -> FailedReconciliation | None:
        """Return why the last one that failed did so, or None if none ever has."""

    def keep_orphan(self, account: AccountId, fill: OrphanedFill) -> bool:
        """Keep a fill, unless as much of the order is kept already; return whether it is news."""

    def orphans(self, account: AccountId) -> Sequence[OrphanedFill]:
        """Return the fills that wait to be acknowledged, oldest first."""

    def acknowledge(self, account: AccountId, client_order_id: ClientOrderId) -> bool:
        """Forget a fill; return whether there was one."""

    def orphan_count(self) -> int:
        """Return how many fills wait, of all accounts."""


class VenueCancels(Protocol):
    """Cancels of orders that are open at venues, and that nobody here follows."""

    def begin(self, wish: VenueCancel) -> VenueCancel:
        """Store a wish and return it, or return the one for the same order that counts still.

        That is one whose outcome is not known, or one whose order has ended.
        """

    def change(self, before: VenueCancel, after: VenueCancel) -> bool:
        """Put one in the place of what it was, and return whether nobody else had changed it."""

    def find(self, cancel_id: AggregateId) -> VenueCancel | None:
        """Return one by its id, or None if there is none, or another one has taken its place."""

    def of(self, account: AccountId) -> Sequence[VenueCancel]:
        """Return those of an account, newest first."""

    def unsettled(self) -> Sequence[VenueCancel]:
        """Return those whose outcome is not known, of all accounts."""


class TradingRules(Protocol):
    """What an account may trade at its venue, and how: what seldom changes."""

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage with which a symbol is traded; 1 where nothing else was said."""

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on. Twice is once.

        Raises:
            VenueRejected: the venue does not allow it.
            VenueUnavailable: the venue was not reached.
        """

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position. Twice is once.

        Raises:
            VenueRejected: the venue does not allow it.
            VenueUnavailable: the venue was not reached.
        """


class Reports(Protocol):
    """What venues tell unasked about the orders of an account."""

    def unread(self, account: Account) -> Mapping[ClientOrderId, OrderReport]:
        """Return the newest report of each order that has news."""

    def mark_read(self, account: Account, reports: Mapping[ClientOrderId, OrderReport]) -> None:
        """Forget these, unless there is newer news of the same order."""

    def accounts_with_news(self) -> Collection[AccountId]:
        """Return the accounts that have anything unread."""


class Feed(Protocol):
    """The prices of one venue, as a row of ticks."""

    def newest(self, symbol: Symbol) -> Tick | None:
        """Return the newest prices of a symbol as a tick, evaluated or not.

        None if no prices are known, or if they are too old to act on.
        """

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        """Return the oldest tick that was not evaluated yet, or None if there is none.

        Args:
            symbols: what somebody waits for; observed now if the feed is one that must look.
        """

    def match(self, tick: Tick) -> None:
        """Let the venue's own resting orders meet the tick, where it is us who simulate them."""

    def done(self, tick: Tick) -> None:
        """Count the tick as evaluated."""

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols that the venue's own resting orders wait for."""


class Venues(Protocol):
    """All venues."""

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it."""

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what this account may trade there, and how."""

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue."""

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded at a venue's hosts, as far as any worker knows; nobody is asked."""


class Accounts(Protocol):
    """The accounts that there are."""

    def account(self, account_id: AccountId) -> Account:
        """Return an account.

        Raises:
            NotFound: there is none with this id.
        """

    def accounts(self) -> Sequence[Account]:
        """Return all accounts, by id."""

    def note_position_mode(self, account_id: AccountId, mode: PositionMode) -> None:
        """Write down how the venue of an account holds its positions from now on."""


class Registry(Accounts, Protocol):
    """Accounts, connectors and API clients: who may do what, and with which account."""

    def version(self) -> int:
        """Return the version of what this process has read; see `Admission.registry_version`."""

    def refresh(self) -> bool:
        """Read anew what has changed, and return whether anything had."""

    def account_named(self, name: AccountName) -> Account:
        """Return an account by its name.

        Raises:
            NotFound: there is none with this name.
        """

    def connector(self, name: str) -> Connector | None:
        """Return a connector, or None if there is none with this name."""

    def connectors(self) -> Sequence[Connector]:
        """Return all connectors, by name."""

    def client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return an API client, or None if the dialect has none with this key."""

    def known_client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return the same as far as this process knows: the store is not asked."""

    def clients(self) -> Sequence[ApiClient]:
        """Return all API clients, by dialect and key."""

    def put_account(self, account: Account) -> Account:
        """Create or change an account; a new one (id 0) gets its id and starts in RUN."""

    def put_connector(self, connector: Connector) -> None:
        """Create or change a connector."""

    def put_client(self, client: ApiClient) -> None:
        """Create or change an API client."""

    def set_state(self, account: AccountId, state: AccountState) -> None:
        """Set the risk state of an account. It holds for whatever is sent from now on.

        Raises:
            WrongState: the account is frozen; see `Freezer`.
        """


class Reader(Protocol):
    """Reads aggregates for people: what is live and what has left for the history, as one."""

    def find(self, aggregate_id: AggregateId) -> Aggregate:
        """Return the aggregate as it is, or as it was when it left.

        Raises:
            NotFound: there is none with this id, and never was.
        """

    def newest(self, before: Place | None, search: Search = EVERYTHING) -> Iterator[Aggregate]:
        """Yield aggregates from the newest, by creation time, then id; lazily, in pages.

        Args:
            before: only those older than this (creation time, id); None begins at the newest.
            search: what they must have.
        """

    def count(self, search: Search = EVERYTHING) -> int:
        """Return how many aggregates have what is searched for."""

    def fills(
        self, before: FillPlace | None, search: Search = EVERYTHING
    ) -> Iterator[tuple[FillPlace, Order, Fill]]:
        """Yield fills from the newest, each with its place and its order; lazily, in pages.

        Args:
            before: only those older than this place; None begins at the newest.
            search: what their orders must have, save kind, state and parent; times are the fill's.
        """

    def count_fills(self, search: Search = EVERYTHING) -> int:
        """Return how many fills there are of what is searched for."""

    def timeline(self, aggregate_id: AggregateId) -> Sequence[tuple[TimelineEntry, str]]:
        """Return what has happened to an aggregate, oldest first, each with its process."""

    def children(self, aggregate_id: AggregateId) -> Sequence[AggregateId]:
        """Return what the aggregate has brought forth, oldest first."""


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
    def mark(self) -> "Mark":
        """What tells it from the same aggregate at another time."""
        return self.version, len(self.timeline)


#: Commits, and entries in the timeline: both only rise.
Mark = tuple[int, int]


class History(Protocol):
    """Finished aggregates, for good.

    Whatever it is asked, it may raise HistoryUnavailable.
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

    def marks(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Mark]:
        """Return in which form it knows these; those it does not know are left out."""

    def load(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Record]:
        """Return these; those it does not know are left out."""


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

    def bring_back(self, record: Record, give_up_at_ms: EpochMs) -> None:
        """Put an aggregate back as it left, unless it is there.

        Raises:
            StoreUnavailable: it is later than `give_up_at_ms`, server time; nothing was written.
        """


class Locks(Protocol):
    """Short leases that keep others out; losing one is harmless."""

    def acquire(self, name: str, lease_ms: int) -> int | None:
        """Return a fencing token, or None while somebody else holds the lock."""

    def release(self, name: str, token: int) -> None:
        """Give the lock back, if it is still ours."""


class UsedKeys(Protocol):
    """Names, each bound to the first content that came with it, whatever its shard."""

    def use(self, name: str, content: str, now_ms: EpochMs, until_ms: EpochMs) -> bool:
        """Return whether the name is this content's: unused until now, or used for it before.

        Args:
            name: a hash of whatever tells it from others, its owner for instance.
            content: hash of what came with it, hexadecimal.
            now_ms: business time.
            until_ms: business time from which on it is unused again.
        """

    def content(self, name: str, now_ms: EpochMs) -> str | None:
        """Return what the name is bound to, or None if it is unused."""


class Errands(Protocol):
    """What a web process wants a worker to do while it waits."""

    def leave(self, errand_id: AggregateId, adjustment: Adjustment, until_ms: EpochMs) -> None:
        """Store it for whoever takes it before `until_ms`, server time."""

    def take(self, errand_id: AggregateId, now_ms: EpochMs) -> Adjustment | None:
        """Return it to the first who asks in time, and None to all others."""

    def account_of(self, errand_id: AggregateId) -> AccountId:
        """Return whose it is, whether it was taken or not.

        Raises:
            NotFound: there is none with this id, or it has expired.
        """

    def reply(self, errand_id: AggregateId, outcome: Outcome, message: str) -> None:
        """Say what became of it."""

    def answer(self, errand_id: AggregateId) -> tuple[Outcome, str] | None:
        """Return what became of it, or None as long as nobody has said."""


class KillSwitches(Protocol):
    """Kill switches that are set, one for each account at most."""

    def put(self, switch: KillSwitch) -> None:
        """Set it, in the place of an older one."""

    def remove(self, account: AccountId) -> None:
        """Switch it off. One that is not set is no error."""

    def of(self, account: AccountId) -> KillSwitch | None:
        """Return the one that is set, or None."""

    def due(self, now_ms: EpochMs) -> Sequence[KillSwitch]:
        """Return those whose time has come, by business time."""

    def done(self, switch: KillSwitch) -> None:
        """Forget one that has done its work, unless it was set anew meanwhile."""


class Publisher(Protocol):
    """Wake-ups. Never raises: the outbox still holds an effect whose message is lost."""

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hurry these along; effects that are not due yet are left to the sweep."""

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """See to it that somebody looks at the timers at these business times."""


#: For how long after its time stamp a real venue takes a request (as Binance does by default).
RECEIVE_WINDOW_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long things may take. All in milliseconds.

    Attributes:
        place_lease_ms: without an answer for this long a placement counts as lost.
        unknown_grace_ms: how long a venue may hide an order that it has; before that, "not found"
            proves nothing.
        unknown_retry_ms: first pause between two questions; doubles up to `retry_max_ms`.
        retry_ms: first pause before a send that did not arrive is tried again; doubles likewise.
        venue_place_lease_ms, venue_grace_ms: as the first two, where money is not paper.
        venue_absence_ms: how far apart two answers of "no such order" must be to prove it there.
        venue_poll_ms: between two questions about open orders, and about prices, of one account.
        price_age_max_ms: prices of a real venue that are older fire no trigger.
        exit_patience_ms: how long an exit waits for an unknown order of its lane.
        republish_after_ms: how long an effect may be owed before its message counts as lost.
        timer_horizon_ms: how far ahead a countdown message is sent.
        history_after_ms: how long what has finished stays in the store; 0 is for ever.
        give_up_ms: how long the store may take to take a request in; the caller was told 503 then.
    """

    place_lease_ms: int = 30_000
    unknown_grace_ms: int = 30_000
    unknown_retry_ms: int = 2_000
    retry_ms: int = 1_000
    retry_max_ms: int = 60_000
    venue_place_lease_ms: int = 30_000
    venue_grace_ms: int = 35_000
    venue_absence_ms: int = 10_000
    venue_poll_ms: int = 2_000
    price_age_max_ms: int = 30_000
    exit_patience_ms: int = 10_000
    republish_after_ms: int = 3_000
    timer_horizon_ms: int = 20_000
    history_after_ms: int = 3_600_000
    give_up_ms: int = 500

    @property
    def pause_max_ms(self) -> int:
        """How far ahead of now any work in the outbox is due at most."""
        pauses = (self.retry_max_ms, self.unknown_retry_ms << LOOKS_MAX)
        return max(*pauses, self.place_lease_ms, self.venue_place_lease_ms, self.venue_absence_ms)

    def give_up_at_ms(self, clock: Clock) -> EpochMs:
        """Return the server time after which the store must refuse what is asked of it now."""
        return EpochMs(clock.server_ms() + self.give_up_ms)

    def lease_ms(self, account: Account) -> int:
        """Return how long a placement of this account may take."""
        return self.place_lease_ms if account.mode is Mode.PAPER else self.venue_place_lease_ms

    def grace_ms(self, account: Account) -> int:
        """Return how long the account's venue may hide an order that it has."""
        return self.unknown_grace_ms if account.mode is Mode.PAPER else self.venue_grace_ms

    def proof_in_ms(self, account: Account, order: Order, clock: Clock) -> int:
        """Return after how long "no such order" of an unknown one proves something; 0 is now.

        By then the venue takes its request no more, and has had time to show what it took.
        """
        since_ms = order.unknown_since_ms or order.lease_until_ms
        return max(self.grace_ms(account) - clock.lasted_ms(since_ms), 0)

    def absence_ms(self, account: Account) -> int:
        """Return how far apart two answers of "no such order" must be; 0 believes the first."""
        return 0 if account.mode is Mode.PAPER else self.venue_absence_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything that a use case may need."""

    clock: Clock
    ids: Ids
    ledger: Ledger
    live: Live
    quarantine: Quarantine
    lanes: Lanes
    timers: Timers
    outbox: Outbox
    book: TriggerBook
    accounts: Accounts
    venues: Venues
    reports: Reports
    locks: Locks
    bindings: UsedKeys
    errands: Errands
    kill_switches: KillSwitches
    heartbeat: Heartbeat
    runs: Runs
    freezer: Freezer
    findings: Findings
    reconciliations: Reconciliations
    venue_cancels: VenueCancels
    views: Views
    archive_queue: ArchiveQueue
    history: History
    publisher: Publisher
    policy: Policy
