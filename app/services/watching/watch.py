"""Prices meet the trigger book."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from app import metrics
from app.domain.errors import NotFound
from app.domain.events import TriggerFired
from app.domain.identifiers import AggregateId, VenueName
from app.domain.market import Tick
from app.domain.moments import age_ms
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.trade import SmartTrade
from app.domain.trigger import Firing
from app.ports import Ports
from app.ports.ledger import Stored
from app.ports.venue import Feed
from app.services.advance import advance_from
from app.services.apart import apart
from app.services.exclusive import exclusive
from app.services.following.follow import follow_news
from app.services.following.news import read_news

#: Longer than one tick takes to evaluate; a worker that dies meanwhile blocks the poll this long.
LEASE_MS = 5_000

#: Firings handed on in one go: whose orders the same task then places, before it goes on. So who
#: comes first at a tick has the funds first, however many fire.
HANDED_ON_MAX = 30

#: Firings tried in one go, where some go wrong: a lock is held meanwhile.
TRIED_MAX = 2 * HANDED_ON_MAX

#: Ids that one firing of a smart order may use up.
IDS_PER_FIRING = 2


def watch_prices(venue: VenueName, ports: Ports, left: deque[Firing] | None = None) -> bool:
    """Evaluate the oldest tick of a venue that was not evaluated yet, if nobody else does.

    Stopped halfway, the tick is evaluated again: resting orders that met it are gone from the book,
    and what has fired stands in the fired list until its owner knows.

    Args:
        venue: whose prices.
        ports: as everywhere.
        left: what has fired and this caller is yet to hand on. The next call gets it again, so that
            a long list is not read for each of its parts.

    Returns:
        Whether there may be more to do: a tick was evaluated, or firings are left to hand on.
    """
    feed = ports.venues.feed(venue)
    left = deque() if left is None else left
    with exclusive(ports.locks, f"prices:{venue}", LEASE_MS) as hold:
        return hold.is_ours and _watch(venue, feed, left, ports)


def _watch(venue: VenueName, feed: Feed, left: deque[Firing], ports: Ports) -> bool:
    if not left:
        left.extend(ports.book.fired(venue))
    if hand_on(venue, left, ports):
        return True
    symbols = {*ports.book.symbols(venue), *feed.symbols()}
    tick = feed.next_tick(symbols)
    if tick is None:
        return False
    fresh = _fresh(venue, tick, ports)
    if tick.quotes and not fresh.quotes:
        return False
    evaluate(venue, fresh, feed, left, ports)
    return True


def _fresh(venue: VenueName, tick: Tick, ports: Ports) -> Tick:
    """Return the tick without prices that are too old to act on, and count how old they all are.

    A process may have slept on the way from its question to here, and a venue may tell what it had
    long ago. A stop that fires at such a price closes a position for nothing.
    """
    now_ms = ports.clock.server_ms()
    fresh = tick.seen_within(ports.policy.price_age_max_ms, now_ms)
    for seen_ms in tick.seen_at_ms.values():
        metrics.PRICE_AGE_SECONDS.labels(feed=venue).observe(age_ms(seen_ms, now_ms) / 1000)
    stale = len(tick.quotes) - len(fresh.quotes)
    if stale:
        metrics.STALE_PRICES.labels(feed=venue).inc(stale)
    return fresh


def evaluate(venue: VenueName, tick: Tick, feed: Feed, left: deque[Firing], ports: Ports) -> None:
    """Let resting orders meet the tick, then the triggers; hand on in order of owner id."""
    ports.book.begin(venue, tick)
    feed.match(tick)
    follow_news(ports)
    left.extend(ports.book.fire(venue, tick))
    hand_on(venue, left, ports)
    feed.done(tick)


def hand_on(venue: VenueName, left: deque[Firing], ports: Ports) -> bool:
    """Tell owners what has fired, one after the other, and take it off the list.

    Twice, or at once in two processes: the owner ignores what it knows. What goes wrong with one
    stays listed for those who can do better, and holds up nobody.

    Returns:
        Whether some are left for the next call.
    """
    told: list[Firing] = []
    tried = 0
    try:
        while left and len(told) < HANDED_ON_MAX and tried < TRIED_MAX:
            size = min(len(left), HANDED_ON_MAX - len(told))
            tried += size
            _tell_all([left.popleft() for _ in range(size)], told, ports)
    finally:
        if told:
            ports.book.done(venue, told)
    return bool(left)


def _tell_all(group: Sequence[Firing], told: list[Firing], ports: Ports) -> None:
    """Tell owners what has fired, and add to `told` what they know since."""
    owners = dict.fromkeys(one.owner for one in group)
    known: dict[AggregateId, Stored] = {}
    with apart("firings", group[0].owner):  # each is loaded for itself then
        known |= {one.aggregate.id: one for one in ports.ledger.load_all(owners)}
    for firing in group:
        with apart("firings", firing.owner):
            with suppress(NotFound):  # nobody waits for it any more
                _tell(firing, known.pop(firing.owner, None), ports)
            told.append(firing)


def _tell(firing: Firing, known: Stored | None, ports: Ports) -> None:
    stored = known or ports.ledger.load(firing.owner)
    aggregate = stored.aggregate
    if isinstance(aggregate, SmartTrade):
        stored = read_news(aggregate.id, ports)  # the fills of this tick come first
        ids = IDS_PER_EVENT
    elif isinstance(aggregate, SmartOrder):
        ids = IDS_PER_FIRING
    else:
        return
    event = TriggerFired(
        at_ms=ports.clock.now_ms(),
        tick=firing.tick,
        prices=firing.prices,
        new_ids=ports.ids.fresh(aggregate.account, ids),
        extremes=firing.extremes,
        tick_at_ms=firing.at_ms,
    )
    advance_from(stored, event, ports)
