"""What an account's venue has, held against what is known here."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.effects import AT_ONCE
from app.domain.enums import Side
from app.domain.identifiers import AggregateId, ClientOrderId, EpochMs, Symbol, VenueOrderId
from app.domain.money import plain
from app.domain.report import OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order that is open at a venue, whoever placed it.

    Attributes:
        is_stop: it waits for its price there, or has waited for it; some venues keep such orders
            apart from all others, under ids of their own.
    """

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId | None
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    price: Decimal | None = None
    is_stop: bool = False

    def sentence(self) -> str:
        """Return, for instance, `buy 0.5 BTC/USDT at 40000`, with ` (stop)` if it is one."""
        price = "" if self.price is None else f" at {plain(self.price)}"
        stop = " (stop)" if self.is_stop else ""
        return f"{self.side.lower()} {plain(self.quantity)} {self.symbol}{price}{stop}"


class MismatchKind(StrEnum):
    """How here and there may differ."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNGUARDED = "unguarded"
    ORPHANED = "orphaned"


_FIXES = {
    MismatchKind.MISSING: (
        "It is asked about again each minute. Look at the venue; if the order is gone, cancel it "
        "here: it ends once the venue has said again that it has no such order."
    ),
    MismatchKind.UNEXPECTED: (
        "Nothing here follows it. Cancel it at the venue, unless you want it there."
    ),
    MismatchKind.UNGUARDED: (
        "Cancel it here, unless the position is still to come. If its price comes first, its order "
        "is reduce-only and opens nothing."
    ),
    MismatchKind.ORPHANED: (
        "It counts at the venue and in no order here. Look there, then acknowledge it: "
        "`hookfill account acknowledge`."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Something that differs. Nothing is forgotten for it; a person may want to look.

    Attributes:
        kind: `missing` (open here, and the venue does not show it), `unexpected` (ours and open at
            the venue, and closed, unknown or not to be read here), `unguarded` (a protective order
            waits here for a position that the venue does not have) or `orphaned` (see
            `OrphanedFill`).
        about: client order id, or id of the aggregate.
        aggregate_id: what it is about here, if anything.
        standing: what it is about at the venue, if anything.
    """

    kind: MismatchKind
    about: str
    message: str
    aggregate_id: AggregateId | None = None
    standing: VenueOrder | None = None

    @property
    def fix(self) -> str:
        """What a person may do about it."""
        return _FIXES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanedFill:
    """The venue tells of a fill of an order of ours that neither store nor history knows any more.

    It is kept until a person has acknowledged it.

    Attributes:
        at_ms: business time at which it was told.
        report: how the order stands at the venue.
    """

    at_ms: EpochMs
    client_order_id: ClientOrderId
    report: OrderReport

    def mismatch(self) -> Mismatch:
        """Return it as people are shown it."""
        report = self.report
        price = "" if report.average_price is None else f" at {plain(report.average_price)}"
        return Mismatch(
            kind=MismatchKind.ORPHANED,
            about=self.client_order_id,
            message=(
                f"{plain(report.filled_quantity)} of order {self.client_order_id} was filled"
                f"{price}; it is ours by its id, and nothing is known of it here any more"
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The outcome for one account.

    Attributes:
        at_ms: business time.
        begun_ms: server time before which the venue had not been asked.
        foreign: open at the venue, and not placed by this installation.
    """

    at_ms: EpochMs
    begun_ms: EpochMs = AT_ONCE
    mismatches: tuple[Mismatch, ...] = ()
    foreign: tuple[VenueOrder, ...] = ()

    def standing(self, symbol: Symbol, venue_order_id: VenueOrderId) -> VenueOrder | None:
        """Return what is open at the venue and has nobody here who follows it, or None.

        Args:
            symbol: exchanges number the orders of each symbol apart.
            venue_order_id: the venue's own id.
        """
        unexpected = (one.standing for one in self.mismatches if one.standing is not None)
        for one in (*self.foreign, *unexpected):
            if (one.symbol, one.venue_order_id) == (symbol, venue_order_id):
                return one
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedReconciliation:
    """An account could not be compared with its venue.

    Attributes:
        at_ms: business time.
        begun_ms: server time at which it was begun.
    """

    at_ms: EpochMs
    begun_ms: EpochMs
    message: str
