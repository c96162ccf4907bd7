"""Leverage and position mode, which belong to the account at its venue rather than to an order.

A worker asks the venue; whoever wants it waits for the answer, but not long.
"""

from app.domain.account import Account
from app.domain.effects import EffectKind
from app.domain.enums import AccountState, PositionMode
from app.domain.errors import (
    OutcomeUnknown,
    RegistryChanged,
    StoreError,
    SymbolUnknown,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AccountId, AggregateId, Symbol
from app.domain.worker_request import Adjustment, Outcome, WorkerAnswer
from app.ports import Ports
from app.services.ask import ask, leave_request
from app.services.exclusive import exclusive
from app.services.learn import known_rules


def set_leverage(account: Account, symbol: Symbol, leverage: int, ports: Ports) -> None:
    """Let the venue trade a symbol of this account with another leverage. Twice is once.

    Raises:
        SymbolUnknown: the account cannot trade it.
        VenueRejected: the venue does not allow it.
        VenueUnavailable: the venue was not reached, or its rules are not known yet.
        OutcomeUnknown: nobody has answered in time.
    """
    known = [one.symbol for one in known_rules(account, ports)]
    if symbol not in known:
        raise SymbolUnknown(symbol, known)
    _have_adjusted(account, Adjustment(symbol=symbol, leverage=leverage), ports)


def set_position_mode(account: Account, mode: PositionMode, ports: Ports) -> None:
    """Let the venue hold long and short of this account apart, or as one. Twice is once.

    Raises:
        VenueRejected: the venue does not allow it, for instance while orders rest.
        VenueUnavailable: the venue was not reached.
        OutcomeUnknown: nobody has answered in time.
    """
    _have_adjusted(account, Adjustment(position_mode=mode), ports)


def _have_adjusted(account: Account, adjustment: Adjustment, ports: Ports) -> None:
    """Hand the adjustment to a worker, and wait for what becomes of it."""
    wait_ms = ports.policy.adjust_wait_ms
    request = leave_request(EffectKind.ADJUST, account.id, wait_ms, ports, adjustment)
    answer = ask(
        [request.effect()], lambda: ports.worker_requests.answer(request.id), wait_ms, ports
    )
    if answer is None:
        raise OutcomeUnknown("the venue has not answered in time; it is safe to ask again")
    match answer.outcome:
        case Outcome.DONE:
            return
        case Outcome.REJECTED:
            raise VenueRejected(answer.message)
        case Outcome.UNAVAILABLE:
            raise VenueUnavailable(answer.message)
        case Outcome.UNKNOWN:
            raise OutcomeUnknown(answer.message)


def adjust(request_id: AggregateId, ports: Ports) -> None:
    """Carry out an adjustment that somebody waits for, and say what became of it.

    One worker gets it, once: a message that comes again, or too late, must not undo what was set
    since. Stopped halfway, the caller is told that nobody knows, and may ask again.

    Raises:
        NotFound: there is none, it is too late for it, or somebody else has it.
    """
    request = ports.worker_requests.take(request_id, ports.clock.server_ms())
    assert request.adjustment is not None  # noqa: S101 - it is of this kind
    try:
        _carry_out(request.account, request.adjustment, ports)
    except VenueRejected as error:
        answer = WorkerAnswer(outcome=Outcome.REJECTED, message=str(error))
    except (VenueUnavailable, StoreError, RegistryChanged) as error:
        answer = WorkerAnswer(outcome=Outcome.UNAVAILABLE, message=str(error))
    except VenueError as error:
        answer = WorkerAnswer(outcome=Outcome.UNKNOWN, message=str(error))
    else:
        answer = WorkerAnswer()
    ports.worker_requests.reply(request_id, answer)


def _carry_out(account: AccountId, adjustment: Adjustment, ports: Ports) -> None:
    """Set it at the venue, then in our record, with nobody else at the same account.

    The venue comes first: an account whose record says something else than its venue would send
    orders that the venue refuses, and after a stop in between the same call again puts that right.
    """
    if ports.ledger.state_of(account) is AccountState.FROZEN:
        raise VenueUnavailable("the account is frozen: nothing is sent for it")
    with exclusive(ports.locks, f"adjust:{account}", ports.policy.adjust_lease_ms) as is_ours:
        if not is_ours:
            raise VenueUnavailable("another setting of this account is being changed; try again")
        rules = ports.venues.trading_rules(ports.accounts.account(account))
        if adjustment.symbol is not None and adjustment.leverage is not None:
            rules.set_leverage(adjustment.symbol, adjustment.leverage)
        if adjustment.position_mode is not None:
            rules.set_position_mode(adjustment.position_mode)
            ports.accounts.note_position_mode(account, adjustment.position_mode)
