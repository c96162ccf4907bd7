"""What the use cases need from outside: small Protocols by role, and Ports to carry them."""

from dataclasses import dataclass

from app.ports.book import TriggerBook
from app.ports.clock import Clock, Ids
from app.ports.coordination import (
    FirstAnswers,
    Freezer,
    KillSwitches,
    Locks,
    Reconciliations,
    Rounds,
    Runs,
    UsedKeys,
    VenueCancels,
    Views,
    WorkerRequests,
)
from app.ports.history import ArchiveQueue, History, PaperRows
from app.ports.ledger import Lanes, Ledger, Live, Outbox, Quarantine, Timers
from app.ports.policy import Policy
from app.ports.publisher import Publisher
from app.ports.registry import Accounts
from app.ports.results import DayResults
from app.ports.venue import Reports, Venues


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything that a use case may need."""

    clock: Clock
    ids: Ids
    ledger: Ledger
    live: Live
    quarantine: Quarantine
    lanes: Lanes
    timers: Timers
    outbox: Outbox
    book: TriggerBook
    accounts: Accounts
    venues: Venues
    reports: Reports
    locks: Locks
    used_keys: UsedKeys
    first_answers: FirstAnswers
    worker_requests: WorkerRequests
    kill_switches: KillSwitches
    results: DayResults
    runs: Runs
    rounds: Rounds
    freezer: Freezer
    reconciliations: Reconciliations
    venue_cancels: VenueCancels
    views: Views
    archive_queue: ArchiveQueue
    paper_rows: PaperRows
    history: History
    publisher: Publisher
    policy: Policy
