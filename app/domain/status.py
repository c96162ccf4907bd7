"""The life of an order as one table (docs/design.md)."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING_NEW = "PENDING_NEW"
    PLACING = "PLACING"
    UNKNOWN = "UNKNOWN"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"


_S = OrderStatus

#: Nothing more happens to these, save that a venue reports a fill late.
CLOSED = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.DENIED})

#: At the venue, as far as anybody knows.
OPEN = frozenset({_S.NEW, _S.PARTIALLY_FILLED})

#: Its lane waits for these: what they will do to the position is not yet known.
IN_FLIGHT = frozenset({_S.PENDING_NEW, _S.PLACING, _S.UNKNOWN})

_ANSWERS = frozenset({_S.NEW, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED})

#: From → to. What is not listed does not happen: such news is ignored, with a reason.
MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    # An answer that comes late, or of itself: it is at the venue, and must not be sent again.
    _S.PENDING_NEW: _ANSWERS | {_S.PLACING, _S.DENIED},
    _S.PLACING: _ANSWERS | {_S.UNKNOWN, _S.PENDING_NEW},  # back: it certainly did not arrive
    _S.UNKNOWN: _ANSWERS | {_S.PENDING_NEW},  # back: proven absent
    _S.NEW: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}),
    _S.PARTIALLY_FILLED: frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED}),
    # A fill is a fact, whatever was said before: a cancel may lose the race at the venue.
    _S.CANCELED: frozenset({_S.FILLED}),
    _S.EXPIRED: frozenset({_S.FILLED}),
    _S.REJECTED: frozenset({_S.FILLED}),
    _S.DENIED: frozenset({_S.FILLED}),
    _S.FILLED: frozenset(),
}


def may_move(before: OrderStatus, after: OrderStatus) -> bool:
    """Tell whether the table has this move."""
    return after in MOVES[before]
