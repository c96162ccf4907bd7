"""What a dry run has written under one key, above what the store has there.

No key is copied: some hold as many members as there are orders. Each value keeps what differs, and
asks the store for the rest whenever it is read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import redis

#: The store has them as floats; what is written here is exact.
Score = float | Decimal

#: Member and score.
Scored = tuple[str, Score]


class Value:
    """What every kind of value has in common.

    Args:
        real: client of the store.
        key: whose value it is.
        is_anew: nothing of what the store has there counts.
    """

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        self._real, self._key, self._is_anew = real, key, is_anew

    def is_there(self) -> bool:
        """Tell whether the key exists."""
        raise NotImplementedError


class Text(Value):
    """A string."""

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        super().__init__(real, key, is_anew=is_anew)
        self._text: str | None = None

    def get(self) -> str | None:
        """Return it."""
        if self._text is not None or self._is_anew:
            return self._text
        found: Any = self._real.get(self._key)
        return None if found is None else str(found)

    def set(self, text: str) -> None:
        """Put another in its place."""
        self._text = text

    def is_there(self) -> bool:
        """Tell whether there is one."""
        return self.get() is not None


class Hash(Value):
    """Fields."""

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        super().__init__(real, key, is_anew=is_anew)
        self._changed: dict[str, str | None] = {}

    def get(self, fields: Sequence[str]) -> list[str | None]:
        """Return the values of fields; None where there is none."""
        asked = [] if self._is_anew else [one for one in fields if one not in self._changed]
        answer: Any = self._real.hmget(self._key, asked) if asked else []
        found = dict(zip(asked, answer, strict=True))
        return [self._changed.get(one, found.get(one)) for one in fields]

    def all(self) -> dict[str, str]:
        """Return field → value."""
        found: Any = {} if self._is_anew else self._real.hgetall(self._key)
        whole = {**found, **self._changed}
        return {field: value for field, value in whole.items() if value is not None}

    def put(self, pairs: Mapping[str, str | None]) -> int:
        """Set fields, or take them out (None); return how many were not there before."""
        before = self.get(list(pairs))
        self._changed.update(pairs)
        return sum(one is None for one in before)

    def is_there(self) -> bool:
        """Tell whether it has a field."""
        return bool(self.all())


class Members(Value):
    """A set."""

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        super().__init__(real, key, is_anew=is_anew)
        self._changed: dict[str, bool] = {}

    def all(self) -> set[str]:
        """Return the members."""
        found: Any = set() if self._is_anew else self._real.smembers(self._key)
        left = {one for one in found if one not in self._changed}
        return left | {one for one, is_in in self._changed.items() if is_in}

    def put(self, members: Iterable[str], *, is_in: bool) -> int:
        """Add members or take them out; return how many that changed."""
        before = self.all()
        wanted = set(members)
        self._changed.update(dict.fromkeys(wanted, is_in))
        return len(wanted - before if is_in else wanted & before)

    def is_there(self) -> bool:
        """Tell whether it has a member."""
        return bool(self.all())


class Sorted(Value):
    """A sorted set."""

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        super().__init__(real, key, is_anew=is_anew)
        self._changed: dict[str, Score | None] = {}

    def score(self, member: str) -> Score | None:
        """Return the score of a member, or None if there is none."""
        if member in self._changed or self._is_anew:
            return self._changed.get(member)
        found: Any = self._real.zscore(self._key, member)
        score: Score | None = found
        return score

    def put(self, member: str, score: Score | None) -> bool:
        """Set the score of a member, or take it out; return whether it was there before."""
        was_there = self.score(member) is not None
        self._changed[member] = score
        return was_there

    def first(self, count: int | None) -> list[Scored]:
        """Return the first so many, lowest first; None is all."""
        most = None if count is None else count + len(self._changed)
        found = [] if most == 0 else self._asked("zrange", 0, -1 if most is None else most - 1)
        return self._merged(found)[:count]

    def between(
        self, least: str, most: str, count: int | None = None, *, falling: bool = False
    ) -> list[Scored]:
        """Return those between two scores, as commands write them; so many at most."""
        limits = () if count is None else (0, count + len(self._changed))
        if falling:
            found = self._asked("zrevrangebyscore", most, least, *limits)
        else:
            found = self._asked("zrangebyscore", least, most, *limits)
        is_within = _within(least, most)
        merged = [one for one in self._merged(found) if is_within(one[1])]
        return (merged[::-1] if falling else merged)[:count]

    def size(self) -> int:
        """Return how many members it has."""
        return len(self.first(None))

    def is_there(self) -> bool:
        """Tell whether it has a member."""
        return bool(self.first(1))

    def _asked(self, command: str, *arguments: object) -> list[Scored]:
        if self._is_anew:
            return []
        found: Any = getattr(self._real, command)(self._key, *arguments, withscores=True)
        return [(member, score) for member, score in found]

    def _merged(self, found: Iterable[Scored]) -> list[Scored]:
        left = [one for one in found if one[0] not in self._changed]
        changed = [(one, score) for one, score in self._changed.items() if score is not None]
        return sorted([*left, *changed], key=lambda one: (one[1], one[0]))


class Row(Value):
    """A list."""

    def __init__(self, real: redis.Redis, key: str, *, is_anew: bool) -> None:
        super().__init__(real, key, is_anew=is_anew)
        self._taken = 0
        self._added: list[str] = []

    def all(self) -> list[str]:
        """Return what it holds, oldest first."""
        found: Any = [] if self._is_anew else self._real.lrange(self._key, 0, -1)
        return [*found, *self._added][self._taken :]

    def add(self, texts: Iterable[str]) -> int:
        """Add to the end, and return how long it is."""
        self._added += texts
        return len(self.all())

    def take(self) -> str | None:
        """Take the oldest out, and return it; None if there is none."""
        left = self.all()
        if not left:
            return None
        self._taken += 1
        return left[0]

    def is_there(self) -> bool:
        """Tell whether it holds anything."""
        return bool(self.all())


def _within(least: str, most: str) -> Callable[[Score], bool]:
    """Return what tells whether a score lies between two ends, which may be no part of it."""
    low, high = (Decimal(one.removeprefix("(")) for one in (least, most))
    opens, ends = (one.startswith("(") for one in (least, most))
    return lambda score: (
        (score > low if opens else score >= low) and (score < high if ends else score <= high)
    )
