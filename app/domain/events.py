"""What has happened: past tense, with its time. `decide` reads no clock but these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.enums import Listing
from app.domain.identifiers import AggregateId, EpochMs, FreshId
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Quote
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.smart_order import SmartOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened, at this business time."""

    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken(Event):
    """The order's turn in the lane has come: it may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementClaimed(Event):
    """A worker may send; without an answer by `lease_until_ms` (server) the outcome is lost.

    Attributes:
        reduce_only: it is sent so, whatever it was.
    """

    lease_until_ms: EpochMs
    reduce_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRenewed(Event):
    """Nothing was sent yet under the claim with this token; it holds until `lease_until_ms` now.

    Attributes:
        quantity: what is going to be sent, where that is less than was asked for; see `fits_held`.
    """

    token: int
    lease_until_ms: EpochMs
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementDenied(Event):
    """Our own checks refused before anything was sent. `too_late` makes it EXPIRED."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDeferred(Event):
    """What the limits of the account say of the order cannot be told just now.

    Attributes:
        server_ms: since when; the first one counts.
    """

    server_ms: EpochMs
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementDeferred(Event):
    """The placement with this token certainly did not arrive.

    Attributes:
        reason: one that cannot pass ends the order.
        held_back: it was not even sent, so it counts as no attempt.
    """

    token: int
    retry_at_ms: EpochMs
    reason: Reason
    held_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported(Event):
    """The venue said something.

    Attributes:
        token: of the placement that was answered, or that was the newest when the venue was asked;
            None for what a venue tells by itself, and for the answer to a question that is asked
            about open orders only, since those are never placed again.
    """

    report: OrderReport
    token: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeStated(Event):
    """A person says, in place of the venue, what became of the placement with this token."""

    token: int
    report: OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsAwaited(Event):
    """The venue has not listed all fills yet, or not their fees; it is asked again.

    Attributes:
        look: how often the order had been looked at before.
        next_look_at_ms: server time of the next look.
    """

    look: int
    next_look_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLost(Event):
    """The placement with this token may or may not have arrived.

    Attributes:
        lease_until_ms: the lease that ran out, if that is how it was lost: a claim that was renewed
            meanwhile holds. None if whoever placed it says so.
    """

    token: int
    server_ms: EpochMs
    next_check_at_ms: EpochMs
    reason: Reason
    lease_until_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpClaimed(Event):
    """A worker asks the venue about the placement with this token; others wait meanwhile.

    Attributes:
        server_ms: server time at which it begins.
        within_ms: how far ahead the next question can have been put off; see `has_come`.
        until_ms: server time at which others ask, if nothing has come of it.
    """

    token: int
    server_ms: EpochMs
    within_ms: int
    until_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class StillUnknown(Event):
    """The venue was asked and proved nothing, or cannot be asked and a person must look.

    Attributes:
        token: of the placement that it was asked about.
        absent_since_ms: server time at which the venue first had no such order, after the time in
            which one could still arrive; None if it has not said so.
    """

    token: int
    next_check_at_ms: EpochMs
    needs_person: bool = False
    absent_since_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenAbsent(Event):
    """Nothing of the placement with this token is at the venue, and nothing can arrive any more."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    """Somebody wants it gone. `replaced_by` is what waits to take its place, if anything does."""

    reason: Reason
    replaced_by: AggregateId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDeferred(Event):
    """The cancel did not reach the venue, or its outcome is unknown; it is tried again."""

    retry_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDue(Event):
    """The time that was waited for has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOver(Event):
    """The pause of an exit before its next order is over, by the server's clock.

    Attributes:
        new_ids: for what it may bring forth.
    """

    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed(Event):
    """Its turn in the lane has come, with the account and the prices as they are now.

    Attributes:
        quote: None when no price is known.
        instrument: None when the venue does not know the symbol, or nobody trades it just now.
        new_ids: for the orders that it may bring forth; at least 2.
        listing: which of the two.
    """

    account: AccountView
    quote: Quote | None
    instrument: Instrument | None
    new_ids: tuple[FreshId, ...]
    listing: Listing = Listing.TRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDenied(Event):
    """Its turn in the lane has come, and the venue does not tell what its size depends on."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsCanceled(Event):
    """A cancel message has passed its request on to this many aggregates."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerArmed(Event):
    """The trigger book holds the trigger now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerDisarmed(Event):
    """The trigger is not in the trigger book any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFired(Event):
    """The price has crossed a level, at the tick with this number.

    Attributes:
        prices: slot of each trigger that has fired at this tick → the price that it watches.
        new_ids: for what it may bring forth; at least 2.
        extremes: slot of each that trailed → the best price that it had followed.
        tick_at_ms: business time of the tick, or None where that is not known any more.
    """

    tick: int
    prices: Mapping[str, Decimal]
    new_ids: tuple[FreshId, ...]
    extremes: Mapping[str, Decimal] = field(default_factory=dict)
    tick_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRefused(Event):
    """The trigger cannot be armed, for instance since the symbol is not traded any more."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PairGone(Event):
    """The symbol is not traded any more, for good: that is certain."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PairBack(Event):
    """The symbol that was gone is traded again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdated(Event):
    """An order that concerns the aggregate has changed; `order` is how it is now.

    Attributes:
        new_ids: for what it may bring forth; at least 2.
    """

    order: Order
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSeen(Event):
    """Somebody has looked at the position that is guarded, having found it guarded before.

    Attributes:
        begun_ms: server time at which the look was begun.
        size: of the leg; 0 if it is not there.
        shown_late_ms: how long after a fill such a look may still not show the position.
        new_ids: for the stop that the venue is to hold instead of one that does not fit; see
            `Signal.refit`.
    """

    begun_ms: EpochMs
    size: Decimal
    shown_late_ms: int
    new_ids: tuple[FreshId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderUpdated(Event):
    """A smart order that concerns the aggregate has changed; `smart_order` is how it is now.

    Attributes:
        new_ids: for what it may bring forth.
    """

    smart_order: SmartOrder
    new_ids: tuple[FreshId, ...] = ()
