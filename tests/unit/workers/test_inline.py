"""Effects that the same task can carry out at once."""

import threading

import pytest

from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import EpochMs
from tests.support.builders import NOW, an_id
from tests.support.rig import RecordingPublisher
from workers.inline import KEPT_MAX, InlinePublisher


@pytest.fixture
def sent() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def inline(sent: RecordingPublisher) -> InlinePublisher:
    return InlinePublisher().around(sent)


def effect(number: int = 1, kind: EffectKind = EffectKind.PLACE, due_at_ms: int = 0) -> Effect:
    return Effect(kind=kind, target=an_id(number), due_at_ms=EpochMs(due_at_ms))


def taken(inline: InlinePublisher) -> list[Effect]:
    effects = []
    while (one := inline.take()) is not None:
        effects.append(one)
    return effects


def test_what_comes_while_a_task_runs_is_kept_in_order(
    inline: InlinePublisher, sent: RecordingPublisher
) -> None:
    inline.open()

    inline.publish([effect(1), effect(2)])

    assert taken(inline) == [effect(1), effect(2)]
    assert sent.published == []


def test_what_comes_outside_a_task_is_sent(
    inline: InlinePublisher, sent: RecordingPublisher
) -> None:
    inline.publish([effect()])

    assert sent.published == [effect()]
    assert taken(inline) == []


@pytest.mark.parametrize(
    "later", [effect(due_at_ms=NOW), effect(kind=EffectKind.TIMER), effect(due_at_ms=1)]
)
def test_what_is_not_due_at_once_is_sent(
    inline: InlinePublisher, sent: RecordingPublisher, later: Effect
) -> None:
    inline.open()

    inline.publish([later])

    assert sent.published == [later]


def test_the_same_effect_is_kept_once(inline: InlinePublisher) -> None:
    inline.open()

    inline.publish([effect(), effect()])
    inline.publish([effect()])

    assert taken(inline) == [effect()]


def test_what_is_too_much_for_one_task_goes_to_others(
    inline: InlinePublisher, sent: RecordingPublisher
) -> None:
    inline.open()

    inline.publish([effect(number) for number in range(KEPT_MAX + 3)])

    assert len(taken(inline)) == KEPT_MAX
    assert len(sent.published) == 3


def test_what_a_task_leaves_behind_is_sent(
    inline: InlinePublisher, sent: RecordingPublisher
) -> None:
    inline.open()
    inline.publish([effect(1), effect(2)])
    inline.take()

    inline.close()
    inline.publish([effect(3)])

    assert sent.published == [effect(2), effect(3)]
    assert taken(inline) == []


def test_timers_are_passed_on(inline: InlinePublisher, sent: RecordingPublisher) -> None:
    inline.wake_timers([NOW])

    assert sent.wakes == [NOW]


def test_each_thread_keeps_its_own(inline: InlinePublisher, sent: RecordingPublisher) -> None:
    inline.open()
    inline.publish([effect(1)])

    other = threading.Thread(target=inline.publish, args=([effect(2)],))
    other.start()
    other.join()

    assert sent.published == [effect(2)]
    assert taken(inline) == [effect(1)]


def test_each_commit_is_a_sign_of_life(sent: RecordingPublisher) -> None:
    """One message may release thousands of timers; that takes long, and is not stuck."""
    signs: list[None] = []
    inline = InlinePublisher(lambda: signs.append(None)).around(sent)
    inline.open()

    inline.publish([effect(1)])
    inline.publish([])

    assert len(signs) == 2
