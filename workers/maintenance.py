"""Tasks that keep the rest honest and tidy: the sweep, the canaries and the archive."""

from collections.abc import Sequence

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
from workers.base import PeriodicTask, one_piece_of_work
from workers.celery_app import celery_app

#: One sweep at a time is enough; a worker that dies in it holds up the next one this long.
LEASE_MS = 5_000

#: Longer than the history takes to answer at worst; two at once would only do the work twice.
ARCHIVE_LEASE_MS = 30_000


#: Canaries also go into queues full of work, where one that comes late says how late they are.
CANARIES_WAITING_MAX = 100


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


class Sweep(PeriodicTask):
    """Send again what was lost on its way, and see to the kill switches."""

    name = TaskName.SWEEP
    #: What was lost is spread over all workers again; one that hangs must not hold up the rest.
    carries_on = False

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Sweep, unless somebody else does."""
        del values
        with exclusive(ports.locks, "sweep", LEASE_MS) as is_ours:
            for duty in DUTIES if is_ours else ():
                with one_piece_of_work():
                    duty(ports)


class Heartbeat(PeriodicTask):
    """Prove that messages come through a queue to a worker."""

    name = TaskName.CANARY
    waiting_max = CANARIES_WAITING_MAX

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Note the time for the queues that are named; beats of older releases name none."""
        now_ms = ports.clock.server_ms()
        for queue in QueueName if values else (QueueName.MAINTENANCE,):
            if queue in values or not values:
                ports.rounds.done(queue_round(queue), now_ms)
                if queue is QueueName.MAINTENANCE:
                    ports.runs.beat(now_ms)


class Archive(PeriodicTask):
    """Copy what has finished into the history, and let go what it has had for long."""

    name = TaskName.ARCHIVE

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Archive, unless somebody else does."""
        del values
        with exclusive(ports.locks, "archive", ARCHIVE_LEASE_MS) as is_ours:
            if is_ours:
                with one_piece_of_work():
                    archive(ports)


for _task in (Sweep, Heartbeat, Archive):
    celery_app.register_task(_task())
