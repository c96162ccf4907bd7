"""What may be expected of a venue, told before anything is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.enums import Market, PriceSource
from app.domain.identifiers import VenueName


class AdapterClass(StrEnum):
    """Whether an unknown outcome is resolved by asking the venue, or by a person."""

    FULL = "full"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTraits:
    """One venue.

    Attributes:
        markets: what is traded there; empty if nobody knows.
        play_money: market → what kind of play money there is, beside real money.
        lists_all_symbols: one question lists the open orders of all symbols.
        look_ms: what one look at an account's positions and stops takes of the time in which the
            venue answers one address; see docs/venues.md.
        native_stops: where the venue keeps stop orders, for people.
        holds: market → the prices with which the venue compares the stops that rest there.
    """

    name: VenueName
    adapter: AdapterClass
    markets: tuple[Market, ...]
    play_money: Mapping[Market, str] = field(default_factory=dict)
    lists_all_symbols: bool = True
    native_stops: str = ""
    holds: Mapping[Market, frozenset[PriceSource]] = field(default_factory=dict)
    look_ms: int = 0
