"""What waits for a pair that is gone ends, with the reason; guards stay, and say so.

A pair is gone when that is certain (`Venue.listing`): one list that lacks it, or a venue that
cannot be asked, ends nothing. Orders that are at the venue, or of which nobody knows, are followed
as ever: how they end is the venue's to say.
"""

from collections import defaultdict

from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.enums import Listing, ReasonCode
from app.domain.events import Event, PairBack, PairGone
from app.domain.identifiers import Symbol
from app.domain.order import Order
from app.domain.reason import Reason
from app.ports import Ports
from app.services.advance import advance
from app.services.apart import apart
from app.services.find_anywhere import readable


def end_delisted(account: Account, ports: Ports) -> None:
    """Look which symbols of an account are gone, and tell whatever waits for one.

    Twice, or at once in two workers: the second finds that it has ended. Stopped halfway: the next
    look tells the rest.

    Raises:
        VenueUnavailable: the venue could not be asked.
    """
    waiting: dict[Symbol, list[Aggregate]] = defaultdict(list)
    for one in readable(sorted(ports.live.of_account(account.id)), ports):
        if not isinstance(one, Order) and one.market is account.market:
            waiting[one.symbol].append(one)
    for symbol in sorted(waiting):
        event = _news(symbol, waiting[symbol], account, ports)
        if event is not None:
            _tell(waiting[symbol], event, ports)


def _news(symbol: Symbol, waiting: list[Aggregate], account: Account, ports: Ports) -> Event | None:
    """Return what there is to say about a symbol, or None if nothing is certain, or new."""
    listing = ports.venues.of(account).listing(symbol)
    now_ms = ports.clock.now_ms()
    if listing is Listing.GONE:
        message = f"{account.venue} does not trade {symbol} any more"
        return PairGone(at_ms=now_ms, reason=Reason(ReasonCode.DELISTED, message))
    if listing is Listing.TRADED and any(map(_knows, waiting)):
        return PairBack(at_ms=now_ms)
    return None


def _tell(waiting: list[Aggregate], event: Event, ports: Ports) -> None:
    for one in waiting:
        with apart("delisted", one.id):
            advance(one.id, event, ports)


def _knows(one: Aggregate) -> bool:
    return one.reason is not None and one.reason.code is ReasonCode.DELISTED
