"""Guards are held against the positions that they were made for, whoever closes those.

An exchange bounds how often one address may ask. So positions are looked at only where they are
guarded, spread over time, and with what all others leave of the budget; docs/venues.md says how
often that is. In any case a guard is sized by what is there right before it sends.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

from app.domain.account import Account
from app.domain.bracket import IDS_AT_VENUE
from app.domain.enums import Listing, PositionSide
from app.domain.errors import NotFound, VenueError
from app.domain.events import OrderReported, PositionSeen
from app.domain.exits import SHOWN_LATE_MS
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market import Position
from app.domain.order import Order
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.status import OPEN
from app.ports import Ports
from app.ports.venue import Venue
from app.services.advance import advance
from app.services.apart import apart
from app.services.exclusive import exclusive
from app.services.find_anywhere import readable
from app.services.following.follow import poll_stops
from app.services.keeping.rounds import GUARDS

#: Longer than the venue may take for one look. Who dies over it holds up the next this long.
LOOK_LEASE_MS = 30_000

#: Between two looks at one account at least, so that the second tells what the first could not.
LOOKS_APART_MS = SHOWN_LATE_MS + 500

#: Of the time in which an exchange answers an address, such looks take at most one part of these.
SHARE = 2


def round_ms(poll_ms: int) -> int:
    """Return how long one round of looks takes, where polls are this far apart."""
    return max(poll_ms, LOOKS_APART_MS)


def in_a_round(look_ms: int, poll_ms: int) -> int:
    """Return how many accounts of one address are looked at in one round.

    Args:
        look_ms: what one look takes; see `VenueTraits`.
        poll_ms: between two polls.
    """
    return max(round_ms(poll_ms) // (max(look_ms, 1) * SHARE), 1)


def hand_out_guards(
    accounts: Sequence[Account], look_ms: int, last_ms: Mapping[str, EpochMs], ports: Ports
) -> Sequence[AccountId]:
    """Return who of the guarded accounts of an address is to be looked at now, and note that.

    Those who have waited longest, as many as a round has; none while it lasts.

    Args:
        accounts: not empty.
        look_ms: what one look takes.
        last_ms: when each was handed out last, as `Rounds` tells.
        ports: as everywhere.
    """
    poll_ms, hosts = ports.policy.venue_poll_ms, accounts[0].hosts
    if ports.locks.acquire(f"guards_of:{hosts}", round_ms(poll_ms)) is None:
        return ()
    waiting = sorted((one.id for one in accounts), key=lambda one: last_ms.get(_round(one), 0))
    chosen = waiting[: in_a_round(look_ms, poll_ms)]
    for one in chosen:
        ports.rounds.done(_round(one), ports.clock.server_ms())
    return chosen


def _round(account_id: AccountId) -> str:
    return f"{GUARDS}:{account_id}"


def look_at_guards(account_id: AccountId, ports: Ports) -> None:
    """Look at the stops of an account that rest at its venue, then at what it guards, or at either.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked one of the two, or may be asked little now.
    """
    try:
        poll_stops(account_id, ports)
    finally:
        look_at_positions(account_id, ports)


def look_at_positions(account_id: AccountId, ports: Ports) -> None:
    """Look at the positions of an account, if any is guarded, and tell those who guard them.

    Twice, or at once in two workers: one looks. What it has seen comes too late once another one
    may have looked since. Stopped halfway: the next look tells the rest.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked, or may be asked little just now.
    """
    account = ports.accounts.account(account_id)
    with exclusive(ports.locks, f"guards:{account_id}", LOOK_LEASE_MS) as is_ours:
        last_ms = ports.clock.steady_ms() + LOOK_LEASE_MS
        # Read before the venue is asked: what it tells is of after their entries' fills.
        guards = guarding(account_id, ports) if is_ours else ()
        if not guards:
            return
        begun_ms = ports.clock.server_ms()
        positions = ports.venues.of(account).positions()
        if ports.clock.steady_ms() < last_ms:
            tell_guards(guards, positions, begun_ms, account, ports)


def guarding(
    account_id: AccountId, ports: Ports, of: tuple[Symbol, PositionSide] | None = None
) -> Sequence[Signal]:
    """Return who guards one leg of an account's positions, or any of them.

    Those are left out that were let go: they are about to end, or nobody can end them, and nothing
    is to wait for that without end.
    """
    return guarding_among(ports.live.guards(account_id, of), ports)


def guarding_among(ids: Collection[AggregateId], ports: Ports) -> Sequence[Signal]:
    """Return those of these that guard a position, and were not let go; see `guarding`."""
    signals = [one for one in readable(ids, ports) if isinstance(one, Signal)]
    return [one for one in signals if one.is_protecting and not one.is_let_go]


def stops_are_going(account_id: AccountId, ports: Ports, of: tuple[Symbol, PositionSide]) -> bool:
    """Tell whether stops of positions that are gone may still rest at the venue, for one leg.

    One that was asked to go would close what is opened meanwhile. That is waited for some seconds:
    a venue that cannot be asked holds up nothing without end.
    """
    since_ms = ports.clock.now_ms() - ports.policy.lane_patience_ms
    return any(
        isinstance(one, Signal)
        and one.is_protecting
        and bool(one.at_venue.keys() & one.withdrawing & one.working)
        and one.is_let_go
        and one.updated_at_ms > since_ms
        for one in readable(ports.live.guards(account_id, of), ports)
    )


def closed_beside(order: Order, size: Decimal, venue: Venue, ports: Ports) -> tuple[Decimal, bool]:
    """Return how much the venue's own stops close of what the order of a guard is for.

    Where less is there than is guarded one of them may have fired just now, or while nobody was
    here, and the rest is another entry's: it is looked up. One that cannot be is not waited for.

    Args:
        order: of the guard, about to be sent.
        size: of the position, as the venue shows it now.
        venue: as the account sees it.
        ports: as everywhere.

    Returns:
        That, and whether it may come to less.
    """
    owner = _signal_of(order, ports)
    if owner is None or order.parent_id is None:
        return Decimal(0), False
    guards = guarding(order.account, ports, (order.symbol, order.reduced_leg))
    guarded = sum(one.filled_quantity for one in guards)
    closed, may_be_less = Decimal(0), False
    for one in owner.beside(order.parent_id):
        guard, held = _at_venue(one, ports)
        if guard is None or held is None:  # it waits here by now, or has left for the history
            closed += owner.sold.get(one, Decimal(0))
            continue
        if held.status in OPEN and size < guarded:
            held = _looked_up(held, venue, ports)
        if held.filled_quantity or guard.filled_quantity:
            # One that has fired goes on until all is closed that it was for.
            closed += guard.quantity or Decimal(0) if guard.is_live else guard.filled_quantity
            may_be_less = may_be_less or guard.is_live
    return closed, may_be_less


def _signal_of(order: Order, ports: Ports) -> Signal | None:
    """Return the signal whose guard sends this order, if the venue was to hold stops as well."""
    with suppress(NotFound):
        guard = None if order.parent_id is None else ports.ledger.load(order.parent_id).aggregate
        if isinstance(guard, SmartOrder) and guard.parent_id is not None:
            owner = ports.ledger.load(guard.parent_id).aggregate
            if isinstance(owner, Signal) and owner.exits.beyond_percent is not None:
                return owner
    return None


def _at_venue(guard_id: AggregateId, ports: Ports) -> tuple[SmartOrder | None, Order | None]:
    """Return a guard that the venue holds, and its order, as far as they are still there."""
    guard = order = None
    with suppress(NotFound):
        found = ports.ledger.load(guard_id).aggregate
        guard = found if isinstance(found, SmartOrder) and found.at_venue else None
        if guard is not None and guard.order_id is not None:
            held = ports.ledger.load(guard.order_id).aggregate
            order = held if isinstance(held, Order) else None
    return guard, order


def _looked_up(order: Order, venue: Venue, ports: Ports) -> Order:
    """Ask the venue what became of a stop, and return it as it is then."""
    report = None
    with suppress(VenueError):
        report = venue.find(order)
    if report is None:
        return order
    after = advance(
        order.id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports
    ).aggregate
    return after if isinstance(after, Order) else order


def tell_guards(
    guards: Sequence[Signal],
    positions: Mapping[tuple[Symbol, PositionSide], Position],
    begun_ms: EpochMs,
    account: Account,
    ports: Ports,
) -> bool:
    """Tell each how large the position is that it guards, as a look has shown it.

    Of a symbol that is not traded just now an exchange may show no position at all (Binance COIN-M
    does so): there it proves nothing that none is shown.

    Args:
        guards: as they were before the look was begun.
        positions: a leg that is not listed is flat.
        begun_ms: server time at which the look was begun.
        account: whose they are.
        ports: as everywhere.

    Returns:
        Whether each of them has its position, or has ended.

    Raises:
        VenueUnavailable: it could not be asked whether a symbol is traded.
    """
    is_certain = True
    for one in guards:
        if one.guarded_leg is None:
            continue
        size = positions.get((one.symbol, one.guarded_leg), Position()).size
        if not size and not _is_traded(one.symbol, account, ports):
            is_certain = False
            continue
        seen = PositionSeen(
            at_ms=ports.clock.now_ms(),
            begun_ms=begun_ms,
            size=size,
            shown_late_ms=ports.policy.shown_late_ms(account),
            new_ids=ports.ids.fresh(account.id, IDS_AT_VENUE) if one.misfits(size) else (),
        )
        with apart("guards", one.id):
            after = advance(one.id, seen, ports).aggregate
            is_guarding = isinstance(after, Signal) and after.is_protecting
            is_certain = is_certain and (bool(size) or not is_guarding)
    return is_certain


def _is_traded(symbol: Symbol, account: Account, ports: Ports) -> bool:
    venue = ports.venues.of(account)
    venue.doubt_rules()  # they may be an hour old
    return venue.listing(symbol) is Listing.TRADED
