"""What lasts rather than happens: people are told when it has begun, and when it is over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.account import PAPER, Account
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, AccountName, AggregateId, EpochMs
from app.domain.money import plain
from app.domain.notice import Notice, NoticeKind
from app.domain.order import Order
from app.ports import Ports
from app.ports.notices import Addressed, Channels, Notices
from app.services.apart import apart
from app.services.telling.address import addressed_to

#: How long an outcome may be unknown before people are told: most are known within seconds.
UNKNOWN_MS = 60_000

#: How long all else must have ailed, as long as somebody has looked: a restart is no alarm.
LASTING_MS = 15_000

#: Between two looks at the accounts at exchanges, of which there may be thousands.
ACCOUNTS_MS = 10_000

#: Of what belongs to no account.
NOBODY = AccountId(0)

#: What is looked for, by the first words of the names that alarms of it have.
_UNKNOWN = ("unknown:",)
_UNREADY = ("unready:", "memory:")
_ACCOUNTS = ("venue:", "key:", "frozen:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What there is to look at beside the ports.

    Attributes:
        late: rounds that are late, in words; raises StoreError.
        refused_key: why an account's key is refused, or None.
        is_away: whether the exchange of an account has left its last requests without an answer.
    """

    late: Callable[[], Sequence[str]]
    refused_key: Callable[[Account], str | None]
    is_away: Callable[[Account], bool]


class Alarm(NamedTuple):
    """What ails.

    Attributes:
        whose: by which it is kept.
        message: what is told when it has begun.
        over: what is told when it has ended.
        affects: whom it concerns, where it is nobody's.
    """

    kind: NoticeKind
    whose: AccountId
    account: AccountName | None
    message: str
    over: str
    affects: tuple[AccountName, ...] = ()


@dataclass(slots=True)
class AlarmWatch:
    """Looks again and again; one process at a time, as long as it lives.

    Twice, or at once in two processes, what has begun is told once: that it was is written down
    with it, in one step. What one of two has not seen yet, it might take for over.
    """

    ports: Ports
    notices: Notices
    channels: Channels
    around: Surroundings
    unknown_ms: int = UNKNOWN_MS
    lasting_ms: int = LASTING_MS
    _since_ms: dict[str, int] = field(default_factory=dict)
    _of_accounts: dict[str, Alarm] = field(default_factory=dict)
    _accounts_ms: int | None = None

    def look(self) -> None:
        """Look, and have people told what has begun and what is over."""
        told = self.notices.alarms()
        found: dict[str, Alarm] = {}
        seen: list[str] = []
        for words, of in (
            (_UNKNOWN, self._unknown),
            (_UNREADY, self._unready),
            (_ACCOUNTS, self._accounts),
        ):
            with apart("alarms", words[0]) as outcome:
                found |= dict(of(told))
            seen += () if outcome.failed else words
        for name, alarm in found.items():
            if name not in told:
                with apart("alarms", name):
                    self._begin(name, alarm)
        for name, since_ms in told.items():
            # What could not be looked at, or is of a newer release, lasts as far as anybody knows.
            if name not in found and name.startswith(tuple(seen)):
                with apart("alarms", name):
                    self._end(name, since_ms)

    def forget(self) -> None:
        """Look at everything anew: others have looked meanwhile."""
        self._since_ms, self._accounts_ms = {}, None

    def _begin(self, name: str, alarm: Alarm) -> None:
        since_ms = self.ports.clock.server_ms()
        addressed = self._addressed(name, f"{name}-{since_ms}", alarm, alarm.message)
        if addressed:  # else it is told once there is somebody to be told
            self.notices.begin_alarm(alarm.whose, name, since_ms, addressed)

    def _end(self, name: str, since_ms: EpochMs) -> None:
        over = self._over(name)
        addressed = self._addressed(name, f"{name}-{since_ms}-over", over, over.over)
        self.notices.end_alarm(over.whose, name, addressed)

    def _addressed(
        self, name: str, notice_id: str, alarm: Alarm, message: str
    ) -> Sequence[Addressed]:
        notice = Notice(
            id=notice_id,
            kind=alarm.kind,
            at_ms=self.ports.clock.now_ms(),
            message=message,
            account=alarm.account,
            about=_about(name),
        )
        return addressed_to(self.channels.channels(), notice, alarm.affects)

    def _over(self, name: str) -> Alarm:
        """Return what an alarm was about that is over."""
        word, _, what = name.partition(":")
        match word:
            case "unknown":
                order_id, _, account_id = what.partition(":")
                return self._known(AggregateId(int(order_id)), AccountId(int(account_id)))
            case "key":
                return _key(self.ports.accounts.account(AccountId(int(what))), "")
            case "frozen":
                return _frozen(self.ports.accounts.account(AccountId(int(what))), "")
            case "venue":
                return _away(what, self._accounts_at(what))
            case "memory":
                return _full(0)
            case _:
                return _late([])

    def _unknown(self, told: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield the orders of which nobody knows for long what has become of them."""
        names = {name.split(":")[1]: name for name in told if name.startswith(_UNKNOWN)}
        for order_id in self.ports.live.unknown():
            known = names.get(str(order_id))
            if known is not None:
                yield known, _of_nobody(NoticeKind.UNKNOWN, "", "")
                continue
            with apart("alarms", order_id), suppress(NotFound):
                order = self.ports.ledger.load(order_id).aggregate
                if isinstance(order, Order) and order.unknown_since_ms is not None:
                    lasted_ms = self.ports.clock.lasted_ms(order.unknown_since_ms)
                    if lasted_ms >= self.unknown_ms:
                        yield f"unknown:{order_id}:{order.account}", self._of_order(order)

    def _of_order(self, order: Order) -> Alarm:
        said = "" if order.reason is None else f": {order.reason.message}"
        filled = f"{order.status}, filled {plain(order.filled_quantity)}"
        return Alarm(
            NoticeKind.UNKNOWN,
            order.account,
            self.ports.accounts.account(order.account).name,
            f"nobody knows what has become of {order.sentence()}{said}",
            f"it is known what has become of {order.sentence()}: {filled}",
        )

    def _known(self, order_id: AggregateId, account: AccountId) -> Alarm:
        with suppress(NotFound):
            order = self.ports.ledger.load(order_id).aggregate
            if isinstance(order, Order):
                return self._of_order(order)
        name = self.ports.accounts.account(account).name
        over = "it is known what has become of it, and it has left for the history"
        return Alarm(NoticeKind.UNKNOWN, account, name, "", over)

    def _unready(self, told: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield what is not done in time, and a store that takes in no entries any more."""
        late = self.around.late()
        memory = self.ports.archive_queue.memory()
        for name, alarm, is_so in (
            ("unready:rounds", _late(late), bool(late)),
            ("memory:store", _full(memory.percent), not memory.takes_entries),
        ):
            if self._lasts(name, is_so=is_so) or (is_so and name in told):
                yield name, alarm

    def _accounts(self, _: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield keys that are refused, accounts that are frozen, and exchanges that are away."""
        now_ms = self.ports.clock.steady_ms()
        if self._accounts_ms is None or now_ms - self._accounts_ms >= ACCOUNTS_MS:
            self._of_accounts = dict(self._look_at_accounts())
            self._accounts_ms = now_ms
        yield from self._of_accounts.items()

    def _look_at_accounts(self) -> Iterator[tuple[str, Alarm]]:
        real = [one for one in self.ports.accounts.accounts() if one.venue != PAPER and one.enabled]
        for feed in sorted({one.feed for one in real}):
            at_feed = [one for one in real if one.feed == feed]
            if self.around.is_away(at_feed[0]):
                yield f"venue:{feed}", _away(feed, [one.name for one in at_feed])
        for account in real:
            why = self.around.refused_key(account)
            if why is not None:
                yield f"key:{account.id}", _key(account, why)
            frozen = self.ports.freezer.of(account.id)
            if frozen is not None:
                yield f"frozen:{account.id}", _frozen(account, frozen.why)

    def _accounts_at(self, feed: str) -> Sequence[AccountName]:
        return [one.name for one in self.ports.accounts.accounts() if one.feed == feed]

    def _lasts(self, name: str, *, is_so: bool) -> bool:
        """Tell whether it has been so for long, by the looks of this process."""
        now_ms = self.ports.clock.steady_ms()
        if not is_so:
            self._since_ms.pop(name, None)
            return False
        return now_ms - self._since_ms.setdefault(name, now_ms) >= self.lasting_ms


def _about(name: str) -> AggregateId | None:
    word, _, what = name.partition(":")
    return AggregateId(int(what.partition(":")[0])) if word == "unknown" else None


def _key(account: Account, why: str) -> Alarm:
    message = f"{account.venue} refuses the key: {why}"
    return _of_account(account, message, f"{account.venue} does not refuse the key any more")


def _frozen(account: Account, why: str) -> Alarm:
    message = f"the account is frozen, and nothing is sent for it: {why}"
    return _of_account(account, message, "it is frozen no more")


def _of_account(account: Account, message: str, over: str) -> Alarm:
    if not account.enabled:
        over = "the account is switched off"
    return Alarm(NoticeKind.ACCOUNT, account.id, account.name, message, over)


def _away(feed: str, affects: Sequence[AccountName]) -> Alarm:
    message, over = f"{feed} leaves requests without an answer", f"{feed} answers again"
    return Alarm(NoticeKind.VENUE, NOBODY, None, message, over, tuple(affects))


def _late(rounds: Sequence[str]) -> Alarm:
    message = f"not all that must be done again and again is: {'; '.join(rounds)}"
    return _of_nobody(NoticeKind.UNREADY, message, "all that must be done again and again is")


def _full(percent: int) -> Alarm:
    message = f"the memory of the store is {percent} % full, and entries are refused"
    return _of_nobody(NoticeKind.UNREADY, message, "the store takes in entries again")


def _of_nobody(kind: NoticeKind, message: str, over: str) -> Alarm:
    return Alarm(kind, NOBODY, None, message, over)
