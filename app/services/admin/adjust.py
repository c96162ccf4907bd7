"""Leverage and position mode, which belong to the account at its venue rather than to an order.

A worker asks the venue; whoever wants it waits for the answer, but not long.
"""

from collections.abc import Callable

from app.domain.account import Account
from app.domain.adjustment import Adjustment, Outcome
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState, PositionMode
from app.domain.errors import (
    NotFound,
    OutcomeUnknown,
    StoreError,
    SymbolUnknown,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AggregateId, EpochMs, Symbol
from app.ports import Ports
from app.services.exclusive import exclusive

#: How long the caller waits for the venue's answer. After that no worker begins with it.
WAIT_MS = 2_000

#: Between two looks for the answer.
LOOK_MS = 10

#: Longer than both settings of an account may take, 20 s each: of two at once the venue might keep
#: the one and our record the other. Whoever dies over an account holds up the next this long.
LEASE_MS = 45_000

Pause = Callable[[int], None]


def set_leverage(
    account: Account, symbol: Symbol, leverage: int, ports: Ports, pause_ms: Pause
) -> None:
    """Let the venue trade a symbol of this account with another leverage. Twice is once.

    Raises:
        SymbolUnknown: the account cannot trade it.
        VenueRejected: the venue does not allow it.
        VenueUnavailable: the venue was not reached, or its rules are not known yet.
        OutcomeUnknown: nobody has answered in time.
    """
    known = [one.symbol for one in ports.venues.trading_rules(account).instruments()]
    if not known:
        raise VenueUnavailable(f"the trading rules of {account.venue} are not loaded yet")
    if symbol not in known:
        raise SymbolUnknown(symbol, known)
    _ask(Adjustment(account=account.id, symbol=symbol, leverage=leverage), ports, pause_ms)


def set_position_mode(account: Account, mode: PositionMode, ports: Ports, pause_ms: Pause) -> None:
    """Let the venue hold long and short of this account apart, or as one. Twice is once.

    Raises:
        VenueRejected: the venue does not allow it, for instance while orders rest.
        VenueUnavailable: the venue was not reached.
        OutcomeUnknown: nobody has answered in time.
    """
    _ask(Adjustment(account=account.id, position_mode=mode), ports, pause_ms)


def _ask(adjustment: Adjustment, ports: Ports, pause_ms: Pause) -> None:
    """Hand the adjustment to a worker, and wait for what becomes of it."""
    (fresh,) = ports.ids.fresh(adjustment.account, 1)
    ports.errands.leave(fresh.id, adjustment, EpochMs(ports.clock.server_ms() + WAIT_MS))
    effect = Effect(
        kind=EffectKind.ADJUST,
        target=fresh.id,
        urgent=True,
        about=adjustment.sentence(),
        account=adjustment.account,
    )
    ports.publisher.publish([effect])
    until_ms = ports.clock.steady_ms() + WAIT_MS
    while ports.clock.steady_ms() < until_ms:
        answer = ports.errands.answer(fresh.id)
        if answer is not None:
            _raise_unless_done(*answer)
            return
        pause_ms(LOOK_MS)
    raise OutcomeUnknown("the venue has not answered in time; it is safe to ask again")


def _raise_unless_done(outcome: Outcome, message: str) -> None:
    match outcome:
        case Outcome.DONE:
            return
        case Outcome.REJECTED:
            raise VenueRejected(message)
        case Outcome.UNAVAILABLE:
            raise VenueUnavailable(message)
        case Outcome.UNKNOWN:
            raise OutcomeUnknown(message)


def adjust(errand_id: AggregateId, ports: Ports) -> None:
    """Carry out an adjustment that somebody waits for, and say what became of it.

    One worker gets it, once: a message that comes again, or too late, must not undo what was set
    since. Stopped halfway, the caller is told that nobody knows, and may ask again.

    Raises:
        NotFound: there is none, it is too late for it, or somebody else has it.
    """
    adjustment = ports.errands.take(errand_id, ports.clock.server_ms())
    if adjustment is None:
        raise NotFound(f"nobody waits for errand {errand_id}, or somebody else has it")
    try:
        _carry_out(adjustment, ports)
    except VenueRejected as error:
        answer = Outcome.REJECTED, str(error)
    except (VenueUnavailable, StoreError) as error:
        answer = Outcome.UNAVAILABLE, str(error)
    except VenueError as error:
        answer = Outcome.UNKNOWN, str(error)
    else:
        answer = Outcome.DONE, ""
    ports.errands.reply(errand_id, *answer)


def _carry_out(adjustment: Adjustment, ports: Ports) -> None:
    """Set it at the venue, then in our record, with nobody else at the same account.

    The venue comes first: an account whose record says something else than its venue would send
    orders that the venue refuses, and after a stop in between the same call again puts that right.
    """
    if ports.ledger.state_of(adjustment.account) is AccountState.FROZEN:
        raise VenueUnavailable("the account is frozen: nothing is sent for it")
    with exclusive(ports.locks, f"adjust:{adjustment.account}", LEASE_MS) as is_ours:
        if not is_ours:
            raise VenueUnavailable("another setting of this account is being changed; try again")
        conditions = ports.venues.trading_rules(ports.accounts.account(adjustment.account))
        if adjustment.symbol is not None and adjustment.leverage is not None:
            conditions.set_leverage(adjustment.symbol, adjustment.leverage)
        if adjustment.position_mode is not None:
            conditions.set_position_mode(adjustment.position_mode)
            ports.accounts.note_position_mode(adjustment.account, adjustment.position_mode)
