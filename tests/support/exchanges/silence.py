"""A request that is never answered, which a client in the process of the tests need not sit out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.exchanges import transport

#: The address of a client's connection.
Address = tuple[str, int]


class Silence:
    """The connections of clients whose requests are not answered."""

    def __init__(self) -> None:
        self._kept: set[Address] = set()

    def keep(self, address: Address) -> None:
        """Note that no answer comes over a connection, before that ends."""
        self._kept.add(address)

    def is_over(self, address: Address) -> bool:
        """Tell once whether none comes."""
        found = address in self._kept
        self._kept.discard(address)
        return found

    def has_ended(self) -> bool:
        """Tell whether everybody knows of it."""
        return not self._kept


@contextmanager
def sat_out() -> Iterator[Silence]:
    """Let a client's patience end where an exchange keeps silent, as if all its time were over.

    Each request that is kept waiting must have ended so: another one would be a cut connection.
    """
    silence = Silence()

    class Until(transport._Until):  # noqa: SLF001 - where the client waits
        def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - whatever holds bytes
            count = super().readinto(buffer)
            if not count and silence.is_over(self._sock.getsockname()):
                raise TimeoutError("timed out")
            return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "_Until", Until)
        yield silence
    assert silence.has_ended()
