"""What an account's venue has, held against what is known here."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.identifiers import ClientOrderId, EpochMs, Symbol, VenueOrderId
from app.domain.words import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """An order that is open at a venue, whoever placed it."""

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId | None
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Something that differs. Nothing is forgotten for it; a person may want to look.

    Attributes:
        kind: `missing` (open here, and the venue does not show it), `unexpected` (ours and open at
            the venue, and closed or unknown here) or `unguarded` (a protective order waits here for
            a position that the venue does not have).
        about: client order id, or id of the aggregate.
    """

    kind: str
    about: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The outcome for one account.

    Attributes:
        foreign: open at the venue, and not placed by this installation.
    """

    at_ms: EpochMs
    mismatches: tuple[Mismatch, ...] = ()
    foreign: tuple[StandingOrder, ...] = ()
