"""Everything of one client is canceled unless it says otherwise in time."""

from dataclasses import dataclass

from app.domain.identifiers import AccountId, EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch:
    """One that was set; an account has one at most.

    Attributes:
        origin: what it reaches: what came in through this, and whatever that has brought forth.
        set_at_ms, cancel_at_ms: business time.
    """

    account: AccountId
    origin: str
    set_at_ms: EpochMs
    cancel_at_ms: EpochMs
