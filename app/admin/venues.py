"""The venues that this release knows well, and what may be expected of each."""

from flask import Blueprint

from app.bootstrap import Wiring
from app.venues import VENUES
from app.web.answers import Json
from app.web.routes import SETTING_UP, Route, blueprint_of


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route of the venues.

    Any other exchange that ccxt knows may be named too; its adapter is manual.
    """
    urls = wiring.settings.venue_urls

    def list_venues() -> Json:
        """Answer the venues, and whether each can be asked by our ids."""
        rows = [
            {
                "name": name,
                "adapter": traits.adapter,
                "markets": list(traits.markets),
                "play_money": dict(traits.play_money),
                "native_stops": traits.native_stops,
                "url": urls.get(name),
            }
            for name, traits in VENUES.items()
        ]
        return {"data": rows}

    return blueprint_of("venues", SETTING_UP, [Route("GET", "/api/venues", list_venues)])
