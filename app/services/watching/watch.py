"""Prices meet the trigger book."""

from collections.abc import Sequence
from contextlib import suppress

from app import metrics
from app.domain.errors import NotFound
from app.domain.events import TriggerFired
from app.domain.identifiers import VenueName
from app.domain.market import Tick
from app.domain.moments import age_ms
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.trade import SmartTrade
from app.domain.trigger import Firing
from app.ports import Ports
from app.ports.venue import Feed
from app.services.advance import advance
from app.services.apart import apart
from app.services.exclusive import exclusive
from app.services.following.follow import follow_news
from app.services.following.news import read_news

#: Longer than one tick takes to evaluate; a worker that dies meanwhile blocks the poll this long.
LEASE_MS = 5_000

#: Firings handed on in one go: whose orders the same task then places, before it goes on. So who
#: comes first at a tick has the funds first, however many fire.
HANDED_ON_MAX = 30

#: Ids that one firing of a smart order may use up.
IDS_PER_FIRING = 2


def watch_prices(venue: VenueName, ports: Ports) -> bool:
    """Evaluate the oldest tick of a venue that was not evaluated yet, if nobody else does.

    Stopped halfway, the tick is evaluated again: resting orders that met it are gone from the book,
    and what has fired stands in the fired list until its owner knows.

    Returns:
        Whether there may be more to do: a tick was evaluated, or firings are left to hand on.
    """
    feed = ports.venues.feed(venue)
    with exclusive(ports.locks, f"prices:{venue}", LEASE_MS) as is_ours:
        return is_ours and _watch(venue, feed, ports)


def _watch(venue: VenueName, feed: Feed, ports: Ports) -> bool:
    if hand_on(venue, ports.book.fired(venue), ports):
        return True
    symbols = {*ports.book.symbols(venue), *feed.symbols()}
    tick = feed.next_tick(symbols)
    if tick is None:
        return False
    fresh = _fresh(venue, tick, ports)
    if tick.quotes and not fresh.quotes:
        return False
    evaluate(venue, fresh, feed, ports)
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


def evaluate(venue: VenueName, tick: Tick, feed: Feed, ports: Ports) -> None:
    """Let resting orders meet the tick, then the triggers; hand on in order of owner id."""
    ports.book.begin(venue, tick)
    feed.match(tick)
    follow_news(ports)
    hand_on(venue, ports.book.fire(venue, tick), ports)
    feed.done(tick)


def hand_on(venue: VenueName, firings: Sequence[Firing], ports: Ports) -> bool:
    """Tell owners what has fired, one after the other, and take it off the list.

    Twice, or at once in two processes: the owner ignores what it knows.

    Returns:
        Whether some are left in the list for the next call.
    """
    told = 0
    for firing in firings:
        if told == HANDED_ON_MAX:
            return True
        # What goes wrong with one stays listed for those who can do better, and holds up nobody.
        with apart("firings", firing.owner):
            with suppress(NotFound):  # nobody waits for it any more
                _tell(firing, ports)
            ports.book.done(venue, firing)
            told += 1
    return False


def _tell(firing: Firing, ports: Ports) -> None:
    aggregate = ports.ledger.load(firing.owner).aggregate
    if isinstance(aggregate, SmartTrade):
        read_news(aggregate.id, ports)  # the fills of this tick come first
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
    advance(firing.owner, event, ports)
