"""What is known of the paper venue's prices at other times than now."""

from collections.abc import Iterable

from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote
from app.paper.paper_ports import PaperPorts
from app.paper.prices.walk import WalkSource


class PriceRecord:
    """Prices of now and of the past.

    The walk is a function of time, so it can be asked about any moment. Prices that a person set,
    or that an exchange gave, are kept by nobody: of those only the present is known.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self._ports = ports

    def now(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known.

        Raises:
            VenueUnavailable: they come from an exchange that cannot be reached.
        """
        price = self._ports.prices.current(symbol)
        if price.is_set:
            return price.quote
        return self._ports.source.quote(symbol, self._ports.clock.now_ms())

    def past(self, symbol: Symbol, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments, none of them to come; None where none are known."""
        source = self._ports.source
        if not isinstance(source, WalkSource) or self._ports.prices.current(symbol).is_set:
            return [None for _ in moments]
        return [source.quote(symbol, moment) for moment in moments]
