"""The keys of what workers share about real exchanges: name, type, meaning and lifetime.

They belong to no account, so they carry no shard's tag; each script touches one of them.
"""

from app.domain.identifiers import AccountId, Symbol, VenueName

#: hash, account id → outcome of its last reconciliation as JSON. Until the next one.
RECONCILIATIONS = "hookfill:reconciliations"

#: hash, account id → why its last reconciliation that failed did so, as JSON. Until the next such.
FAILED_RECONCILIATIONS = "hookfill:failed_reconciliations"

#: hash, `<account>:<client order id>` → fill of an order that nobody here knows, as JSON. Until a
#: person has acknowledged it.
ORPHANED_FILLS = "hookfill:orphaned_fills"

#: hash, `<account>:<symbol>:<venue order id>` → cancel of an order that nobody here follows, as
#: JSON. Until a day after its outcome, when the next one begins.
VENUE_CANCELS = "hookfill:venue_cancels"


def markets(venue: VenueName, scope: str) -> str:
    """Hash: what is traded. Expires after three hours.

    Field `text` is the metadata as JSON, compressed, `version` differs with each that is kept, and
    `doubted` is the version by which an order was refused last.
    """
    return f"hookfill:venue:{venue}:rules:{scope}"


def listed(venue: VenueName, scope: str) -> str:
    """Hash: what is known of lists of what is traded. For ever.

    Field `count` is how many symbols the last whole list had, `short_since` the server times of
    the first and the last in a row of lists that had far fewer, and `absent:<symbol>` server time
    and version of the first list in a row that lacks a symbol in which something waits, and when
    somebody has looked last.
    """
    return f"hookfill:venue:{venue}:listed:{scope}"


def leverage(account: AccountId) -> str:
    """Hash: symbol → leverage that was set from here last. For ever."""
    return f"hookfill:leverage:{account}"


def leverage_just_set(trader: str, symbol: Symbol) -> str:
    """String: the leverage that was set just now. Expires after half a minute."""
    return f"hookfill:leverage_just_set:{trader}:{symbol}"


#: sorted set, account id → server time at which somebody wanted to see what it has. Until seen.
WANTED_VIEWS = "hookfill:wanted_views"


def view(account: AccountId) -> str:
    """String: what an account had when a worker looked last, as JSON. Expires after minutes."""
    return f"hookfill:view:{account}"


def moved(account: AccountId) -> str:
    """String: which move of its orders was the last, by a name of its own. Expires after that."""
    return f"hookfill:moved:{account}"


def quote(feed: VenueName, symbol: Symbol) -> str:
    """String: prices that a worker has seen, as JSON. Expires after ten seconds."""
    return f"hookfill:quote:{feed}:{symbol}"


def shown(feed: VenueName, look: str) -> str:
    """String: what a worker has seen that everybody may see, as JSON. Expires after seconds."""
    return f"hookfill:shown:{feed}:{look}"


def tick(feed: VenueName) -> str:
    """String: number of the newest tick of a real exchange. For ever."""
    return f"hookfill:tick:{feed}"


def clock_offset(venue: VenueName) -> str:
    """String: `<ms that the venue's clock is ahead>:<measured at>`. Expires after a minute."""
    return f"hookfill:venue:{venue}:clock"


def currencies(venue: VenueName) -> str:
    """Hash: code of a currency → its name there. Expires after a week."""
    return f"hookfill:venue:{venue}:currencies"


def spellings(venue: VenueName) -> str:
    """Hash: spelling in upper case → symbol. Until somebody takes it away."""
    return f"hookfill:venue:{venue}:spellings"


def budget(pool: str) -> str:
    """Hash: `tokens`, `at` and `frozen` (server ms), `frozen_ms`. Expires a while after its use."""
    return f"hookfill:budget:{pool}"


def key(account: AccountId) -> str:
    """Hash: `keys`, and for each scope what is known; see key_try.lua.

    Expires a day after its last try.
    """
    return f"hookfill:key:{account}"


def failures(pool: str) -> str:
    """String, counter: requests in a row without an answer. Expires when none fails for long."""
    return f"hookfill:failures:{pool}"
