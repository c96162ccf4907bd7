"""The triggers that wait for a price."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from app.domain.identifiers import Symbol, VenueName
from app.domain.market import Tick
from app.domain.trigger import Firing, Trigger, TriggerState


class TriggerBook(Protocol):
    """Every armed trigger, and which of them a tick fires (docs/design.md)."""

    def arm(self, trigger: Trigger, seen: Tick | None = None) -> bool:
        """Hold the trigger. Arming twice is arming once: a trailing one trails on.

        Args:
            trigger: armed.
            seen: the newest tick of its symbol, evaluated or not, if the trigger is to be compared
                with it at once and with later ticks only. A trailing trigger trails from it. With
                None the next tick that is evaluated is the first.

        Returns:
            Whether it has fired at once; then it stands in the fired list.
        """

    def disarm(self, trigger: Trigger) -> None:
        """Take it out of the book. A trigger that is not in it is no error."""

    def standing(self, trigger: Trigger) -> TriggerState | None:
        """Return where a trigger stands now, or None if the book does not hold it."""

    def begin(self, venue: VenueName, tick: Tick) -> None:
        """Note that a tick begins: what is armed from now on first meets the next one."""

    def fire(self, venue: VenueName, tick: Tick) -> Sequence[Firing]:
        """Move what this tick fires to the fired list and return it, by owner id.

        A tick that is not newer than the last one fires nothing.
        """

    def fired(self, venue: VenueName) -> Sequence[Firing]:
        """Return what has fired and is not yet done, by tick, then owner id."""

    def done(self, venue: VenueName, firings: Iterable[Firing]) -> None:
        """Take what has fired of these off the list: their owners know."""

    def symbols(self, venue: VenueName) -> Collection[Symbol]:
        """Return the symbols with something armed."""
