"""Effects that whoever brought them can carry out at once, without a way through the broker."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import EpochMs
from app.ports.publisher import Publisher

#: Effects kept by one task; what comes beyond goes to other workers.
KEPT_MAX = 64


class _Kept(threading.local):
    """What one thread has kept."""

    def __init__(self) -> None:
        self.effects: deque[Effect] = deque()
        self.is_open = False


class InlinePublisher:
    """Keeps effects that are due at once for the thread that brought them, and sends the rest.

    The outbox holds them all, so a process that dies with effects kept here loses nothing.

    Args:
        alive: called after each commit, which is what brings effects: one task may release or
            cancel thousands one by one, and is not stuck while it does.
    """

    def __init__(self, alive: Callable[[], None] = lambda: None) -> None:
        self._alive = alive
        self._publisher: Publisher | None = None
        self._kept = _Kept()

    def around(self, publisher: Publisher) -> "InlinePublisher":
        """Send through `publisher` what is not kept."""
        self._publisher = publisher
        return self

    def open(self) -> None:
        """Begin to keep: this thread works."""
        self._kept.is_open = True

    def take(self) -> Effect | None:
        """Return the next effect that was kept, or None."""
        return self._kept.effects.popleft() if self._kept.effects else None

    def close(self) -> None:
        """Stop keeping, and send what is left: this thread's work ends."""
        self._kept.is_open = False
        left = list(self._kept.effects)
        self._kept.effects.clear()
        if left:
            self._sender.publish(left)

    def publish(self, effects: Sequence[Effect]) -> None:
        """Keep what is due at once while this thread works, and send the rest."""
        self._alive()
        kept, sent = self._kept, []
        for effect in effects:
            at_once = effect.due_at_ms == 0 and effect.kind is not EffectKind.TIMER
            if kept.is_open and at_once and len(kept.effects) < KEPT_MAX:
                if effect not in kept.effects:
                    kept.effects.append(effect)
            else:
                sent.append(effect)
        if sent:
            self._sender.publish(sent)

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """See to it that somebody looks at the timers at these business times."""
        self._sender.wake_timers(due_ms)

    @property
    def _sender(self) -> Publisher:
        assert self._publisher is not None, "bootstrap wires it before the first use"  # noqa: S101
        return self._publisher
