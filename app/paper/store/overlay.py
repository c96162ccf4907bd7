"""What scripts of the paper venue do, in memory (see `app.store.overlay.scripts`)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis

from app.paper.store import SCRIPTS
from app.store.overlay.client import Counterpart
from app.store.overlay.scripts import sha_of

_NUMBER_DIGITS: Final = 16


def arrive(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Number an order, enter it, and read the price, as paper_arrive.lua."""
    symbol, count, *rest = arguments
    fields, entry = rest[: int(count)], rest[int(count) :]
    number: Any = client.incr(keys[0])
    if len(keys) > len(("sequence", "tick", "prices", "instruments")):
        name, price, owner = entry
        execute: Any = client.execute_command
        execute("ZADD", keys[4], price, f"{number:0{_NUMBER_DIGITS}d}|{owner}")
        client.sadd(keys[5], name)
    tick, price_record = client.get(keys[1]) or "0", client.hget(keys[2], symbol) or ""
    rules: Any = client.hmget(keys[3], fields)
    return ["ok", number, tick, price_record, *(one or "" for one in rules)]


def leave(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Take entries out of a book, as paper_leave.lua."""
    name, *members = arguments
    client.zrem(keys[0], *members)
    if not client.exists(keys[0]):
        client.srem(keys[1], name)
    return ["ok"]


def forget_news(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str]) -> list[Any]:
    """Forget news unless there is newer news, as paper_forget_news.lua."""
    news, accounts = keys
    account, *versions = arguments
    for order, version in zip(versions[::2], versions[1::2], strict=True):
        if client.hget(news, order) == version:
            client.hdel(news, order)
    if not client.exists(news):
        client.srem(accounts, account)
    return ["ok"]


COUNTERPARTS: Final[Mapping[str, Counterpart]] = {
    sha_of(SCRIPTS / "paper_arrive.lua"): arrive,
    sha_of(SCRIPTS / "paper_forget_news.lua"): forget_news,
    sha_of(SCRIPTS / "paper_leave.lua"): leave,
}
