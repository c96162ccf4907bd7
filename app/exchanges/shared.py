"""What all accounts of a process share on their way to exchanges."""

from dataclasses import dataclass, field

from app.exchanges.lines import Lines
from app.exchanges.market_tables import MarketTables
from app.exchanges.templates import Templates
from app.exchanges.transport import Connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Each part may be used by any number of threads at once.

    Attributes:
        tables: market metadata.
        lines: ccxt's exchanges that wait for their next use.
        templates: what lines are copied from.
        connections: those that are kept open.
    """

    tables: MarketTables
    lines: Lines = field(default_factory=Lines)
    templates: Templates = field(default_factory=Templates)
    connections: Connections = field(default_factory=Connections)
