"""The parts of the store over one client, built as a process would, with a clock by hand."""

import time
from collections.abc import Iterator

import redis

from app.domain.aggregate import Aggregate
from app.domain.commands import Action
from app.domain.effects import Effect
from app.domain.identifiers import AggregateId
from app.domain.search import EVERYTHING, Place
from app.ports.ledger import Change, CommitConditions, Stored
from app.ports.policy import Policy
from app.store.core.archive_queue import RedisArchiveQueue
from app.store.core.ids import RedisIds
from app.store.core.lanes import RedisLanes
from app.store.core.ledger import RedisLedger
from app.store.core.live import RedisLive
from app.store.core.outbox import RedisOutbox
from app.store.core.reader import PAGE, RedisReader
from app.store.core.registry import RedisRegistry
from app.store.core.timers import RedisTimers
from tests.support.builders import a_signal, an_id
from tests.support.clocks import FrozenClock

#: What is published counts as lost after this long; the clock by hand lies far behind the server's.
REPUBLISH_AFTER_MS = 3_000


class ListingReader(RedisReader):
    """Lists what the store holds, whatever the history has."""

    def newest(self, before: Place | None) -> Iterator[Aggregate]:
        """Yield aggregates from the newest, by creation time, then id; lazily, in pages."""
        while page := self.places(before, PAGE, EVERYTHING):
            before = page[-1]
            yield from self.load([aggregate_id for _, aggregate_id in page]).values()


class Store:
    """One process's view of the store."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.clock = FrozenClock()
        self.ledger = RedisLedger(client, self.clock, lambda: "test-1", REPUBLISH_AFTER_MS)
        self.live = RedisLive(client)
        self.lanes = RedisLanes(client)
        self.timers = RedisTimers(client)
        self.outbox = RedisOutbox(client, self.clock, Policy(republish_after_ms=REPUBLISH_AFTER_MS))
        self.reader = ListingReader(client)
        self.archive_queue = RedisArchiveQueue(client, self.clock)
        self.registry = RedisRegistry(client)
        self.ids = RedisIds(client)

    def put(self, *aggregates: Aggregate) -> Stored:
        """Store new aggregates in one commit; return the first as it was stored."""
        self.ledger.commit([Change(None, one) for one in aggregates])
        return self.ledger.load(aggregates[0].id)

    def change(self, after: Aggregate, terms: CommitConditions | None = None) -> list[Effect]:
        """Commit an aggregate as it is now, after what is stored; return what came to be owed."""
        change = Change(self.ledger.load(after.id), after)
        return list(self.ledger.commit([change], terms or CommitConditions()))

    def owed(self) -> list[str]:
        """Return everything that is owed as `kind id`, in order of the kinds."""
        return sorted(f"{effect.kind} {effect.target}" for effect in self.outbox.owed())

    def queue(self, *numbers: int, action: Action = Action.BUY) -> list[AggregateId]:
        """Store one signal for each number, each waiting for its turn in the same lane."""
        signals = [a_signal(action, id=an_id(number)) for number in numbers]
        for signal in signals:
            self.put(signal)
        return [signal.id for signal in signals]


def server_ms(client: redis.Redis) -> int:
    """Return the server's time."""
    seconds, micros = client.time()
    return seconds * 1000 + micros // 1000


def wait_past(moment_ms: int, client: redis.Redis) -> None:
    """Return when the server's time is past a moment that is milliseconds away."""
    while server_ms(client) <= moment_ms:
        time.sleep(0.001)
