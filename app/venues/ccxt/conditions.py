"""What an account may trade at a real exchange, and how."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from app.domain.account import Account
from app.domain.errors import NotFound, OutcomeUnknown, VenueUnavailable
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.domain.words import OrderType, PositionMode
from app.venue_ports import Urgency
from app.venues.ccxt import reading
from app.venues.ccxt.exchange import Exchange
from app.venues.ccxt.ports import VenuePorts


class CcxtConditions:
    """The conditions of one account. What is read comes from what workers have learned before.

    Args:
        account: whose they are.
        exchange: asks the exchange to change them; used by workers only.
        ports: what the venue is built from.
    """

    def __init__(self, account: Account, exchange: Exchange, ports: VenuePorts) -> None:
        self._account = account
        self._exchange = exchange
        self._ports = ports

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""
        market = self._account.market
        kept = self._ports.memory.markets(self._account.venue, str(market))
        found = []
        for row in [] if kept is None else json.loads(kept.text):
            if reading.market_of(row) is market and row.get("active") is not False:
                symbol = Symbol(str(row["symbol"]).partition(":")[0])
                instrument = reading.instrument_of(symbol, market, row)
                if instrument is not None:
                    found.append(instrument)
        return sorted(found, key=lambda one: one.symbol)

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""
        return frozenset(OrderType)

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage that was set from here last; 1 where none was."""
        return self._ports.memory.leverage(self._account.id, symbol) or 1

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on. Twice is once."""
        unified = self._exchange.unified(symbol)
        self._change(lambda api: api.set_leverage(leverage, unified))
        self._ports.memory.keep_leverage(self._account.id, symbol, leverage)

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position. Twice is once."""
        hedged = mode is PositionMode.HEDGE
        self._change(lambda api: api.set_position_mode(hedged))

    def _change(self, change: Callable[[Any], object]) -> None:
        try:
            with (
                self._exchange.unchanged_is_fine(),
                self._exchange.changing(Urgency.ORDER) as api,
            ):
                change(api)
        except (OutcomeUnknown, NotFound) as error:
            # It may be asked for again: twice is once.
            raise VenueUnavailable(str(error)) from error
