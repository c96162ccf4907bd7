"""All exchanges: those of the table of profiles, and any other that ccxt knows."""

from collections.abc import Sequence

import ccxt

from app.domain.account import Account
from app.domain.enums import PositionMode
from app.domain.errors import MarketNotTraded, NotFound
from app.domain.identifiers import VenueName
from app.exchanges.profiles import PROFILES, UNKNOWN_MARKETS, Profile
from app.exchanges.suitability import HEDGE_MODE, suitability_of


def lacks_of(account: Account) -> Sequence[str]:
    """Return what an account's market needs and its exchange lacks, in words.

    Of the exchanges in the table nothing is missing in the markets that they have there, save legs.

    Raises:
        NotFound: nobody knows the venue.
        MarketNotTraded: the exchange does not have this market.
    """
    profile = profile_of(account.venue)
    if account.market in profile.one_way and account.position_mode is PositionMode.HEDGE:
        return (HEDGE_MODE,)
    if profile.market_types or account.market not in UNKNOWN_MARKETS:
        return ()
    found = suitability_of(profile.exchange_id, account.market)
    if not found.is_there:
        raise MarketNotTraded(f"{account.venue} has no {account.market}")
    return found.lacks_for(account.position_mode, account.market)


def profile_of(venue: VenueName) -> Profile:
    """Return what is known of a venue.

    An exchange that ccxt knows and this table does not is taken as one that cannot be asked by
    client order id: its unknown outcomes wait for a person.

    Raises:
        NotFound: nobody knows it.
    """
    known = PROFILES.get(venue)
    if known is not None:
        return known
    if venue in ccxt.exchanges:
        return Profile(exchange_id=venue, lists_by_symbol=True)
    raise NotFound(f"there is no venue {venue}")
