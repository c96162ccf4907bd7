"""Every armed trigger, in sorted sets by level, so that a tick costs O(log n + fired).

A book belongs to one (venue, symbol, price source). It counts in units of its own, a fraction of
the tick of the symbol when the book was opened: whole numbers, which scores hold exactly.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import redis

from app.domain.identifiers import AggregateId, Symbol, VenueName
from app.domain.market import Tick
from app.domain.trigger import Trigger
from app.domain.words import Direction, PriceSource
from app.store import keys
from app.store.scripts import load_script, text_of, translated

#: Units of a book in one price step, so that levels between two steps keep their place.
UNITS_PER_STEP = 1_000

#: Owners moved in one call: a gap that fires many must not hold up the server.
FIRED_AT_ONCE = 1_000

_SET_OF = {Direction.RISING: "rising", Direction.FALLING: "falling"}


class RedisTriggerBook:
    """The trigger books of all venues."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._fire = load_script(client, "fire.lua")

    def arm(self, trigger: Trigger) -> None:
        """Hold the trigger from the next tick on. Arming twice is arming once."""
        part = _SET_OF[trigger.direction]
        unit = self._unit(trigger)
        score = _units(trigger.level, unit, up=trigger.direction is Direction.RISING)
        with translated():
            self._client.sadd(keys.books(trigger.venue), f"{trigger.symbol}|{trigger.source}")
            self._client.zadd(_key(trigger, part), {str(trigger.owner): score})

    def disarm(self, trigger: Trigger) -> None:
        """Hold it no more. A trigger that is not held is no error."""
        with translated():
            self._client.zrem(_key(trigger, _SET_OF[trigger.direction]), str(trigger.owner))

    def fire(self, venue: VenueName, tick: Tick) -> Sequence[AggregateId]:
        """Move what this tick fires to the fired list and return all of it, by owner id."""
        self._begin(venue, tick.number)
        for symbol, source in self._books(venue):
            quote = tick.quotes.get(symbol)
            if quote is not None:
                self._fire_book(venue, symbol, source, tick.number, quote.of(source))
        return sorted(self.fired(venue))

    def fired(self, venue: VenueName) -> Mapping[AggregateId, int]:
        """Return what has fired and is not yet done: owner → number of the tick."""
        found: dict[AggregateId, int] = {}
        for symbol, source in self._books(venue):
            with translated():
                fired = self._client.hgetall(keys.book(venue, symbol, source, "fired"))
            found.update((AggregateId(int(one)), int(number)) for one, number in fired.items())
        return found

    def done(self, venue: VenueName, owner: AggregateId) -> None:
        """Take a fired trigger off the list: its owner knows."""
        for symbol, source in self._books(venue):
            with translated():
                self._client.hdel(keys.book(venue, symbol, source, "fired"), str(owner))

    def symbols(self, venue: VenueName) -> Collection[Symbol]:
        """Return the symbols with something armed."""
        found = set()
        for symbol, source in self._books(venue):
            with translated():
                armed = sum(
                    self._client.zcard(keys.book(venue, symbol, source, part))
                    for part in _SET_OF.values()
                )
            if armed:
                found.add(symbol)
        return found

    def _begin(self, venue: VenueName, number: int) -> None:
        """Note the tick, so that a book that is opened from now on first looks at the next one."""
        with translated():
            if int(self._client.get(keys.book_tick(venue)) or 0) < number:
                self._client.set(keys.book_tick(venue), number)

    def _fire_book(
        self, venue: VenueName, symbol: Symbol, source: PriceSource, number: int, price: Decimal
    ) -> None:
        names = [keys.book(venue, symbol, source, part) for part in _PARTS]
        with translated():
            unit = self._client.hget(keys.book(venue, symbol, source, "meta"), "unit")
        if unit is None:
            return
        low = _units(price, Decimal(text_of(unit)), up=False)
        high = _units(price, Decimal(text_of(unit)), up=True)
        while self._fire(names, [number, low, high, FIRED_AT_ONCE])[0] == "more":
            pass

    def _unit(self, trigger: Trigger) -> Decimal:
        """Return the unit of the trigger's book, which is opened if it was not."""
        meta = _key(trigger, "meta")
        with translated():
            unit = self._client.hget(meta, "unit")
            if unit is None:
                begun = self._client.get(keys.book_tick(trigger.venue))
                self._client.hsetnx(meta, "tick", str(begun or 0))
                self._client.hsetnx(meta, "unit", str(trigger.price_step / UNITS_PER_STEP))
                unit = self._client.hget(meta, "unit")
        return Decimal(text_of(unit))

    def _books(self, venue: VenueName) -> list[tuple[Symbol, PriceSource]]:
        with translated():
            members = self._client.smembers(keys.books(venue))
        books = [text_of(one).split("|") for one in members]
        return sorted((Symbol(symbol), PriceSource(source)) for symbol, source in books)


_PARTS = ("rising", "falling", "meta", "fired")


def _key(trigger: Trigger, part: str) -> str:
    return keys.book(trigger.venue, trigger.symbol, trigger.source, part)


def _units(price: Decimal, unit: Decimal, *, up: bool) -> int:
    """Return a price in book units, rounded away from firing early."""
    return int((price / unit).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
