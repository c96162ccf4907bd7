"""Every key of the paper venue: its name, type, meaning and lifetime.

What belongs to an account carries the tag of its shard; prices, ticks and the books of resting
orders carry `{paper}`, since one price moves the orders of every account.
"""

from app.domain.enums import Market, Side
from app.domain.identifiers import AccountId, Symbol
from app.paper.domain.fault import FaultyCall
from app.paper.domain.order import Queue
from app.store.core.keys import Shard, shard_of

#: string, counter. The last number given to an arriving order. For ever.
SEQUENCE = "{paper}:sequence"

#: string, counter. The number of the newest tick. For ever.
TICK = "{paper}:tick"

#: string, counter. Changes that people have made under `/paper`. For ever.
CHANGES = "{paper}:changes"

#: sorted set. Tick records by number. Until evaluated.
TICKS = "{paper}:ticks"

#: hash, symbol → quote record, or `null` where no price is known. Until the walk starts again.
PRICES = "{paper}:prices"

#: hash, symbol → business time at which its price was set. Until the walk starts again.
SET_AT = "{paper}:set_at"

#: hash, symbol → quote record last seen of the walk or the live tickers. Until a price is set.
OBSERVED = "{paper}:observed"

#: set. `<symbol>|<market>|<side>`, of stops `<symbol>|<market>|<source>|<direction>`, of each book
#: that holds something. Until the book is empty.
BOOKS = "{paper}:books"

#: hash, `<symbol>|<market>` → instrument record. For ever.
INSTRUMENTS = "{paper}:instruments"


def book(symbol: Symbol, market: Market, queue: Queue) -> str:
    """Sorted set: resting orders `<number>|<account>|<client order id>` by price. Until closed.

    The price is the limit, or the level of a stop.
    """
    return f"{{paper}}:book:{book_name(symbol, market, queue)}"


def book_name(symbol: Symbol, market: Market, queue: Queue) -> str:
    """Return the name of a book in the set of books."""
    what = queue if isinstance(queue, Side) else "|".join(queue)
    return f"{symbol}|{market}|{what}"


def account(account_id: AccountId) -> str:
    """Hash: `version` and `body` of one account. For ever.

    `left` and `left_number` are the greatest client order id of an order, and number of a row, that
    have left for the history; `since` is the number of the newest arrival before the last reset.
    """
    return _key("account", account_id)


def orders(account_id: AccountId) -> str:
    """Hash: client order id → record. Until it leaves for the history, after its order of ours."""
    return _key("orders", account_id)


def repeats(account_id: AccountId) -> str:
    """List: records of refused repeats, oldest first. Until they leave for the history."""
    return _key("repeats", account_id)


def news(account_id: AccountId) -> str:
    """Hash: client order id → version of the commit that changed it unasked. Until read."""
    return _key("news", account_id)


def accounts_with_news(shard: Shard) -> str:
    """Set: ids of accounts with unread news. Until read."""
    return f"{shard.tag}:paper:news"


def faults(account_id: AccountId, call: FaultyCall) -> str:
    """List: the words that the next calls meet. Until used up or cleared."""
    return _key(f"faults_{call}", account_id)


def fault_delay(account_id: AccountId) -> str:
    """String: milliseconds before every answer. Until cleared."""
    return _key("fault_delay", account_id)


def _key(what: str, account_id: AccountId) -> str:
    return f"{shard_of(account_id).tag}:paper:{what}:{account_id}"
