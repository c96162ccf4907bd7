"""All use cases over a real store and a scripted venue: time, faults and death at hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TypeVar
from unittest.mock import Mock

from app.bootstrap import store_ports
from app.domain.aggregate import Aggregate
from app.domain.commands import SignalCommand, SignalRules
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState, Dialect, Mode
from app.domain.errors import HistoryUnavailable, HookfillError
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AccountId, AggregateId, EpochMs, VenueName
from app.domain.order import Order
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder
from app.history.database import Database
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.history.tables import RECORDS
from app.ports.history import PaperRow, Record
from app.ports.ledger import Change, Stored
from app.ports.policy import Policy
from app.services.intake.accept import Accepted
from app.services.intake.requests import accept_signal
from app.services.keeping.sweep import sweep
from app.services.perform import carry_out
from app.services.placing.lane import work_lane
from app.services.telling.address import Newsroom
from app.services.watching.release import release_due
from app.services.watching.watch import watch_prices
from app.store.core import keys
from app.store.core.notices import RedisNotices
from app.store.core.registry import RedisRegistry
from app.store.memory.venue_memory import RedisVenueMemory
from tests.support.builders import BTC, ETH, ORIGIN, PAPER, SPOT, USDM
from tests.support.clocks import ClockedRedis, FrozenClock, nothing
from tests.support.fakes import ScriptedFeed, ScriptedReports, ScriptedVenue, ScriptedVenues
from tests.support.redis_store import ListingReader
from tests.support.spread import SpreadClockedRedis

POLICY = Policy(
    place_lease_ms=3_000,
    unknown_grace_ms=1_000,
    unknown_retry_ms=200,
    retry_ms=200,
    retry_max_ms=1_000,
    lane_patience_ms=10_000,
    republish_after_ms=3_000,
)

#: Rounds of a sweep after which what is not at its end never will be.
ROUNDS_MAX = 40


class Died(BaseException):
    """The process is gone; nobody catches this but the test."""


class RecordingPublisher:
    """Keeps what it is asked to send.

    Attributes:
        published: every effect, in order.
        waiting: those that nobody has carried out.
        wakes: business times at which somebody is to look at the timers.
    """

    def __init__(self) -> None:
        self.published: list[Effect] = []
        self.waiting: deque[Effect] = deque()
        self.wakes: list[EpochMs] = []

    def publish(self, effects: Sequence[Effect]) -> None:
        self.published += effects
        self.waiting += effects

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        self.wakes += due_ms


class Away(Database):
    """A database that does not answer."""

    def _make_ready(self) -> None:
        raise HistoryUnavailable("away")


class StepHistory(SqlHistory):
    """A history in memory that tells of each write.

    Attributes:
        after_keep: called when records are written for good; whoever raises in it dies right there.
    """

    def __init__(self) -> None:
        super().__init__(Database("sqlite://"))
        self.after_keep: Callable[[], None] = nothing

    def spoil(self, aggregate_id: AggregateId) -> None:
        """Let one of them be of a release that is newer by far."""
        with self._database.writing() as connection:
            row = RECORDS.c.id == aggregate_id
            connection.execute(RECORDS.update().where(row).values(body='{"s": 99}'))

    def keep(self, records: Sequence[Record]) -> None:
        """Write them for good, and tell of it."""
        super().keep(records)
        if records:
            self.after_keep()

    def keep_paper_rows(self, rows: Sequence[PaperRow]) -> None:
        """Write them for good, and tell of it."""
        super().keep_paper_rows(rows)
        if rows:
            self.after_keep()


class Rig:
    """The ports of one process, and of any other: they share nothing but the store.

    Args:
        redis: the store; an empty one of one server, unless it is named.

    Attributes:
        told_by: by whose channels people are told what is committed.
    """

    def __init__(self, redis: ClockedRedis | SpreadClockedRedis | None = None) -> None:
        self.redis = redis or ClockedRedis()
        self.clock = FrozenClock(self.redis)
        self.venue = ScriptedVenue()
        self.feed = ScriptedFeed()
        self.reports = ScriptedReports()
        self.publisher = RecordingPublisher()
        self.registry = self.told_by = RedisRegistry(self.redis)
        self.notices = RedisNotices(self.redis)
        self.history = StepHistory()
        self.reader = ListingReader(self.redis)
        self.whole = WholeReader(self.reader, self.history)
        self.futures_symbol = ETH
        self.registry.put_account(replace(SPOT, id=AccountId(0)))
        self.registry.put_account(replace(USDM, id=AccountId(0)))
        news_of = Newsroom(self.registry).of
        self.ports = store_ports(self.redis, self.clock, POLICY, lambda: "rig", news_of=news_of)(
            venues=ScriptedVenues(self.venue, self.feed),
            accounts=self.registry,
            views=RedisVenueMemory(self.redis, self.clock),
            reports=self.reports,
            history=self.history,
            publisher=self.publisher,
        )

    def go_live(self) -> None:
        """Let the accounts be at an exchange, with real money, from now on."""
        for account in (SPOT, USDM):
            self.registry.put_account(replace(account, venue=VenueName("binance"), mode=Mode.LIVE))

    # What callers and workers do

    def accept(
        self,
        command: SignalCommand,
        rules: SignalRules | None = None,
        *,
        futures: bool | None = None,
        exits: ExitRules = USUAL,
    ) -> Accepted:
        """Take in a command of the one connector that the accounts have in common.

        Args:
            command: what is wanted.
            rules: of the connector, or the usual ones.
            futures: which of the accounts; None tells by the action.
            exits: of the connector.
        """
        if futures is None:
            futures = command.action.position_side is not None
        sender = Sender(
            dialect=Dialect.CRYPTO_ARSENAL,
            origin=ORIGIN,
            account=self.registry.account_named((USDM if futures else SPOT).name),
            received_at_ms=self.clock.now_ms(),
            exits=exits,
        )
        symbol = self.futures_symbol if futures else BTC
        rules = rules or SignalRules(leverage=5 if futures else 1)
        return accept_signal(command, symbol, rules, sender, self.ports)

    def spot_lane(self) -> None:
        """Work the lane of BTC at the spot account."""
        work_lane(SPOT.id, BTC, self.ports)

    def watch_and_work(self) -> None:
        """Let every tick that waits be evaluated, with all that follows."""
        while watch_prices(PAPER, self.ports):
            self.drain()
        self.drain()

    def put(self, aggregate: Aggregate) -> Stored:
        """Store an aggregate as it is."""
        self.ports.ledger.commit([Change(None, aggregate)])
        return self.ports.ledger.load(aggregate.id)

    def drain(self) -> None:
        """Carry out everything that was published, and what follows, as a worker does."""
        while self.publisher.waiting:
            self.work(1)

    def work(self, count: int) -> None:
        """Carry out a few of the effects whose messages wait."""
        for _ in range(count):
            if not self.publisher.waiting:
                return
            effect = self.publisher.waiting.popleft()
            # A countdown message does nothing: `settle` looks at the timers.
            if effect.kind is not EffectKind.TIMER:
                with suppress(HookfillError):  # left to the sweep
                    carry_out(effect.kind, effect.target, self.ports)

    def happen(self, step: tuple[object, ...]) -> None:
        """Let something happen that may happen to any process, at any time."""
        match step:
            case "work", int(count):
                self.work(count)
            case "die", int(number):
                self.dying_after(number, lambda: self.work(20))
            case ("lose messages",):
                self.publisher.waiting.clear()
            case "again", int(number):
                published = self.publisher.published
                self.publisher.waiting += published[number % max(len(published), 1) :][:1]
            case "wait", int(for_ms):
                self.clock.advance(for_ms)
            case ("sweep",):
                sweep(self.ports)
                release_due([], self.ports)
            case _:
                raise AssertionError(f"nobody knows what happens at {step}")

    def settle(self, rounds: int = ROUNDS_MAX, step_ms: int = 3_000) -> None:
        """Let time pass until nothing is owed any more, with a sweep in each round."""
        self.drain()
        for _ in range(rounds):
            if not self._owes_anything():
                return
            self.clock.advance(step_ms)
            sweep(self.ports)
            release_due([], self.ports)
            self.drain()

    def _owes_anything(self) -> bool:
        """Tell whether any outbox or set of timers holds something."""
        owed = [key for shard in keys.SHARDS for key in (shard.outbox, shard.timers)]
        return any(self.redis.exists(key) for key in owed)

    def run(
        self,
        command: SignalCommand,
        rules: SignalRules | None = None,
        exits: ExitRules = USUAL,
    ) -> Signal:
        """Take in a command and follow it as far as it goes at once."""
        accepted = self.accept(command, rules, exits=exits)
        self.drain()
        return self.signal(accepted.id)

    def state(self, state: AccountState) -> None:
        """Set the risk state of both accounts."""
        for account in (SPOT, USDM):
            self.registry.set_state(account.id, state)

    # What is in the store

    def load(self, aggregate_id: AggregateId) -> Aggregate:
        """Return an aggregate as it is now."""
        return self.ports.ledger.load(aggregate_id).aggregate

    def signal(self, aggregate_id: AggregateId) -> Signal:
        """Return a signal as it is now."""
        found = self.load(aggregate_id)
        assert isinstance(found, Signal)
        return found

    def states(self, *ids: AggregateId) -> list[RequestStatus]:
        """Return how these signals stand."""
        return [self.signal(one).status for one in ids]

    def orders(self) -> list[Order]:
        """Return every order, oldest first."""
        return [one for one in self._all() if isinstance(one, Order)]

    def order(self, order_id: AggregateId | None = None) -> Order:
        """Return an order as it is now; without an id the one that there is."""
        (found,) = self.orders() if order_id is None else [self.load(order_id)]
        assert isinstance(found, Order)
        return found

    def smart_order(self, smart_order_id: AggregateId | None = None) -> SmartOrder:
        """Return a smart order as it is now; without an id the one that there is."""
        (found,) = self.smart_orders() if smart_order_id is None else [self.load(smart_order_id)]
        assert isinstance(found, SmartOrder)
        return found

    def smart_orders(self) -> list[SmartOrder]:
        """Return every smart order, oldest first."""
        return [one for one in self._all() if isinstance(one, SmartOrder)]

    def _all(self) -> list[Aggregate]:
        return sorted(self.whole.newest(None), key=lambda one: one.id)

    def events(self, aggregate_id: AggregateId) -> list[str]:
        """Return the names in a timeline."""
        return [entry.name.value for entry, _ in self.reader.timeline(aggregate_id)]

    # Death, and others at once

    def after_step(self, number: int, what: Callable[[], None]) -> None:
        """Do something once, right after the n-th write to the store or call of the venue."""
        steps = count(1)

        def step() -> None:
            if next(steps) == number:
                self.undisturbed()
                what()

        self.redis.after_write = step
        self.history.after_keep = step
        self.venue.after_call = step

    def die_after(self, number: int) -> None:
        """Let the process die right after the n-th write to the store or call of the venue."""
        self.after_step(number, Mock(side_effect=Died))

    def dying_after(self, number: int, act: Callable[[], object]) -> None:
        """Do something, and die right after the n-th step of it, if there are so many."""
        self.die_after(number)
        with suppress(Died):
            act()
        self.bury()

    def undisturbed(self) -> None:
        """Let nothing happen between the steps any more."""
        self.redis.after_write = nothing
        self.history.after_keep = nothing
        self.venue.after_call = nothing

    def bury(self) -> None:
        """Forget what the dead process had not handed on."""
        self.publisher.waiting.clear()
        self.undisturbed()


AnyRig = TypeVar("AnyRig", bound=Rig)


def with_ids() -> Rig:
    """A rig that has drawn its ids: to draw them takes a lock that two in one process cannot."""
    rig = Rig()
    rig.ports.ids.fresh(SPOT.id, 1)
    return rig


def deaths(prepare: Callable[[], AnyRig], act: Callable[[AnyRig], object]) -> Iterator[AnyRig]:
    """Yield a rig for every step after which a process can die in `act`; the last one lived."""
    for number in count(1):
        rig = prepare()
        rig.die_after(number)
        try:
            act(rig)
        except Died:
            rig.bury()
            yield rig
            continue
        assert number > 1, "there was no step to die after"
        rig.bury()
        yield rig
        return


def encounters(
    prepare: Callable[[], AnyRig],
    act: Callable[[AnyRig], object],
    meanwhile: Callable[[AnyRig], object],
) -> Iterator[AnyRig]:
    """Yield a rig for every step of `act` after which another process can do `meanwhile`."""
    for number in count(1):
        rig = prepare()
        met: list[int] = []

        def meet(rig: AnyRig = rig, met: list[int] = met) -> None:
            met.append(1)
            meanwhile(rig)

        rig.after_step(number, meet)
        with suppress(HookfillError):  # left to the sweep, as a worker does
            act(rig)
        rig.undisturbed()
        if not met:
            assert number > 1, "there was no step to meet after"
            return
        yield rig
