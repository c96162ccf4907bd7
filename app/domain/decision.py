"""What a `decide` returns: the aggregate as it is now, what it brought forth, what to tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.domain.events import Event
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder

#: What an aggregate may bring forth.
Child = Order | SmartOrder

# Covariant: a Decision[Order] may stand where a Decision[Aggregate] is asked for.
Changed_co = TypeVar("Changed_co", covariant=True)
Same = TypeVar("Same")


class EntryName(StrEnum):
    """What can stand in a timeline, from the request to the last fill."""

    RECEIVED = "received"
    VALIDATED = "validated"
    QUEUED = "queued"
    DELAYED = "delayed"
    DUE = "due"
    DUPLICATE = "duplicate"
    SIZED = "sized"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    LATE_FILL = "late_fill"
    FILLS_LISTED = "fills_listed"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    ARMED = "armed"
    TRIGGERED = "triggered"
    PROTECTED = "protected"
    ALERT = "alert"
    UPDATED = "updated"
    FUNDED = "funded"
    PANIC = "panic"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DENIED = "denied"
    SKIPPED = "skipped"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a timeline."""

    name: EntryName
    at_ms: EpochMs
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Decision(Generic[Changed_co]):
    """The outcome of one `decide`.

    Attributes:
        aggregate: as it is after the event.
        children: aggregates brought forth, to be created with the same commit.
        entries: what the timeline of `aggregate` gains.
        ignored: why the event made no sense here; then nothing has changed.
    """

    aggregate: Changed_co
    children: tuple[Child, ...] = ()
    entries: tuple[TimelineEntry, ...] = ()
    ignored: str | None = None


#: Of one kind of aggregate: event → what becomes of an aggregate when it happens.
Rules = Mapping[type[Event], Callable[[Any, Any], Decision[Any]]]


def ignored(aggregate: Same, why: str) -> Decision[Same]:
    """Return a decision that changes nothing."""
    return Decision(aggregate, ignored=why)
