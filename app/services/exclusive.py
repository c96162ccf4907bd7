"""Work that only one process does at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.ports.coordination import Locks

#: As long as a real venue may take over one answer. Whoever dies while it is asked holds up what is
#: asked for this long; whoever asks for longer may meet another one who asks, too, which must be
#: harmless.
ANSWER_MS = 10_000


@contextmanager
def exclusive(locks: Locks, name: str, lease_ms: int) -> Iterator[bool]:
    """Hold a lock while something is done; yield whether we do, since somebody else may.

    Args:
        locks: where it is.
        name: of what is done.
        lease_ms: longer than it takes; a process that dies meanwhile holds up others this long.
    """
    token = locks.acquire(name, lease_ms)
    try:
        yield token is not None
    finally:
        if token is not None:
            locks.release(name, token)
