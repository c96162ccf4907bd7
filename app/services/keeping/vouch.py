"""After a start of the store nothing is sent before the venue was asked what it has of ours.

A store that was restored from an earlier copy takes for still to come what has been done since. It
cannot tell by itself, for its files are as they were; the venue can. Paper's ledger is in the same
store, and always agrees with it.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from app.domain.account import PAPER, Account
from app.domain.errors import (
    CannotAsk,
    HistoryUnavailable,
    UnreadableRecord,
    VenueError,
    VenueUnavailable,
)
from app.domain.frozen import Frozen, Knowledge, PlacedOrder
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.order import Order
from app.domain.report import OrderReport
from app.ports import Ports
from app.services.exclusive import asking
from app.services.find_anywhere import readable
from app.services.keeping.epoch import is_store_whole
from app.services.keeping.resume import wake_account

if TYPE_CHECKING:
    from app.ports.history import Record

#: Orders are looked for from this long before the store was last seen: clocks differ, and what was
#: on its way then may have arrived a while before it was noted.
EARLIER_MS = 300_000

#: Nobody looks further back; exchanges do not keep everything for longer (Binance's futures).
LOOK_BACK_MS_MAX = 90 * 86_400_000

#: After that somebody else reads on: no task may take long.
PATIENCE_MS = 20_000

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Clearance:
    """Nothing speaks against sending an order, as far as the venue's other orders are concerned.

    Attributes:
        run: the run of the store in which that is so, and in which alone the order may be claimed.
            Empty where nobody was asked: no claim holds.
        found: what the venue has told of the order itself; then it was sent before, and this is
            taken for the answer.
    """

    run: str = ""
    found: OrderReport | None = None


#: Of orders that are sent to no real venue, or that may not be sent now.
UNASKED = Clearance()


def clear(order: Order, account: Account, ports: Ports) -> Clearance | None:
    """Tell whether an order may be sent, having asked the venue if nobody has in this run.

    The claim checks again that somebody has, and that it is the same run, in the same step. Twice,
    or at once in two workers: one asks. Stopped halfway: what was read is not read again.

    Returns:
        None while another worker asks the venue; the sweep comes back to the order.

    Raises:
        VenueError: the venue could not be asked; the sweep comes back to the order.
        HistoryUnavailable: what is not in the store may be in the history.
    """
    if account.venue == PAPER:
        return UNASKED
    known = ports.runs.knowledge(account.id, order.symbol)
    was_here_before = order.id <= known.mark
    if known.since_ms is None and not was_here_before:
        return Clearance(known.run)
    if ports.ledger.state_of(account.id).holds_exits:
        return UNASKED  # the claim says no, also if the account runs again by then
    if known.since_ms is not None and not _ask(account, order.symbol, ports):
        return None
    if was_here_before:
        return _asked_about(order, account, known.run, ports)
    return Clearance(known.run)


def _asked_about(order: Order, account: Account, run: str, ports: Ports) -> Clearance | None:
    """Ask what became of an order that may have been sent after the copy was made that runs here.

    "No such order" serves all who try to send it within seconds: where the venue's budget is used
    up, they would use up what comes in anew for the same question.
    """
    if ports.runs.is_absent(order.id, run):
        return Clearance(run)
    with asking(ports.locks, f"before:{account.id}:{order.symbol}") as is_ours:
        if not is_ours:
            return None
        try:
            found = ports.venues.of(account).find(order)
        except CannotAsk:
            return Clearance(run)
        if found is None:
            ports.runs.keep_absent(order.id, run)
        return Clearance(run, found)


def look_early(account_id: AccountId, ports: Ports) -> None:
    """Ask the venue about the symbols in which anything is live, before any of it wants to go.

    So people hear of it soon after a start. Of an account that is frozen without a list, since its
    store was found to be older than the history, the list is made.

    Raises:
        VenueError: the venue could not be asked; it is asked before anything is sent.
    """
    account = ports.accounts.account(account_id)
    if account.venue == PAPER:
        return
    frozen = ports.freezer.of(account.id)
    if frozen is None:
        for symbol in sorted(_live(account, ports)):
            known = ports.runs.knowledge(account.id, symbol)
            if known.since_ms is not None and not _ask(account, symbol, ports):
                return
        return
    until_ms = ports.clock.steady_ms() + PATIENCE_MS
    if not frozen.orders and (found := _everywhere(account, until_ms, ports)):
        _freeze(account, found, ports)


def _ask(account: Account, symbol: Symbol, ports: Ports) -> bool:
    """Ask the venue, and freeze the account if it has what is not known here.

    Returns:
        Whether that was done; False if somebody else is at it, or the store has begun another run.
    """
    with asking(ports.locks, f"vouch:{account.id}:{symbol}") as is_ours:
        if not is_ours:
            return False
        known = ports.runs.knowledge(account.id, symbol)
        if known.since_ms is None:
            return True
        if not _is_store_whole(ports):
            return False
        until_ms = ports.clock.steady_ms() + PATIENCE_MS
        strangers = _strangers(account, symbol, known, until_ms, ports)
        if strangers:
            _freeze(account, strangers, ports)
            others = _everywhere(account, until_ms, ports, but=symbol)
            _freeze(account, [*strangers, *others], ports)
            return True
        if not ports.runs.vouch(account.id, symbol, known.run):
            return False
    wake_account(account.id, ports)
    return True


def _is_store_whole(ports: Ports) -> bool:
    """Ask the history, which is quick; the venues tell more, so that it need not be there."""
    with suppress(HistoryUnavailable):
        return is_store_whole(ports)
    return True


def _strangers(
    account: Account, symbol: Symbol, known: Knowledge, until_ms: int, ports: Ports
) -> list[PlacedOrder]:
    """Return the orders at the venue that are ours by their ids, and not known here.

    One is enough for freezing the account; who has found some stops where it takes too long, or
    the venue has no answer. The rest is found when it is asked again after the release.
    """
    found: list[PlacedOrder] = []
    since_ms = _first_ms(known, ports)
    venue = ports.venues.of(account)
    try:
        while True:
            placed = venue.placed(symbol, since_ms)
            found += _unknown(placed.orders, account, known, ports)
            if placed.until_ms is None:
                return found
            if not found:
                ports.runs.vouch_until(account.id, symbol, known.run, placed.until_ms)
            since_ms = placed.until_ms
            if ports.clock.steady_ms() > until_ms:
                raise VenueUnavailable(f"{account.venue} has more to tell; it is read on from here")
    except CannotAsk:
        # `hookfill doctor` says so. Nothing vouches but the history, so that must have been asked.
        ports.history.epoch()
    except VenueError:
        if not found:
            raise
    return found


def _first_ms(known: Knowledge, ports: Ports) -> EpochMs:
    """Return from when on the venue is asked what it has."""
    now_ms = ports.clock.server_ms()
    since_ms = now_ms if known.since_ms is None else known.since_ms
    # In a time to come: the clock was set back since, and when that was in truth is not known.
    before_ms = since_ms - EARLIER_MS if since_ms <= now_ms else 0
    return EpochMs(max(before_ms, now_ms - LOOK_BACK_MS_MAX))


def _unknown(
    orders: Iterable[PlacedOrder], account: Account, known: Knowledge, ports: Ports
) -> list[PlacedOrder]:
    ours = {}
    for one in orders:
        owner = ports.ids.order_of(one.client_order_id)
        if owner is not None:
            ours[owner] = one
    missing = ours.keys() - ports.ledger.present(ours)
    kept = set(ports.history.marks(missing))
    doubtful = {one for one in kept if known.may_have_forgotten(one)}
    missing -= kept - doubtful
    missing -= _of_others(doubtful, account, ports)
    accepted = ports.freezer.accepted(account.id) if missing else ()
    return [ours[one] for one in sorted(missing) if ours[one].client_order_id not in accepted]


def _of_others(
    doubtful: Collection[AggregateId], account: Account, ports: Ports
) -> set[AggregateId]:
    """Return those that the store has known as another account's: two may trade with one key."""
    owners: Mapping[AggregateId, Record] = {}
    with suppress(UnreadableRecord):
        owners = ports.history.load(doubtful)
    others = {
        one: (record.aggregate.account, record.aggregate.symbol)
        for one, record in owners.items()
        if record.aggregate.account != account.id
    }
    known = {whose: ports.runs.knowledge(*whose) for whose in set(others.values())}
    return {one for one, whose in others.items() if not known[whose].may_have_forgotten(one)}


def _everywhere(
    account: Account, until_ms: int, ports: Ports, but: Symbol | None = None
) -> list[PlacedOrder]:
    """Return such orders of all the account's symbols but one, so that people see them at once.

    What cannot be asked is asked before anything is sent there.
    """
    found: list[PlacedOrder] = []
    for symbol in sorted({*ports.runs.symbols(account.id), *_live(account, ports)}):
        if symbol == but or ports.clock.steady_ms() > until_ms:
            continue
        with suppress(VenueError):
            known = ports.runs.knowledge(account.id, symbol)
            if known.since_ms is not None:
                found += _strangers(account, symbol, known, until_ms, ports)
    return found


def _live(account: Account, ports: Ports) -> set[Symbol]:
    """Return the symbols in which anything is live."""
    return {one.symbol for one in readable(ports.live.of_account(account.id), ports)}


def _freeze(account: Account, orders: Iterable[PlacedOrder], ports: Ports) -> None:
    found = tuple(sorted(orders, key=lambda one: (one.placed_at_ms, one.client_order_id)))
    why = (
        f"{account.venue} has {len(found)} orders that are ours by their ids, and nothing is known "
        "of them here: the store was restored from an earlier copy"
    )
    frozen = Frozen(account=account.id, at_ms=ports.clock.server_ms(), why=why, orders=found)
    ports.freezer.freeze(frozen)
    _log.error("account_frozen", account=account.name, orders=len(found))
