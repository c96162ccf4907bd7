"""The paper venue among all venues: what is traded there, and what may be expected of it."""

from collections.abc import Collection, Sequence
from typing import Final

from app.domain.account import PAPER, Account
from app.domain.enums import Market, OrderType, PositionMode
from app.domain.errors import Conflict, MalformedPayload, VenueRejected, VenueUnavailable
from app.domain.identifiers import Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.symbols import Listed
from app.domain.venue_traits import AdapterClass, VenueTraits
from app.paper.admin.account_update import AccountSetting
from app.paper.admin.administration import PaperAdministration
from app.paper.domain.order import HOLDS
from app.paper.feed import PaperFeed
from app.paper.paper_venue import PaperVenue
from app.paper.ports import PaperPorts

TRAITS: Final = VenueTraits(
    name=PAPER, adapter=AdapterClass.FULL, markets=tuple(Market), holds=HOLDS
)


class PaperTradingRules:
    """The conditions of one account.

    Args:
        account: whose they are.
        ports: what the venue is built from.
    """

    def __init__(self, account: Account, ports: PaperPorts) -> None:
        self._account = account
        self._ports = ports

    def instruments(self) -> Sequence[Instrument]:
        """Return what is traded in the account's market, by symbol."""
        everything = self._ports.instruments.all()
        return [one for one in everything if one.market is self._account.market]

    def order_types(self) -> Collection[OrderType]:
        """Return all types: the venue has no others to leave out."""
        return frozenset(OrderType)

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage with which a symbol is traded; 1 where nothing else was said."""
        known = self._ports.ledger.load(self._account.id).account
        return 1 if known is None else known.leverage_of(symbol)

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on."""
        self._set(AccountSetting(leverage={symbol: leverage}))

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position; refused while orders rest."""
        self._set(AccountSetting(position_mode=mode))

    def _set(self, setting: AccountSetting) -> None:
        try:
            PaperAdministration(self._ports).set_account(self._account, setting)
        except MalformedPayload as error:
            what = (f"{field} {why}" for field, all_of in error.fields.items() for why in all_of)
            raise VenueRejected("; ".join(what)) from error
        except Conflict as error:
            raise VenueUnavailable(str(error)) from error


class PaperVenues:
    """The one venue at which play money trades against our own book.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self._ports = ports

    def of(self, account: Account) -> PaperVenue:
        """Return the venue as this account sees it."""
        return PaperVenue(account, self._ports)

    def trading_rules(self, account: Account) -> PaperTradingRules:
        """Return what an account may trade, and how."""
        return PaperTradingRules(account, self._ports)

    def feed(self, name: VenueName) -> PaperFeed:
        """Return the prices."""
        del name
        return PaperFeed(self._ports)

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded."""
        del venue
        return [Listed(one.symbol, one.market) for one in self._ports.instruments.all()]
