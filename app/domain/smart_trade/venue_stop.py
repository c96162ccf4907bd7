"""How the stop of a smart trade goes that rests at its venue."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.identifiers import EpochMs
from app.domain.reason import Reason

#: One that follows a trailing stop, or a position that becomes larger, is replaced this often.
REPLACED_MS: Final = 10_000

#: So often it may be taken off by hand before it stays off.
TAKEN_OFF_MAX: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueStop:
    """What is remembered of it from one order to the next.

    Attributes:
        is_wanted: there is a position of which the venue is to hold a stop.
        covers: what was open of the position when it was placed last, in base currency; it may be
            for less, since a venue sells no more than there is.
        placed_at_ms: when that was; None if it may be replaced at once.
        again_at_ms: server time before which it is neither placed nor replaced; None is at once.
        misses: orders in a row that the venue would not have rest.
        shorts: orders in a row that rest for less than was open: the venue had no more free.
        taken_off: how often somebody has taken it off at the venue.
        reason: why it does not rest; None while nothing hinders it.
    """

    is_wanted: bool = False
    covers: Decimal | None = None
    placed_at_ms: EpochMs | None = None
    again_at_ms: EpochMs | None = None
    misses: int = 0
    shorts: int = 0
    taken_off: int = 0
    reason: Reason | None = None

    @property
    def stays_off(self) -> bool:
        """Whether somebody has taken it off so often that it is wanted no more there."""
        return self.taken_off >= TAKEN_OFF_MAX

    @property
    def is_tried_whole(self) -> bool:
        """Whether it is to be placed anew, once: what was bought may have been shown late."""
        return self.shorts == 1 and self.placed_at_ms is None


#: Of a trade whose venue has never held one.
NONE_YET: Final = VenueStop()
