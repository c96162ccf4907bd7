"""An order goes to its venue, at most once."""

from dataclasses import replace
from typing import NamedTuple

from app import metrics
from app.domain.account import PAPER, Account
from app.domain.aggregate import Aggregate, decide
from app.domain.decision import Decision, ignored
from app.domain.enums import AccountState, Market, ReasonCode
from app.domain.errors import (
    ClaimsChanged,
    KeyRefused,
    NotPermitted,
    NotVouched,
    OutcomeUnknown,
    StaleRegistry,
    VenueBusy,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.events import (
    CheckDeferred,
    ClaimRenewed,
    Event,
    OrderReported,
    OutcomeLost,
    PlacementClaimed,
    PlacementDeferred,
    PlacementDenied,
)
from app.domain.exits import fitted
from app.domain.identifiers import AggregateId, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.order_life import ATTEMPTS_MAX
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.ports import Ports
from app.ports.ledger import CommitConditions, Stored
from app.ports.policy import Policy
from app.ports.venue import Venue
from app.services.advance import Along, advance, advance_from, turn_of
from app.services.following.guards import closed_beside
from app.services.keeping.vouch import UNASKED, Clearance, clear
from app.services.limits import checked, limit_refusal

#: Why nothing of an account is sent that is switched off; the sweep ends all else of it.
DISABLED = Reason(ReasonCode.ACCOUNT_DISABLED, "the account is switched off")

#: What takes longer than this before an order is sent uses up too much of its claim.
SOON_MS = 1_000

#: An entry that the limits of its account let go is checked anew each time that another of the
#: account was claimed meanwhile; after so many it is left to its next wake-up.
ATTEMPTS_MAX_AT_LIMITS = 16

#: For so long an entry waits to be checked by a limit; then it is denied, or sent reduce-only if it
#: may be an exit.
UNCHECKED_MAX_MS = 10_000

_ENTRY_STATES = frozenset({AccountState.RUN})
_EXIT_STATES = frozenset({AccountState.RUN, AccountState.REDUCE_ONLY})


class _Claimed(NamedTuple):
    """An order that this process has the claim to.

    Attributes:
        stored: as what it is stored.
        last_ms: the steady time until which the claim holds.
        parent: whose child it is, if that was committed just now as well, by whoever works the
            lane.
    """

    order: Order
    stored: Stored
    account: Account
    clearance: Clearance
    last_ms: int
    parent: Stored | None = None


def place_order(order_id: AggregateId, ports: Ports) -> None:
    """Send the order if this process gets the claim to it, and record the venue's answer.

    What must come before an order may take an exchange long. The claim is then renewed, so that its
    lease, and the time stamp that the request carries, are for the order's own request.

    Twice, or at once in two workers: one claim succeeds. Stopped after the claim: the lease runs
    out, the outcome counts as unknown, and the venue is asked before anything is sent again.

    Raises:
        NotFound: there is no such order.
    """
    stored = ports.ledger.load(order_id)
    order = stored.aggregate
    if not isinstance(order, Order) or order.status is not OrderStatus.PENDING_NEW:
        return
    if order.is_queued or order.is_held:
        return  # it is not its turn yet, or another must go first
    if not has_come(order.next_action_at_ms, ports.clock.server_ms(), ports.policy.retry_max_ms):
        return
    account = ports.accounts.account(order.account)
    clearance = _cleared(order, account, ports)
    if clearance is None:
        return
    refusal = _refusal(order, account, ports)
    if refusal is not None:
        _deny(order, refusal, ports)
        return
    venue = ports.venues.of(account)  # before the claim: there may be no such venue
    claimed = _claimed_within_limits(order, stored, account, clearance, ports)
    if claimed is not None:
        _send(claimed, venue, ports)


def _claimed_within_limits(
    order: Order, stored: Stored, account: Account, clearance: Clearance, ports: Ports
) -> _Claimed | None:
    """Return the claimed order; None where it is denied, or as `_claim` says.

    What limits would deny is sent as an exit, reduce-only, where it opens nothing; where that is
    not certain, only once it has waited for that long enough.

    Raises:
        VenueUnavailable: what a limit depends on is not known just now.
    """
    said = f"others were claimed each time that the limits let order {order.id} go"
    reason, does_open = Reason(ReasonCode.LIMITS_UNCHECKED, said), None
    for _ in range(ATTEMPTS_MAX_AT_LIMITS):
        limits_of = None if order.reduces else ports.accounts.version()
        account = ports.accounts.account(account.id)
        refusal, claim, does_open = checked(order, account, ports)
        if refusal is not None:
            reason = refusal
            break
        terms = replace(_terms(order, account, clearance), claim=claim, limits_of=limits_of)
        try:
            return _claim(order, stored, account, clearance, terms, ports)
        except ClaimsChanged:
            pass
        except StaleRegistry:
            ports.accounts.refresh()
    if does_open is not False and reason.code is ReasonCode.LIMITS_UNCHECKED:
        _wait(order, reason, ports)
    if does_open:
        _deny(order, reason, ports)
        return None
    leaving = replace(order, reduces=True, reduce_only=True)
    terms = _terms(leaving, account, clearance)
    return _claim(leaving, stored, account, clearance, terms, ports)


def _wait(order: Order, reason: Reason, ports: Ports) -> None:
    """Let an order wait until its limits can be checked, unless it has waited long enough.

    Nothing of it is sent meanwhile, so exits go before it in its lane.

    Raises:
        VenueUnavailable: it waits.
    """
    since_ms = order.unchecked_since_ms
    if since_ms is None:
        now_ms, server_ms = ports.clock.now_ms(), ports.clock.server_ms()
        advance(order.id, CheckDeferred(at_ms=now_ms, server_ms=server_ms, reason=reason), ports)
        lane = ports.lanes.look(order.account, order.symbol)
        ports.publisher.publish([turn_of(one, order.account) for one in lane.waiting[:1]])
    elif ports.clock.lasted_ms(since_ms) >= UNCHECKED_MAX_MS:
        return
    raise VenueUnavailable(reason.message)


def _deny(order: Order, reason: Reason, ports: Ports) -> None:
    advance(order.id, PlacementDenied(at_ms=ports.clock.now_ms(), reason=reason), ports)


def size_and_send(
    stored: Stored, turn: Event, account: Account, terms: CommitConditions, ports: Ports
) -> tuple[Decision[Aggregate], bool]:
    """Let what waits in a lane have its turn, and send the orders that this brings forth.

    With paper an order is claimed by the commit that makes it, and sent by whoever has made it. At
    an exchange it is merely made: what must come before it is sent may take long.

    Stopped after that commit: as if it had stopped after any claim. See `place_order`.

    Returns:
        what the turn has come to, and whether the caller is to look at the lane next: nobody was
        woken for it then.

    Raises:
        LaneChanged: as the terms say; nothing was made.
        NotPermitted: it is paper, and the account does not run; nothing was made.
        StaleRegistry: it is paper, and its limits have changed since they were read; likewise.
    """
    if account.venue != PAPER or not account.enabled:
        return advance_from(stored, turn, ports, terms).decision, False
    venue, last_ms = ports.venues.of(account), _last_ms(account, ports)
    limits_of = ports.accounts.version()
    limits = ports.accounts.account(account.id).limits
    claim = PlacementClaimed(
        at_ms=ports.clock.now_ms(), lease_until_ms=_lease_until_ms(account, ports)
    )

    def begin(order: Order) -> Decision[Order]:
        if limits and not order.reduces:
            return ignored(order, "its limits are looked at for themselves")
        if _refusal(order, account, ports) is not None:
            return ignored(order, "it is refused when it is looked at")
        return decide(order, claim)

    runs = replace(terms, permits=_ENTRY_STATES, limits_of=limits_of)
    made = advance_from(stored, turn, ports, runs, Along(begin=begin))
    claims = [
        _Claimed(one.aggregate, one, account, UNASKED, last_ms, parent=made.stored)
        for one in made.begun
        if isinstance(one.aggregate, Order)
    ]
    looks_on = [_send(one, venue, ports) for one in claims]
    return made.decision, bool(looks_on) and all(looks_on)


def _send(claimed: _Claimed, venue: Venue, ports: Ports) -> bool:
    """Send an order that was claimed, and record the venue's answer.

    Return whether the caller is to look at the lane next. What else has come of the answer comes
    first, as a stop for what was filled: then the next one in the lane is woken after it.
    """
    order, account, clearance = claimed.order, claimed.account, claimed.clearance
    if not _may_send(order, claimed.last_ms, ports):
        return False
    answer: Event
    if clearance.found is None:
        answer = _answer(order, account, venue, _terms(order, account, clearance), ports)
    else:
        at_ms = ports.clock.now_ms()
        answer = OrderReported(at_ms=at_ms, report=clearance.found, token=order.token)
    _time(order, account, answer)
    parent = claimed.parent
    along = Along(parent=parent, stays=parent is not None)
    return not advance_from(claimed.stored, answer, ports, along=along).owes


def _last_ms(account: Account, ports: Ports) -> int:
    """Return the steady time until which a claim holds that is about to be made."""
    return ports.clock.steady_ms() + ports.policy.lease_ms(account)


def _may_send(order: Order, last_ms: int, ports: Ports) -> bool:
    """Tell whether the claim still holds: others may have sent the order while this one slept.

    The lease is by the server's clock, which may be set; how long this one has slept is not.
    """
    clock = ports.clock
    return clock.steady_ms() < last_ms and clock.server_ms() < order.lease_until_ms


def _cleared(order: Order, account: Account, ports: Ports) -> Clearance | None:
    """Tell whether the order may be sent; see `clear`. Deny it where the venue refuses the key."""
    try:
        return clear(order, account, ports)
    except VenueUnavailable as error:
        if error.code is not ReasonCode.CREDENTIALS_REFUSED:
            raise
        reason = Reason(error.code, str(error))
        advance(order.id, PlacementDenied(at_ms=ports.clock.now_ms(), reason=reason), ports)
        return None


def _time(order: Order, account: Account, answer: Event) -> None:
    """Note how long it took from the tick that fired a trigger to the venue's answer."""
    if order.tick_at_ms is not None and isinstance(answer, OrderReported):
        took_ms = max(answer.at_ms - order.tick_at_ms, 0)
        metrics.TICK_TO_PLACEMENT_SECONDS.labels(venue=account.venue).observe(took_ms / 1000)


def _refusal(order: Order, account: Account, ports: Ports) -> Reason | None:
    if not account.enabled:
        return DISABLED
    late_ms = _late_ms(order, ports)
    if late_ms > 0:
        return Reason(ReasonCode.TOO_LATE, f"its last moment was {late_ms} ms ago")
    if order.attempts >= ATTEMPTS_MAX:
        return Reason(ReasonCode.ATTEMPTS_EXHAUSTED, f"{order.attempts} attempts did not arrive")
    return None


def as_it_would_be_sent(order: Order, account: Account, ports: Ports) -> Order | Reason:
    """Return an order as it would be sent now, or why it would not be; nothing changes.

    What `place_order` looks at before it sends is looked at here in the same order, save what the
    venue itself would have to tell.

    Raises:
        VenueUnavailable: what an exit depends on is not known just now.
    """
    denial = _refusal(order, account, ports) or _denial_by_state(order, ports)
    denial = denial or _denial_by_limits(order, account, ports)
    if denial is not None or not order.fits_held:
        return denial or order
    try:
        return _fitted(order, ports.venues.of(account), ports)
    except VenueRejected as error:
        return Reason(error.code, str(error))


def _denial_by_limits(order: Order, account: Account, ports: Ports) -> Reason | None:
    """Return which limit denies an order, as far as anybody can tell who does not send it."""
    reason = None if order.reduces else limit_refusal(order, account, ports)
    is_told = reason is not None and reason.code is not ReasonCode.LIMITS_UNCHECKED
    return reason if is_told else None


def _denial_by_state(order: Order, ports: Ports) -> Reason | None:
    """Return why an order may not be sent in the state that its account is in, if it may not."""
    state = ports.ledger.state_of(order.account)
    permits = _EXIT_STATES if order.reduces else _ENTRY_STATES
    return None if state in permits else _not_in(state)


def _not_in(state: AccountState) -> Reason:
    code = ReasonCode.ACCOUNT_HALTED
    if state is AccountState.REDUCE_ONLY:
        code = ReasonCode.ACCOUNT_REDUCE_ONLY
    return Reason(code, f"the account is in {state}")


def _late_ms(order: Order, ports: Ports) -> int:
    return 0 if order.not_after_ms is None else ports.clock.now_ms() - order.not_after_ms


def _claim(
    order: Order,
    stored: Stored,
    account: Account,
    clearance: Clearance,
    terms: CommitConditions,
    ports: Ports,
) -> _Claimed | None:
    """Return the claimed order, or None when others have it or the account's state forbids it.

    It is claimed as a reduce-only one if it is given so.

    Raises:
        ClaimsChanged: others were claimed since the limits let it go.
        StaleRegistry: the limits have changed since.
    """
    last_ms = _last_ms(account, ports)
    lease_until_ms = _lease_until_ms(account, ports)
    event = PlacementClaimed(
        at_ms=ports.clock.now_ms(), lease_until_ms=lease_until_ms, reduce_only=order.reduce_only
    )
    try:
        made = advance_from(stored, event, ports, terms)
    except NotPermitted:
        _forbidden(order, ports)
        return None
    claimed = made.stored.aggregate
    if made.decision.ignored is not None or not isinstance(claimed, Order):
        return None
    return _Claimed(claimed, made.stored, account, clearance, last_ms)


def _lease_until_ms(account: Account, ports: Ports) -> EpochMs:
    return EpochMs(ports.clock.server_ms() + ports.policy.lease_ms(account))


def _terms(order: Order, account: Account, clearance: Clearance) -> CommitConditions:
    return CommitConditions(
        permits=_EXIT_STATES if order.reduces else _ENTRY_STATES,
        vouched=None if account.venue == PAPER else (order.symbol, clearance.run),
    )


def _forbidden(order: Order, ports: Ports) -> None:
    """Deny an entry; an exit stays as it is and waits, visibly, until it may run."""
    if order.reduces:
        return
    reason = _not_in(ports.ledger.state_of(order.account))
    advance(order.id, PlacementDenied(at_ms=ports.clock.now_ms(), reason=reason), ports)


def _answer(
    order: Order, account: Account, venue: Venue, terms: CommitConditions, ports: Ports
) -> Event:
    """Send, and return the answer as an event. Only a definite answer is taken for one."""
    try:
        report = venue.place(_prepared(order, account, venue, terms, ports))
    except (KeyRefused, VenueUnavailable) as error:
        return _deferred(order, error, ports)
    except VenueRejected as error:
        report = _refused(Reason(error.code, str(error)), venue)
    except OutcomeUnknown as error:
        return outcome_lost(order, Reason(ReasonCode.OUTCOME_UNKNOWN, str(error)), ports)
    return OrderReported(at_ms=ports.clock.now_ms(), report=report, token=order.token)


def _refused(reason: Reason, venue: Venue) -> OrderReport:
    """Return the report of a refusal; by rules that may be old, it lets them be read anew."""
    if reason.is_by_rules:
        venue.doubt_rules()
    return OrderReport(status=OrderStatus.REJECTED, reason=reason)


def _deferred(
    order: Order, error: KeyRefused | VenueUnavailable, ports: Ports
) -> PlacementDeferred:
    if isinstance(error, VenueBusy):
        retry_at_ms = _busy_until(error, ports)
    else:
        retry_at_ms = retry_at(ports, ports.policy.retry_ms, order.attempts)
    return PlacementDeferred(
        at_ms=ports.clock.now_ms(),
        token=order.token,
        retry_at_ms=retry_at_ms,
        reason=Reason(error.code, str(error)),
        held_back=isinstance(error, VenueBusy),
    )


def _busy_until(error: VenueBusy, ports: Ports) -> EpochMs:
    """Return when to look again, however long the venue wants nothing: nobody is asked for that."""
    pause = min(error.retry_after_ms, ports.policy.retry_max_ms)
    return EpochMs(ports.clock.server_ms() + pause)


def _prepared(
    order: Order, account: Account, venue: Venue, terms: CommitConditions, ports: Ports
) -> Order:
    """Do what must come before the order, and return it under a claim that is young enough.

    An exit is made as small as what is there to close: that is written down before it is sent.

    Raises:
        VenueRejected, VenueUnavailable: as the venue says.
        VenueBusy: time went by, and the order may not be sent now, or not by us.
    """
    soon_ms = ports.clock.steady_ms() + SOON_MS
    sent = _fitted(order, venue, ports) if order.fits_held else order
    venue.prepare(sent)
    last_ms = ports.clock.steady_ms() + ports.policy.lease_ms(account)
    if ports.clock.steady_ms() <= soon_ms and sent.quantity == order.quantity:
        return order
    event = ClaimRenewed(
        at_ms=ports.clock.now_ms(),
        token=order.token,
        lease_until_ms=_lease_until_ms(account, ports),
        quantity=sent.quantity,
    )
    try:
        decision = advance(order.id, event, ports, terms)
    except (NotPermitted, NotVouched) as error:
        raise VenueBusy(f"{error} by now", 0) from error
    renewed = decision.aggregate
    if decision.ignored is not None or not isinstance(renewed, Order):
        raise VenueBusy("the claim was lost meanwhile", 0)
    if not _may_send(renewed, last_ms, ports):
        raise VenueBusy("the claim ran out meanwhile", 0)
    if renewed.cancel_requested or _late_ms(renewed, ports) > 0:
        raise VenueBusy("it is not wanted any more", 0)
    return renewed


def _fitted(order: Order, venue: Venue, ports: Ports) -> Order:
    """Return an exit for what is there now, and was not closed by a stop of the venue.

    Raises:
        VenueRejected: there is nothing left to close, or nothing that can be closed.
        VenueUnavailable: the venue could not be asked.
    """
    instrument = traded(order.symbol, venue)
    if instrument is None:
        return order  # halted, or gone for good: the venue's own answer tells which
    quote = venue.quote(order.symbol) if order.market is Market.SPOT else None
    price = order.price or (None if quote is None else quote.touch(order.side))
    view = venue.view()
    if order.market is not Market.SPOT and order.condition is None:
        order = _left_of(order, view, venue, ports)
    fit = fitted(order, view, instrument, price)
    if isinstance(fit, Reason):
        raise VenueRejected(fit.message, fit.code)
    return fit


def _left_of(order: Order, view: AccountView, venue: Venue, ports: Ports) -> Order:
    """Return the order of a guard without what a stop of the venue closes of it.

    Raises:
        VenueRejected: that is all. While that is not certain the guard tries again.
    """
    size = view.position(order.symbol, order.reduced_leg).size
    closed, may_be_less = closed_beside(order, size, venue, ports)
    if closed >= order.quantity:
        said = f"a stop that rested at the venue closes {closed:f}"
        code = ReasonCode.INSUFFICIENT_FUNDS if may_be_less else ReasonCode.SIBLING_FILLED
        raise VenueRejected(said, code)
    return replace(order, quantity=order.quantity - closed) if closed else order


def traded(symbol: Symbol, venue: Venue) -> Instrument | None:
    """Return the rules of a symbol, or None if it is not traded here, by rules that are young."""
    instrument = venue.instrument(symbol)
    if instrument is not None:
        return instrument
    venue.doubt_rules()
    return venue.instrument(symbol)


def outcome_lost(order: Order, reason: Reason, ports: Ports) -> OutcomeLost:
    """Return the event by which a placement without a definite answer becomes UNKNOWN."""
    return OutcomeLost(
        at_ms=ports.clock.now_ms(),
        token=order.token,
        server_ms=ports.clock.server_ms(),
        next_check_at_ms=retry_at(ports, ports.policy.unknown_retry_ms, 1),
        reason=reason,
    )


def retry_at(ports: Ports, first_ms: int, attempt: int) -> EpochMs:
    """Return the server time of the next try: the pause doubles with each attempt, bounded."""
    return EpochMs(ports.clock.server_ms() + pause_ms(ports.policy, first_ms, attempt))


def ask_again_at(ports: Ports, since_ms: EpochMs) -> EpochMs:
    """Double the pause with each question: it is as long as something has been unknown so far."""
    waited_ms = max(ports.clock.server_ms() - since_ms, 1)
    doublings = max(waited_ms // ports.policy.unknown_retry_ms, 1).bit_length()
    return retry_at(ports, ports.policy.unknown_retry_ms, doublings)


def pause_ms(policy: Policy, first_ms: int, attempt: int) -> int:
    """Return how long to wait after this attempt; the first is 1."""
    return min(first_ms << min(attempt - 1, 16), policy.retry_max_ms)
