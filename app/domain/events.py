"""What has happened: past tense, with its time. `decide` reads no clock but these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.identifiers import EpochMs, FreshId, OrderId
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Quote
from app.domain.reason import Reason
from app.domain.report import OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """The order's turn in the lane has come: it may be sent."""

    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementClaimed:
    """A worker may send; without an answer by `lease_until_ms` (server) the outcome is lost."""

    at_ms: EpochMs
    lease_until_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRenewed:
    """Nothing was sent yet under the claim with this token; it holds until `lease_until_ms` now."""

    at_ms: EpochMs
    token: int
    lease_until_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementDenied:
    """Our own checks refused before anything was sent. `too_late` makes it EXPIRED."""

    at_ms: EpochMs
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementDeferred:
    """The placement with this token certainly did not arrive.

    Attributes:
        held_back: it was not even sent, so it counts as no attempt.
    """

    at_ms: EpochMs
    token: int
    retry_at_ms: EpochMs
    reason: Reason
    held_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported:
    """The venue said something.

    Attributes:
        token: of the placement that was answered, or that was the newest when the venue was asked;
            None for what a venue tells by itself, and for the answer to a question that is asked
            about open orders only, since those are never placed again.
    """

    at_ms: EpochMs
    report: OrderReport
    token: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeStated:
    """A person says, in place of the venue, what became of the placement with this token."""

    at_ms: EpochMs
    token: int
    report: OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsAwaited:
    """The venue has not listed all fills yet, or not their fees; it is asked again.

    Attributes:
        look: how often the order had been looked at before.
        next_look_at_ms: server time of the next look.
    """

    at_ms: EpochMs
    look: int
    next_look_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLost:
    """The placement with this token may or may not have arrived.

    Attributes:
        lease_until_ms: the lease that ran out, if that is how it was lost: a claim that was renewed
            meanwhile holds. None if whoever placed it says so.
    """

    at_ms: EpochMs
    token: int
    server_ms: EpochMs
    next_check_at_ms: EpochMs
    reason: Reason
    lease_until_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpClaimed:
    """A worker asks the venue about the placement with this token; others wait meanwhile.

    Attributes:
        server_ms: server time at which it begins.
        within_ms: how far ahead the next question can have been put off; see `has_come`.
        until_ms: server time at which others ask, if nothing has come of it.
    """

    at_ms: EpochMs
    token: int
    server_ms: EpochMs
    within_ms: int
    until_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class StillUnknown:
    """The venue was asked and proved nothing, or cannot be asked and a person must look.

    Attributes:
        token: of the placement that it was asked about.
        absent_since_ms: server time at which the venue first had no such order, after the time in
            which one could still arrive; None if it has not said so.
    """

    at_ms: EpochMs
    token: int
    next_check_at_ms: EpochMs
    needs_person: bool = False
    absent_since_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenAbsent:
    """Nothing of the placement with this token is at the venue, and nothing can arrive any more."""

    at_ms: EpochMs
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody wants it gone. `replaced_by` is the order that waits to take its place, if any."""

    at_ms: EpochMs
    reason: Reason
    replaced_by: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDeferred:
    """The cancel did not reach the venue, or its outcome is unknown; it is tried again."""

    at_ms: EpochMs
    retry_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDue:
    """The time that was waited for has come."""

    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """Its turn in the lane has come, with the account and the prices as they are now.

    Attributes:
        quote: None when no price is known.
        instrument: None when the venue does not know the symbol.
        new_ids: for the orders that it may bring forth; at least 2.
    """

    at_ms: EpochMs
    account: AccountView
    quote: Quote | None
    instrument: Instrument | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsCanceled:
    """A cancel message has passed its request on to this many aggregates."""

    at_ms: EpochMs
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerArmed:
    """The trigger book holds the trigger now."""

    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerDisarmed:
    """The trigger is not in the trigger book any more."""

    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFired:
    """The price has crossed a level, at the tick with this number.

    Attributes:
        prices: slot of each trigger that has fired at this tick → the price that it watches.
        new_ids: for what it may bring forth; at least 2.
        extremes: slot of each that trailed → the best price that it had followed.
        tick_at_ms: business time of the tick, or None where that is not known any more.
    """

    at_ms: EpochMs
    tick: int
    prices: Mapping[str, Decimal]
    new_ids: tuple[FreshId, ...]
    extremes: Mapping[str, Decimal] = field(default_factory=dict)
    tick_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRefused:
    """The trigger cannot be armed, for instance since the symbol is not traded any more."""

    at_ms: EpochMs
    reason: Reason
