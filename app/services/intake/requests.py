"""Commands that are sized when their turn comes: signals, and requests about a net position."""

from dataclasses import replace

from app.domain.commands import NetCommand, SignalCommand, SignalRules
from app.domain.identifiers import EpochMs, Symbol
from app.domain.request.reversal import Reversal
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.ports import Ports
from app.services.intake.accept import Accepted, accept
from app.services.placing.cancel import targets_of


def accept_signal(
    command: SignalCommand, symbol: Symbol, rules: SignalRules, sender: Sender, ports: Ports
) -> Accepted:
    """Take a signal in, once; see `accept`."""
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    signal = Signal(
        id=fresh.id,
        **sender.beginning(symbol),
        venue=sender.account.feed,
        exits=sender.exits,
        action=command.action,
        rules=rules,
        size=command.size,
        limit_price=command.limit_price,
        take_profit=command.take_profit,
        stop_loss=command.stop_loss,
        caller_id=command.caller_id,
        note=command.note,
        status=RequestStatus.SCHEDULED if command.delay_ms else RequestStatus.EXECUTING,
        due_at_ms=EpochMs(sender.received_at_ms + command.delay_ms),
    )
    if command.action.is_cancel and command.delay_ms == 0:
        signal = replace(signal, targets=targets_of(signal, ports))
    return accept(signal, sender, ports)


def accept_reversal(command: NetCommand, symbol: Symbol, sender: Sender, ports: Ports) -> Accepted:
    """Take a request about a net position in, once; see `accept`."""
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    reversal = Reversal(
        id=fresh.id,
        **sender.beginning(symbol),
        venue=sender.account.feed,
        exits=sender.exits,
        action=command.action,
        wanted=command.quantity,
        on_same_side=command.on_same_side,
        entry_lateness_ms=sender.entry_lateness_ms,
        limit_price=command.limit_price,
        alert_price=command.alert_price,
        strategy=command.strategy,
        note=command.note,
        due_at_ms=sender.received_at_ms,
    )
    return accept(reversal, sender, ports)
