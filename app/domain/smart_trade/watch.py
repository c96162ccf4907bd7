"""The prices that a smart trade waits for in the trigger book."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.enums import Direction, PriceSource
from app.domain.identifiers import AggregateId


class WatchKind(StrEnum):
    """What a trade does when the price comes.

    ENTRY enters, or begins to trail; TRAILING_ENTRY enters; STOP stops the loss; ANCHOR lets a
    trailing stop begin; RECOVERY lets it follow again after a hit that waits for its timeout; ABORT
    ends that timeout; CHECK looks at the next tick once it is over; FOLLOW has the venue's stop
    follow a trailing one; PROFIT takes profit, or begins to trail; TRAILING_PROFIT takes it.
    """

    ENTRY = "entry"
    TRAILING_ENTRY = "trailing_entry"
    STOP = "stop"
    TRAILING_STOP = "trailing_stop"
    ANCHOR = "anchor"
    RECOVERY = "recovery"
    ABORT = "abort"
    CHECK = "check"
    FOLLOW = "follow"
    PROFIT = "profit"
    TRAILING_PROFIT = "trailing_profit"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSpec:
    """One price to wait for. Two equal aims are the same wish.

    Attributes:
        step_id: whose price it is.
        level: fixed level; None where only the extreme counts.
        trailing_percent: distance from the best price since arming at which it fires, too.
    """

    kind: WatchKind
    step_id: AggregateId
    source: PriceSource
    direction: Direction
    level: Decimal | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """An aim that the trigger book may hold, under a name that is used once in the trade's life.

    Attributes:
        is_held: the book is known to hold it; until then it is to be armed.
        is_wanted: False while it is to be taken out of the book.
    """

    name: str
    aim: WatchSpec
    is_held: bool = False
    is_wanted: bool = True
