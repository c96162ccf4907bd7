"""Work that only one process does at a time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from app.ports.coordination import Locks

#: As long as a real venue may take over one answer. Whoever asks for longer may meet another one
#: who asks, too, which must be harmless.
ANSWER_MS = 10_000

#: As long as a process may be late to renew a lease; one that sleeps longer, or is dead, loses it.
ALIVE_MS = 1_500


@dataclass(slots=True)
class Hold:
    """Whether we hold a lock.

    Attributes:
        was_wanted: somebody came meanwhile and went away; known when it is given back.
    """

    is_ours: bool
    was_wanted: bool = False

    def __bool__(self) -> bool:
        """Whether it is ours."""
        return self.is_ours


@contextmanager
def exclusive(locks: Locks, name: str, lease_ms: int, renewed_ms: int = 0) -> Iterator[Hold]:
    """Hold a lock while something is done; yield whether we do, since somebody else may.

    Args:
        locks: where it is.
        name: of what is done.
        lease_ms: longer than it takes; a process that dies meanwhile holds up others this long.
        renewed_ms: longer than it takes, where the lease is renewed as long as its process lives.
    """
    token = locks.acquire(name, lease_ms, renewed_ms)
    hold = Hold(is_ours=token is not None)
    try:
        yield hold
    finally:
        if token is not None:
            hold.was_wanted = locks.release(name, token)


def asking(locks: Locks, name: str) -> AbstractContextManager[Hold]:
    """Hold a lock while a venue is asked, in the same way; whoever dies holds up others shortly."""
    return exclusive(locks, name, ALIVE_MS, ANSWER_MS)
