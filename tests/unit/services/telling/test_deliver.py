"""What waits for a channel is told, once as far as anybody can know."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.channel import WEBHOOK, Channel, Message, QuietHours
from app.domain.identifiers import AccountId, EpochMs
from app.domain.notice import Notice, NoticeKind
from app.ports.notices import Mailbox, Outcome, Sent
from app.services.telling import deliver as module
from app.services.telling.deliver import deliver, discard, tidy
from tests.support.builders import NOW
from tests.support.clocks import nothing
from tests.support.rig import Died, Rig

FILL = NoticeKind.FILL
PHONE = Mailbox(FILL, "phone")
ARRIVED, REFUSED, UNKNOWN = (Sent(one, "said") for one in Outcome)


class Telephone:
    """Answers as planned, then well.

    Attributes:
        heard: every message, whatever was answered.
        before: called for each message before it is heard; whoever raises in it dies right there.
    """

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.answers: deque[Sent] = deque()
        self.before: Callable[[], None] = nothing
        self.after: Callable[[], None] = nothing

    def send(self, channel: Channel, message: Message) -> Sent:
        assert channel.name == "phone"
        self.before()
        self.heard.append(message)
        self.after()
        return self.answers.popleft() if self.answers else ARRIVED

    @property
    def told(self) -> list[tuple[str, ...]]:
        return [tuple(one.id for one in message.notices) for message in self.heard]


class Desk:
    """A channel, and what is told there."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.phone = Telephone()
        self.channel = Channel(name="phone", sealed="-", service="tgram")
        self._count = 0

    def happen(self, count: int = 1, at_ms: int | None = None) -> list[str]:
        """Let something happen that is to be told; return the ids."""
        ids = []
        for _ in range(count):
            self._count += 1
            notice = Notice(
                id=f"n{self._count}",
                kind=FILL,
                at_ms=EpochMs((self.rig.clock.now_ms() if at_ms is None else at_ms) + self._count),
                message="bought",
            )
            self.rig.notices.put(AccountId(self._count), [("phone", notice)])
            ids.append(notice.id)
        return ids

    def deliver(self) -> None:
        deliver(PHONE, self.channel, self.rig.notices, self.phone, self.rig.ports)

    @property
    def waiting(self) -> int:
        return self.rig.notices.count([PHONE])[PHONE]


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


def test_what_has_happened_is_told_once(desk: Desk) -> None:
    desk.happen(2)
    desk.deliver()
    desk.rig.clock.advance(60_000)
    desk.deliver()

    assert desk.phone.told == [("n1", "n2")]
    assert not desk.phone.heard[0].is_repeated
    assert desk.waiting == 0
    delivery = desk.rig.notices.delivery("phone")
    assert (delivery.sent, delivery.last_sent_ms, delivery.error) == (1, NOW, "")


def test_what_comes_within_a_minute_is_told_together_after_it(desk: Desk) -> None:
    desk.happen()
    desk.deliver()
    desk.happen(2)
    desk.rig.clock.advance(59_000)
    desk.deliver()
    within = list(desk.phone.told)
    desk.happen()
    desk.rig.clock.advance(1_000)
    desk.deliver()

    assert within == [("n1",)]
    assert desk.phone.told == [("n1",), ("n2", "n3", "n4")]


def test_of_very_many_it_is_told_how_many_there_are(desk: Desk) -> None:
    desk.happen(module.LINES_MAX + 7)
    desk.deliver()

    (message,) = desk.phone.heard
    assert (len(message.notices), message.left_out) == (module.LINES_MAX, 7)
    assert desk.waiting == 0


def test_a_webhook_gets_each_by_itself_at_once(desk: Desk) -> None:
    desk.channel = replace(desk.channel, service=WEBHOOK)
    desk.happen(3)
    desk.phone.after = lambda: desk.rig.clock.advance(50)
    desk.deliver()

    assert desk.phone.told == [("n1",), ("n2",), ("n3",)]
    assert desk.waiting == 0


def test_a_webhook_that_fails_gets_the_same_event_again_before_the_next(desk: Desk) -> None:
    desk.channel = replace(desk.channel, service=WEBHOOK)
    desk.phone.answers.extend([ARRIVED, UNKNOWN])
    desk.happen(3)
    for _ in range(2):
        desk.deliver()
        desk.rig.clock.advance(module.PAUSE_MS)

    assert desk.phone.told == [("n1",), ("n2",), ("n2",), ("n3",)]
    assert [one.is_repeated for one in desk.phone.heard] == [False, False, True, False]


def test_one_that_was_refused_goes_again_after_growing_pauses_and_is_no_repeat(desk: Desk) -> None:
    desk.phone.answers.extend([REFUSED, REFUSED])
    desk.happen()
    desk.deliver()
    desk.deliver()
    at_once = len(desk.phone.heard)
    error = desk.rig.notices.delivery("phone")
    for pause_ms in (module.PAUSE_MS, module.PAUSE_MS, module.PAUSE_MS):
        desk.rig.clock.advance(pause_ms)
        desk.deliver()

    assert at_once == 1
    assert (error.error, error.error_ms) == ("said", NOW)
    assert desk.phone.told == [("n1",)] * 3
    assert [one.is_repeated for one in desk.phone.heard] == [False] * 3
    assert desk.rig.notices.delivery("phone").error == ""
    assert desk.waiting == 0


def test_one_whose_fate_is_unknown_goes_again_alone_and_says_so(desk: Desk) -> None:
    desk.phone.answers.extend([UNKNOWN, REFUSED])
    desk.happen(2)
    desk.deliver()
    desk.happen()
    for _ in range(2):
        desk.rig.clock.advance(module.PAUSE_MS_MAX)
        desk.deliver()
    desk.rig.clock.advance(60_000)
    desk.deliver()

    assert desk.phone.told == [("n1", "n2"), ("n1", "n2"), ("n1", "n2"), ("n3",)]
    # A refusal says nothing of the try before it.
    assert [one.is_repeated for one in desk.phone.heard] == [False, True, True, False]


def test_whoever_dies_before_it_is_known_whether_it_arrived_has_it_repeated(desk: Desk) -> None:
    def die() -> None:
        raise Died

    desk.happen()
    desk.phone.after = die
    with pytest.raises(Died):
        desk.deliver()
    desk.phone.after = nothing
    desk.happen()
    desk.rig.clock.advance(5_000)
    desk.deliver()
    desk.rig.clock.advance(60_000)
    desk.deliver()

    assert desk.phone.told == [("n1",), ("n1",), ("n2",)]
    assert [one.is_repeated for one in desk.phone.heard] == [False, True, False]


def test_while_one_sends_nobody_else_does(desk: Desk) -> None:
    desk.happen()
    nested = []

    def again() -> None:
        desk.phone.before = nothing
        desk.deliver()
        nested.append(len(desk.phone.heard))

    desk.phone.before = again
    desk.deliver()

    assert nested == [0]
    assert desk.phone.told == [("n1",)]


def test_a_process_that_slept_over_it_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.happen()
    note = desk.rig.notices.note

    def sleep(*what: object) -> None:
        note(*what)  # type: ignore[arg-type]
        desk.rig.clock.advance(5_000)

    monkeypatch.setattr(desk.rig.notices, "note", sleep)
    desk.deliver()

    assert desk.phone.heard == []
    assert desk.waiting == 1


def test_in_quiet_hours_what_can_wait_does(desk: Desk) -> None:
    # Now is within them, an hour later is not.
    begin = datetime.fromtimestamp(NOW / 1000, tz=UTC)
    hours = QuietHours(begin=f"{begin:%H:%M}", end=f"{(begin.hour + 1) % 24:02}:{begin.minute:02}")
    desk.channel = replace(desk.channel, quiet_hours=hours)
    desk.happen(2)
    desk.deliver()
    in_them = list(desk.phone.told)
    desk.rig.clock.advance(3_600_000)
    desk.deliver()

    assert in_them == []
    assert desk.phone.told == [("n1", "n2")]


def test_what_nobody_could_be_told_for_a_day_is_dropped_and_counted(desk: Desk) -> None:
    desk.happen(3)
    desk.rig.clock.advance(module.LIFE_MS + 1_000)
    desk.happen()
    tidy(PHONE, desk.rig.notices, desk.rig.ports)
    desk.deliver()

    assert desk.phone.told == [("n4",)]
    assert desk.rig.notices.delivery("phone").dropped == 3


def test_of_too_many_the_oldest_are_dropped_and_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 5)
    desk.happen(8)
    tidy(PHONE, desk.rig.notices, desk.rig.ports)
    desk.deliver()

    assert desk.phone.told == [("n4", "n5", "n6", "n7", "n8")]
    assert desk.rig.notices.delivery("phone").dropped == 3


def test_what_waits_for_a_channel_that_is_switched_off_is_dropped(desk: Desk) -> None:
    desk.happen(3)
    discard(PHONE, desk.rig.notices)

    assert desk.waiting == 0


def test_whoever_slept_before_it_began_looks_anew_and_tells_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.happen()
    waiting = desk.rig.notices.waiting

    def sleep(mailbox: Mailbox, limit: int) -> Sequence[Notice]:
        """Sleep right after the progress was read, while another one tells it all."""
        monkeypatch.setattr(desk.rig.notices, "waiting", waiting)
        desk.rig.clock.advance(5_000)
        found = waiting(mailbox, limit)
        desk.deliver()
        return found

    monkeypatch.setattr(desk.rig.notices, "waiting", sleep)
    desk.deliver()

    assert desk.phone.told == [("n1",)]


def test_a_text_has_room_for_what_services_take() -> None:
    notices = tuple(
        Notice(id=f"n{number}", kind=FILL, at_ms=EpochMs(NOW), message="long " * 200)
        for number in range(20)
    )
    message = Message(kind=FILL, notices=notices, left_out=3)

    assert len(message.text) < 1_900
    lines = message.text.splitlines()
    assert lines[-1] == f"... and {3 + 20 - (len(lines) - 1)} more."
