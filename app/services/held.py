"""Work that only one process does at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.ports import Locks


@contextmanager
def held(locks: Locks, name: str, lease_ms: int) -> Iterator[bool]:
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
