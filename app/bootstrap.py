"""Builds Ports from Settings; the only module that knows every adapter."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import structlog

from app.channels.messenger import Messenger
from app.channels.sender import ChannelSender
from app.dispatch.celery_publisher import CeleryPublisher
from app.dispatch.pump import PumpPublisher
from app.domain.account import PAPER, Account
from app.domain.errors import NotFound, StoreUnavailable
from app.domain.identifiers import AccountId, VenueName
from app.exchanges.account_key import AccountKeys
from app.exchanges.breaker import Breaker
from app.exchanges.late import asked_venues, remembered_venues, ticker_at
from app.exchanges.ports import VenuePorts
from app.history.database import Database
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.lateness import late_of, lateness
from app.paper.admin.account_update import AccountSetting
from app.paper.admin.administration import PaperAdministration
from app.paper.paper_venues import PaperVenues
from app.paper.ports import PaperPorts, QuoteSource
from app.paper.prices.live import LiveSource
from app.paper.prices.walk import WalkSource
from app.paper.store.book import RedisPaperBook
from app.paper.store.faults import RedisPaperFaults
from app.paper.store.instruments import RedisPaperInstruments
from app.paper.store.ledger import RedisPaperLedger
from app.paper.store.prices import RedisPaperPrices
from app.paper.store.reports import RedisPaperReports
from app.paper.store.rows import RedisPaperRows
from app.ports import Ports
from app.ports.clock import Clock
from app.ports.history import History
from app.ports.ledger import Change
from app.ports.notices import Addressed
from app.ports.policy import Policy
from app.ports.publisher import Publisher
from app.ports.venue import Venues
from app.services.admin.records import Records
from app.services.telling.address import Newsroom
from app.services.telling.alarms import AlarmWatch, Surroundings
from app.services.telling.refused import tell_refused
from app.settings import Settings
from app.store.coordination.backlog import RedisBacklog
from app.store.coordination.first_answers import RedisFirstAnswers
from app.store.coordination.kill_switches import RedisKillSwitches
from app.store.coordination.locks import RedisLocks
from app.store.coordination.queues import RedisQueues
from app.store.coordination.rates import RedisRates
from app.store.coordination.reconciliations import RedisReconciliations
from app.store.coordination.refusals import RedisRefusals
from app.store.coordination.rounds import RedisRounds
from app.store.coordination.runs import RedisFreezer, RedisRuns
from app.store.coordination.used_keys import RedisUsedKeys
from app.store.coordination.venue_cancels import RedisVenueCancels
from app.store.coordination.worker_requests import RedisWorkerRequests
from app.store.core import group_commit
from app.store.core.archive_queue import RedisArchiveQueue
from app.store.core.clock import MovableClock, RedisClock
from app.store.core.connection import Client, connect
from app.store.core.day_results import RedisDayResults
from app.store.core.demo_secrets import RedisDemoSecrets
from app.store.core.ids import RedisIds
from app.store.core.lanes import RedisLanes
from app.store.core.ledger import RedisLedger
from app.store.core.live import RedisLive
from app.store.core.memory import RedisMemory
from app.store.core.notices import RedisNotices
from app.store.core.outbox import RedisOutbox
from app.store.core.quarantine import RedisQuarantine
from app.store.core.reader import RedisReader
from app.store.core.registry import RedisRegistry
from app.store.core.scripts import LoadedScript, Script
from app.store.core.server_check import check_server
from app.store.core.tape import RedisTape
from app.store.core.timers import RedisTimers
from app.store.core.trigger_book import RedisTriggerBook
from app.store.memory.attempts import Attempts
from app.store.memory.key_trials import RedisKeyTrials
from app.store.memory.vault import Vault
from app.store.memory.venue_budget import RedisRateBudget
from app.store.memory.venue_memory import RedisSymbolMap, RedisVenueMemory
from app.store.memory.visits import Visits
from app.venues import KnownVenues, credentials_of, lacks_of

_log = structlog.get_logger()

#: By how much a history that was restored is ahead: by more than the store can have counted since
#: the history was copied.
RESTORED_AHEAD = 1_000_000

#: How long the web process waits for the store before it answers 503; later the store must not
#: take the request any more.
WEB_STORE_SECONDS = 0.5

#: How long it waits for the history before it answers 503. What comes in waits for neither.
WEB_HISTORY_SECONDS = 1.5

#: How long a worker waits: longer than any save to disk that we have seen.
WORKER_STORE_SECONDS = 5.0

#: How long a message waits for the broker: what is not sent is left to the sweep.
BROKER_SECONDS = 2.0


class _Patience(NamedTuple):
    """How a process waits.

    Attributes:
        store: seconds for the store.
        history: seconds for the history; None is to the end.
        is_shared: whether those that wait for the store with a commit go together.
    """

    store: float
    history: float | None
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Everything that an entry point may need; `ports` is the part that the use cases get."""

    store: Client
    settings: Settings
    ports: Ports
    registry: RedisRegistry
    history: SqlHistory
    reader: WholeReader
    events: RedisReader
    tape: RedisTape
    vault: Vault
    demo_secrets: RedisDemoSecrets
    attempts: Attempts
    visits: Visits
    refusals: RedisRefusals
    symbols: RedisSymbolMap
    memory: RedisVenueMemory
    keys: AccountKeys
    rates: RedisRates
    movable_clock: MovableClock | None
    backlog: RedisBacklog
    store_memory: RedisMemory
    paper: PaperAdministration
    messages: CeleryPublisher
    notices: RedisNotices
    is_away: Callable[[Account], bool]

    def messenger(self) -> Messenger:
        """Return what has people told."""
        watch = AlarmWatch(
            self.ports,
            self.notices,
            self.registry,
            Surroundings(
                late=self._late,
                refused_key=self._refused_key,
                is_away=self.is_away,
            ),
        )
        sender = ChannelSender(self.vault)
        lock = self.settings.data_dir / "messenger.lock"
        return Messenger(self.ports, self.notices, self.registry, sender, watch, lock)

    def _late(self) -> Sequence[str]:
        late = late_of(self.settings, self.ports)
        return [f"{name} is late. {lateness(age_ms)}" for name, age_ms in late.items()]

    def _refused_key(self, account: Account) -> str | None:
        refused = self.keys.refused(account)
        return None if refused is None else refused.message

    @property
    def records(self) -> Records:
        """What accounts, connectors and clients are made and changed with."""
        return Records(
            registry=self.registry,
            vault=self.vault,
            ports=self.ports,
            symbols=self.symbols,
            is_allowed=self.settings.may_trade_at,
            credentials_of=credentials_of,
            lacks_of=lacks_of,
            set_paper=lambda account, changed: self.paper.set_account(
                account, AccountSetting(**changed)
            ),
        )


def web_wiring(settings: Settings) -> Wiring:
    """Wire a web process. Nothing connects before it is first used, so this may come before a fork.

    Its publisher hands everything to a pump thread; its store client gives up soon.
    """
    return _wiring(
        settings,
        lambda: f"web-{os.getpid()}",
        _Patience(WEB_STORE_SECONDS, WEB_HISTORY_SECONDS, is_shared=True),
        PumpPublisher,
        remembered_venues,  # a web process asks no exchange
    )


def worker_wiring(
    settings: Settings,
    around: Callable[[Publisher], Publisher],
    alive: Callable[[], None] = lambda: None,
) -> Wiring:
    """Wire a worker process.

    Args:
        settings: as read from the environment.
        around: wraps the publisher, so that work can be done at once instead of sent.
        alive: called by each thread that asks a venue, before and after.
    """
    return _wiring(
        settings,
        lambda: f"worker-{os.getpid()}",
        _Patience(WORKER_STORE_SECONDS, None, is_shared=False),
        around,
        asked_venues,
        alive,
    )


def refuse_unsafe_store(settings: Settings) -> None:
    """Look at the store's settings before anything is entrusted to it.

    A store that cannot be reached yet is no reason to refuse: until it can, nothing is accepted.

    Raises:
        UnsafeStore: acknowledged orders could be lost; the message says what to change.
    """
    try:
        warnings = store_warnings(settings)
    except StoreUnavailable as error:
        warnings = (str(error),)
    for warning in warnings:
        _log.warning("store_not_checked", why=warning)


def store_warnings(settings: Settings) -> Sequence[str]:
    """Look at the store's settings, and return what is dangerous about them but not forbidden.

    Raises:
        StoreUnavailable: it cannot be reached.
        UnsafeStore: acknowledged orders could be lost; the message says what to change.
    """
    return check_server(settings.redis_url, may_lose_a_second=settings.appendfsync != "always")


def load_exchanges(ports: Ports) -> None:
    """Import what speaks to exchanges now, if an account is at one, so that no order waits for it.

    If the store cannot be reached, or what it has of an account not be read, this is left to the
    first who needs it: whoever has other accounts needs this process.
    """
    try:
        real = [one for one in ports.accounts.accounts() if one.venue != PAPER]
    except Exception as error:  # noqa: BLE001 - a record may be broken, or of a newer release
        _log.warning("exchanges_not_loaded", why=f"{type(error).__name__}: {error}")
        return
    if real:
        with suppress(NotFound):
            ports.venues.of(real[0])


def note_restored(environ: Mapping[str, str]) -> None:
    """Let the history of a restored data folder tell that its store is older.

    Raises:
        BadSetting: a variable has a value that cannot be used.
        HistoryUnavailable: the history did not take it.
    """
    settings = Settings.from_environment(environ)
    database = Database(settings.database_url)
    history = SqlHistory(database)
    history.raise_epoch(history.epoch() + RESTORED_AHEAD)
    database.close()


def _wiring(
    settings: Settings,
    process: Callable[[], str],
    patience: _Patience,
    around: Callable[[Publisher], Publisher],
    real: Callable[[VenuePorts], Venues],
    alive: Callable[[], None] = lambda: None,
) -> Wiring:
    client = connect(settings.redis_url, patience.store)
    policy = replace(settings.policy(), give_up_ms=int(patience.store * 1000))
    clock = MovableClock(client) if settings.fast else RedisClock(client)
    registry = RedisRegistry(client)
    live = RedisReader(client)
    history = SqlHistory(Database(settings.database_url, patience.history))
    messages = CeleryPublisher(
        RedisQueues(connect(settings.broker_url, BROKER_SECONDS), settings.broker_prefix).put,
        clock,
        RedisTimers(client).claim_slot,
        policy.timer_horizon_ms,
        partial(_name_of, registry),
    )
    vault = Vault([key.reveal() for key in settings.secret_keys])
    memory = RedisVenueMemory(client, clock)
    symbols = RedisSymbolMap(client)
    venue = VenuePorts(
        memory=memory,
        budget=RedisRateBudget(client, alive),
        locks=RedisLocks(client),
        clock=clock,
        policy=policy,
        secrets=partial(_secrets, vault),
        trials=RedisKeyTrials(client),
        urls=settings.venue_urls,
        proxy_of=settings.proxy_of,
        address=settings.venue_address,
        timeout_ms=settings.venue_timeout_ms,
    )
    paper = paper_ports(client, clock, _source(settings, venue), history, faults=settings.fast)
    shared = partial(group_commit.shared, client, patience.store)
    sent = {"sent": shared} if patience.is_shared else {}
    news_of = Newsroom(registry).of
    notices = RedisNotices(client)
    ports = store_ports(client, clock, policy, process, news_of=news_of, **sent)(
        venues=KnownVenues({PAPER: PaperVenues(paper)}, partial(real, venue)),
        accounts=registry,
        views=memory,
        reports=RedisPaperReports(client),
        history=history,
        publisher=around(messages),
    )
    return Wiring(
        store=client,
        settings=settings,
        ports=ports,
        registry=registry,
        history=history,
        reader=WholeReader(live, history),
        events=live,
        tape=RedisTape(client),
        vault=vault,
        demo_secrets=RedisDemoSecrets(client),
        attempts=Attempts(),
        visits=Visits(),
        refusals=RedisRefusals(client, tell=lambda rows: tell_refused(rows, notices, registry)),
        symbols=symbols,
        memory=memory,
        keys=AccountKeys(venue.trials),
        rates=RedisRates(client),
        movable_clock=clock if isinstance(clock, MovableClock) else None,
        store_memory=RedisMemory(client),
        backlog=RedisBacklog(
            client, connect(settings.broker_url, patience.store), settings.broker_prefix
        ),
        paper=PaperAdministration(paper),
        messages=messages,
        notices=notices,
        is_away=lambda account: Breaker(account, venue).is_open,
    )


def store_ports(
    client: Client,
    clock: Clock,
    policy: Policy,
    process: Callable[[], str],
    sent: Callable[[LoadedScript], Script] = lambda script: script,
    news_of: Callable[[Change, int], Sequence[Addressed]] = lambda _change, _version: (),
) -> Callable[..., Ports]:
    """Return Ports over a store, which want the rest: what is no store, or read elsewhere too."""
    return partial(
        Ports,
        clock=clock,
        ids=RedisIds(client),
        ledger=RedisLedger(client, clock, process, policy.republish_after_ms, sent, news_of),
        live=RedisLive(client),
        quarantine=RedisQuarantine(client),
        lanes=RedisLanes(client),
        timers=RedisTimers(client),
        outbox=RedisOutbox(client, clock, policy),
        book=RedisTriggerBook(client),
        locks=RedisLocks(client),
        used_keys=RedisUsedKeys(client),
        first_answers=RedisFirstAnswers(client),
        worker_requests=RedisWorkerRequests(client),
        kill_switches=RedisKillSwitches(client),
        results=RedisDayResults(client),
        runs=RedisRuns(client),
        rounds=RedisRounds(client),
        freezer=RedisFreezer(client),
        reconciliations=RedisReconciliations(client),
        venue_cancels=RedisVenueCancels(client, clock),
        archive_queue=RedisArchiveQueue(client, clock),
        paper_rows=RedisPaperRows(client),
        policy=policy,
    )


def paper_ports(
    client: Client, clock: Clock, source: QuoteSource, history: History, *, faults: bool = True
) -> PaperPorts:
    """Return what the paper venue needs, over a store and a history, with prices from a source.

    Faults can be planned in the test profile only.
    """
    return PaperPorts(
        ledger=RedisPaperLedger(client),
        book=RedisPaperBook(client),
        prices=RedisPaperPrices(client),
        instruments=RedisPaperInstruments(client),
        faults=RedisPaperFaults(client, may_come=faults),
        source=source,
        history=history,
        clock=clock,
    )


def _secrets(vault: Vault, account: Account) -> Mapping[str, str]:
    if account.credentials is None:
        return {}
    return vault.decrypt(account.name, account.credentials)


def _source(settings: Settings, venue: VenuePorts) -> QuoteSource:
    if settings.prices == "walk":
        return WalkSource(str(settings.walk_seed))
    return LiveSource(ticker_at(VenueName(settings.prices), venue))


def _name_of(registry: RedisRegistry, account_id: AccountId) -> str:
    try:
        return registry.account(account_id).name
    except NotFound:
        return str(account_id)
