"""Where an order stands, in the words of this dialect (Hummingbot spec, section 3)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.order import Order
from app.domain.status import CLOSED, OrderStatus


class Word(StrEnum):
    """The statuses that the lists show and can be searched for."""

    SUBMITTED = "SUBMITTED"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


#: Not closed: what is queued here, on its way, or at the venue.
LIVE: Final = frozenset(OrderStatus) - CLOSED

_WORDS: Final[Mapping[OrderStatus, Word]] = {
    OrderStatus.PENDING_NEW: Word.SUBMITTED,
    OrderStatus.PLACING: Word.SUBMITTED,
    OrderStatus.UNKNOWN: Word.SUBMITTED,
    OrderStatus.NEW: Word.OPEN,
    OrderStatus.PARTIALLY_FILLED: Word.PARTIALLY_FILLED,
    OrderStatus.FILLED: Word.FILLED,
    OrderStatus.CANCELED: Word.CANCELLED,
    OrderStatus.EXPIRED: Word.CANCELLED,
    OrderStatus.REJECTED: Word.FAILED,
    OrderStatus.DENIED: Word.FAILED,
}


def word_of(order: Order) -> Word:
    """Return where an order stands; a cancel that was asked for shows while it is on its way."""
    if order.cancel_requested and not order.is_closed:
        return Word.PENDING_CANCEL
    return _WORDS[order.status]


def statuses_behind(word: str) -> frozenset[OrderStatus]:
    """Return the statuses that an order with this word may have; none for a word that is none."""
    if word == Word.PENDING_CANCEL:
        return LIVE
    return frozenset(status for status, shown in _WORDS.items() if shown == word)
