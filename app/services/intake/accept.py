"""A command becomes a request, durably, before anybody is told `ok`."""

from dataclasses import dataclass, replace

from app.domain.account import Account
from app.domain.commands import Action, SignalCommand, SignalRules
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Dialect
from app.domain.identifiers import AggregateId, EpochMs, Symbol
from app.domain.request.netting import NetCommand
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal, first_state
from app.ports import Ports
from app.ports.ledger import Admission, Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent a request and what it trades: account and symbol, and the reach of its cancels."""

    dialect: Dialect
    origin: str
    account: Account
    symbol: Symbol
    rules: SignalRules


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request that will run, or the one that this request repeats."""

    id: AggregateId
    is_duplicate: bool


def accept_signal(
    command: SignalCommand,
    sender: Sender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Accepted:
    """Store the signal and what it owes in one commit, then hurry it along.

    The same request twice, or at once in two processes, is one signal: the dedupe key and the
    caller id are checked inside the commit. Stopped halfway, nothing is written, or all of it is
    and the sweep goes on.

    Raises:
        RateLimited, StaleRegistry, StoreUnavailable: nothing is queued.
    """
    return _admitted(_signal(command, sender, received_at_ms, ports), admission, ports)


def accept_reversal(
    command: NetCommand,
    sender: Sender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Accepted:
    """Store a request about a net position, as `accept_signal` does with a signal.

    Raises:
        RateLimited, StaleRegistry, StoreUnavailable: nothing is queued.
    """
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    reversal = Reversal(
        id=fresh.id,
        dialect=sender.dialect,
        origin=sender.origin,
        account=sender.account.id,
        venue=sender.account.feed,
        symbol=sender.symbol,
        market=sender.account.market,
        action=command.action,
        wanted=command.quantity,
        on_same_side=command.on_same_side,
        entry_lateness_ms=sender.rules.entry_lateness_ms,
        limit_price=command.limit_price,
        strategy=command.strategy,
        note=command.note,
        due_at_ms=received_at_ms,
        created_at_ms=received_at_ms,
        updated_at_ms=received_at_ms,
    )
    return _admitted(reversal, admission, ports)


def _admitted(request: Signal | Reversal, admission: Admission, ports: Ports) -> Accepted:
    last = EntryName.DELAYED if request.due_at_ms > request.created_at_ms else EntryName.QUEUED
    now = ports.clock.now_ms()
    entries = (
        TimelineEntry(EntryName.RECEIVED, request.created_at_ms),
        TimelineEntry(EntryName.VALIDATED, now),
        TimelineEntry(last, now),
    )
    repeated = ports.ledger.admit([Change(None, request, entries)], admission)
    if repeated is not None:
        return Accepted(repeated, is_duplicate=True)
    ports.publisher.publish(request.owed())
    return Accepted(request.id, is_duplicate=False)


def _signal(
    command: SignalCommand, sender: Sender, received_at_ms: EpochMs, ports: Ports
) -> Signal:
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    signal = Signal(
        id=fresh.id,
        dialect=sender.dialect,
        origin=sender.origin,
        account=sender.account.id,
        venue=sender.account.feed,
        symbol=sender.symbol,
        market=sender.account.market,
        action=command.action,
        rules=sender.rules,
        size=command.size,
        limit_price=command.limit_price,
        take_profit=command.take_profit,
        stop_loss=command.stop_loss,
        caller_id=command.caller_id,
        note=command.note,
        state=first_state(command.delay_ms),
        due_at_ms=EpochMs(received_at_ms + command.delay_ms),
        created_at_ms=received_at_ms,
        updated_at_ms=received_at_ms,
    )
    if command.action.is_cancel and command.delay_ms == 0:
        return replace(signal, targets=targets_of(signal, ports))
    return signal


def targets_of(signal: Signal, ports: Ports) -> tuple[AggregateId, ...]:
    """Return what a cancel message reaches now: oldest first, of its own origin only.

    A cancel that is not delayed notes its targets when it is accepted, so that it can neither miss
    what came before it nor reach what comes after.
    """
    live = ports.live.of_origin(signal.account, signal.origin)
    if signal.action is Action.CANCEL_ALL:
        return tuple(sorted(live))
    return tuple(sorted(one for one, caller_id in live.items() if caller_id == signal.caller_id))
