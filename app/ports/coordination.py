"""What processes leave for one another: leases, questions, answers and switches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.enums import AccountState
from app.domain.frozen import Frozen, Knowledge
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs, Symbol
from app.domain.kill_switch import KillSwitch
from app.domain.reconciliation import FailedReconciliation, OrphanedFill, Reconciliation
from app.domain.venue_cancel import VenueCancel
from app.domain.worker_request import WorkerAnswer, WorkerRequest


class Locks(Protocol):
    """Short leases that keep others out; losing one is harmless."""

    def acquire(self, name: str, lease_ms: int, renewed_ms: int = 0) -> int | None:
        """Return a fencing token, or None while somebody else holds the lock.

        Args:
            name: of the lock.
            lease_ms: how long whoever dies holds up others.
            renewed_ms: for how long the lease of a process that lives is renewed, if it is longer.
        """

    def release(self, name: str, token: int) -> bool:
        """Give the lock back, if it is still ours; return whether somebody wanted it meanwhile."""


class UsedKeys(Protocol):
    """Keys that a caller may use once, such as a signature, each bound to what it came with."""

    def use(self, name: str, content: str, now_ms: EpochMs, until_ms: EpochMs) -> bool:
        """Return whether the name is this content's: unused until now, or used for it before.

        Args:
            name: a hash of whatever tells it from others, its owner for instance.
            content: hash of what came with it, hexadecimal.
            now_ms: business time.
            until_ms: business time from which on it is unused again.
        """

    def content(self, name: str, now_ms: EpochMs) -> str | None:
        """Return what the name is bound to, or None if it is unused."""


@dataclass(frozen=True, slots=True)
class Given:
    """The answer that somebody was given, as text."""

    text: str


class FirstAnswers(Protocol):
    """What the first of several equal requests was answered, for those that come again."""

    def begin(self, name: str, lease_ms: int) -> Given | bool:
        """Return the first answer; else whether the request is ours to carry out.

        Of several at once one has it, for as long as the lease; the others may ask again.
        """

    def keep(self, name: str, text: str, life_ms: int) -> None:
        """Keep the answer for a time, by server time."""

    def give_up(self, name: str) -> None:
        """Let the next one carry it out: it came to nothing."""


class KillSwitches(Protocol):
    """Kill switches that are set, one for each account at most."""

    def put(self, switch: KillSwitch) -> None:
        """Set it, in the place of an older one."""

    def remove(self, account: AccountId) -> None:
        """Switch it off. One that is not set is no error."""

    def of(self, account: AccountId) -> KillSwitch | None:
        """Return the one that is set, or None."""

    def due(self, now_ms: EpochMs) -> Sequence[KillSwitch]:
        """Return those whose time has come, by business time."""

    def done(self, switch: KillSwitch) -> None:
        """Forget one that has done its work, unless it was set anew meanwhile."""


class Freezer(Protocol):
    """Why accounts are frozen, so that nothing at all is sent for them."""

    def freeze(self, frozen: Frozen) -> None:
        """Let nothing be sent for an account. One that is frozen already has another reason now."""

    def of(self, account: AccountId) -> Frozen | None:
        """Return why an account is frozen, or None if it is not."""

    def thaw(self, frozen: Frozen) -> AccountState | None:
        """Give an account its state back, and return it; None if it is not frozen for this.

        The orders of the list need not be known here any more.
        """

    def accepted(self, account: AccountId) -> Collection[ClientOrderId]:
        """Return the orders that a person has seen and accepted when releasing the account."""


class Runs(Protocol):
    """The runs of the store's server, and what the present one knows of orders at venues.

    A store that was restored from an earlier copy begins a new run, and knows nothing of what was
    placed since. One that was merely started anew begins one, too, and cannot tell the difference.
    """

    def beat(self, at_ms: EpochMs) -> None:
        """Note that the present run still lasts: a canary came through the queue at this time."""

    def canary_ms(self) -> EpochMs | None:
        """Return the server time at which one last came through, or None if none ever did."""

    def knowledge(self, account: AccountId, symbol: Symbol) -> Knowledge:
        """Return what the present run knows of an account's orders of a symbol."""

    def vouch(self, account: AccountId, symbol: Symbol, run: str) -> bool:
        """Note that all orders of a symbol are known in a run; False if it is over."""

    def vouch_until(self, account: AccountId, symbol: Symbol, run: str, until_ms: EpochMs) -> bool:
        """Note that those are known that were placed before a server time."""

    def symbols(self, account: AccountId) -> Collection[Symbol]:
        """Return the symbols of an account that were ever vouched for."""

    def keep_absent(self, order_id: AggregateId, run: str) -> None:
        """Note for a few seconds that a venue has no such order, as it said in a run."""

    def is_absent(self, order_id: AggregateId, run: str) -> bool:
        """Tell whether the venue has said so just now, in the same run."""

    def epoch(self) -> int:
        """Return how far the store has counted together with the history; 0 if it never has."""

    def raise_epoch(self) -> int:
        """Count on by one, and return how far that is."""

    def reach_epoch(self, to: int) -> None:
        """Count on from here."""


class Rounds(Protocol):
    """When what is done again and again was done last, by whichever process."""

    def done(self, name: str, at_ms: EpochMs) -> None:
        """Note that it was, at this server time."""

    def await_each(self, kind: str, whose: Collection[str], at_ms: EpochMs) -> None:
        """Wait for a round of a kind for each of these, from now on, and for no other one's.

        Who was waited for already is so since its last round.
        """

    def last_ms(self) -> Mapping[str, EpochMs]:
        """Return when each was done last, by server time; `<kind>:<whose>` where it was awaited."""


class WorkerRequests(Protocol):
    """What workers shall do while somebody waits, and what they answer. All of it is soon gone."""

    def put(self, request: WorkerRequest) -> None:
        """Store it for whoever looks for it, or takes it in time."""

    def find(self, request_id: AggregateId) -> WorkerRequest:
        """Return it, whether it was taken or not.

        Raises:
            NotFound: there is none with this id, or it has expired.
        """

    def take(self, request_id: AggregateId, now_ms: EpochMs) -> WorkerRequest:
        """Return it to the first who asks before its time is over, by server time.

        Raises:
            NotFound: to all others.
        """

    def reply(self, request_id: AggregateId, answer: WorkerAnswer) -> None:
        """Say what became of it."""

    def answer(self, request_id: AggregateId) -> WorkerAnswer | None:
        """Return what became of it, or None as long as nobody has said."""


class Views(Protocol):
    """What web processes want to know of accounts at real venues."""

    def wanted(self) -> Collection[AccountId]:
        """Return the accounts whose balances were asked for lately, so that a poll reads them."""

    def outdate(self, account: AccountId) -> None:
        """Forget what an account had: an order of it has moved since."""


class Reconciliations(Protocol):
    """How each account compared with its venue last, and fills whose orders nobody knows."""

    def put(self, account: AccountId, found: Reconciliation) -> None:
        """Keep an outcome; the next one replaces it."""

    def get(self, account: AccountId) -> Reconciliation | None:
        """Return the last outcome, or None if there was none yet."""

    def put_failure(self, account: AccountId, failed: FailedReconciliation) -> None:
        """Keep why none came about; the next that fails replaces it."""

    def failure(self, account: AccountId) -> FailedReconciliation | None:
        """Return why the last one that failed did so, or None if none ever has."""

    def keep_orphan(self, account: AccountId, fill: OrphanedFill) -> bool:
        """Keep a fill, unless as much of the order is kept already; return whether it is news."""

    def orphans(self, account: AccountId) -> Sequence[OrphanedFill]:
        """Return the fills that wait to be acknowledged, oldest first."""

    def acknowledge(self, account: AccountId, client_order_id: ClientOrderId) -> bool:
        """Forget a fill; return whether there was one."""

    def orphan_count(self) -> int:
        """Return how many fills wait, of all accounts."""


class VenueCancels(Protocol):
    """Cancels of orders that are open at venues, and that nobody here follows."""

    def begin(self, wish: VenueCancel) -> VenueCancel:
        """Store a wish and return it, or return the one for the same order that counts still.

        That is one whose outcome is not known, or one whose order has ended.
        """

    def change(self, before: VenueCancel, after: VenueCancel) -> bool:
        """Put one in the place of what it was, and return whether nobody else had changed it."""

    def find(self, cancel_id: AggregateId) -> VenueCancel | None:
        """Return one by its id, or None if there is none, or another one has taken its place."""

    def of(self, account: AccountId) -> Sequence[VenueCancel]:
        """Return those of an account, newest first."""

    def unsettled(self) -> Sequence[VenueCancel]:
        """Return those whose outcome is not known, of all accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So many requests in a window, which begins with the first of them."""

    purpose: str
    limit: int
    window_ms: int
