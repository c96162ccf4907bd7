"""Stops that an exchange keeps apart from orders: how they are asked for, listed and taken off."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.domain.identifiers import Symbol
from app.domain.order import Order
from app.exchanges import smart_orders, stops
from app.exchanges.exchange import Exchange
from app.exchanges.profiles import LookUp
from app.exchanges.templates import Json


class _Manner(Protocol):
    """How one exchange does it. What a stop has become is told under the ids of the stop."""

    def found_stop(
        self,
        api: Json,
        exchange: Exchange,
        symbol: Symbol,
        *,
        client_id: str = "",
        venue_id: str = "",
    ) -> Json:
        """Return ccxt's order for the stop with one of these ids."""

    def take_off(
        self,
        api: Json,
        exchange: Exchange,
        symbol: Symbol,
        *,
        client_id: str = "",
        venue_id: str = "",
    ) -> None:
        """Cancel a stop, or what an order that was made of it has left."""

    def waiting_stops(
        self, api: Json, exchange: Exchange, symbols: Sequence[Symbol]
    ) -> Sequence[Json]:
        """Return the stops of these symbols that wait."""

    def with_open(self, api: Json, exchange: Exchange, orders: Sequence[Json]) -> Sequence[Json]:
        """Return the open orders of all symbols with the stops that wait, each of them once."""


_MANNERS: Mapping[LookUp, _Manner] = {
    LookUp.ORIGINAL_ID: stops,
    LookUp.POLONIEX: smart_orders,
}


def are_apart(exchange: Exchange) -> bool:
    """Tell whether the exchange keeps the stops of the account's market apart from orders."""
    return exchange.account.market in exchange.profile.stops_apart


def is_apart(order: Order, exchange: Exchange) -> bool:
    """Tell whether an order of ours is one of these stops."""
    return order.condition is not None and are_apart(exchange)


def manner_of(exchange: Exchange) -> _Manner:
    """Return how an exchange keeps its stops, which are apart."""
    return _MANNERS[exchange.profile.look_up]
