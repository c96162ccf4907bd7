"""What an account may trade at a real exchange, and how."""

from collections.abc import Collection, Sequence

from app.domain.account import Account
from app.domain.enums import OrderType, PositionMode
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.exchanges.exchange import Exchange
from app.exchanges.known_markets import KnownMarkets
from app.ports.exchange import VenueMemory


class CcxtTradingRules:
    """The conditions of one account. What is read comes from what workers have learned before.

    Args:
        account: whose they are.
        exchange: asks the exchange to change them; used by workers only.
        memory: what workers have learned.
        markets: what is traded.
    """

    def __init__(
        self, account: Account, exchange: Exchange, memory: VenueMemory, markets: KnownMarkets
    ) -> None:
        self._account = account
        self._exchange = exchange
        self._memory = memory
        self._markets = markets

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""
        return self._markets.instruments(self._account.hosts, self._account.market)

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""
        return self._exchange.capabilities.order_types

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage that was set from here last; 1 where none was."""
        return self._memory.leverage(self._account.id, symbol) or 1

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on. Twice is once."""
        self._exchange.set_leverage(symbol, leverage)

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position. Twice is once."""
        self._exchange.set_position_mode(mode)
