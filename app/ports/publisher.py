"""Messages that wake a worker."""

from collections.abc import Sequence
from typing import Protocol

from app.domain.effects import Effect
from app.domain.identifiers import EpochMs


class Publisher(Protocol):
    """Wake-ups. Never raises: the outbox still holds an effect whose message is lost."""

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hurry these along; effects that are not due yet are left to the sweep."""

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """Send messages that wake a worker at these business times, to look at the timers."""
