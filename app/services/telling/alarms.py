"""What lasts rather than happens: people are told when it has begun, and when it is over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from app.domain.account import PAPER, Account
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, AccountName, AggregateId, EpochMs
from app.domain.notice import Notice, NoticeKind
from app.domain.order import Order
from app.ports import Ports
from app.ports.notices import Channels, Mailbox, Notices, Progress
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

#: Refused requests of one look that people are told of.
REFUSALS_MAX = 20

#: Refusals by which nobody has got an order wrong: of strangers, and of whoever sends too much.
_NOT_TOLD = frozenset({401, 403, 404, 405, 429})

_REFUSED = Mailbox(NoticeKind.BAD_REQUEST, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What there is to look at beside the ports.

    Attributes:
        late: rounds that are late, in words; raises StoreError.
        refused_key: why an account's key is refused, or None.
        is_away: whether the exchange of an account has left its last requests without an answer.
        refusals: the newest refused requests, newest first.
    """

    late: Callable[[], Sequence[str]]
    refused_key: Callable[[Account], str | None]
    is_away: Callable[[Account], bool]
    refusals: Callable[[int], Sequence[Mapping[str, Any]]]


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
    """Looks again and again; one for each process, and one of them at a time is enough.

    Twice, or at once in two processes, is harmless: what is told is written down in one step with
    that it was.
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
        blind: list[str] = []
        for words, of in (
            (("unknown:",), self._unknown),
            (("unready:", "memory:"), self._unready),
            (("venue:", "key:", "frozen:"), self._accounts),
        ):
            with apart("alarms", words[0]) as outcome:
                found |= dict(of(told))
            if outcome.failed:
                blind += words
        for name, alarm in found.items():
            if name not in told:
                self._begin(name, alarm)
        for name, since_ms in told.items():
            if name not in found and not name.startswith(tuple(blind)):
                self._end(name, since_ms)
        with apart("alarms", "refusals"):
            self._tell_refusals()

    def _begin(self, name: str, alarm: Alarm) -> None:
        since_ms = self.ports.clock.server_ms()
        notice = Notice(
            id=f"{name}-{since_ms}",
            kind=alarm.kind,
            at_ms=self.ports.clock.now_ms(),
            message=alarm.message,
            account=alarm.account,
            about=_about(name),
        )
        addressed = addressed_to(self.channels, notice, alarm.affects)
        self.notices.begin_alarm(alarm.whose, name, since_ms, addressed)

    def _end(self, name: str, since_ms: EpochMs) -> None:
        over = self._over(name)
        notice = Notice(
            id=f"{name}-{since_ms}-over",
            kind=over.kind,
            at_ms=self.ports.clock.now_ms(),
            message=over.over,
            account=over.account,
            about=_about(name),
        )
        addressed = addressed_to(self.channels, notice, over.affects)
        self.notices.end_alarm(over.whose, name, addressed)

    def _over(self, name: str) -> Alarm:
        """Return what an alarm was about that is over."""
        word, _, what = name.partition(":")
        match word:
            case "unknown":
                return self._known(AggregateId(int(what)))
            case "key" | "frozen":
                account = self.ports.accounts.account(AccountId(int(what)))
                return (_key if word == "key" else _frozen)(account, "")
            case "venue":
                return self._away(what)
            case _:
                return _late(name, "")

    def _unknown(self, told: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield the orders of which nobody knows for long what has become of them."""
        for order_id in self.ports.live.unknown():
            with apart("alarms", order_id), suppress(NotFound):
                order = self.ports.ledger.load(order_id).aggregate
                if isinstance(order, Order) and order.unknown_since_ms is not None:
                    lasted_ms = self.ports.clock.lasted_ms(order.unknown_since_ms)
                    name = f"unknown:{order_id}"
                    if name in told or lasted_ms >= self.unknown_ms:
                        yield name, self._of_order(order)

    def _of_order(self, order: Order) -> Alarm:
        said = "" if order.reason is None else f": {order.reason.message}"
        filled = f"{order.status}, filled {order.filled_quantity:f}"
        return Alarm(
            NoticeKind.UNKNOWN,
            order.account,
            self.ports.accounts.account(order.account).name,
            f"nobody knows what has become of {order.sentence()}{said}",
            f"it is known what has become of {order.sentence()}: {filled}",
        )

    def _known(self, order_id: AggregateId) -> Alarm:
        with suppress(NotFound):
            order = self.ports.ledger.load(order_id).aggregate
            if isinstance(order, Order):
                return self._of_order(order)
        over = "it is known what has become of it, and it has left for the history"
        # Its remainder names its shard, as its account's does.
        return Alarm(NoticeKind.UNKNOWN, AccountId(int(order_id)), None, "", over)

    def _unready(self, _: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield what is not done in time, and a store that takes in no entries any more."""
        late = self.around.late()
        yield from self._lasting("unready:rounds", _late("unready", "; ".join(late)), bool(late))
        memory = self.ports.archive_queue.memory()
        words = f"the memory of the store is {memory.percent} % full, and entries are refused"
        yield from self._lasting("memory:store", _late("memory", words), not memory.takes_entries)

    def _accounts(self, _: Mapping[str, EpochMs]) -> Iterator[tuple[str, Alarm]]:
        """Yield keys that are refused, accounts that are frozen, and exchanges that are away."""
        now_ms = self.ports.clock.steady_ms()
        if self._accounts_ms is None or now_ms - self._accounts_ms >= ACCOUNTS_MS:
            self._of_accounts = dict(self._look_at_accounts())
            self._accounts_ms = now_ms
        yield from self._of_accounts.items()

    def _look_at_accounts(self) -> Iterator[tuple[str, Alarm]]:
        for account in self.ports.accounts.accounts():
            if account.venue == PAPER or not account.enabled:
                continue
            if self.around.is_away(account):
                yield f"venue:{account.feed}", self._away(account.feed)
            why = self.around.refused_key(account)
            if why is not None:
                yield f"key:{account.id}", _key(account, why)
            frozen = self.ports.freezer.of(account.id)
            if frozen is not None:
                yield f"frozen:{account.id}", _frozen(account, frozen.why)

    def _away(self, feed: str) -> Alarm:
        message = f"{feed} leaves requests without an answer"
        affects = tuple(one.name for one in self.ports.accounts.accounts() if one.feed == feed)
        return Alarm(NoticeKind.VENUE, NOBODY, None, message, f"{feed} answers again", affects)

    def _lasting(self, name: str, alarm: Alarm, is_so: bool) -> Iterator[tuple[str, Alarm]]:  # noqa: FBT001
        """Yield what has been so for long, by the looks of this process."""
        now_ms = self.ports.clock.steady_ms()
        if not is_so:
            self._since_ms.pop(name, None)
        elif now_ms - self._since_ms.setdefault(name, now_ms) >= self.lasting_ms:
            yield name, alarm

    def _tell_refusals(self) -> None:
        """Have people told which requests were refused since the last look."""
        before = self.notices.progress(_REFUSED)
        rows = self.around.refusals(REFUSALS_MAX)
        newest_ms = max((int(row["at_ms"]) for row in rows), default=0)
        if newest_ms <= before.next_ms:
            return
        for row in rows:
            if before.next_ms < int(row["at_ms"]) and _is_told(int(row["status"])):
                self.notices.put(NOBODY, addressed_to(self.channels, _refused(row)))
        self.notices.note(_REFUSED, replace(Progress(), next_ms=EpochMs(newest_ms)))


def _is_told(status: int) -> bool:
    return status < 500 and status not in _NOT_TOLD  # noqa: PLR2004 - the classes of HTTP


def _refused(row: Mapping[str, Any]) -> Notice:
    fields = f" ({', '.join(row['fields'])})" if row["fields"] else ""
    times = f", {row['times']} times" if row["times"] > 1 else ""
    message = f"a {row['dialect']} request was refused{times}: {row['reason']}{fields}"
    return Notice(
        id=f"refused-{row['dialect']}-{row['at_ms']}",
        kind=NoticeKind.BAD_REQUEST,
        at_ms=EpochMs(int(row["at_ms"])),
        message=message,
    )


def _about(name: str) -> AggregateId | None:
    word, _, what = name.partition(":")
    return AggregateId(int(what)) if word == "unknown" else None


def _key(account: Account, why: str) -> Alarm:
    message = f"{account.venue} refuses the key: {why}"
    over = f"{account.venue} does not refuse the key any more"
    return Alarm(NoticeKind.ACCOUNT, account.id, account.name, message, over)


def _frozen(account: Account, why: str) -> Alarm:
    message = f"the account is frozen, and nothing is sent for it: {why}"
    return Alarm(NoticeKind.ACCOUNT, account.id, account.name, message, "it is frozen no more")


def _late(name: str, why: str) -> Alarm:
    if name.startswith("memory"):
        return Alarm(NoticeKind.UNREADY, NOBODY, None, why, "the store takes in entries again")
    message = f"not all that must be done again and again is: {why}"
    over = "all that must be done again and again is"
    return Alarm(NoticeKind.UNREADY, NOBODY, None, message, over)
