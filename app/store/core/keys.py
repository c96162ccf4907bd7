"""Every key in the store: its name, type, meaning and lifetime.

What belongs to an account carries the tag of its shard, `{s00}` to `{s15}`, so that one commit
touches one slot. An id's remainder by the number of shards is the shard of its account, which is
how a record is found by its id alone. A name that ends with a colon is followed by what is said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from app.domain.identifiers import AccountId, AggregateId, Symbol, VenueName

#: string, counter. The last id handed out. For ever.
IDS = "hookfill:ids"

#: string. Four characters that every client order id of this installation carries. For ever.
INSTALLATION = "hookfill:installation"

#: hash, name → account record. For ever; accounts are disabled, not deleted.
ACCOUNTS = "hookfill:accounts"

#: hash, id → name of the account. For ever.
ACCOUNT_IDS = "hookfill:account_ids"

#: hash, name → connector record. For ever.
CONNECTORS = "hookfill:connectors"

#: hash, `<dialect>:<key>` → API client record. For ever.
CLIENTS = "hookfill:clients"

#: hash, name → channel record. For ever; channels are disabled, not deleted.
CHANNELS = "hookfill:channels"

#: hash, `<kind>:<channel>` → how far its messages of a kind are, `:<channel>` → how it goes with
#: all of them. For ever.
DELIVERIES = "hookfill:deliveries"

#: string, counter. Changes to accounts and credentials. For ever.
REGISTRY = "hookfill:registry"

#: hash, caller of the demo → its secret, sealed. For ever.
DEMO_SECRETS = "hookfill:demo_secrets"

#: string. How a test has moved the business clock: `offset:<ms>` or `frozen:<ms>`. Until removed.
CLOCK = "hookfill:clock"

#: string. Server time right after somebody has set the clock of the store's host, as it was then.
#: Overwritten by the next time.
CLOCK_STEP = "hookfill:clock_step"

#: hash, account → `<set at>:<cancels at>:<origin>` of its kill switch, business ms. Until it is
#: switched off, or has done its work.
KILL_SWITCHES = "hookfill:kill_switches"

#: string. When a canary last came through the queue, server time in ms. Overwritten by the next.
CANARY = "hookfill:canary"

#: hash, what is done again and again → server ms at which it was done last. Overwritten by the next
#: time; `<kind>:<whose>` until nobody waits for it.
ROUNDS = "hookfill:rounds"

#: string, followed by the id of an order: the run in which its venue has said just now that it has
#: no such order. Expires within seconds.
ABSENT = "hookfill:absent:"

#: list, newest first: refused requests as JSON, without secrets. For ever, the newest 1,000.
REFUSALS = "hookfill:refusals"

#: hash, id of a record that cannot be read → `<server ms>|<account>|<why>`. Until it can be, or is
#: gone.
QUARANTINE = "hookfill:quarantine"

#: string. Identity of the history that has what the `kept` sets name. Overwritten by the next one.
HISTORY = "hookfill:history"

#: hash, followed by its name: `token`, `until` (server ms) and `lease_ms` of a lease. Expires when
#: nobody has wanted it for a day.
LOCK = "hookfill:lock:"

#: string, followed by a number: a countdown message for this 50 ms slot was sent. Expires with it.
SLOT = "hookfill:slot:"

#: string, followed by a digest: `<hash of a body>:<end of its time, business ms>`. Expires well
#: after that. Idempotency keys are bound to their bodies in the same way, and the
#: sessions of the dashboard that were ended to `0`.
SIGNATURE = "hookfill:signature:"

#: string, followed by a digest: the answer to a request, as text; empty while it is carried out.
#: Expires.
FIRST_ANSWER = "hookfill:first_answer:"

# Each server has these of its own, whichever shards are there; all else above is on the first one.

#: sorted set, run of the server → server ms at which it was last seen. For ever, the newest 1,000;
#: `first` is before all of them.
RUNS = "hookfill:runs"

#: hash. `name` of the present run, `begun` (server ms) and `mark`, the last id that was handed out
#: before it began. Overwritten by the next run.
RUN = "hookfill:run"

#: hash, run of the server → the last id that was handed out in it. As long as the run is in `RUNS`.
RUN_ENDS = "hookfill:run_ends"

#: string, counter. What the store counts together with the history. For ever.
EPOCH = "hookfill:epoch"

#: Fixed at the first start; ids are made so that their remainder by it names their shard.
SHARD_COUNT: Final = 16


class Shard:
    """The keys of one shard."""

    def __init__(self, number: int) -> None:
        tag = self.tag = f"{{s{number:02d}}}"

        #: sorted set. Aggregates by time of creation. Until the history has them as they are.
        self.everything = f"{tag}:all"

        #: sorted set. What the history shall get, from which server time on. Until it has it.
        self.finished = f"{tag}:finished"

        #: sorted set. What the history has as it is, since which server time. Until it leaves.
        self.kept = f"{tag}:kept"

        #: stream. Timeline entries of the whole shard. The newest 10,000 or so.
        self.events = f"{tag}:events"

        #: stream. Fills of spot orders, as they became known. The newest 10,000 or so.
        self.trades = f"{tag}:trades"

        #: sorted set. Effects owed, by the server time at which they are sent again. Until done.
        self.outbox = f"{tag}:outbox"

        #: sorted set. Aggregates that wait, by business time. Until released or canceled.
        self.timers = f"{tag}:timers"

        #: set. Orders that are PENDING_NEW or PLACING. Until answered.
        self.placing = f"{tag}:placing"

        #: set. Orders that are UNKNOWN. Until resolved.
        self.unknown = f"{tag}:unknown"

        #: set. What has an exit that does not get through and goes on. Until it does, or ends.
        self.failing_exits = f"{tag}:failing_exits"

        #: set. What has a stop here alone though its venue was to hold one. Until it does, or ends.
        self.only_here = f"{tag}:only_here"

        #: string. The change to accounts and credentials that commits here know of: `REGISTRY`, or
        #: less of it. For ever.
        self.registry = f"{tag}:registry"

        #: set, `<kind>:<channel>`: whose notices wait. Until all of them are told.
        self.told_to = f"{tag}:told_to"

        #: sorted set, followed by `<kind>:<channel>`: notices that are to be told there, by
        #: business time. Until they are.
        self.notices = f"{tag}:notices:"

        #: hash, what ails → server ms since when people were told so. Until it is over.
        self.alarms = f"{tag}:alarms"

        #: hash, followed by its id: what a worker shall do while somebody waits, and its answer.
        #: Expires in a minute.
        self.worker_request = f"{tag}:worker_request:"


#: All of them, by number.
SHARDS: Final = tuple(map(Shard, range(SHARD_COUNT)))


def shard_of(owner: AccountId | AggregateId) -> Shard:
    """Return the shard that an account's things, or an aggregate's, live in."""
    return SHARDS[owner % SHARD_COUNT]


def by_shard(ids: Iterable[AggregateId]) -> Mapping[Shard, Sequence[AggregateId]]:
    """Return these by the shard that they live in, in the order they have there."""
    shards: dict[Shard, list[AggregateId]] = defaultdict(list)
    for one in ids:
        shards[shard_of(one)].append(one)
    return shards


class AggregateKeys:
    """The keys of one aggregate."""

    def __init__(self, aggregate_id: AggregateId) -> None:
        tag = shard_of(aggregate_id).tag

        #: hash. `version` and `body`; `parent` is whose child it is; `repeats` counts requests that
        #: were the same. Until it leaves for the history: until the business time `until` a request
        #: may repeat it, so it stays that long.
        self.record = f"{tag}:aggregate:{aggregate_id}"

        #: list. What has happened to it, oldest first; of more than 1,000 entries the first 20 and
        #: the newest. As long as the aggregate.
        self.timeline = f"{tag}:timeline:{aggregate_id}"

        #: set. What it has brought forth. As long as the aggregate.
        self.children = f"{tag}:children:{aggregate_id}"

        #: hash, id of a child → its version, for news not read yet. Until read.
        self.inbox = f"{tag}:inbox:{aggregate_id}"


class AccountKeys:
    """The keys of one account."""

    def __init__(self, account: AccountId) -> None:
        tag = shard_of(account).tag

        #: set. Its live aggregates. Until they end.
        self.live = f"{tag}:live:{account}"

        #: set. Its smart orders that stand alone and wait. Until they do not.
        self.waiting = f"{tag}:waiting:{account}"

        #: set. Its orders at the venue, but for those below. Until closed.
        self.open_orders = f"{tag}:open:{account}"

        #: set. Its stops that rest at the venue. Until they begin to fill, or are closed.
        self.stops = f"{tag}:stops:{account}"

        #: string. RUN, REDUCE_ONLY, HALT or FROZEN. For ever; missing counts as HALT.
        self.state = f"{tag}:state:{account}"

        #: hash, symbol → the run in which all orders at the venue were known. For ever, for each
        #: symbol that was traded.
        #: `until <server ms> <run>` where since that run only those were asked about that are
        #: older.
        self.vouched = f"{tag}:vouched:{account}"

        #: hash. `before`, the state of the account before it was frozen, and `record`, why it was.
        #: Until it is released.
        self.frozen = f"{tag}:frozen:{account}"

        #: set. Client order ids at the venue that nobody here has to know: somebody has seen them
        #: in a list when the account was released. For ever.
        self.accepted = f"{tag}:accepted:{account}"

        #: hash, followed by an origin: its live top-level aggregates → caller id. Until they end.
        self.origin = f"{tag}:origin:"

        #: hash, followed by an origin: caller id in use → id of the holder. Until its order
        #: closes.
        self.callers = f"{tag}:callers:"

        #: hash, followed by an origin: caller id → `<id>` of its newest smart order with it, or
        #: `<id> free` where another one may use it again. Until that leaves for the history.
        self.smart_callers = f"{tag}:smart_callers:{account}:"

        #: string, followed by a digest: `<id>:<end of the window, business time>`. Expires well
        #: after the window.
        self.dedupe = f"{tag}:dedupe:"

        #: string, counter, followed by a caller: its requests in its current minute. Expires with
        #: the minute.
        self.rate = f"{tag}:rate:"

        #: sorted set, followed by a symbol: what waits for its turn, by due time, then arrival.
        #: Until it has had it.
        self.lane = f"{tag}:lane:{account}:"

        #: set, followed by a symbol: orders of a lane whose effect on the position is not known
        #: yet. Until it is.
        self.flight = f"{tag}:flight:{account}:"

        #: string, counter, followed by a symbol: changes to what is in flight in a lane. For ever,
        #: for each symbol that was traded.
        self.flight_changes = f"{tag}:flight_changes:{account}:"

        #: string, counter, followed by a symbol: those of them that are of orders that had a turn.
        #: For ever, likewise.
        self.turn_changes = f"{tag}:turn_changes:{account}:"

        #: string. The change to accounts by which its limits are as they are. For ever.
        self.limits_since = f"{tag}:limits_since:{account}"

        #: string, counter: claims of its orders since it has limits, but for exits. For ever.
        self.claims = f"{tag}:claims:{account}"

        #: sorted set: `<order> <symbol>` of entries that were sent, by the business time of
        #: the newest claim. As long as its limits look back.
        self.sent = f"{tag}:sent:{account}"

        #: sorted set: orders, by the business time at which they have filled more, where the
        #: account ever had limits. As long as an exchange may not show it yet: ten seconds.
        self.filled = f"{tag}:filled:{account}"

        #: hash: `body`, what its orders have gained or lost today (app/domain/results.py), and
        #: `seen`, the mark of the last trade in it. As long as a limit asks.
        self.results = f"{tag}:results:{account}"

        #: stream: what its orders have traded, while `results` is there. Until it is in them.
        self.traded = f"{tag}:traded:{account}"

        #: hash: what guards a position → `<symbol>:<leg>` of it. Until it ends.
        self.protectors = f"{tag}:guards:{account}"


_account_keys = cache(AccountKeys)


def account(account_id: AccountId) -> AccountKeys:
    """Return the keys of an account, made once: accounts are few, and never go."""
    return _account_keys(account_id)


def budget(caller: str, purpose: str) -> str:
    """String, counter: requests of one caller in its current window. Expires with the window."""
    return f"hookfill:budget:{{{caller}}}:{purpose}"


def books(venue: VenueName) -> str:
    """Sorted set: symbols with trigger books, by when one was last armed. Until all is quiet."""
    return f"hookfill:books:{{{venue}}}"


#: string, after `books`: number of the newest tick that they have begun with. For ever.
BOOKS_TICK = ":tick"

#: string, after `books`: `<number>|<business time>` of that tick. For ever.
BOOKS_TICK_TIME = ":tick_time"


def book(venue: VenueName, symbol: Symbol) -> str:
    """What the keys of the trigger books of one symbol begin with, all under one tag. No key.

    `meta` is a hash: `tick` (number of the last one evaluated), `places` (of a price in book
    units), `names` (counter), `quiet:<source>` (book_quiet.lua) and `met:<source>` (the tick that
    the triggers have met). Until all is quiet. Then for each source `<source>:rising` and
    `:falling`, sorted sets of triggers by level; `:on_rising` and `:on_falling`, those that wait
    for their activation; `:staged` and `:blank`, those that wait for a tick; `:held`, a hash that
    tells where those are that are in none of the first two; and the keys of book_trails.lua. Each
    until it is empty. At last `FIRED`.
    """
    return f"{{{venue}:{symbol}}}"


#: hash, after `book`: trigger → `<tick>|<price>` of what has fired; of what trailed it is
#: `<tick>|<price>|<extreme>|<places>`, the extreme in book units. Until its owner knows.
FIRED = ":fired"
