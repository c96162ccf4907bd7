"""Resting orders of every account meet a tick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.domain.identifiers import AccountId
from app.domain.market import Quote, Tick
from app.paper.domain.account import PaperAccount
from app.paper.domain.ledger import BookEntry, PaperChange, PaperSnapshot
from app.paper.domain.order import PaperOrder
from app.paper.engine import engine
from app.paper.ports import PaperPorts, until_committed
from app.paper.store.ledger import RedisPaperLedger

#: Orders of one account that one commit may change; more take several commits.
ORDERS_MAX = 200


@dataclass(slots=True)
class _Match:
    """What a tick does to some orders of one account.

    Attributes:
        spent: entries whose order is closed, or was placed under another number.
        orphans: entries whose order is not in the ledger: not yet, or never.
    """

    account: PaperAccount | None
    orders: list[PaperOrder] = field(default_factory=list)
    spent: list[BookEntry] = field(default_factory=list)
    orphans: list[BookEntry] = field(default_factory=list)


def match_tick(tick: Tick, ports: PaperPorts) -> None:
    """Fill what the tick reaches. Doing it twice, at once or after a crash, fills nothing twice.

    Raises:
        Conflict: an account was changed by others, again and again; the tick can be matched again.
    """
    for crossed in ports.book.crossed(tick.quotes):
        for account_id, entries in _by_account(crossed):
            _match_account(account_id, entries, (tick, tick.quotes[entries[0].symbol]), ports)


def _by_account(
    entries: Sequence[BookEntry],
) -> Iterator[tuple[AccountId, list[BookEntry]]]:
    """Yield an account's entries, best price first, in parts that fit into one commit."""
    ordered = sorted(entries, key=lambda entry: entry.account_id)  # stable: keeps best first
    for account_id, group in groupby(ordered, key=lambda entry: entry.account_id):
        found = list(group)
        for start in range(0, len(found), ORDERS_MAX):
            yield account_id, found[start : start + ORDERS_MAX]


def _match_account(
    account_id: AccountId,
    entries: Sequence[BookEntry],
    met: tuple[Tick, Quote],
    ports: PaperPorts,
) -> None:
    def attempt() -> _Match:
        snapshot = ports.ledger.load(account_id, [entry.client_order_id for entry in entries])
        match = _matched(snapshot, entries, met)
        _commit(account_id, snapshot.version, match, ports.ledger)
        return match

    match = until_committed(attempt)
    if match.spent or match.orphans:
        ports.book.leave([*match.spent, *match.orphans])


def _matched(
    snapshot: PaperSnapshot, entries: Sequence[BookEntry], met: tuple[Tick, Quote]
) -> _Match:
    tick, quote = met
    match = _Match(snapshot.account)
    for entry in entries:
        order = snapshot.orders.get(entry.client_order_id)
        if order is None or match.account is None:
            match.orphans.append(entry)
            continue
        if order.number != entry.number or not order.is_open:
            match.spent.append(entry)
            continue
        outcome = engine.match(match.account, order, quote, tick.number, tick.at_ms)
        if outcome.order != order:
            match.account = outcome.account
            match.orders.append(outcome.order)
        if not outcome.order.is_open:
            match.spent.append(entry)
    return match


def _commit(account_id: AccountId, version: int, match: _Match, ledger: RedisPaperLedger) -> None:
    """Write what has changed.

    An orphan may belong to a placement that is about to commit. Raising the version makes that
    placement lose, and enter the book anew, before its entry is taken out.
    """
    if match.orders:
        change = PaperChange(
            account=match.account,
            orders=tuple(match.orders),
            news=frozenset(order.client_order_id for order in match.orders),
        )
        ledger.commit(account_id, version, change)
    elif match.orphans:
        ledger.commit(account_id, version, PaperChange())
