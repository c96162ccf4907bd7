"""Where people are told what has happened, and what of it each place is to hear."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.identifiers import AccountName, EpochMs
from app.domain.notice import URGENT, Notice, NoticeKind

#: The service of a channel that is a webhook of somebody's own.
WEBHOOK: Final = "webhook"

#: Characters of a line, and of a text: services take 2,000 or more.
_LINE_MAX: Final = 300
_TEXT_MAX: Final = 1_500


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
        try:
            zone: tzinfo = ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = UTC  # this host does not know it: rather at another hour than never
        now = f"{datetime.fromtimestamp(at_ms / 1000, tz=zone):%H:%M}"
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
            told together. A webhook gets each by itself, at once.
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

    @property
    def goes_singly(self) -> bool:
        """Whether each notice is a message of its own: a program reads it."""
        return self.service == WEBHOOK

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
        """Return a line for each that there is room for, with its time (UTC), account and id."""
        lines: list[str] = []
        room, left_out = _TEXT_MAX, self.left_out
        for notice in self.notices:
            line = _line(notice)
            room -= len(line)
            if room < 0 and lines:
                left_out = self.left_out + len(self.notices) - len(lines)
                break
            lines.append(line)
        if left_out:
            lines.append(f"... and {left_out} more.")
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


def _line(notice: Notice) -> str:
    at = datetime.fromtimestamp(notice.at_ms / 1000, tz=UTC)
    whose = "" if notice.account is None else f" {notice.account}:"
    which = "" if notice.about is None else f" ({notice.about})"
    message = notice.message
    if len(message) > _LINE_MAX:
        message = message[:_LINE_MAX] + " ..."
    return f"{at:%m-%d %H:%M:%S}Z{whose} {message}{which}"
