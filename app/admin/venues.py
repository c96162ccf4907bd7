"""The venues that this release knows well, and what may be expected of each."""

from flask import Blueprint, Response, jsonify

from app.admin.chapters import SETTING_UP
from app.bootstrap import Wiring
from app.venues import VENUES
from app.web.routes import Route, blueprint_of


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route of the venues.

    Any other exchange that ccxt knows may be named too; its adapter is manual.
    """
    urls = wiring.settings.venue_urls

    def list_venues() -> Response:
        """Answer all of them."""
        return jsonify(
            data=[
                {
                    "name": name,
                    "adapter": traits.adapter,
                    "markets": [str(market) for market in traits.markets],
                    "play_money": {str(one): kind for one, kind in traits.play_money.items()},
                    "native_stops": traits.native_stops,
                    "url": urls.get(name),
                }
                for name, traits in VENUES.items()
            ]
        )

    return blueprint_of(
        "venues",
        SETTING_UP,
        [
            Route(
                "GET",
                "/api/venues",
                list_venues,
                "Venues, and whether each can be asked by our ids.",
            )
        ],
    )
