"""A client of the store as it would be: it reads what is there, and writes nothing of it.

What a dry run writes stays in memory, above what is read. Whatever this cannot do in memory it
refuses, so no code that a dry run comes by can change the store, or wake anybody, by mistake.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final, TypeVar

import redis
from redis.client import Pipeline

from app.domain.errors import NotDry
from app.store.core.sharded import keys_of
from app.store.overlay.values import Hash, Members, Row, Sorted, Text, Value

#: What a script does, in memory: keys, then arguments. Returns what the script does.
Counterpart = Callable[[redis.Redis, Sequence[str], Sequence[str]], list[Any]]

#: About a server, and harmless.
_ABOUT: Final = frozenset({"INFO", "PING", "TIME"})

#: What only reads, of whatever kind of value.
_READS: Final = frozenset(
    {
        *("EXISTS", "GET", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HVALS"),
        *("LLEN", "LRANGE", "MGET", "PTTL", "SCARD", "SISMEMBER", "SMEMBERS", "TYPE"),
        *("XRANGE", "XREAD", "XREVRANGE", "ZCARD", "ZRANGE", "ZRANGEBYSCORE"),
        *("ZREVRANGEBYSCORE", "ZSCORE"),
    }
)

#: Streams only tell; whoever reads one in a dry run reads what really happened.
_STREAMS: Final = frozenset({"XRANGE", "XREAD", "XREVRANGE"})

One = TypeVar("One", bound=Value)


class _NoConnections(redis.ConnectionPool):
    """Stands where a client has its connections: no way around `execute_command`."""

    def get_connection(self, *_: Any, **_named: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Refuse."""
        raise NotDry("a dry run has no connection of its own")


class OverlayClient(redis.Redis):
    """Reads from a store, and keeps what is written to itself.

    Args:
        real: client of the store.
        counterparts: what scripts do, by the hash of their text.

    Attributes:
        real: as above.
    """

    def __init__(self, real: redis.Redis, counterparts: Mapping[str, Counterpart]) -> None:
        super().__init__(connection_pool=_NoConnections())
        self.real = real
        self._counterparts = counterparts
        self._values: dict[str, Value] = {}
        self._deleted: set[str] = set()
        self._refused: NotDry | None = None

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out one command.

        Raises:
            NotDry: it is none that can be carried out in memory.
        """
        name = str(args[0]).upper()
        if name in {"EVAL", "EVALSHA"}:
            return self._run(name, args)
        if self.is_only_read(args):
            execute: Any = self.real.execute_command
            return execute(*args, **options)
        carry_out = _COMMANDS.get(name)
        if carry_out is None:
            raise self._refusal(f"a dry run cannot tell what {name} of {args[1:2]} would do")
        try:
            return carry_out(self, [_text(one) for one in args[1:]])
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._refusal(f"a dry run cannot tell what {args!r} would do") from error

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: ANN401, FBT001, FBT002 - as redis-py has it
        """Return a pipeline of the same kind."""
        pipeline = _OverlayPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.overlay = self
        return pipeline

    def is_only_read(self, args: Sequence[Any]) -> bool:
        """Tell whether a command reads nothing but what the store has."""
        name = str(args[0]).upper()
        if name in _ABOUT or name in _STREAMS:
            return True
        return name in _READS and not any(map(self.is_touched, keys_of(args)))

    def is_touched(self, key: str) -> bool:
        """Tell whether a key was written here, or deleted, or read for that."""
        return key in self._values or key in self._deleted

    def value(self, key: str, kind: type[One]) -> One:
        """Return the value of a key, to be read or written.

        Raises:
            NotDry: it is of another kind.
        """
        if key not in self._values:
            self._values[key] = kind(self.real, key, is_anew=key in self._deleted)
        found = self._values[key]
        if not isinstance(found, kind):
            raise self._refusal(
                f"{key} is a {type(found).__name__} in a dry run, no {kind.__name__}"
            )
        return found

    def refuse_if_refused(self) -> None:
        """Raise what was refused here at any time, though somebody may have caught it since.

        Raises:
            NotDry: that.
        """
        if self._refused is not None:
            raise self._refused

    def left_ms(self, key: str) -> int:
        """Return for how long the store keeps a key; what was written here does not matter."""
        return 0 if key in self._deleted else max(int(self.real.pttl(key)), 0)

    def is_there(self, key: str) -> bool:
        """Tell whether a key exists."""
        if key in self._values:
            return self._values[key].is_there()
        return key not in self._deleted and bool(self.real.exists(key))

    def forget(self, key: str) -> bool:
        """Delete a key, and return whether it was there."""
        was_there = self.is_there(key)
        self._values.pop(key, None)
        self._deleted.add(key)
        return was_there

    def _refusal(self, why: str) -> NotDry:
        self._refused = self._refused or NotDry(why)
        return self._refused

    def _run(self, name: str, args: Sequence[Any]) -> list[Any]:
        script = _text(args[1])
        sha = (
            script
            if name == "EVALSHA"
            else sha1(script.encode(), usedforsecurity=False).hexdigest()
        )
        counterpart = self._counterparts.get(sha)
        if counterpart is None:
            raise self._refusal(f"a dry run cannot tell what script {sha} would do")
        count = int(args[2])
        words = [_text(one) for one in args[3:]]
        return counterpart(self, words[:count], words[count:])


class _OverlayPipeline(Pipeline):
    """Commands in order; those between which nothing is written go in one round trip."""

    overlay: OverlayClient

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        """Carry them out."""
        commands: list[Any] = list(self.command_stack)
        overlay = self.overlay
        try:
            if all(overlay.is_only_read(args) for args, _ in commands):
                return self._read(commands, raise_on_error=raise_on_error)
            return [self._one(*command, raise_on_error=raise_on_error) for command in commands]
        finally:
            reset: Any = self.reset
            reset()

    def _one(self, args: Any, options: Any, *, raise_on_error: bool) -> Any:  # noqa: ANN401 - as redis-py has it
        try:
            return self.overlay.execute_command(*args, **options)
        except redis.RedisError as error:
            if raise_on_error:
                raise
            return error

    def _read(self, commands: Sequence[Any], *, raise_on_error: bool) -> list[Any]:
        at_once: Any = self.transaction  # a method of the same name hides what it is
        with self.overlay.real.pipeline(transaction=at_once) as pipeline:
            for args, options in commands:
                queue: Any = pipeline.execute_command
                queue(*args, **options)
            return list(pipeline.execute(raise_on_error=raise_on_error))


def _text(word: Any) -> str:  # noqa: ANN401 - whatever a command is made of
    return word.decode() if isinstance(word, bytes) else str(word)


# What commands do in memory. The answers are those that the client makes of the server's.

_Words = Sequence[str]


def _set(client: OverlayClient, words: _Words) -> bool | None:
    key, text, *options = words
    _refuse_others([one for one in options if not one.isdigit()], "NX", "XX", "PX", "EX")
    is_there = client.is_there(key)
    if ("NX" in options and is_there) or ("XX" in options and not is_there):
        return None
    client.forget(key)
    client.value(key, Text).set(text)
    return True


def _add(client: OverlayClient, words: _Words) -> int:
    text = client.value(words[0], Text)
    sum_ = int(text.get() or 0) + int(words[1] if len(words) > 1 else 1)
    text.set(str(sum_))
    return sum_


def _hash_put(client: OverlayClient, words: _Words) -> int:
    pairs = dict(zip(words[1::2], words[2::2], strict=True))
    return client.value(words[0], Hash).put(pairs)


def _hash_put_new(client: OverlayClient, words: _Words) -> int:
    key, field, text = words
    found = client.value(key, Hash)
    return 0 if found.get([field])[0] is not None else found.put({field: text})


def _hash_add(client: OverlayClient, words: _Words) -> int:
    key, field, by = words
    found = client.value(key, Hash)
    sum_ = int(found.get([field])[0] or 0) + int(by)
    found.put({field: str(sum_)})
    return sum_


def _hash_take(client: OverlayClient, words: _Words) -> int:
    found = client.value(words[0], Hash)
    fields = words[1:]
    return len(fields) - found.put(dict.fromkeys(fields))


def _sorted_put(client: OverlayClient, words: _Words) -> int:
    key, *rest = words
    found = client.value(key, Sorted)
    only_new = rest[0] == "NX"
    pairs = rest[1:] if only_new else rest
    added = 0
    for score, member in zip(pairs[::2], pairs[1::2], strict=True):
        if not (only_new and found.score(member) is not None):
            added += not found.put(member, Decimal(score))
    return added


def _sorted_take(client: OverlayClient, words: _Words) -> int:
    found = client.value(words[0], Sorted)
    return sum(found.put(one, None) for one in words[1:])


def _sorted_range(client: OverlayClient, words: _Words) -> list[Any]:
    key, first, last, *options = words
    _refuse_others(options, "WITHSCORES")
    end = int(last)
    members = client.value(key, Sorted).first(end + 1 if end >= 0 else None)
    return _shown(members[slice(*_ends(first, last))], options)


def _sorted_between(client: OverlayClient, words: _Words, *, falling: bool = False) -> list[Any]:
    key, one, other, *options = words
    skipped, count = 0, None
    if "LIMIT" in options:
        at = options.index("LIMIT")
        skipped = int(options[at + 1])
        count = skipped + int(options[at + 2])
    least, most = (other, one) if falling else (one, other)
    found = client.value(key, Sorted).between(least, most, count, falling=falling)
    return _shown(found[skipped:], options)


def _refuse_others(options: _Words, *known: str) -> None:
    """Refuse an option that is none of these.

    Raises:
        ValueError: there is one.
    """
    others = set(options) - set(known)
    if others:
        raise ValueError(f"nobody knows {sorted(others)} here")


def _ends(first: str, last: str) -> tuple[int, int | None]:
    """Return a range with both its ends, as commands count, as a slice has them."""
    return int(first), None if last == "-1" else int(last) + 1


def _shown(found: Sequence[tuple[str, Any]], options: _Words) -> list[Any]:
    return [*found] if "WITHSCORES" in options else [member for member, _ in found]


_Command = Callable[[OverlayClient, Sequence[str]], Any]

_COMMANDS: Final[Mapping[str, _Command]] = {
    "DEL": lambda client, words: sum(client.forget(one) for one in words),
    "EXISTS": lambda client, words: sum(client.is_there(one) for one in words),
    "GET": lambda client, words: client.value(words[0], Text).get(),
    "HDEL": _hash_take,
    "HEXISTS": lambda client, words: client.value(words[0], Hash).get(words[1:]) != [None],
    "HGET": lambda client, words: client.value(words[0], Hash).get(words[1:])[0],
    "HGETALL": lambda client, words: client.value(words[0], Hash).all(),
    "HINCRBY": _hash_add,
    "HKEYS": lambda client, words: list(client.value(words[0], Hash).all()),
    "HLEN": lambda client, words: len(client.value(words[0], Hash).all()),
    "HMGET": lambda client, words: client.value(words[0], Hash).get(words[1:]),
    "HSET": _hash_put,
    "HSETNX": _hash_put_new,
    "HVALS": lambda client, words: list(client.value(words[0], Hash).all().values()),
    "INCR": _add,
    "INCRBY": _add,
    "LLEN": lambda client, words: len(client.value(words[0], Row).all()),
    "LPOP": lambda client, words: client.value(words[0], Row).take(),
    "LRANGE": lambda client, words: client.value(words[0], Row).all()[slice(*_ends(*words[1:]))],
    "MGET": lambda client, words: [client.get(one) for one in words],
    "PEXPIRE": lambda client, words: client.is_there(words[0]),  # it ends sooner than that
    "PTTL": lambda client, words: client.left_ms(words[0]),
    "RPUSH": lambda client, words: client.value(words[0], Row).add(words[1:]),
    "SADD": lambda client, words: client.value(words[0], Members).put(words[1:], is_in=True),
    "SCARD": lambda client, words: len(client.value(words[0], Members).all()),
    "SET": _set,
    "SINTER": lambda client, words: set.intersection(
        *(client.value(one, Members).all() for one in words)
    ),
    "SISMEMBER": lambda client, words: words[1] in client.value(words[0], Members).all(),
    "SMEMBERS": lambda client, words: client.value(words[0], Members).all(),
    "SREM": lambda client, words: client.value(words[0], Members).put(words[1:], is_in=False),
    "XADD": lambda _client, _words: "0-0",  # nobody is told
    "ZADD": _sorted_put,
    "ZCARD": lambda client, words: client.value(words[0], Sorted).size(),
    "ZRANGE": _sorted_range,
    "ZRANGEBYSCORE": _sorted_between,
    "ZREM": _sorted_take,
    "ZREVRANGEBYSCORE": lambda client, words: _sorted_between(client, words, falling=True),
    "ZSCORE": lambda client, words: client.value(words[0], Sorted).score(words[1]),
}
