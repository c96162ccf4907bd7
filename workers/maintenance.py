"""Tasks that keep the rest honest and tidy: the sweep, the canaries and the archive."""

from collections.abc import Sequence
from functools import partial

from app.dispatch.routes import QueueName, TaskName
from app.ports import Ports
from app.services.admin.kill_switches import fire_kill_switches
from app.services.admin.venue_cancels import hurry_venue_cancels
from app.services.exclusive import exclusive
from app.services.keeping.archive import archive
from app.services.keeping.epoch import count_on
from app.services.keeping.quarantine import try_quarantined
from app.services.keeping.rounds import SWEEP, noted, queue_round
from app.services.keeping.sweep import sweep
from app.services.placing.switched_off import SwitchedOff
from workers.base import PeriodicTask, offer_apart, one_piece_of_work
from workers.celery_app import celery_app
from workers.schedule import Round

#: One sweep at a time is enough; a worker that dies in it holds up the next one this long.
LEASE_MS = 5_000

#: Longer than the history takes to answer at worst; two at once would only do the work twice.
ARCHIVE_LEASE_MS = 30_000


def _sweep(ports: Ports) -> None:
    with noted(SWEEP, ports):
        sweep(ports)


#: What each sweep does. An error in one of them keeps none of the others from being done.
DUTIES = (
    _sweep,
    SwitchedOff(),
    fire_kill_switches,
    hurry_venue_cancels,
    count_on,
    try_quarantined,
)


def begin_sweep(ports: Ports) -> None:
    """Have what was lost on its way sent again, and the kill switches seen to.

    It is spread over all workers: one that hangs must not hold up the rest.
    """
    offer_apart(Round.SWEEP, partial(_sweep_alone, ports))


def _sweep_alone(ports: Ports) -> None:
    with one_piece_of_work(), exclusive(ports.locks, "sweep", LEASE_MS) as is_ours:
        for duty in DUTIES if is_ours else ():
            with one_piece_of_work():
                duty(ports)


class Sweep(PeriodicTask):
    """Send again what was lost on its way; beats of older releases ask for it."""

    name = TaskName.SWEEP

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Sweep, unless somebody else does."""
        del values
        begin_sweep(ports)


class Heartbeat(PeriodicTask):
    """Prove that messages come through a queue to a worker."""

    name = TaskName.CANARY

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Note the time for the queues that are named; beats of older releases name none."""
        now_ms = ports.clock.server_ms()
        for queue in QueueName if values else (QueueName.MAINTENANCE,):
            if queue in values or not values:
                ports.rounds.done(queue_round(queue), now_ms)
                if queue is QueueName.MAINTENANCE:
                    ports.runs.beat(now_ms)


def begin_archive(ports: Ports) -> None:
    """Have what has finished copied into the history, and let go what it has had for long."""
    offer_apart(Round.ARCHIVE, partial(_archive_alone, ports))


def _archive_alone(ports: Ports) -> None:
    with one_piece_of_work(), exclusive(ports.locks, "archive", ARCHIVE_LEASE_MS) as is_ours:
        if is_ours:
            archive(ports)


class Archive(PeriodicTask):
    """Copy what has finished into the history; beats of older releases ask for it."""

    name = TaskName.ARCHIVE

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Archive, unless somebody else does."""
        del values
        begin_archive(ports)


for _task in (Sweep, Heartbeat, Archive):
    celery_app.register_task(_task())
