"""Republishes what the outbox and the timers still hold: a message was lost, or never sent."""

from app.ports import Ports

#: Effects sent again in one sweep; more are left to the next one.
BATCH = 500


def sweep(ports: Ports) -> None:
    """Wake the workers for everything that is owed and not under way, and for timers that are near.

    Two sweeps at once send a message twice, which is harmless.
    """
    ports.publisher.publish(ports.outbox.overdue(BATCH))
    now_ms = ports.clock.now_ms()
    ports.publisher.wake_timers(ports.timers.soon(now_ms, ports.policy.timer_horizon_ms))
