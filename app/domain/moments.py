"""Moments that were written down by a clock which may have been set since.

The store's host tells the time, and somebody may set it: an hour back, and what is due in a second
is due in an hour; an hour ahead, and what has just begun seems old. So no moment is believed
further than it can be true.
"""

#: How far the clocks of two processes may be apart, which both go by the store's (`Clock`).
CLOCKS_APART_MS = 1_000


def has_come(at_ms: int, now_ms: int, within_ms: int) -> bool:
    """Tell whether a moment has come.

    Args:
        at_ms: when it comes.
        now_ms: by the same clock.
        within_ms: how far ahead it can have been set at most. One that is further ahead has come:
            the clock was set back since. A little further says nothing: the process that wrote it
            down may have been ahead of this one.
    """
    return not now_ms < at_ms <= now_ms + within_ms + CLOCKS_APART_MS


def age_ms(at_ms: int, now_ms: int) -> int:
    """Return how far a moment is away from now; one of a clock that was set back is no newer."""
    return abs(now_ms - at_ms)
