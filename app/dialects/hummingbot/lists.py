"""The lists, all POST with filters: orders, fills, positions, funding payments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from marshmallow import Schema

from app.bootstrap import Wiring
from app.dialects.hummingbot import cursors, rows, schemas
from app.dialects.hummingbot import render as writing
from app.dialects.hummingbot.callers import Caller, Callers
from app.dialects.hummingbot.names import is_perpetual
from app.dialects.hummingbot.parse import search_from
from app.dialects.hummingbot.request_body import shape_of_request
from app.dialects.hummingbot.rows import Names
from app.dialects.hummingbot.statuses import LIVE, word_of
from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.enums import Kind
from app.domain.identifiers import AccountId
from app.domain.order import Order
from app.domain.search import Search, place_of
from app.web.answers import Answer

Shape = Mapping[str, Any]


class Lists:
    """Reads orders, fills and positions of the accounts that a caller may use."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._callers = callers

    def active(self) -> Answer:
        """Answer with the orders that are not closed, from the very moment of their 201 on."""
        return self._listed(schemas.ACTIVE, self._active)

    def search(self) -> Answer:
        """Answer with orders of all statuses, newest first."""
        return self._listed(schemas.SEARCH, self._found)

    def trades(self) -> Answer:
        """Answer with fills, newest first, each once."""
        return self._listed(schemas.TRADES, self._filled)

    def positions(self) -> Answer:
        """Answer with the positions of derivatives that are not zero."""
        return self._listed(schemas.POSITIONS, self._held)

    def funding_payments(self) -> Answer:
        """Answer with nothing: no venue here pays or takes funding."""
        return self._listed(
            schemas.FUNDING_PAYMENTS, lambda shape, _: writing.page([], shape["limit"], 0, None)
        )

    def _listed(self, schema: Schema, page: Callable[[Shape, Caller], Answer]) -> Answer:
        return self._callers.serve(lambda caller: page(shape_of_request(schema), caller))

    def _active(self, shape: Shape, caller: Caller) -> Answer:
        names = _named(shape, caller)
        search = replace(search_from(shape, Kind.ORDER, names), states=frozenset(LIVE))
        return self._live(shape, search, names, None)

    def _found(self, shape: Shape, caller: Caller) -> Answer:
        names = _named(shape, caller)
        search = search_from(shape, Kind.ORDER, names)
        if search.states is not None and search.states & LIVE:
            return self._live(shape, search, names, shape["status"])
        place, limit = cursors.order_place(shape["cursor"]), shape["limit"]
        found = list(islice(_orders(self._reader.newest(place, search)), limit + 1))
        return _orders_page(found, limit, self._reader.count(search), names)

    def _live(
        self, shape: Shape, search: Search, names: Mapping[AccountId, Names], word: str | None
    ) -> Answer:
        """Return a page of what is live, which is little enough to be looked at one by one.

        Whether a cancel is on its way is a flag beside the status, so a search cannot tell.
        """
        live = [
            one
            for one in _orders(self._reader.newest(None, search))
            if word is None or word_of(one) == word
        ]
        place, limit = cursors.order_place(shape["cursor"]), shape["limit"]
        rest = [one for one in live if place is None or place_of(one) < place]
        return _orders_page(rest[: limit + 1], limit, len(live), names)

    def _filled(self, shape: Shape, caller: Caller) -> Answer:
        names = _named(shape, caller)
        search = search_from(shape, Kind.ORDER, names)
        place, limit = cursors.fill_place(shape["cursor"]), shape["limit"]
        found = list(islice(self._reader.fills(place, search), limit + 1))
        listed = [
            rows.trade_row(order, fill, names[order.account]) for _, order, fill in found[:limit]
        ]
        cursor = cursors.cursor_of(found[limit - 1][0]) if len(found) > limit else None
        return writing.page(listed, limit, self._reader.count_fills(search), cursor)

    def _held(self, shape: Shape, caller: Caller) -> Answer:
        """Return a page of positions, by names, pair and side."""
        held = [
            row
            for group, connector, account in caller.directory.among(
                shape["account_names"], shape["connector_names"]
            )
            if is_perpetual(connector)
            for row in self._positions_of(account, (group, connector))
        ]
        held.sort(key=_position_key)
        seen, limit = cursors.parts_of(shape["cursor"]), shape["limit"]
        rest = [one for one in held if seen is None or _position_key(one) > list(seen)]
        more = len(rest) > limit
        cursor = cursors.cursor_of(_position_key(rest[limit - 1])) if more else None
        return writing.page(rest[:limit], limit, len(held), cursor)

    def _positions_of(self, account: Account, names: Names) -> Iterator[rows.Row]:
        venue = self._ports.venues.of(account)
        conditions = self._ports.venues.trading_rules(account)
        view = venue.view()
        for (symbol, side), position in view.positions.items():
            if position.size:
                yield {
                    **rows.position_row(symbol, side, position, view.position_mode, names),
                    "unrealized_pnl": rows.profit_of(side, position, venue.quote(symbol)),
                    "leverage": conditions.leverage_of(symbol),
                }


def _named(shape: Shape, caller: Caller) -> dict[AccountId, Names]:
    """Return the accounts that a filter names, with their names in this dialect."""
    among = caller.directory.among(shape["account_names"], shape["connector_names"])
    return {account.id: (group, connector) for group, connector, account in among}


def _orders(found: Iterator[Aggregate]) -> Iterator[Order]:
    return (one for one in found if isinstance(one, Order))


def _orders_page(
    found: Sequence[Order], limit: int, total: int, names: Mapping[AccountId, Names]
) -> Answer:
    """Return a page of orders; one more than fits tells that there are others."""
    listed = [rows.order_row(order, names[order.account]) for order in found[:limit]]
    more = len(found) > limit
    cursor = cursors.cursor_of(place_of(found[limit - 1])) if more else None
    return writing.page(listed, limit, total, cursor)


def _position_key(row: rows.Row) -> list[str]:
    return [str(row[key]) for key in ("account_name", "connector_name", "trading_pair", "side")]
