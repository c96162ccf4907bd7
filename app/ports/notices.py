"""What people are to be told, until they are; and how it goes with telling them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.domain.channel import Channel, Delivery, Message
from app.domain.effects import AT_ONCE
from app.domain.identifiers import AccountId, AccountName, EpochMs
from app.domain.notice import Notice, NoticeKind


class Mailbox(NamedTuple):
    """What one channel is told of one kind: in order, one message at a time."""

    kind: NoticeKind
    channel: str


#: A notice, and the name of the channel that it is for.
Addressed = tuple[str, Notice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the messages of one mailbox are.

    Attributes:
        begun: ids of the notices in a message that was begun, and whose fate is not known.
        next_ms: server time before which no further message goes.
        failures: tries in a row that have failed.
        sent: messages that have arrived.
        last_id: of the newest notice that has.
        last_sent_ms: server time of the last of them.
        dropped: notices that were not told: too many, or too old.
        error: what the last try came to, empty if that was good.
        error_ms: server time of that try.
    """

    begun: tuple[str, ...] = ()
    next_ms: EpochMs = AT_ONCE
    failures: int = 0
    sent: int = 0
    last_id: str = ""
    last_sent_ms: EpochMs | None = None
    dropped: int = 0
    error: str = ""
    error_ms: EpochMs | None = None


class Notices(Protocol):
    """Notices that wait, each until its channel was told."""

    def put(self, account: AccountId, addressed: Sequence[Addressed]) -> None:
        """Have these told which come with no change to an aggregate; the same again is once.

        Args:
            account: by which they are kept; 0 where they belong to none.
            addressed: what is told to whom.
        """

    def mailboxes(self) -> Collection[Mailbox]:
        """Return the mailboxes in which anything waits."""

    def waiting(self, mailbox: Mailbox, limit: int) -> Sequence[Notice]:
        """Return the oldest of a mailbox, up to `limit`."""

    def count(self, mailboxes: Collection[Mailbox]) -> Mapping[Mailbox, int]:
        """Return how many wait in these mailboxes."""

    def remove(self, mailbox: Mailbox, notices: Sequence[Notice]) -> None:
        """Take these off: they are told, or will not be."""

    def progress(self, mailbox: Mailbox) -> Progress:
        """Return how far the messages of a mailbox are."""

    def note(self, mailbox: Mailbox, progress: Progress) -> None:
        """Write that down."""

    def delivery(self, channel: str) -> Delivery:
        """Return how it goes with the messages of a channel."""

    def alarms(self) -> Mapping[str, EpochMs]:
        """Return what ails, and was told → since when, server time."""

    def begin_alarm(
        self, account: AccountId, name: str, since_ms: EpochMs, addressed: Sequence[Addressed]
    ) -> bool:
        """Write down that something ails and have it told, in one step; return whether it was news.

        Args:
            account: by which it is kept; 0 where it belongs to none.
            name: of what ails.
            since_ms: server time.
            addressed: what is told to whom.
        """

    def end_alarm(self, account: AccountId, name: str, addressed: Sequence[Addressed]) -> None:
        """Write down that it is over, and have that told, in one step."""


class Outcome(StrEnum):
    """What has become of a message.

    REFUSED is that it has certainly not arrived.
    """

    ARRIVED = "arrived"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Sent(NamedTuple):
    """What has become of a message, and what was said to it, without any secret."""

    outcome: Outcome
    words: str = ""


class Channels(Protocol):
    """The channels that there are; see `Registry`."""

    def version(self) -> int:
        """Read anew what is older than seconds, and return the version of what was read."""

    def channels(self) -> Sequence[Channel]:
        """Return all of them, by name, as far as this process knows: the store is not asked.

        It is the same object until they change.
        """

    def known_name(self, account_id: AccountId) -> AccountName | None:
        """Return the name of an account, likewise."""


class Sender(Protocol):
    """What brings a message to its channel."""

    def send(self, channel: Channel, message: Message) -> Sent:
        """Send it, within seconds. Never raises on account of the service."""
