"""What scripts of the store do, in memory: each says in Python what its text says in Lua.

The contract suites run over both, so that they cannot differ unnoticed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha1
from pathlib import Path
from typing import Any, Final

import redis

from app.store.core.scripts import script_text
from app.store.overlay.client import Counterpart

_Refusal = list[Any] | None

#: As in commit.lua.
_MINUTE_MS: Final = 60_000

_PLACES: Final = 4096

_HELD: Final = re.compile(r"(\d+):(\d+)", re.ASCII)


def sha_of(*files: str | Path) -> str:
    """Return the hash of a script, made of the same files as where it is loaded."""
    return sha1(script_text(*files).encode(), usedforsecurity=False).hexdigest()


def commit(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Check conditions, then write, as commit.lua."""
    at = 1
    for _ in range(int(arguments[0])):
        word, key, argument = arguments[at], keys[int(arguments[at + 1]) - 1], arguments[at + 2]
        refusal = _CONDITIONS[word](client, key, argument)
        if refusal is not None:
            return refusal
        at += 3
    behind: list[str] = []
    while at < len(arguments):
        count = int(arguments[at])
        name, key = arguments[at + 1], keys[int(arguments[at + 2]) - 1]
        rest = arguments[at + 3 : at + 1 + count]
        write = _WRITES.get(name)
        if name == "LANE":
            behind += _stand(client, key, *rest)
        elif write is not None:
            write(client, key, keys, rest)
        else:
            _carry_out(client, name, key, *rest)
        at += count + 1
    return ["ok", *behind]


def _carry_out(client: redis.Redis, *words: str) -> None:
    execute: Any = client.execute_command
    execute(*words)


def _now_ms(client: redis.Redis) -> int:
    found: Any = client.time()
    return int(found[0]) * 1000 + int(found[1]) // 1000


def _stand(client: redis.Redis, key: str, due: str, member: str) -> list[str]:
    """Stand behind all that are due in the same millisecond; return who is behind anybody."""
    everybody: Any = client.zrange(key, 0, -1, withscores=True)
    same = [Decimal(score) for _, score in everybody if int(due) <= score < int(due) + 1]
    place = Decimal(due)
    if same:
        last = Decimal(_PLACES - 1) / _PLACES
        place = min(max(same) + Decimal(1) / _PLACES, place + last)
    _carry_out(client, "ZADD", key, "NX", str(place), member)
    return [member] if everybody else []


def _tell(client: redis.Redis, key: str, _: Sequence[str], texts: Sequence[str]) -> None:
    client.rpush(key, *texts)


def _read(client: redis.Redis, inbox: str, keys: Sequence[str], rest: Sequence[str]) -> None:
    child, outbox, member = rest
    client.hdel(inbox, child)
    if not client.hlen(inbox):
        client.zrem(keys[int(outbox) - 1], member)


def _noted(client: redis.Redis, kept: str, keys: Sequence[str], rest: Sequence[str]) -> None:
    aggregate_id, finished = rest
    if client.zrem(kept, aggregate_id):
        client.zadd(keys[int(finished) - 1], {aggregate_id: _now_ms(client)})


def _filled(client: redis.Redis, key: str, keys: Sequence[str], rest: Sequence[str]) -> None:
    limits, at_ms, order_id, kept_ms = rest
    if client.exists(keys[int(limits) - 1]):
        _carry_out(client, "ZADD", key, at_ms, order_id)
        _forget(client, key, keys, ["-inf", str(int(at_ms) - int(kept_ms))])


def _forget(client: redis.Redis, key: str, _: Sequence[str], ends: Sequence[str]) -> None:
    least, most = ends
    found: Any = client.zrangebyscore(key, least, most)
    if found:
        client.zrem(key, *found)


def _nothing(_: redis.Redis, __: str, ___: Sequence[str], ____: Sequence[str]) -> None:
    """Do nothing: nobody reads it in a dry run."""


#: Those of commit.lua's own, save LANE, and what nobody else sends: what it does with the key, all
#: keys, and the arguments.
_WRITES: Final[Mapping[str, Callable[[redis.Redis, str, Sequence[str], Sequence[str]], None]]] = {
    "FILLED": _filled,
    "NOTED": _noted,
    "READ": _read,
    "TELL": _tell,
    "TRADE": _nothing,
    "ZREMRANGEBYSCORE": _forget,
}


def _version(client: redis.Redis, key: str, wanted: str) -> _Refusal:
    found = client.hget(key, "version") or "0"
    return None if found == wanted else ["version", found]


def _present(client: redis.Redis, key: str, _: str) -> _Refusal:
    return None if client.exists(key) else ["present", ""]


def _permits(client: redis.Redis, key: str, words: str) -> _Refusal:
    state = client.get(key) or "HALT"
    return None if state in words.split(" ") else ["permits", state]


def _lane(client: redis.Redis, key: str, wanted: str) -> _Refusal:
    found = client.get(key) or "0"
    return None if found == wanted else ["lane", found]


def _claims(client: redis.Redis, key: str, wanted: str) -> _Refusal:
    found = client.get(key) or "0"
    return None if found == wanted else ["claims", found]


def _registry(client: redis.Redis, key: str, known: str) -> _Refusal:
    found: Any = client.get(key) or "0"
    return ["registry", found] if int(found) > int(known) else None


def _unread(client: redis.Redis, key: str, wanted: str) -> _Refusal:
    child, _, version = wanted.partition(" ")
    found = client.hget(key, child) or "0"
    return None if found == version else ["unread", found]


def _give_up(client: redis.Redis, _: str, at: str) -> _Refusal:
    now_ms = _now_ms(client)
    return ["give_up", str(now_ms)] if now_ms > int(at) else None


def _unused(client: redis.Redis, key: str, field: str) -> _Refusal:
    holder: Any = client.hget(key, field)
    return ["repeated", holder] if holder and " free" not in holder else None


def _room(client: redis.Redis, key: str, most: str) -> _Refusal:
    waiting: Any = client.scard(key)
    return ["room", most] if waiting >= int(most) else None


def _memory(client: redis.Redis, _: str, most: str) -> _Refusal:
    info: Any = client.info("memory")
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not limit or used * 100 <= int(most) * limit:
        return None
    return ["memory", f"{Decimal(used) * 100 / limit:.1f}"]


def _fresh(client: redis.Redis, key: str, business_now: str) -> _Refusal:
    held = _HELD.fullmatch(str(client.get(key) or ""))
    return ["repeated", held[1]] if held and int(held[2]) > int(business_now) else None


def _rate(client: redis.Redis, key: str, limit: str) -> _Refusal:
    left_ms: Any = client.pttl(key)
    if left_ms > _MINUTE_MS:
        client.delete(key)
    count: Any = client.incr(key)
    if count <= int(limit):
        return None
    return ["rate", str(left_ms if left_ms > 0 else _MINUTE_MS)]


def _repeats(client: redis.Redis, key: str, most: str) -> _Refusal:
    count: Any = client.hincrby(key, "repeats", 1)
    return ["repeats", most] if count > int(most) else None


_CONDITIONS: Final[Mapping[str, Callable[[redis.Redis, str, str], _Refusal]]] = {
    "version": _version,
    "present": _present,
    "permits": _permits,
    "lane": _lane,
    "claims": _claims,
    "registry": _registry,
    "unread": _unread,
    "give_up": _give_up,
    "unused": _unused,
    "room": _room,
    "memory": _memory,
    "fresh": _fresh,
    "rate": _rate,
    "repeats": _repeats,
}


def ids(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Draw a block of ids, as ids.lua."""
    count, epoch_ms, per_ms = map(int, arguments)
    last: Any = client.get(keys[0]) or 0
    first = max(int(last) + 1, (_now_ms(client) - epoch_ms) * per_ms)
    client.set(keys[0], str(first + count - 1))
    return [str(first)]


def spend(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Count a request against budgets, as spend.lua."""
    limits, windows = map(int, arguments[::2]), list(map(int, arguments[1::2]))
    for key, limit, window_ms in zip(keys, limits, windows, strict=True):
        left_ms: Any = client.pttl(key)
        if left_ms > window_ms:
            client.delete(key)
        spent: Any = client.get(key) or 0
        if int(spent) >= limit:
            return ["rate", str(left_ms)]
    for key in keys:
        client.incr(key)
    return ["ok"]


def sign(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Bind a signature to a body, as sign.lua."""
    body, now, until, _ = arguments
    used, _, ends = str(client.get(keys[0]) or "").partition(":")
    if ends and int(ends) > int(now):
        return ["ok" if used == body else "used"]
    client.set(keys[0], f"{body}:{until}")
    return ["ok"]


def take_request(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Hand a request to the first who asks in time, as take_request.lua."""
    now, within_ms = map(int, arguments)
    found: Any = client.hmget(keys[0], "body", "until")
    body, ends = found[0], int(found[1] or 0)
    if body is None or not now < ends <= now + within_ms:
        return ["none"]
    return ["ok", body] if client.hsetnx(keys[0], "taken", "1") else ["none"]


def quarantine(_client: redis.Redis, _keys: Sequence[str], _arguments: Sequence[str]) -> list[Any]:
    """Note nothing: whoever really comes upon the record notes it, unlike quarantine.lua."""
    return ["known"]


def bring_back(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Put an aggregate back as it left, as bring_back.lua."""
    kept, record, timeline, children = keys
    give_up_at, aggregate_id, parent, version, body, count, *texts = arguments
    if client.exists(record):
        return ["ok"]
    now_ms = _now_ms(client)
    if now_ms > int(give_up_at):
        return ["give_up", str(now_ms)]
    client.hset(record, mapping={"version": version, "body": body})
    if parent:
        client.hset(record, "parent", parent)
    entries, born = texts[: int(count)], texts[int(count) :]
    if entries:
        client.rpush(timeline, *entries)
    if born:
        client.sadd(children, *born)
    client.zadd(kept, {aggregate_id: now_ms})
    return ["ok"]


COUNTERPARTS: Final[Mapping[str, Counterpart]] = {
    sha_of("run.lua", "commit.lua"): commit,
    sha_of("commit.lua"): commit,
    sha_of("bring_back.lua"): bring_back,
    sha_of("ids.lua"): ids,
    sha_of("quarantine.lua"): quarantine,
    sha_of("sign.lua"): sign,
    sha_of("spend.lua"): spend,
    sha_of("take_request.lua"): take_request,
}
