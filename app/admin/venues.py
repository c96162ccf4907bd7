"""The venues that this release knows well, and what may be expected of each."""

from flask import Blueprint, Response, jsonify

from app.admin.authentication import Gate
from app.bootstrap import Wiring
from app.domain.account import PAPER
from app.exchanges.profiles import PROFILES, Profile

_PAPER: dict[str, object] = {
    "name": PAPER,
    "adapter": "full",
    "markets": ["SPOT", "USDM", "COINM"],
    "play_money": {},
    "native_stops": "",
    "url": None,
}


class _Venues:
    """Lists venues. Any other exchange that ccxt knows may be named too; its adapter is manual."""

    def __init__(self, wiring: Wiring) -> None:
        self._urls = wiring.settings.venue_urls

    def list(self) -> Response:
        """Answer all of them."""
        real = [self._row(name, profile) for name, profile in PROFILES.items()]
        return jsonify(data=[_PAPER, *real])

    def _row(self, name: str, profile: Profile) -> dict[str, object]:
        return {
            "name": name,
            "adapter": profile.adapter_class,
            "markets": [str(market) for market in profile.market_types],
            "play_money": {str(market): kind for market, kind in profile.sandboxes.items()},
            "native_stops": profile.native_stops,
            "url": self._urls.get(name),
        }


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route of the venues."""
    routes = Blueprint("venues", __name__)
    routes.before_request(Gate(wiring.settings).check)
    routes.add_url_rule("/api/venues", "list_venues", _Venues(wiring).list, methods=["GET"])
    return routes
