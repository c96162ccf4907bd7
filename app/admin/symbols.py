"""What a spelling of a symbol means at a venue, and how people change that."""

from collections.abc import Collection
from typing import Any

from flask import Blueprint
from marshmallow import fields

from app.admin.request_body import body_of_request, query_of_request
from app.bootstrap import Wiring
from app.domain.account import hosts_of
from app.domain.enums import Market, Mode
from app.domain.errors import MarketsUnknown, NotFound
from app.domain.identifiers import Symbol, VenueName
from app.domain.symbols import Listed, resolved
from app.web.answers import Json
from app.web.fields import Name, Strict, Text, loaded
from app.web.routes import SETTING_UP, Route, blueprint_of


class SymbolQuery(Strict):
    """Which spelling, where."""

    venue = Name(required=True)
    symbol = Text(required=True)
    market = fields.Enum(Market, by_value=True)


class VenueQuery(Strict):
    """Which venue."""

    venue = Name(required=True)


class SpellingBody(Strict):
    """What a spelling is to mean; null takes that away."""

    venue = Name(required=True)
    spelling = Text(required=True)
    symbol = Text(required=True, allow_none=True)


_SYMBOL, _VENUE, _SPELLING = SymbolQuery(), VenueQuery(), SpellingBody()


class _Symbols:
    """Reads what workers have learned about venues; asks no venue."""

    def __init__(self, wiring: Wiring) -> None:
        self._venues = wiring.ports.venues
        self._map = wiring.symbols

    def resolve(self) -> Json:
        """Answer what a spelling of a symbol means at a venue."""
        query = query_of_request(_SYMBOL)
        venue = VenueName(query["venue"])
        listed = self._listed(venue)
        if not listed:
            raise MarketsUnknown(
                f"what {venue} trades is not known here yet; test an account there first"
            )
        found = resolved(query["symbol"], listed, query.get("market"), self._map.spellings(venue))
        return {
            "spelling": query["symbol"],
            "venue": venue,
            "symbol": found.symbol,
            "market": found.market,
        }

    def list(self) -> Json:
        """Answer the spellings that people have set for a venue."""
        return self._set_for(VenueName(query_of_request(_VENUE)["venue"]))

    def put(self) -> Json:
        """Set what a spelling means at a venue; null takes it away."""
        body: dict[str, Any] = loaded(_SPELLING, body_of_request())
        venue, symbol = VenueName(body["venue"]), body["symbol"]
        listed = {one.symbol for one in self._listed(venue)}
        if symbol is not None and listed and symbol not in listed:
            raise NotFound(f"{venue} does not trade {symbol}")
        self._map.put_spelling(venue, body["spelling"], symbol and Symbol(symbol))
        return self._set_for(venue)

    def _set_for(self, venue: VenueName) -> Json:
        return {"venue": venue, "spellings": dict(self._map.spellings(venue))}

    def _listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded at a venue with real money, or else with play money."""
        return self._venues.listed(venue) or self._venues.listed(hosts_of(venue, Mode.TESTNET))


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of symbols."""
    symbols = _Symbols(wiring)
    rows = (
        Route("GET", "/api/symbols", symbols.list, query=_VENUE),
        Route("PUT", "/api/symbols", symbols.put, body=_SPELLING),
        Route("GET", "/api/symbols/resolve", symbols.resolve, query=_SYMBOL),
    )
    return blueprint_of("symbols", SETTING_UP, rows)
