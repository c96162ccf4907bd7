"""Tasks that look at venues: prices, and orders. An empty list means all that wait for anything."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.dispatch.routes import TaskName
from app.domain.account import PAPER, Account
from app.domain.identifiers import AccountId, AccountName, VenueName
from app.logs import log_context
from app.ports import Ports
from app.services.following.follow import follow_news, follow_orders, look_at_account
from app.services.following.guards import hand_out_guards, look_at_guards
from app.services.following.reconcile import reconcile_in_turn
from app.services.keeping.rounds import GUARDS, ORDERS, PRICES, noted
from app.services.watching.watch import watch_prices
from app.venues import traits_of
from workers.base import (
    AggregateTask,
    PeriodicTask,
    hand_on,
    id_in,
    offer,
    one_piece_of_work,
)
from workers.celery_app import celery_app
from workers.crew import Rank
from workers.process import this_process

if TYPE_CHECKING:
    from app.domain.trigger import Firing

#: Ticks of one venue evaluated by one message; the rest is left to the next.
TICKS_MAX = 100

#: Whose the work is that is about a venue and no one account there.
NOBODY = Account(id=AccountId(0), name=AccountName(""), group="")


class PollPrices(PeriodicTask):
    """Evaluate ticks, one after the other, each with all that follows from it."""

    name = TaskName.POLL_PRICES

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Watch these prices, or all; see `begin_prices`."""
        for value in values:
            _offer_watch(VenueName(str(value)), ports)
        if not values:
            begin_prices(ports)


def begin_prices(ports: Ports) -> None:
    """Have the paper venue's prices watched here, and those of others where there is time."""
    _offer_watch(PAPER, ports)
    hand_out(TaskName.POLL_PRICES, PRICES, _feeds_waited_for(ports), ports)


def _offer_watch(feed: VenueName, ports: Ports) -> None:
    owner = replace(NOBODY, venue=VenueName(feed.partition(":")[0]))
    watch = partial(_watch, feed, owner, ports)
    offer(owner, (TaskName.POLL_PRICES, feed), watch, Rank.PRICES)


def _watch(feed: VenueName, owner: Account, ports: Ports) -> None:
    name = PRICES if feed == PAPER else f"{PRICES}:{feed}"
    left: deque[Firing] = deque()
    with one_piece_of_work():
        for _ in range(TICKS_MAX):
            with noted(name, ports):
                is_more = watch_prices(feed, ports, left)
            if not is_more:
                break
            hand_on(ports, owner)


class PollOrders(PeriodicTask):
    """Follow the open orders of accounts."""

    name = TaskName.POLL_ORDERS

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Follow these accounts, or all; see `begin_orders`."""
        if not values:
            begin_orders(ports)
        for value in values:
            number = id_in(value)
            if number is not None:
                _poll(self.name, str(value), AccountId(number), ports)


def begin_orders(ports: Ports) -> None:
    """Have all accounts followed that have news, and others ask the real venues."""
    offer(NOBODY, (TaskName.POLL_ORDERS,), partial(_follow_news, ports))
    hand_out(TaskName.POLL_ORDERS, ORDERS, _accounts_to_look_at(ports), ports)
    _hand_out_guards(ports)


def _poll(task: str, value: str, account_id: AccountId, ports: Ports) -> None:
    """Hand a look at an account to the crew of its venue."""

    def run() -> None:
        with (
            log_context(task=task, account=str(account_id)),
            one_piece_of_work(),
            noted(f"{ORDERS}:{value}", ports),
        ):
            follow(account_id, ports)

    with one_piece_of_work():
        owner = ports.accounts.account(account_id)
        follow = follow_orders if owner.venue == PAPER else look_at_account
        offer(owner, (task, value), run, Rank.POLL)


def _follow_news(ports: Ports) -> None:
    with one_piece_of_work(), noted(ORDERS, ports):
        follow_news(ports)


def _real_accounts(ports: Ports) -> list[Account]:
    return [one for one in ports.accounts.accounts() if one.venue != PAPER]


def _feeds_waited_for(ports: Ports) -> list[str]:
    feeds = sorted({account.feed for account in _real_accounts(ports)})
    return [feed for feed in feeds if ports.book.symbols(feed) or ports.book.fired(feed)]


def _accounts_to_look_at(ports: Ports) -> list[str]:
    real = [one.id for one in _real_accounts(ports)]
    wanted = {*ports.views.wanted(), *ports.live.with_open_orders(real)}
    return [str(one) for one in real if one in wanted]


def hand_out(task: TaskName, kind: str, values: Sequence[str], ports: Ports) -> None:
    """Send one message for each value, so that a slow venue holds up nobody else.

    A round of that kind is waited for then. Not more often than a venue may be asked: the lease of
    each is not given back.
    """
    ports.rounds.await_each(kind, values, ports.clock.server_ms())
    for value in values:
        if ports.locks.acquire(f"poll:{task}:{value}", ports.policy.venue_poll_ms) is not None:
            _send(task, value, ports)


def _send(task: TaskName, value: str, ports: Ports) -> None:
    expires_seconds = max(ports.policy.venue_poll_ms / 500, 2.0)
    this_process().messages.send(task, [value], value, expires=expires_seconds)


class PollGuards(PeriodicTask):
    """Look at positions that are guarded."""

    name = TaskName.POLL_GUARDS

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Look at these accounts."""
        for value in values:
            number = id_in(value)
            if number is not None:
                with one_piece_of_work():
                    owner = ports.accounts.account(AccountId(number))
                    look = partial(_look_at_guards, owner.id, ports)
                    offer(owner, (self.name, number), look, Rank.POLL)


def _look_at_guards(account_id: AccountId, ports: Ports) -> None:
    with log_context(task=TaskName.POLL_GUARDS, account=str(account_id)), one_piece_of_work():
        look_at_guards(account_id, ports)


def _hand_out_guards(ports: Ports) -> None:
    """Have the accounts looked at whose positions are guarded and whose turn it is."""
    real = _real_accounts(ports)
    guarded = ports.live.with_guards([one.id for one in real])
    of_hosts: dict[tuple[VenueName, VenueName], list[Account]] = defaultdict(list)
    for one in real:
        if one.id in guarded:
            of_hosts[one.venue, one.hosts].append(one)
    ports.rounds.await_each(GUARDS, [str(one) for one in guarded], ports.clock.server_ms())
    last_ms = ports.rounds.last_ms()
    for (venue, _), accounts in of_hosts.items():
        with one_piece_of_work():  # of a venue that nobody knows nothing can be asked
            turn = hand_out_guards(accounts, traits_of(venue).look_ms, last_ms, ports)
            for account_id in turn:
                _send(TaskName.POLL_GUARDS, str(account_id), ports)


class Reconcile(AggregateTask):
    """Hold accounts against their venues, for whoever has asked or in their turn."""

    name = TaskName.RECONCILE
    rank = Rank.POLL
    #: Those in their turn are spread over all workers, a message each.
    carries_on = False

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Do as these requests say, or make one for each account whose turn it is."""
        if not values:
            reconcile_in_turn(ports)
        super().work(values, ports)


for _task in (PollPrices, PollOrders, PollGuards, Reconcile):
    celery_app.register_task(_task())
