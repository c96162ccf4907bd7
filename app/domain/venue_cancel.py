"""A cancel of an order that is open at a venue, and that nobody here follows."""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.reconciliation import VenueOrder


class CancelState(StrEnum):
    """What has become of the cancel so far.

    ASKED: no worker has begun. SENT: one has, and the venue may have been asked. UNKNOWN: it was
    sent, and nobody can say yet what became of the order; that is looked up again. Settled are:
    ENDED, the order is open no more; STANDS, nothing came of the cancel; UNSENT, it certainly did
    not arrive; UNANSWERED, the venue could not be asked for so long that a person must look.
    """

    ASKED = "ASKED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    ENDED = "ENDED"
    STANDS = "STANDS"
    UNSENT = "UNSENT"
    UNANSWERED = "UNANSWERED"


_UNSETTLED = frozenset({CancelState.ASKED, CancelState.SENT, CancelState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCancel:
    """One wish to have one order taken off. It is sent once at most.

    Attributes:
        id: by which workers are told of it.
        order: as the venue showed it last.
        asked_at_ms: business time.
        until_ms: server time from which on no worker begins with it.
        next_check_ms: server time before which no worker looks at it again.
        sent_ms: server time at which a worker began.
        absent_since_ms: server time since which the venue has not known the order, or None.
        refusal: why the venue would not cancel, if it said so.
        settled_ms: server time at which the outcome was known.
        message: what is known, for people.
    """

    id: AggregateId
    account: AccountId
    order: VenueOrder
    asked_at_ms: EpochMs
    until_ms: EpochMs
    next_check_ms: EpochMs
    state: CancelState = CancelState.ASKED
    sent_ms: EpochMs = AT_ONCE
    absent_since_ms: EpochMs | None = None
    refusal: str = ""
    settled_ms: EpochMs = AT_ONCE
    message: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is done about it."""
        return self.state not in _UNSETTLED

    @property
    def may_be_repeated(self) -> bool:
        """Whether another one for the same order makes sense."""
        return self.is_settled and self.state is not CancelState.ENDED

    def effect(self) -> Effect:
        """Return the message that has a worker look at it."""
        return Effect(
            kind=EffectKind.CANCEL_AT_VENUE,
            target=self.id,
            urgent=True,
            about=f"cancel {self.order.sentence()} at the venue",
            account=self.account,
        )

    def sent(self, server_ms: EpochMs, lease_ms: int) -> "VenueCancel":
        """Return it as a worker has it who is about to send it; that worker has this long."""
        return replace(
            self,
            state=CancelState.SENT,
            sent_ms=server_ms,
            next_check_ms=EpochMs(server_ms + lease_ms),
        )

    def unknown(
        self, message: str, next_check_ms: EpochMs, absent_since_ms: EpochMs | None = None
    ) -> "VenueCancel":
        """Return it for an order whose outcome is not known yet."""
        return replace(
            self,
            state=CancelState.UNKNOWN,
            message=message,
            next_check_ms=next_check_ms,
            absent_since_ms=absent_since_ms,
        )

    def settled(self, state: CancelState, message: str, server_ms: EpochMs) -> "VenueCancel":
        """Return it with its outcome."""
        return replace(self, state=state, message=message, settled_ms=server_ms)
