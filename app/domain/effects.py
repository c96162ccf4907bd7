"""What an aggregate still owes the world.

Effects are not collected on the way: each kind of aggregate has one function that derives from
its state what it owes now. The outbox holds exactly that, so an effect that is done, or no longer
wanted, leaves the outbox with the very commit that made it so, and one that is lost is impossible.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.identifiers import AccountId, AggregateId, EpochMs

AT_ONCE = EpochMs(0)


class EffectKind(StrEnum):
    """The work that there is. Each is safe to start twice.

    NEWS is owed by the store itself, for as long as an aggregate has not read what concerns it.
    The last five are owed by no aggregate: whoever wants them waits for them.
    """

    PLACE = "place"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    ADVANCE = "advance"
    ARM = "arm"
    DISARM = "disarm"
    WITHDRAW = "withdraw"
    NEWS = "news"
    TIMER = "timer"
    ADJUST = "adjust"
    INSPECT = "inspect"
    LEARN = "learn"
    RECONCILE = "reconcile"
    CANCEL_AT_VENUE = "cancel_at_venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One piece of work owed.

    Attributes:
        due_at_ms: not before this time; on the server's clock, save for TIMER, which is on the
            business clock. 0 is at once.
        urgent: goes before the rest (cancels, closes, panic).
        about: for people who watch the queue: what it is.
        account: whose it is; None where only its target tells.
    """

    kind: EffectKind
    target: AggregateId
    due_at_ms: EpochMs = AT_ONCE
    urgent: bool = False
    about: str = field(default="", compare=False)
    account: AccountId | None = field(default=None, compare=False)
