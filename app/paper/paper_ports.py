"""What the paper venue is built from."""

from collections.abc import Callable
from dataclasses import dataclass

from app.paper.ports import (
    PaperBook,
    PaperFaults,
    PaperInstruments,
    PaperLedger,
    PaperPrices,
    PaperTicks,
    QuoteSource,
)
from app.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPorts:
    """Everything that the parts of the paper venue share.

    Attributes:
        source: prices of the symbols for which nobody set one.
        pause_ms: lets this many milliseconds pass; for answers that a test has delayed.
    """

    ledger: PaperLedger
    book: PaperBook
    prices: PaperPrices
    ticks: PaperTicks
    instruments: PaperInstruments
    faults: PaperFaults
    source: QuoteSource
    clock: Clock
    pause_ms: Callable[[int], None]
