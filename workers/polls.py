"""Tasks that look at venues: prices, and orders. An empty list means all that wait for anything."""

from collections.abc import Sequence

from app.dispatch.routes import TaskName
from app.domain.account import PAPER
from app.domain.identifiers import AccountId, VenueName
from app.ports import Ports
from app.services.follow import follow_news, follow_orders
from app.services.watch import watch_prices
from workers.base import PeriodicTask, id_from, one_piece_of_work
from workers.celery_app import celery_app
from workers.process import process_inline

#: Ticks of one venue evaluated by one message; the rest is left to the next.
TICKS_MAX = 100


class PollPrices(PeriodicTask):
    """Evaluate ticks, one after the other, each with all that follows from it."""

    name = TaskName.POLL_PRICES

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Watch the prices of these venues."""
        for venue in [VenueName(str(value)) for value in values] or [PAPER]:
            with one_piece_of_work():
                self._watch(venue, ports)

    def _watch(self, venue: VenueName, ports: Ports) -> None:
        for _ in range(TICKS_MAX):
            if not watch_prices(venue, ports):
                break
            while (effect := process_inline().take()) is not None:
                self.carry_out(effect)


class PollOrders(PeriodicTask):
    """Follow the open orders of accounts."""

    name = TaskName.POLL_ORDERS

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Follow these accounts, or all that have news."""
        if not values:
            follow_news(ports)
        for value in values:
            number = id_from(value)
            if number is not None:
                with one_piece_of_work():
                    follow_orders(AccountId(number), ports)


for _task in (PollPrices, PollOrders):
    celery_app.register_task(_task())
