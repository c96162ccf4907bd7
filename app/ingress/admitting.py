"""How a request is taken in whose sender was looked up in a copy of the registry."""

from collections.abc import Callable
from typing import TypeVar

from app.domain.errors import CommandError, StaleRegistry
from app.ports import Registry

#: Times that a request meets accounts which change under it before it is told to come back.
READINGS_MAX = 3

#: A store that has not written by then must not write any more: the caller was told 503.
GIVE_UP_MS = 500

Taken = TypeVar("Taken")


def with_current_registry(registry: Registry, take_in: Callable[[], Taken]) -> Taken:
    """Take in; what an old copy of the registry refuses is looked at once more with a new one.

    What it would permit is checked by the commit itself, so the copy costs no round trip.
    """
    for _ in range(READINGS_MAX):
        read = registry.version()
        try:
            return take_in()
        except StaleRegistry:
            registry.refresh()
        except CommandError:
            registry.refresh()
            # Another thread may have read it anew meanwhile: what counts is what was looked at.
            if registry.version() == read:
                raise
    return take_in()
