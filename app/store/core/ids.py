"""Hands out ids, in small blocks that a process drops after a second."""

import os
import secrets
import threading
import time

import redis

from app.domain.identifiers import (
    ID_EPOCH_MS,
    IDS_PER_MS,
    AccountId,
    AggregateId,
    ClientOrderId,
    FreshId,
    client_order_id,
    order_id_of,
)
from app.store.core import keys
from app.store.core.scripts import load_script, text_of

#: Ids in one block, the numbers of one millisecond: 256 for each shard.
BLOCK = IDS_PER_MS

#: After this long a block is dropped, so that ids rise with time to within a second.
BLOCK_LIFE_SECONDS = 1.0

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


class RedisIds:
    """Ids of one integer space below 2**53; the remainder by SHARDS names the shard."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._block = load_script(client, "ids.lua")
        self._lock = threading.Lock()
        self._next: dict[int, int] = {}
        self._end = 0
        self._drop_at = 0.0
        self._process = 0
        self._installation: str | None = None

    def fresh(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids whose remainder names the shard of the account, rising."""
        shard = account % keys.SHARD_COUNT
        installation = self.installation()
        with self._lock:
            return tuple(self._one(shard, installation) for _ in range(count))

    def latest(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids like `fresh`, above all that any process has handed out until now.

        Two that wait for one price take their turns in the order of their ids. Drawn from the block
        that a process happens to have, those of the later one could be smaller.
        """
        with self._lock:
            self._drop_at = 0.0
        return self.fresh(account, count)

    def order_of(self, client_order_id: ClientOrderId) -> AggregateId | None:
        """Return the order behind a client order id, or None if it is not one of ours."""
        return order_id_of(client_order_id, self.installation())

    def client_order_id(self, order_id: AggregateId) -> ClientOrderId:
        """Return by which id venues know an order."""
        return client_order_id(self.installation(), order_id)

    def installation(self) -> str:
        """Return the four characters of this installation, made at the first start."""
        if self._installation is None:
            made = "".join(secrets.choice(_LETTERS) for _ in range(4))
            self._client.set(keys.INSTALLATION, made, nx=True)
            self._installation = text_of(self._client.get(keys.INSTALLATION))
        return self._installation

    def _one(self, shard: int, installation: str) -> FreshId:
        now, process = time.monotonic(), os.getpid()
        used_up = self._next.get(shard, self._end) >= self._end
        if used_up or now > self._drop_at or process != self._process:
            self._draw()
            self._drop_at = now + BLOCK_LIFE_SECONDS
            self._process = process  # a fork must not hand out what its parent has drawn
        value = AggregateId(self._next[shard])
        self._next[shard] += keys.SHARD_COUNT
        return FreshId(value, client_order_id(installation, value))

    def _draw(self) -> None:
        first = int(self._block([keys.IDS], [BLOCK, ID_EPOCH_MS, IDS_PER_MS])[0])
        self._end = first + BLOCK
        self._next = {one % keys.SHARD_COUNT: one for one in range(first, first + keys.SHARD_COUNT)}
