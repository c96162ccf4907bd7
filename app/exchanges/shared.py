"""What all accounts of a process share on their way to exchanges."""

from dataclasses import dataclass, field

from app.exchanges.known_markets import KnownMarkets
from app.exchanges.lines import Lines
from app.exchanges.market_tables import MarketTables
from app.exchanges.transport import Connections


@dataclass(frozen=True, slots=True)
class Shared:
    """Each part may be used by any number of threads at once.

    Attributes:
        tables: market metadata.
        known: the same, as far as any worker has learned it.
        lines: ccxt's exchanges that wait for their next use.
        connections: those that are kept open.
    """

    tables: MarketTables
    known: KnownMarkets
    lines: Lines = field(default_factory=Lines)
    connections: Connections = field(default_factory=Connections)
