"""A trigger book of what a dry run arms: it is compared with the newest price, then forgotten."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from app.domain.enums import Direction
from app.domain.identifiers import AggregateId, Symbol, VenueName
from app.domain.market import Tick
from app.domain.trigger import Firing, Trigger, TriggerState
from app.ports.book import TriggerBook


class DryBook:
    """Holds what is armed in a dry run, above the book of the store, which it only reads.

    Args:
        real: the book of the store.
    """

    def __init__(self, real: TriggerBook) -> None:
        self._real = real
        self._armed: dict[tuple[AggregateId, str], Trigger | None] = {}
        self._fired: list[tuple[VenueName, Firing]] = []

    def arm(self, trigger: Trigger, seen: Tick | None = None) -> bool:
        """Hold the trigger, and return whether it has fired at once."""
        price = None
        if seen is not None and trigger.symbol in seen.quotes:
            price = seen.quotes[trigger.symbol].of(trigger.source)
        if price is None or seen is None or not _crosses(trigger, price):
            self._armed[trigger.owner, trigger.slot] = trigger
            return False
        firing = Firing(
            owner=trigger.owner,
            symbol=trigger.symbol,
            tick=seen.number,
            prices={trigger.slot: price},
        )
        self._fired.append((trigger.venue, firing))
        return True

    def disarm(self, trigger: Trigger) -> None:
        """Take it out of the book. A trigger that is not in it is no error."""
        self._armed[trigger.owner, trigger.slot] = None

    def standing(self, trigger: Trigger) -> TriggerState | None:
        """Return where a trigger stands now, or None if the book does not hold it."""
        key = (trigger.owner, trigger.slot)
        if key not in self._armed:
            return self._real.standing(trigger)
        armed = self._armed[key]
        return None if armed is None else TriggerState(level=armed.level)

    def begin(self, venue: VenueName, tick: Tick) -> None:
        """Do nothing: no tick comes in a dry run."""

    def fire(self, venue: VenueName, tick: Tick) -> Sequence[Firing]:
        """Return nothing: no tick comes in a dry run."""
        del venue, tick
        return ()

    def fired(self, venue: VenueName) -> Sequence[Firing]:
        """Return what has fired in the dry run and is not yet done."""
        return [firing for whose, firing in self._fired if whose == venue]

    def done(self, venue: VenueName, firings: Iterable[Firing]) -> None:
        """Take what has fired of these off the list: their owners know."""
        told = list(firings)
        self._fired = [one for one in self._fired if one[0] != venue or one[1] not in told]

    def symbols(self, venue: VenueName) -> Collection[Symbol]:
        """Return the symbols with something armed."""
        own = {one.symbol for one in self._armed.values() if one is not None}
        return own | set(self._real.symbols(venue))


def _crosses(trigger: Trigger, price: Decimal) -> bool:
    """Tell whether a price fires a trigger at once; one that trails begins to trail there."""
    if trigger.level is None:
        return False
    is_falling = trigger.direction is Direction.FALLING
    return price <= trigger.level if is_falling else price >= trigger.level
