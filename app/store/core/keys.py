"""Every key in the store: its name, type, meaning and lifetime.

What belongs to an account carries the tag of its shard, `{s00}` to `{s15}`, so that one commit
touches one slot. An id's remainder by the number of shards is the shard of its account, which is
how a record is found by its id alone.
"""

from typing import Final

from app.domain.enums import PositionSide
from app.domain.identifiers import AccountId, AggregateId, Symbol, VenueName

#: Fixed at the first start; ids are made so that their remainder by it names their shard.
SHARDS: Final = 16

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

#: hash, id of a record that cannot be read → `<server ms>|<account>|<why>`. Until it can be, or is
#: gone.
QUARANTINE = "hookfill:quarantine"

#: string. Identity of the history that has what the `kept` sets name. Overwritten by the next one.
HISTORY = "hookfill:history"


def shard_of_account(account: AccountId) -> int:
    """Return the shard that an account's things live in."""
    return account % SHARDS


def shard_of_id(aggregate_id: AggregateId) -> int:
    """Return the shard that an aggregate lives in."""
    return aggregate_id % SHARDS


def tag(shard: int) -> str:
    """Return the hash tag of a shard, for instance `{s03}`."""
    return f"{{s{shard:02d}}}"


def aggregate(aggregate_id: AggregateId) -> str:
    """Hash: `version` and `body` of one aggregate. Until it leaves for the history.

    `parent` is whose child it is. Until the business time `until` a request may repeat it, so that
    it stays that long.
    """
    return f"{tag(shard_of_id(aggregate_id))}:aggregate:{aggregate_id}"


def timeline(aggregate_id: AggregateId) -> str:
    """List: what has happened to one aggregate, oldest first. As long as the aggregate."""
    return f"{tag(shard_of_id(aggregate_id))}:timeline:{aggregate_id}"


def children(aggregate_id: AggregateId) -> str:
    """Set: what one aggregate has brought forth. As long as the aggregate."""
    return f"{tag(shard_of_id(aggregate_id))}:children:{aggregate_id}"


def inbox(aggregate_id: AggregateId) -> str:
    """Hash: id of a child → its version, for news not read yet. Until read."""
    return f"{tag(shard_of_id(aggregate_id))}:inbox:{aggregate_id}"


def everything(shard: int) -> str:
    """Sorted set: aggregates by time of creation. Until the history has them as they are."""
    return f"{tag(shard)}:all"


def finished(shard: int) -> str:
    """Sorted set: what the history shall get, from which server time on. Until it has it."""
    return f"{tag(shard)}:finished"


def kept(shard: int) -> str:
    """Sorted set: what the history has as it is, since which server time. Until it leaves."""
    return f"{tag(shard)}:kept"


def events(shard: int) -> str:
    """Stream: timeline entries of the whole shard. The newest 10,000 or so."""
    return f"{tag(shard)}:events"


def outbox(shard: int) -> str:
    """Sorted set: effects owed, by the server time at which they are sent again. Until done."""
    return f"{tag(shard)}:outbox"


def timers(shard: int) -> str:
    """Sorted set: aggregates that wait, by business time. Until released or canceled."""
    return f"{tag(shard)}:timers"


def placing(shard: int) -> str:
    """Set: orders that are PENDING_NEW or PLACING. Until answered."""
    return f"{tag(shard)}:placing"


def unknown(shard: int) -> str:
    """Set: orders that are UNKNOWN. Until resolved."""
    return f"{tag(shard)}:unknown"


def registry(shard: int) -> str:
    """String, counter: changes to accounts and credentials, one copy a shard. For ever."""
    return f"{tag(shard)}:registry"


def live(account: AccountId) -> str:
    """Set: live aggregates of one account. Until they end."""
    return f"{tag(shard_of_account(account))}:live:{account}"


def origin(account: AccountId, name: str) -> str:
    """Hash: live top-level aggregates of one origin → caller id. Until they end."""
    return f"{tag(shard_of_account(account))}:origin:{name}"


def callers(account: AccountId, name: str) -> str:
    """Hash: caller ids in use within one origin → id of the holder. Until its order closes."""
    return f"{tag(shard_of_account(account))}:callers:{name}"


def smart_callers(account: AccountId, name: str) -> str:
    """Hash: caller id → `<id>` of the newest smart order of an origin with it. For ever.

    `<id> free` where another one may use it again.
    """
    return f"{tag(shard_of_account(account))}:smart_callers:{account}:{name}"


def waiting(account: AccountId) -> str:
    """Set: smart orders of one account that stand alone and wait. Until they do not."""
    return f"{tag(shard_of_account(account))}:waiting:{account}"


def open_orders(account: AccountId) -> str:
    """Set: orders at the venue. Until closed."""
    return f"{tag(shard_of_account(account))}:open:{account}"


def state(account: AccountId) -> str:
    """String: RUN, REDUCE_ONLY, HALT or FROZEN. For ever; missing counts as HALT."""
    return f"{tag(shard_of_account(account))}:state:{account}"


def vouched(account: AccountId) -> str:
    """Hash: symbol → the run in which all orders at the venue were known. For ever.

    `until <server ms> <run>` where since that run only those were asked about that are older.
    """
    return f"{tag(shard_of_account(account))}:vouched:{account}"


def frozen(account: AccountId) -> str:
    """Hash: `before`, the state of an account before it was frozen, and `record`, why it was.

    Until it is released.
    """
    return f"{tag(shard_of_account(account))}:frozen:{account}"


def accepted(account: AccountId) -> str:
    """Set: client order ids at the venue that nobody here has to know. For ever.

    Somebody has seen them in a list when the account was released.
    """
    return f"{tag(shard_of_account(account))}:accepted:{account}"


def dedupe(account: AccountId, digest: str) -> str:
    """String: `<id>:<end of the window, business time>`. Expires well after the window."""
    return f"{tag(shard_of_account(account))}:dedupe:{digest}"


def rate(account: AccountId, name: str) -> str:
    """String, counter: requests of one caller in its current minute. Expires with the minute."""
    return f"{tag(shard_of_account(account))}:rate:{name}"


def lane(account: AccountId, symbol: Symbol) -> str:
    """Sorted set: what waits for its turn, by due time, then arrival. Until it has had it."""
    return f"{tag(shard_of_account(account))}:lane:{account}:{symbol}"


def flight(account: AccountId, symbol: Symbol) -> str:
    """Set: orders of a lane whose effect on the position is not known yet. Until it is."""
    return f"{tag(shard_of_account(account))}:flight:{account}:{symbol}"


def flight_changes(account: AccountId, symbol: Symbol) -> str:
    """String, counter: changes to what is in flight in a lane. For ever, one a lane."""
    return f"{tag(shard_of_account(account))}:flight_changes:{account}:{symbol}"


def turn_changes(account: AccountId, symbol: Symbol) -> str:
    """String, counter: those of them that are of orders that had a turn. For ever, one a lane."""
    return f"{tag(shard_of_account(account))}:turn_changes:{account}:{symbol}"


def protectors(account: AccountId, symbol: Symbol, leg: PositionSide) -> str:
    """Set: aggregates that guard one leg of a position. Until they end."""
    return f"{tag(shard_of_account(account))}:protect:{account}:{symbol}:{leg}"


def signature(digest: str) -> str:
    """String: `<hash of a body>:<end of its time, business ms>`. Expires well after that.

    Idempotency keys are bound to their bodies in the same way.
    """
    return f"hookfill:signature:{digest}"


def worker_request(request_id: AggregateId) -> str:
    """Hash: what a worker shall do while somebody waits, and its answer. Expires in a minute."""
    return f"{tag(shard_of_id(request_id))}:worker_request:{request_id}"


def budget(caller: str, purpose: str) -> str:
    """String, counter: requests of one caller in its current window. Expires with the window."""
    return f"hookfill:budget:{{{caller}}}:{purpose}"


def lock(name: str) -> str:
    """Hash: `token`, `until` (server ms) and `lease_ms` of a lease. For ever, one a name."""
    return f"hookfill:lock:{name}"


def slot(number: int) -> str:
    """String: a countdown message for this 50 ms slot was sent. Expires with the slot."""
    return f"hookfill:slot:{number}"


def books(venue: VenueName) -> str:
    """Sorted set: symbols with trigger books, by when one was last armed. Until all is quiet."""
    return f"hookfill:books:{{{venue}}}"


def book_tick(venue: VenueName) -> str:
    """String: number of the newest tick that the books of one venue have begun with. For ever."""
    return f"hookfill:books:{{{venue}}}:tick"


def book_tick_time(venue: VenueName) -> str:
    """String: `<number>|<business time>` of that tick. For ever."""
    return f"hookfill:books:{{{venue}}}:tick_time"


def book(venue: VenueName, symbol: Symbol) -> str:
    """What the keys of the trigger books of one symbol begin with, all under one tag. No key.

    `meta` is a hash: `tick` (number of the last one evaluated), `places` (of a price in book
    units), `names` (counter), `quiet:<source>` (book_quiet.lua) and `met:<source>` (the tick that
    the triggers have met). Until all is quiet. Then for each source `<source>:rising` and
    `:falling`, sorted sets of triggers by level; `:on_rising` and `:on_falling`, those that wait
    for their activation; `:staged` and `:blank`, those that wait for a tick; `:held`, a hash that
    tells where those are that are in none of the first two; and the keys of book_trails.lua. Each
    until it is empty. See `fired_triggers`.
    """
    return f"{{{venue}:{symbol}}}"


def fired_triggers(venue: VenueName, symbol: Symbol) -> str:
    """Hash: trigger → `<tick>|<price>` of what has fired. Until its owner knows.

    What trailed has `<tick>|<price>|<extreme>|<places>`, the extreme in book units.
    """
    return f"{book(venue, symbol)}:fired"
