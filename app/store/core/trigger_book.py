"""Every armed trigger, so that a tick costs what it fires, and near to nothing else.

A book belongs to one (venue, symbol, price source). Fixed levels stand in sorted sets; trailing
ones are never rewritten at a new high (docs/design.md, "Prices and the trigger book"). A book
counts in units of its own, a fraction of the tick of the symbol when it was opened: whole numbers,
which scores hold exactly.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from typing import Any, Final

import redis

from app.domain.enums import Direction, PriceSource
from app.domain.identifiers import AggregateId, EpochMs, Symbol, VenueName
from app.domain.market import Tick
from app.domain.trigger import PERCENT_PLACES, Firing, Trigger, TriggerState, trailing_level
from app.store.core import keys
from app.store.core.scripts import Answer, Call, load_script, run_queued, text_of

#: Places of a book unit beyond those of a price step, so that levels between two steps keep their
#: place.
PLACES_BELOW_STEP = 3

#: Digits of a price in book units: few enough for exact arithmetic, and for the price to grow.
DIGITS = 14

#: Steps of one call, some milliseconds: a gap that fires many must not hold up the server.
WORK_AT_ONCE = 500

#: A symbol in which nothing is armed is forgotten this long after something was, in milliseconds:
#: longer than a worker can be about to arm something.
QUIET_MS = 60_000

_WAYS: Final = {Direction.RISING: "r", Direction.FALLING: "f"}
#: In the order of book_quiet.lua.
_SOURCES: Final = (PriceSource.LAST, PriceSource.BID, PriceSource.ASK, PriceSource.MARK)
_LIBRARY = ("book_units.lua", "book_trails.lua", "book_holding.lua")

Arming = tuple[Trigger, Tick | None]


class RedisTriggerBook:
    """The trigger books of all venues.

    Args:
        client: decodes answers to text.
        work_at_once: steps of one call of a tick.
    """

    def __init__(self, client: redis.Redis, work_at_once: int = WORK_AT_ONCE) -> None:
        self._client = client
        self._work_at_once = work_at_once
        self._arm = load_script(client, *_LIBRARY, "book_arm.lua")
        self._disarm = load_script(client, *_LIBRARY, "book_disarm.lua")
        self._fire = load_script(
            client, _LIBRARY[0], "book_quiet.lua", *_LIBRARY[1:], "book_fire.lua"
        )
        self._standing = load_script(client, *_LIBRARY, "book_standing.lua")
        self._census = load_script(client, *_LIBRARY, "book_census.lua")
        self._note_script = load_script(client, "book_note.lua")
        self._begin = load_script(client, "book_begin.lua")
        self._done = load_script(client, "book_done.lua")
        self._forget = load_script(client, "book_forget.lua")

    def arm(self, trigger: Trigger, seen: Tick | None = None) -> bool:
        """Hold the trigger; see the port. Returns whether it has fired at once."""
        return bool(self.arm_all([(trigger, seen)]))

    def arm_all(self, armings: Sequence[Arming]) -> Collection[AggregateId]:
        """Hold many triggers, in two round trips, and return the owners of those that have fired.

        Args:
            armings: each trigger with the newest tick, as `arm` takes it.
        """
        begun = self._note(armings)
        calls: list[Call] = []
        ordered = sorted(armings, key=lambda one: _book_of(one[0]))
        for (venue, symbol, source), group in groupby(ordered, lambda one: _book_of(one[0])):
            found = list(group)
            arguments: list[str | int] = [source, begun[venue], _places(found[0][0])]
            for trigger, seen in found:
                arguments += _words(trigger, seen)
            calls.append((self._arm, [keys.book(venue, symbol)], arguments))
        answers = run_queued(self._client, calls)
        return {_owner(text_of(one)) for answer in answers for one in answer[1:]}

    def disarm(self, trigger: Trigger) -> None:
        """Take it out of the book. A trigger that is not in it is no error."""
        self.disarm_all([trigger])

    def disarm_all(self, triggers: Sequence[Trigger]) -> None:
        """Take many out of the book, in one round trip."""
        calls: list[Call] = []
        for (venue, symbol, source), group in groupby(sorted(triggers, key=_book_of), _book_of):
            arguments: list[str | int] = [source]
            for trigger in group:
                arguments += [_member(trigger), _way(trigger)]
            calls.append((self._disarm, [keys.book(venue, symbol)], arguments))
        run_queued(self._client, calls)

    def standing(self, trigger: Trigger) -> TriggerState | None:
        """Return where a trigger stands now, or None if the book does not hold it."""
        arguments = [str(trigger.source), _member(trigger), _way(trigger)]
        answer = self._standing([keys.book(trigger.venue, trigger.symbol)], arguments)
        match text_of(answer[0]):
            case "none":
                return None
            case "waits":
                return TriggerState()
            case "fixed":
                return TriggerState(level=trigger.level)
            case _:
                extreme = Decimal(text_of(answer[2])).scaleb(-int(answer[1]))
                level = trailing_level(trigger, extreme)
                return TriggerState(extreme=extreme, level=level)

    def begin(self, venue: VenueName, tick: Tick) -> None:
        """Note that a tick begins: what is armed from now on first meets the next one."""
        books = keys.books(venue)
        begun = [books + keys.BOOKS_TICK, books + keys.BOOKS_TICK_TIME]
        self._begin(begun, [tick.number, tick.at_ms])

    def fire(self, venue: VenueName, tick: Tick) -> Sequence[Firing]:
        """Move what this tick fires to the fired list and return it, by owner id.

        One round trip, and more of them for what a gap fires.
        """
        calls = [self._meeting(venue, symbol, tick) for symbol in tick.quotes]
        fired: dict[AggregateId, Firing] = {}
        for symbol, call, first in zip(
            tick.quotes, calls, run_queued(self._client, calls), strict=True
        ):
            answer = first
            _gather(fired, symbol, tick, answer)
            while answer[0] == "more":
                script, names, arguments = call
                answer = script(names, arguments)
                _gather(fired, symbol, tick, answer)
        return [fired[owner] for owner in sorted(fired)]

    def _meeting(self, venue: VenueName, symbol: Symbol, tick: Tick) -> Call:
        quote = tick.quotes[symbol]
        prices = [f"{price:f}" for price in map(quote.of, _SOURCES)]
        return self._fire, [keys.book(venue, symbol)], [tick.number, self._work_at_once, *prices]

    def fired(self, venue: VenueName) -> Sequence[Firing]:
        """Return what has fired and is not yet done, by tick, then owner id."""
        symbols = [symbol for symbol, _ in self._symbols(venue)]
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.get(keys.books(venue) + keys.BOOKS_TICK_TIME)
            for symbol in symbols:
                pipeline.hgetall(keys.book(venue, symbol) + keys.FIRED)
            begun, *lists = pipeline.execute()
        newest, _, at_ms = text_of(begun or "").partition("|")
        found: list[Firing] = []
        for symbol, listed in zip(symbols, lists, strict=True):
            by_tick: dict[int, dict[AggregateId, Firing]] = {}
            for member, value in listed.items():
                told, price, *trailed = text_of(value).split("|")
                fired = by_tick.setdefault(int(told), {})
                known = fired.get(_owner(text_of(member)))
                firing = known or _firing(text_of(member), symbol, int(told))
                fired[firing.owner] = _with(
                    firing, text_of(member), Decimal(price), _extreme(trailed)
                )
            for number, fired in by_tick.items():
                seen_ms = EpochMs(int(at_ms)) if str(number) == newest else None
                found += [replace(one, at_ms=seen_ms) for one in fired.values()]
        return sorted(found, key=lambda one: (one.tick, one.owner))

    def done(self, venue: VenueName, firings: Iterable[Firing]) -> None:
        """Take what has fired of these off the list, in one round trip: their owners know."""
        calls: list[Call] = []
        for one in firings:
            members = [_name(one.owner, slot) for slot in one.prices]
            fired = keys.book(venue, one.symbol) + keys.FIRED
            calls.append((self._done, [fired], [one.tick, *members]))
        run_queued(self._client, calls)

    def symbols(self, venue: VenueName) -> Collection[Symbol]:
        """Return the symbols with something armed. Those that are quiet are forgotten."""
        known = self._symbols(venue)
        if not known:
            return []
        calls: list[Call] = [
            (self._census, [keys.book(venue, symbol)], ["look", *_SOURCES]) for symbol, _ in known
        ]
        counts = run_queued(self._client, calls)
        armed = []
        quiet = []
        for (symbol, noted_ms), answer in zip(known, counts, strict=True):
            if int(answer[1]):
                armed.append(symbol)
            elif not int(answer[2]):
                quiet.append((symbol, noted_ms))
        self._forget_quiet(venue, quiet)
        return armed

    def _forget_quiet(self, venue: VenueName, quiet: Collection[tuple[Symbol, int]]) -> None:
        before_ms = self._server_ms() - QUIET_MS if quiet else 0
        for symbol, noted_ms in quiet:
            if noted_ms < before_ms:
                self._forget([keys.books(venue)], [symbol, noted_ms])
                self._census([keys.book(venue, symbol)], ["close", *_SOURCES])

    def _symbols(self, venue: VenueName) -> list[tuple[Symbol, int]]:
        found: Any = self._client.zrange(keys.books(venue), 0, -1, withscores=True)
        return [(Symbol(text_of(symbol)), int(score)) for symbol, score in found]

    def _note(self, armings: Iterable[Arming]) -> dict[VenueName, int]:
        """Note the symbols as in use, and return the number of each venue's newest tick."""
        symbols: dict[VenueName, set[str]] = {}
        for trigger, _ in armings:
            symbols.setdefault(trigger.venue, set()).add(str(trigger.symbol))
        calls: list[Call] = [
            (self._note_script, [books, books + keys.BOOKS_TICK], sorted(named))
            for books, named in ((keys.books(venue), symbols[venue]) for venue in symbols)
        ]
        answers = run_queued(self._client, calls)
        return {venue: int(answer[1]) for venue, answer in zip(symbols, answers, strict=True)}

    def _server_ms(self) -> EpochMs:
        seconds, micros = self._client.time()
        return EpochMs(seconds * 1000 + micros // 1000)


def _book_of(trigger: Trigger) -> tuple[VenueName, Symbol, str]:
    return trigger.venue, trigger.symbol, str(trigger.source)


def _way(trigger: Trigger) -> str:
    return "" if trigger.level is None else _WAYS[trigger.direction]


def _name(owner: AggregateId, slot: str) -> str:
    return f"{owner}:{slot}" if slot else str(owner)


def _member(trigger: Trigger) -> str:
    return _name(trigger.owner, trigger.slot)


def _owner(member: str) -> AggregateId:
    return AggregateId(int(member.partition(":")[0]))


def _places(trigger: Trigger) -> int:
    """Return the places of a book unit: exact for every price on its step, and some way below."""
    exponent = trigger.price_step.normalize().as_tuple().exponent
    places = max(-int(exponent), 0) + PLACES_BELOW_STEP
    stop = trigger.stop
    if stop is not None:
        places = min(places, max(DIGITS - 1 - stop.adjusted(), 0))
    return places


def _words(trigger: Trigger, seen: Tick | None) -> list[str | int]:
    """Return the nine words of book_arm.lua."""
    words: list[str | int] = [_member(trigger), *_fields(trigger)]
    quote = None if seen is None else seen.quotes.get(trigger.symbol)
    if seen is None or quote is None:
        return [*words, "", ""]
    return [*words, seen.number, f"{quote.of(trigger.source):f}"]


def _fields(trigger: Trigger) -> tuple[str, str, str, str, str, str]:
    way = _WAYS[trigger.direction]
    if trigger.trail is None:
        return "fixed", way, f"{trigger.level:f}", "", "", ""
    on = "" if trigger.activates is None else _WAYS[trigger.activates]
    activation = "" if trigger.activation is None else f"{trigger.activation:f}"
    offset = trigger.trail.value
    if not trigger.trail.is_percent:
        return f"{way}a", way, "", f"{offset:f}", on, activation
    counted = offset.scaleb(PERCENT_PLACES).to_integral_value(ROUND_CEILING)
    return f"{way}p", way, "", f"{counted:f}", on, activation


def _gather(fired: dict[AggregateId, Firing], symbol: Symbol, tick: Tick, answer: Answer) -> None:
    """Add what book_fire.lua has answered to the one firing of each owner."""
    place = 1
    while place < len(answer):
        price = tick.quotes[symbol].of(PriceSource(answer[place]))
        extreme = _extreme([one for one in text_of(answer[place + 1]).split("|") if one])
        members = answer[place + 3 : place + 3 + int(answer[place + 2])]
        for member in map(text_of, members):
            fresh = replace(_firing(member, symbol, tick.number), at_ms=tick.at_ms)
            known = fired.get(fresh.owner, fresh)
            fired[known.owner] = _with(known, member, price, extreme)
        place += 3 + len(members)


def _firing(member: str, symbol: Symbol, tick: int) -> Firing:
    return Firing(owner=_owner(member), symbol=symbol, tick=tick)


def _with(firing: Firing, member: str, price: Decimal, extreme: Decimal | None) -> Firing:
    """Return the firing with one more trigger of its owner."""
    slot = member.partition(":")[2]
    prices = {**firing.prices, slot: price}
    if extreme is None:
        return replace(firing, prices=prices)
    return replace(firing, prices=prices, extremes={**firing.extremes, slot: extreme})


def _extreme(trailed: Sequence[str]) -> Decimal | None:
    """Return the extreme of what trailed, from book units and places; None of a fixed level."""
    if not trailed:
        return None
    units, places = trailed
    return Decimal(units).scaleb(-int(places))
