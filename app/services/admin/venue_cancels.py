"""An order that is open at a venue, and that nobody here follows, is canceled there.

A worker sends the cancel, once at most; whoever wants it waits for the outcome, but not long. What
became of the order is what the venue says of it afterwards, and until that is definite it is asked
again.
"""

from dataclasses import replace

from app.domain.account import Account
from app.domain.errors import (
    HistoryUnavailable,
    NotFound,
    OutcomeUnknown,
    UnreadableRecord,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.events import OrderReported
from app.domain.identifiers import AggregateId, EpochMs, Symbol, VenueOrderId
from app.domain.moments import has_come
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.status import OPEN, OrderStatus
from app.domain.venue_cancel import CancelState, VenueCancel
from app.ports import Ports
from app.ports.venue import Venue
from app.services.ask import ask
from app.services.find_anywhere import present, tell
from app.services.following.follow import keep_orphan
from app.services.placing.place import ask_again_at


def request_venue_cancel(
    account: Account, symbol: Symbol, venue_order_id: VenueOrderId, ports: Ports
) -> VenueCancel:
    """Have a worker cancel an order that the last reconciliation has found, and wait for it.

    Twice, or by two at once, is one cancel: the second waits for the outcome of the first.

    Returns:
        The cancel as it is when its outcome is known, or when that has taken too long.

    Raises:
        NotFound: the last reconciliation shows no such order that nobody follows here.
    """
    found = ports.reconciliations.get(account.id)
    standing = None if found is None else found.standing(symbol, venue_order_id)
    if standing is None:
        raise NotFound(
            f"no order {venue_order_id[:64]} in {symbol[:64]} was found that nobody follows here; "
            "compare the account with its venue again"
        )
    cancel = ports.venue_cancels.begin(_wish(account, standing, ports))

    def outcome() -> VenueCancel | None:
        now = ports.venue_cancels.find(cancel.id) or cancel
        return None if now.state in _UNDER_WAY else now

    work = [cancel.effect()] if cancel.state in _UNDER_WAY else []
    ended = ask(work, outcome, ports.policy.venue_cancel_wait_ms, ports)
    return ended or ports.venue_cancels.find(cancel.id) or cancel


_UNDER_WAY = frozenset({CancelState.ASKED, CancelState.SENT})


def _wish(account: Account, standing: VenueOrder, ports: Ports) -> VenueCancel:
    (fresh,) = ports.ids.fresh(account.id, 1)
    now_ms = ports.clock.server_ms()
    return VenueCancel(
        id=fresh.id,
        account=account.id,
        order=standing,
        asked_at_ms=ports.clock.now_ms(),
        until_ms=EpochMs(now_ms + ports.policy.venue_cancel_begin_ms),
        next_check_ms=EpochMs(now_ms + ports.policy.republish_after_ms),
    )


def hurry_venue_cancels(ports: Ports) -> None:
    """Wake a worker for each cancel that was forgotten on its way, or must be looked at again.

    Twice, or at once, wakes two, of whom one does it.
    """
    now_ms = ports.clock.server_ms()
    due = [one for one in ports.venue_cancels.unsettled() if _is_due(one, now_ms, ports)]
    for account in sorted({one.account for one in due}):
        # Not given back: no second message before the first counts as lost.
        lock = f"venue_cancels:{account}"
        if ports.locks.acquire(lock, ports.policy.republish_after_ms) is not None:
            ports.publisher.publish([one.effect() for one in due if one.account == account])


def cancel_at_venue(cancel_id: AggregateId, ports: Ports) -> None:
    """Send a cancel that nobody has sent, or look what has become of one that somebody has.

    Twice, or at once in two workers: one sends it. Stopped between the claim and the answer, it is
    not sent again; the venue is asked what became of the order.

    Raises:
        NotFound: there is none with this id, or another one has taken its place.
    """
    cancel = ports.venue_cancels.find(cancel_id)
    if cancel is None:
        raise NotFound(f"there is no cancel {cancel_id}")
    if cancel.state is CancelState.ASKED:
        _begin(cancel, ports)
    elif not cancel.is_settled and _is_due(cancel, ports.clock.server_ms(), ports):
        ports.venue_cancels.change(cancel, _looked_up(cancel, ports))


def _is_due(cancel: VenueCancel, now_ms: EpochMs, ports: Ports) -> bool:
    account = ports.accounts.account(cancel.account)
    policy = ports.policy
    within_ms = max(policy.venue_cancel_lease_ms, policy.retry_max_ms, policy.grace_ms(account))
    return has_come(cancel.next_check_ms, now_ms, within_ms)


def _begin(cancel: VenueCancel, ports: Ports) -> None:
    now_ms = ports.clock.server_ms()
    if has_come(cancel.until_ms, now_ms, ports.policy.venue_cancel_begin_ms):
        late = cancel.settled(CancelState.UNSENT, "no worker was there in time", now_ms)
        ports.venue_cancels.change(cancel, late)
        return
    try:
        venue = ports.venues.of(ports.accounts.account(cancel.account))
    except NotFound as error:
        ports.venue_cancels.change(cancel, cancel.settled(CancelState.UNSENT, str(error), now_ms))
        return
    sending = cancel.sent(now_ms, ports.policy.venue_cancel_lease_ms)
    if ports.venue_cancels.change(cancel, sending):
        ports.venue_cancels.change(sending, _sent(sending, venue, ports))


def _sent(cancel: VenueCancel, venue: Venue, ports: Ports) -> VenueCancel:
    """Return what the venue has answered to the cancel, and then about the order."""
    try:
        venue.cancel_standing(cancel.order)
    except (NotFound, VenueRejected) as error:
        # It may have filled, or it was taken off by others: its own record tells.
        return _looked_up(replace(cancel, refusal=str(error)), ports)
    except VenueUnavailable as error:
        message = f"the venue was not reached: {error}"
        return cancel.settled(CancelState.UNSENT, message, ports.clock.server_ms())
    except OutcomeUnknown:
        pass
    return _looked_up(cancel, ports)


def _looked_up(cancel: VenueCancel, ports: Ports) -> VenueCancel:
    """Return what the order's own record at the venue says about the cancel."""
    asked_ms = ports.clock.server_ms()
    try:
        venue = ports.venues.of(ports.accounts.account(cancel.account))
        report = venue.find_standing(cancel.order)
    except (VenueError, NotFound) as error:
        return _unanswered(cancel, asked_ms, str(error), ports)
    if report is None:
        return _absent(cancel, asked_ms, ports)
    if report.status not in OPEN:
        try:
            _tell_owner(cancel, report, venue, ports)
        except (VenueError, HistoryUnavailable, UnreadableRecord) as error:
            return _unanswered(cancel, asked_ms, str(error), ports)
        return cancel.settled(CancelState.ENDED, _ending(report), asked_ms)
    return _open_still(cancel, asked_ms, ports)


def _open_still(cancel: VenueCancel, asked_ms: EpochMs, ports: Ports) -> VenueCancel:
    """Return what it means that the order is open: little before a cancel must have arrived.

    A look-up may be behind, also after a refusal: the order may have ended meanwhile.
    """
    said = f"the venue refused: {cancel.refusal}" if cancel.refusal else "it may yet end"
    account = ports.accounts.account(cancel.account)
    left_ms = ports.policy.grace_ms(account) - ports.clock.lasted_ms(cancel.sent_ms)
    if left_ms > 0:
        message = f"the venue still shows it as open; {said}"
        return cancel.unknown(
            message, min(ask_again_at(ports, cancel.sent_ms), EpochMs(asked_ms + left_ms))
        )
    said = said if cancel.refusal else "nothing has come of the cancel"
    return cancel.settled(CancelState.STANDS, f"it is still open; {said}", asked_ms)


def _absent(cancel: VenueCancel, asked_ms: EpochMs, ports: Ports) -> VenueCancel:
    """Return what it means that the venue knows no such order: its end, if it is said twice."""
    since_ms = cancel.absent_since_ms or asked_ms
    apart_ms = ports.policy.absence_ms(ports.accounts.account(cancel.account))
    left_ms = apart_ms - ports.clock.lasted_ms(since_ms)
    if left_ms <= 0:
        message = "it is open no more; the venue does not tell how it ended"
        return cancel.settled(CancelState.ENDED, message, asked_ms)
    return cancel.unknown("the venue shows it no more", EpochMs(asked_ms + left_ms), since_ms)


def _unanswered(cancel: VenueCancel, asked_ms: EpochMs, error: str, ports: Ports) -> VenueCancel:
    said = f"the venue refused: {cancel.refusal}; then it" if cancel.refusal else "the venue"
    message = f"{said} could not be asked about it: {error}"
    if ports.clock.lasted_ms(cancel.sent_ms) >= ports.policy.venue_cancel_give_up_ms:
        return cancel.settled(CancelState.UNANSWERED, f"{message}. Look there", asked_ms)
    return cancel.unknown(message, ask_again_at(ports, cancel.sent_ms), cancel.absent_since_ms)


def _ending(report: OrderReport) -> str:
    if report.status is OrderStatus.FILLED:
        return "it was filled before the cancel came"
    some = (
        f"; {plain(report.filled_quantity)} of it had been filled" if report.filled_quantity else ""
    )
    return f"it is {report.status}{some}"


def _tell_owner(cancel: VenueCancel, standing: OrderReport, venue: Venue, ports: Ports) -> None:
    """Let an order of ours learn of fills that it had at the venue while it was closed here.

    Raises:
        VenueError, HistoryUnavailable, UnreadableRecord: it could not be told; nothing is
            forgotten yet.
    """
    owner = ports.ids.order_of(cancel.order.client_order_id)
    if owner is None:
        return
    try:
        order = present(owner, ports)
        if not isinstance(order, Order):
            return
        report = venue.find(order)
        if report is not None:
            at_ms = ports.clock.now_ms()
            tell(owner, OrderReported(at_ms=at_ms, report=report, token=order.token), ports)
    except NotFound:
        account = ports.accounts.account(cancel.account)
        keep_orphan(account, cancel.order.client_order_id, standing, ports)
