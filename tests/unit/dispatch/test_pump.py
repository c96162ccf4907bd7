"""The pump: no request waits for the broker."""

import threading
from collections.abc import Sequence

import pytest

from app.dispatch import pump as pump_module
from app.dispatch.pump import PumpPublisher
from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import EpochMs
from tests.support.builders import NOW, an_id

#: Far longer than the thread needs, so that only a pump that stands still fails.
PATIENCE_SECONDS = 40


class SlowPublisher:
    """Waits to be let go on, and tells what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[Effect]] = []
        self.wakes: list[EpochMs] = []
        self.go_on = threading.Event()
        self.came = threading.Semaphore(0)
        self.fails = 0

    def publish(self, effects: Sequence[Effect]) -> None:
        self.batches.append(list(effects))
        self.came.release()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the broker is on fire")
        assert self.go_on.wait(PATIENCE_SECONDS)

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        self.wakes += due_ms

    def wait(self) -> None:
        """Wait for the next batch."""
        assert self.came.acquire(timeout=PATIENCE_SECONDS)


def effects(count: int) -> list[Effect]:
    return [Effect(kind=EffectKind.ADVANCE, target=an_id(number)) for number in range(count)]


def test_what_is_published_reaches_the_publisher_in_order() -> None:
    slow = SlowPublisher()
    slow.go_on.set()
    pump = PumpPublisher(slow)
    pump.publish(effects(3))

    slow.wait()
    while sum(map(len, slow.batches)) < 3:
        slow.wait()

    assert [one for batch in slow.batches for one in batch] == effects(3)


def test_nobody_waits_for_a_slow_broker_and_what_gathers_goes_together() -> None:
    slow = SlowPublisher()
    pump = PumpPublisher(slow)
    pump.publish(effects(1))
    slow.wait()

    for one in effects(40):
        pump.publish([one])
    slow.go_on.set()
    slow.wait()

    assert [len(batch) for batch in slow.batches] == [1, 40]


def test_a_broker_on_fire_does_not_stop_the_pump() -> None:
    slow = SlowPublisher()
    slow.go_on.set()
    slow.fails = 1
    pump = PumpPublisher(slow)
    pump.publish(effects(1))
    slow.wait()

    pump.publish(effects(1))
    slow.wait()

    assert len(slow.batches) == 2


def test_what_does_not_fit_is_left_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_module, "WAITING_MAX", 2)
    slow = SlowPublisher()
    pump = PumpPublisher(slow)
    pump.publish(effects(1))
    slow.wait()

    pump.publish(effects(5))
    slow.go_on.set()
    slow.wait()

    assert [len(batch) for batch in slow.batches] == [1, 2]


def test_timers_are_seen_to_at_once() -> None:
    slow = SlowPublisher()

    PumpPublisher(slow).wake_timers([NOW])

    assert slow.wakes == [NOW]
