"""The task that begins what is done again and again."""

from collections.abc import Callable, Sequence

from app.dispatch.routes import TaskName
from app.logs import log_context
from app.ports import Ports
from app.services.following.reconcile import reconcile_in_turn
from workers.base import PeriodicTask, one_piece_of_work
from workers.celery_app import celery_app
from workers.maintenance import begin_archive, begin_sweep
from workers.polls import begin_orders, begin_prices
from workers.schedule import Round

#: None of them lasts: what may, they hand to crews, to threads of their own or to other workers.
BEGIN: dict[Round, Callable[[Ports], None]] = {
    Round.PRICES: begin_prices,
    Round.ORDERS: begin_orders,
    Round.RECONCILE: reconcile_in_turn,
    Round.SWEEP: begin_sweep,
    Round.ARCHIVE: begin_archive,
}


class Rounds(PeriodicTask):
    """Begin the rounds that a message names, prices first, each if those before it fail.

    Twice, or by two at once, is harmless: each has its lock, and what waits in a process to be done
    is not taken a second time there.
    """

    name = TaskName.ROUNDS
    #: What they bring is spread over all workers.
    carries_on = False

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Begin these; names of newer releases are passed over."""
        for name, begin in BEGIN.items():
            if name in values:
                with log_context(round=str(name)), one_piece_of_work():
                    begin(ports)


celery_app.register_task(Rounds())
