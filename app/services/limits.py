"""Whether the limits of an account let an order go, by what is known now."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from app.domain.account import PAPER, Account
from app.domain.enums import Market, ReasonCode
from app.domain.errors import LimitExceeded, VenueUnavailable
from app.domain.exits import SHOWN_LATE_MS
from app.domain.identifiers import AggregateId
from app.domain.limit_checks import (
    Known,
    is_net,
    lasting_refusal,
    opens,
    refusal,
)
from app.domain.limits import Limits, WrongLimits, limits_from
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.results import Results, after, begun, held_against
from app.domain.status import OrderStatus
from app.ports import Ports
from app.ports.ledger import Claim, UnderWay
from app.ports.results import KeptResults

#: Times that a position is looked at while orders fill that would count twice.
_LOOKS_MAX = 3


class Checked(NamedTuple):
    """What the limits say of an order.

    Attributes:
        reason: why it is denied; None lets it go.
        claim: what the commit that claims it must meet and count; None where there are no limits,
            and of exits.
        opens: whether it opens anything; None is not certain. What does not is never denied.
    """

    reason: Reason | None = None
    claim: Claim | None = None
    opens: bool | None = True


def limit_refusal(order: Order, account: Account, ports: Ports) -> Reason | None:
    """Return which reason would deny an order of an account now, or None; nothing is written.

    With `limits_unchecked` nobody can tell just now.
    """
    found = _looked(order, account, ports)
    return found.reason if found.opens is not False else None


def refuse_by_limits(order: Order, account: Account, ports: Ports) -> None:
    """Refuse an order at once that the limits would deny now, as far as anybody can tell.

    What an exchange had some moments ago says too little about a position: that is left to the
    worker which sends the order; so is what may be an exit by that position.

    Raises:
        LimitExceeded: they would.
    """
    if account.venue != PAPER and is_net(order):
        return
    reason = limit_refusal(order, account, ports)
    left = {ReasonCode.LIMITS_UNCHECKED}
    if account.venue != PAPER:
        left.add(ReasonCode.MAX_POSITION_VALUE)
    if reason is not None and reason.code not in left:
        raise LimitExceeded(order.symbol, reason)


def refuse_lasting(make: Callable[[], Order], account: Account, ports: Ports) -> None:
    """Refuse an order that is to be sent some day, if the limits will deny it on any day.

    Args:
        make: returns the order; of an account without limits nobody asks for it.
        account: whose order it is.
        ports: as everywhere.

    Raises:
        LimitExceeded: they will.
    """
    if not account.limits:
        return
    order = make()
    if order.reduces:
        return
    with suppress(WrongLimits):
        limits = limits_from(account.limits)
        # By its own price alone: what the market's will be by then, nobody knows.
        instrument = ports.venues.of(account).instrument(order.symbol)
        known = replace(_begin(account, ports), instrument=instrument)
        reason = lasting_refusal(limits, order, known)
        if reason is not None:
            raise LimitExceeded(order.symbol, reason)


def checked(order: Order, account: Account, ports: Ports) -> Checked:
    """Return whether the limits let an order go, and what its claim must meet for that.

    Of two that are checked at once and claimed one after the other, the second claim fails, and it
    is to be checked again: what the first one may do counts then.
    """
    return _looked(order, account, ports, keeps=True)


def _looked(order: Order, account: Account, ports: Ports, *, keeps: bool = False) -> Checked:
    if not account.limits:
        return Checked()
    if order.reduces:
        return Checked(opens=False)
    limits, unread = _limits_of(account)
    for _ in range(_LOOKS_MAX):
        under_way = ports.live.under_way(account.id)
        known = _known(limits, order, account, under_way, ports)
        if limits.max_daily_loss is not None:
            known = replace(known, results=_results(known, under_way, account, ports, keeps=keeps))
        reason = unread or refusal(limits, order, known)
        does_open = opens(order, known)
        if reason is None:
            entry = None if does_open is False else order
            claim = Claim(under_way.claims, entry, limits.looks_back_ms)
            return Checked(claim=claim, opens=does_open)
        if does_open is None:
            reason = _unchecked(f"whether it opens anything is not certain: {reason.message}")
        if not does_open or _stands(reason, known, under_way, ports):
            return Checked(reason, opens=does_open)
    said = f"orders of account {account.name} fill while its positions are looked at"
    return Checked(_unchecked(said))


def _limits_of(account: Account) -> tuple[Limits, Reason | None]:
    """Return the limits, and why they are not to be believed where they cannot be read."""
    try:
        return limits_from(account.limits), None
    except WrongLimits as error:
        said = f"the limits of account {account.name} cannot be read: {error}"
        return Limits(), _unchecked(said)


def _unchecked(message: str) -> Reason:
    return Reason(ReasonCode.LIMITS_UNCHECKED, message)


def _stands(reason: Reason, known: Known, under_way: UnderWay, ports: Ports) -> bool:
    """Tell whether a denial holds: of a position, if no order has filled what would count twice."""
    if reason.code is not ReasonCode.MAX_POSITION_VALUE:
        return True
    before = known.orders or ()
    found = _orders(under_way.orders, ports)
    if found is None:
        return False
    now = {one.id: (one.status, one.filled_quantity) for one in found}
    return all(
        now.get(one.id) == (one.status, one.filled_quantity) for one in before if one.is_live
    )


def _begin(account: Account, ports: Ports) -> Known:
    return Known(
        account=account.name,
        now_ms=ports.clock.now_ms(),
        shown_late_ms=0 if account.venue == PAPER else SHOWN_LATE_MS,
    )


def _known(
    limits: Limits, order: Order, account: Account, under_way: UnderWay, ports: Ports
) -> Known:
    """Learn what these limits depend on. Orders come before the position that they change."""
    known = replace(_begin(account, ports), sent=under_way.sent)
    # Whether an order of one net position opens anything is known by the position alone.
    needs_position = limits.max_position_value is not None or is_net(order)
    needs_view = needs_position or limits.max_daily_loss is not None
    if limits.max_open_orders is not None or needs_view:
        known = replace(known, orders=_orders(_that_matter(under_way, account), ports))
    priced = (limits.max_order_value, limits.price_collar_percent, limits.max_position_value)
    if any(one is not None for one in priced):
        known = _with_market(known, order, account, ports)
    return _with_view(known, account, ports) if needs_view else known


def _that_matter(under_way: UnderWay, account: Account) -> Collection[AggregateId]:
    """Return the orders under way, and at an exchange those that it may not show as filled yet."""
    if account.venue == PAPER:
        return under_way.orders
    return sorted({*under_way.orders, *under_way.filled})


def _with_market(known: Known, order: Order, account: Account, ports: Ports) -> Known:
    venue = ports.venues.of(account)
    with suppress(VenueUnavailable):
        known = replace(known, instrument=venue.instrument(order.symbol))
        known = replace(known, quote=venue.quote(order.symbol))
    return known


def _with_view(known: Known, account: Account, ports: Ports) -> Known:
    with suppress(VenueUnavailable):
        return replace(known, view=ports.venues.of(account).view())
    return known


def _orders(ids: Collection[AggregateId], ports: Ports) -> Sequence[Order] | None:
    """Return these orders, or None where one cannot be read."""
    found = {one.aggregate.id: one.aggregate for one in ports.ledger.load_all(ids)} if ids else {}
    missing = set(ids) - set(found)
    if missing and ports.ledger.present(missing):
        return None
    return [one for one in found.values() if isinstance(one, Order)]


def see_to_results(account: Account, before: Account | None, ports: Ports) -> None:
    """Begin to keep results where a limit asks for them from now on, and keep none where none does.

    Args:
        account: as it is now.
        before: as it was; None for a new one.
        ports: as everywhere.
    """
    was_wanted = before is not None and "max_daily_loss" in before.limits
    is_wanted = "max_daily_loss" in account.limits
    if is_wanted is not was_wanted:
        begin_results(account, ports)


def begin_results(account: Account, ports: Ports) -> None:
    """Let the results of an account begin now, if a limit asks for them; else keep none."""
    ports.results.forget(account.id)
    if "max_daily_loss" in account.limits:
        keep_results(account, ports)  # what its venue has may be known later


def keep_results(account: Account, ports: Ports) -> None:
    """Take in what was traded since the results of an account were kept last, or begin to keep."""
    _results_now(account, ports, keeps=True)


def results_of(account: Account, ports: Ports) -> Results | None:
    """Return what an account has gained or lost today; None where it cannot be known just now.

    As long as nobody keeps them they begin now, with what the account holds.
    """
    return _results_now(account, ports, keeps=False)


def _results_now(account: Account, ports: Ports, *, keeps: bool) -> Results | None:
    under_way = ports.live.under_way(account.id)
    orders = _orders(_that_matter(under_way, account), ports)
    known = _with_view(replace(_begin(account, ports), orders=orders), account, ports)
    return _results(known, under_way, account, ports, keeps=keeps)


def _results(
    known: Known, under_way: UnderWay, account: Account, ports: Ports, *, keeps: bool
) -> Results | None:
    """Return the results by what was traded, with what is there; None where nobody can tell.

    What was read before, and is still so, has the position and the trades of one moment.
    """
    kept = ports.results.read(account.id)
    results = _results_after(kept, known, account, ports)
    if results is None:
        return None
    if known.view is not None and known.orders is not None:
        moving = {one.symbol for one in known.orders if one.status is not OrderStatus.PENDING_NEW}
        there = held_against(results, known.view, account.market, moving)
        if there != results and ports.live.under_way(account.id) == under_way:
            results = there
    if keeps and results != kept.results:
        ports.results.keep(account.id, results, kept.results)
    return results


def _results_after(
    kept: KeptResults, known: Known, account: Account, ports: Ports
) -> Results | None:
    if kept.results is None:
        if known.view is None:
            return None
        return begun(known.view, account.market, kept.newest)
    results = kept.results
    for mark, traded in kept.newer:
        unit = None
        if account.market is Market.COINM:
            instrument = ports.venues.of(account).instrument(traded.symbol)
            unit = None if instrument is None else instrument.contract_size
            if unit is None:
                return None
        results = after(results, traded, mark, unit)
    return results
