"""Hands out ids, in small blocks that a process drops after a second."""

import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import redis

from app.domain.errors import StoreUnavailable
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

#: So long before that, or when a shard has so few numbers left, one thread draws the next block,
#: and the others go on with this one. Else many that come at once would all draw at once.
AHEAD_SECONDS, FEW = 0.5, 64

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class _Block:
    """Consecutive numbers that nobody else has; `next` is what each shard is given next."""

    first: int
    next: dict[int, int]
    drop_at: float
    process: int

    @property
    def is_over(self) -> bool:
        """Whether it must not be used: a fork must not hand out what its parent has drawn."""
        return time.monotonic() > self.drop_at or os.getpid() != self.process

    def is_ending(self, shard: int) -> bool:
        """Whether another one should be there soon."""
        left = range(self.next[shard], self.first + BLOCK, keys.SHARD_COUNT)
        return len(left) < FEW or time.monotonic() > self.drop_at - AHEAD_SECONDS

    def take(self, shard: int, most: int) -> list[int]:
        """Take numbers for a shard, as many as there are left."""
        if self.is_over:
            return []
        first, end = self.next[shard], self.first + BLOCK
        taken = list(range(first, end, keys.SHARD_COUNT)[:most])
        self.next[shard] = first + len(taken) * keys.SHARD_COUNT
        return taken


class RedisIds:
    """Ids of one integer space below 2**53; the remainder by SHARDS names the shard.

    A block is drawn by one thread before the last one ends, and by whoever finds that there is
    none. Of those that several have drawn at once the last one serves all; the numbers of the
    others are used by nobody.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._draw_block = load_script(client, "ids.lua")
        self._lock = threading.Lock()
        self._block: _Block | None = None
        self._drawn_after: _Block | None = None
        self._installation: str | None = None

    def fresh(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids whose remainder names the shard of the account, rising."""
        shard, numbers = account % keys.SHARD_COUNT, list[int]()
        installation = self.installation()
        while len(numbers) < count:
            with self._lock:
                missing = count - len(numbers)
                taken = [] if self._block is None else self._block.take(shard, missing)
            numbers += taken
            if len(taken) < missing:
                self._draw()
        self._draw_ahead(shard)
        ids = map(AggregateId, numbers)
        return tuple(FreshId(one, client_order_id(installation, one)) for one in ids)

    def latest(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids like `fresh`, above all that any process has handed out until now.

        Two that wait for one price take their turns in the order of their ids. Drawn from the block
        that a process happens to have, those of the later one could be smaller.
        """
        self._draw()
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

    def _draw_ahead(self, shard: int) -> None:
        """Draw the block after one that is ending, unless a thread of this process does already."""
        block = self._block
        if block is None or block is self._drawn_after or not block.is_ending(shard):
            return
        self._drawn_after = block
        with suppress(StoreUnavailable):  # whoever needs it will be told
            self._draw()

    def _draw(self) -> None:
        """Draw a block, and serve from it unless a later one is there by now."""
        drop_at = time.monotonic() + BLOCK_LIFE_SECONDS
        first = int(self._draw_block([keys.IDS], [BLOCK, ID_EPOCH_MS, IDS_PER_MS])[0])
        beginnings = range(first, first + keys.SHARD_COUNT)
        by_shard = {one % keys.SHARD_COUNT: one for one in beginnings}
        block = _Block(first, by_shard, drop_at, os.getpid())
        with self._lock:
            if self._block is None or self._block.is_over or self._block.first < first:
                self._block = block
