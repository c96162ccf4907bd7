"""The sweep: what was lost, or never sent, is sent again."""

from app.domain.effects import Effect, EffectKind
from app.domain.request.signal import RequestStatus
from app.services.keeping.sweep import BATCH, sweep
from tests.support.builders import NOW, a_command, an_id, an_order, fixed
from tests.support.rig import POLICY, Rig


def swept(rig: Rig) -> list[Effect]:
    """What one sweep sends."""
    rig.publisher.published.clear()
    sweep(rig.ports)
    return list(rig.publisher.published)


def test_what_was_sent_a_moment_ago_is_not_sent_again(rig: Rig) -> None:
    rig.accept(a_command())

    assert swept(rig) == []


def test_what_was_lost_is_sent_again_and_again(rig: Rig) -> None:
    rig.put(an_order())
    lost = Effect(kind=EffectKind.PLACE, target=an_order().id)

    sent = []
    for _ in range(3):
        rig.clock.advance(POLICY.republish_after_ms)
        sent.append(swept(rig))
        sent.append(swept(rig))

    assert sent == [[lost], [], [lost], [], [lost], []]


def test_what_is_done_is_not_sent_again(rig: Rig) -> None:
    rig.run(a_command(size=fixed("0.1")))
    rig.clock.advance(POLICY.republish_after_ms)

    assert swept(rig) == []


def test_a_signal_whose_message_was_lost_is_carried_out(rig: Rig) -> None:
    accepted = rig.accept(a_command(size=fixed("0.1")))
    rig.publisher.waiting.clear()

    rig.settle()

    assert rig.signal(accepted.id).status is RequestStatus.DONE


def test_timers_that_are_near_or_past_get_a_wake_up(rig: Rig) -> None:
    for delay_ms in (5_000, POLICY.timer_horizon_ms, POLICY.timer_horizon_ms + 1):
        rig.accept(a_command(delay_ms=delay_ms))

    sweep(rig.ports)
    rig.clock.advance_business(6_000)
    near = list(rig.publisher.wakes)
    sweep(rig.ports)

    assert near == [NOW + 5_000, NOW + POLICY.timer_horizon_ms]
    assert NOW + 5_000 in rig.publisher.wakes[len(near) :]


def test_one_sweep_sends_a_bounded_number_of_a_shard(rig: Rig) -> None:
    for number in range(BATCH + 5):
        rig.put(an_order(id=an_id(number)))
    rig.clock.advance(POLICY.republish_after_ms)

    assert [len(swept(rig)), len(swept(rig))] == [BATCH, 5]


def test_a_retry_is_sent_at_its_own_time(rig: Rig) -> None:
    rig.put(an_order(next_action_at_ms=NOW + 500))

    early = swept(rig)
    rig.clock.advance(500)

    assert early == []
    assert len(swept(rig)) == 1


def test_those_who_wait_in_one_lane_are_woken_once(rig: Rig) -> None:
    for _ in range(5):
        rig.accept(a_command(size=fixed("0.1")))
    rig.publisher.waiting.clear()
    rig.clock.advance(POLICY.republish_after_ms)

    woken = swept(rig)
    assert [effect.kind for effect in woken] == [EffectKind.ADVANCE]

    rig.settle()
    assert len(rig.venue.sent) == 5
