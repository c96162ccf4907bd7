"""Tell me when price source S of (venue, symbol) crosses level L."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.identifiers import AggregateId, Symbol, VenueName
from app.domain.words import Direction, PriceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A fixed level that somebody waits for. `owner` is told once when it is crossed.

    Attributes:
        price_step: tick of the symbol, in which the book counts.
    """

    owner: AggregateId
    venue: VenueName
    symbol: Symbol
    source: PriceSource
    direction: Direction
    level: Decimal
    price_step: Decimal
