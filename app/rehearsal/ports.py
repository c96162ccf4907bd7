"""What stands in a dry run for what waits, wakes or hands something to others."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from app.domain.account import PAPER, Account
from app.domain.effects import Effect, EffectKind
from app.domain.enums import PositionMode
from app.domain.errors import NotDry
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.results import Results
from app.domain.worker_request import WorkerAnswer, WorkerRequest
from app.ports.clock import Clock, Ids
from app.ports.coordination import Given, WorkerRequests
from app.ports.ledger import Admission, Admitted, Change
from app.ports.publisher import Publisher
from app.ports.registry import Accounts
from app.ports.results import DayResults
from app.store.coordination.first_answers import RedisFirstAnswers
from app.store.core.ledger import RedisLedger


@dataclass(slots=True)
class Journal:
    """What happened in a dry run.

    Attributes:
        changes: what was committed, in order.
        repeats: what the request was found to be a repeat of.
        is_answered: it was found that the same request was answered before.
        asked: questions for workers: as what they are known here → as what to workers.
        adjusts: leverage or position mode would be set.
    """

    changes: list[Change] = field(default_factory=list)
    repeats: list[AggregateId] = field(default_factory=list)
    is_answered: bool = False
    asked: dict[AggregateId, AggregateId] = field(default_factory=dict)
    adjusts: bool = False


class NotedLedger(RedisLedger):
    """A ledger that notes what is committed in it, and what repeats something."""

    journal: Journal

    def admit(self, changes: Sequence[Change], admission: Admission) -> Admitted:
        """Write a new request and what changes with it, unless it repeats one."""
        admitted = super().admit(changes, admission)
        if admitted.repeats is not None:
            self.journal.repeats.append(admitted.repeats)
        return admitted

    def tell(self, changes: Sequence[Change]) -> None:
        """Note what was committed; nobody reads of it in a log."""
        self.journal.changes.extend(changes)

    def repeated(self, account: AccountId, dedupe_key: str, now_ms: EpochMs) -> AggregateId | None:
        """Return what was admitted under a dedupe key that still counts, or None."""
        found = super().repeated(account, dedupe_key, now_ms)
        made = {change.after.id for change in self.journal.changes}
        if found is not None and found not in made:
            self.journal.repeats.append(found)
        return found


class NotedAnswers(RedisFirstAnswers):
    """First answers, of which it is noted that there was one."""

    journal: Journal

    def begin(self, name: str, lease_ms: int) -> Given | bool:
        """Return the first answer; else whether the request is ours to carry out."""
        found = super().begin(name, lease_ms)
        self.journal.is_answered = self.journal.is_answered or isinstance(found, Given)
        return found


class KeptEffects:
    """Keeps what it is asked to send; questions that a worker has to ask of an exchange go there.

    Args:
        workers: tells workers.
        journal: knows which questions are theirs.

    Attributes:
        waiting: what nobody has carried out yet.
    """

    def __init__(self, workers: Publisher, journal: Journal) -> None:
        self._workers, self._journal = workers, journal
        self.waiting: deque[Effect] = deque()

    def publish(self, effects: Sequence[Effect]) -> None:
        """Keep them."""
        asked = self._journal.asked
        theirs = [replace(one, target=asked[one.target]) for one in effects if one.target in asked]
        if theirs:
            self._workers.publish(theirs)
        self.waiting += [one for one in effects if one.target not in asked]

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """Do nothing: no time passes in a dry run."""


class WorkingClock:
    """A clock in whose pauses is done what somebody waits for, as workers would.

    Args:
        real: tells the time.
        work: does what is to be done; returns whether there was anything.
    """

    def __init__(self, real: Clock, work: Callable[[], bool]) -> None:
        self._real, self._work = real, work
        self.now_ms, self.server_ms = real.now_ms, real.server_ms
        self.lasted_ms, self.steady_ms = real.lasted_ms, real.steady_ms

    def sleep(self, for_ms: int) -> None:
        """Let so many milliseconds pass, unless there is something to do."""
        if not self._work():
            self._real.sleep(for_ms)


class FreeLocks:
    """Locks that nobody else wants: what is done here disturbs nobody."""

    def acquire(self, name: str, lease_ms: int, renewed_ms: int = 0) -> int | None:
        """Return a token."""
        del name, lease_ms, renewed_ms
        return 1

    def release(self, name: str, token: int) -> bool:
        """Return that nobody wanted it."""
        del name, token
        return False


class NotedAccounts:
    """Accounts whose position mode is another one in a dry run only.

    Args:
        real: the accounts that there are.
    """

    def __init__(self, real: Accounts) -> None:
        self._real = real
        self._modes: dict[AccountId, PositionMode] = {}

    def version(self) -> int:
        """Return the version of what this process has read."""
        return self._real.version()

    def refresh(self) -> bool:
        """Read anew what has changed, and return whether anything had."""
        return self._real.refresh()

    def account(self, account_id: AccountId) -> Account:
        """Return an account."""
        account = self._real.account(account_id)
        mode = self._modes.get(account_id, account.position_mode)
        return replace(account, position_mode=mode)

    def accounts(self) -> Sequence[Account]:
        """Return all accounts, by id."""
        return [self.account(one.id) for one in self._real.accounts()]

    def note_position_mode(self, account_id: AccountId, mode: PositionMode) -> None:
        """Remember how the account would hold its positions."""
        self._modes[account_id] = mode


class SharedQuestions:
    """What workers shall do; questions to an exchange, which change nothing, are really asked.

    Args:
        own: of the dry run.
        workers: those that workers look at.
        ids: real ones: those of a dry run may be somebody else's by now.
        accounts: whose venue tells who is asked.
        journal: notes which questions are theirs.
    """

    def __init__(
        self,
        own: WorkerRequests,
        workers: WorkerRequests,
        ids: Ids,
        accounts: Accounts,
        journal: Journal,
    ) -> None:
        self._own, self._workers, self._ids = own, workers, ids
        self._accounts, self._journal = accounts, journal
        self.take = own.take
        self.reply = own.reply

    def put(self, request: WorkerRequest) -> None:
        """Store it for whoever looks for it, or takes it in time."""
        is_outside = self._accounts.account(request.account).venue != PAPER
        if request.kind is not EffectKind.LEARN or not is_outside:
            self._journal.adjusts = self._journal.adjusts or request.adjustment is not None
            self._own.put(request)
            return
        (fresh,) = self._ids.fresh(request.account, 1)
        self._journal.asked[request.id] = fresh.id
        question = request.question
        if question is not None:  # news of orders would be written down
            question = replace(question, orders=False)
        self._workers.put(replace(request, id=fresh.id, question=question))

    def find(self, request_id: AggregateId) -> WorkerRequest:
        """Return it, whether it was taken or not."""
        return self._own.find(request_id)

    def answer(self, request_id: AggregateId) -> WorkerAnswer | None:
        """Return what became of it, or None as long as nobody has said."""
        theirs = self._journal.asked.get(request_id)
        return self._own.answer(request_id) if theirs is None else self._workers.answer(theirs)


class ReadResults:
    """What accounts have gained or lost today, as it is; nothing is kept of it.

    Args:
        kept: as it is.
    """

    def __init__(self, kept: DayResults) -> None:
        self.read = kept.read

    def keep(self, account: AccountId, results: Results, before: Results | None) -> None:
        """Keep nothing: whoever looks next adds up the same."""

    def forget(self, account: AccountId) -> None:
        """Refuse it: no request of a dialect resets an account."""
        raise NotDry(f"the results of account {account} cannot be forgotten in a dry run")
