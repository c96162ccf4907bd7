"""Where people are told what has happened, and what of it each place is to hear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.domain.identifiers import AccountName, EpochMs
from app.domain.notice import URGENT, Notice, NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When one wants to hear of nothing that can wait until they are over.

    Attributes:
        begin, end: times of day as `22:00`; the end may be on the next day.
        timezone: as the IANA names it, `Europe/Berlin` for instance.
        kinds: what keeps quiet meanwhile.
    """

    begin: str
    end: str
    timezone: str = "UTC"
    kinds: tuple[NoticeKind, ...] = tuple(one for one in NoticeKind if one not in URGENT)

    def cover(self, kind: NoticeKind, at_ms: EpochMs) -> bool:
        """Tell whether a kind keeps quiet at this time (UTC epoch, ms)."""
        if kind not in self.kinds:
            return False
        moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(ZoneInfo(self.timezone))
        now = f"{moment:%H:%M}"
        if self.begin <= self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One place to which messages go.

    Attributes:
        sealed: its address, and the secret that signs for it if it is a webhook of ours.
        service: which service it is, without any secret: `tgram`, or `webhook` for one of ours.
        kinds: what it is to hear of; empty is everything.
        accounts: of whom; empty is everybody, and what concerns no account.
        pause_seconds: at least so long between two messages of one kind; what comes meanwhile is
            told together. 0 is each by itself, at once.
    """

    name: str
    sealed: str
    service: str
    kinds: tuple[NoticeKind, ...] = ()
    accounts: tuple[AccountName, ...] = ()
    pause_seconds: int = 60
    quiet_hours: QuietHours | None = None
    enabled: bool = True

    @property
    def origin(self) -> str:
        """Its name among the owners of secrets."""
        return f"channel:{self.name}"

    def wants(self, kind: NoticeKind, account: AccountName | None) -> bool:
        """Tell whether it is to hear of this."""
        if not self.enabled:
            return False
        is_whose = not self.accounts or (account is not None and account in self.accounts)
        return is_whose and (not self.kinds or kind in self.kinds)

    def keeps_quiet(self, kind: NoticeKind, at_ms: EpochMs) -> bool:
        """Tell whether what is told of a kind waits at this time for the end of quiet hours."""
        return self.quiet_hours is not None and self.quiet_hours.cover(kind, at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to a channel in one go.

    Attributes:
        notices: all of one kind, in the order in which they have happened.
        left_out: more of them than are told one by one.
        is_repeated: the same may have arrived before.
    """

    kind: NoticeKind
    notices: tuple[Notice, ...]
    left_out: int = 0
    is_repeated: bool = False

    @property
    def title(self) -> str:
        """Return, for instance, `Hookfill: fill (3)`."""
        count = len(self.notices) + self.left_out
        words = self.kind.replace("_", " ")
        return f"Hookfill: {words}" if count == 1 else f"Hookfill: {words} ({count})"

    @property
    def text(self) -> str:
        """Return one line for each, with its time (UTC), account and id."""
        lines = [_line(one) for one in self.notices]
        if self.left_out:
            lines.append(f"... and {self.left_out} more.")
        if self.is_repeated:
            lines.append("Repeated: this may have arrived before.")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How it goes with the messages of one channel.

    Attributes:
        waiting: notices that wait to be told.
        dropped: that were not told: too many, or too old.
        sent: messages that have arrived.
        last_sent_ms: server time of the last of them.
        error: what the last try came to, empty if that was good.
        error_ms: server time of that try.
    """

    waiting: int = 0
    dropped: int = 0
    sent: int = 0
    last_sent_ms: EpochMs | None = None
    error: str = ""
    error_ms: EpochMs | None = None
    by_kind: Mapping[NoticeKind, int] = field(default_factory=dict)


def _line(notice: Notice) -> str:
    at = datetime.fromtimestamp(notice.at_ms / 1000, tz=UTC)
    whose = "" if notice.account is None else f" {notice.account}:"
    which = "" if notice.about is None else f" ({notice.about})"
    return f"{at:%H:%M:%S}{whose} {notice.message}{which}"
