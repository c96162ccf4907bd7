"""What the trigger book must do, written down as a look at every trigger on every tick."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.enums import Direction
from app.domain.identifiers import AggregateId
from app.domain.market import Tick
from app.domain.trigger import Firing, Trigger, TriggerState, trailing_level


def crosses(direction: Direction, level: Decimal, price: Decimal) -> bool:
    """Tell whether a price has reached a level."""
    return price >= level if direction is Direction.RISING else price <= level


@dataclass
class Held:
    """One trigger, and what it has seen.

    Attributes:
        after: number of the newest tick that does not count for it.
    """

    trigger: Trigger
    after: int
    is_active: bool
    extreme: Decimal | None = None

    def meets(self, price: Decimal) -> bool:
        """Let a tick come; return whether it fires the trigger."""
        one = self.trigger
        if one.level is not None:
            return crosses(one.direction, one.level, price)
        if not self.is_active:
            self.look_at(price)
            return False
        best = max if one.direction is Direction.FALLING else min
        self.extreme = price if self.extreme is None else best(self.extreme, price)
        level = trailing_level(one, self.extreme)
        return level is not None and crosses(one.direction, level, price)

    def look_at(self, price: Decimal) -> None:
        """Become active at a price that says so."""
        one = self.trigger
        on, at = one.activates, one.activation
        if on is None or at is None or crosses(on, at, price):
            self.is_active, self.extreme = True, price

    @property
    def standing(self) -> TriggerState:
        """Where it stands."""
        one = self.trigger
        if one.level is not None:
            return TriggerState(level=one.level)
        if not self.is_active or self.extreme is None:
            return TriggerState()
        level = trailing_level(one, self.extreme)
        return TriggerState(extreme=self.extreme, level=level)


@dataclass
class NaiveBook:
    """Every trigger, looked at on every tick."""

    held: dict[AggregateId, Held] = field(default_factory=dict)
    fired: dict[AggregateId, Firing] = field(default_factory=dict)
    newest: int = 0

    def arm(self, trigger: Trigger, seen: Tick | None) -> bool:
        """Hold a trigger that is not held; return whether it has fired at once."""
        if seen is None:
            is_active = trigger.level is not None or trigger.activates is None
            self.held[trigger.owner] = Held(trigger, self.newest, is_active)
            return False
        price = seen.quotes[trigger.symbol].of(trigger.source)
        if trigger.level is not None and crosses(trigger.direction, trigger.level, price):
            self.fired[trigger.owner] = _firing(trigger, seen.number, price)
            return True
        held = Held(trigger, seen.number, is_active=trigger.level is not None)
        if trigger.level is None:
            held.look_at(price)
        self.held[trigger.owner] = held
        return False

    def fire(self, tick: Tick) -> list[Firing]:
        """Return what a tick fires, by owner."""
        if tick.number <= self.newest:
            return []
        self.newest = tick.number
        fired = []
        for owner, one in sorted(self.held.items()):
            quote = tick.quotes.get(one.trigger.symbol)
            if quote is None or one.after >= tick.number:
                continue
            price = quote.of(one.trigger.source)
            before = one.extreme
            if one.meets(price):
                del self.held[owner]
                self.fired[owner] = _firing(one.trigger, tick.number, price, before)
                fired.append(self.fired[owner])
        return fired


def _firing(trigger: Trigger, tick: int, price: Decimal, extreme: Decimal | None = None) -> Firing:
    return Firing(
        owner=trigger.owner,
        symbol=trigger.symbol,
        tick=tick,
        prices={trigger.slot: price},
        extremes={} if extreme is None else {trigger.slot: extreme},
    )
