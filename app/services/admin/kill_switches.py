"""A kill switch whose time has come cancels what it reaches."""

from contextlib import suppress

from app.domain.enums import ReasonCode
from app.domain.errors import NotFound
from app.domain.identifiers import AggregateId
from app.domain.kill_switch import KillSwitch
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.services.apart import apart
from app.services.placing.cancel import cancel_smart_order, request_cancel

_REASON = Reason(ReasonCode.REQUESTED, "canceled by the kill switch")


def fire_kill_switches(ports: Ports) -> None:
    """Cancel whatever the kill switches reach whose time has come.

    Twice, at once, or stopped halfway and begun again cancels the same: what was created after the
    switch's time is not reached.
    """
    for switch in ports.kill_switches.due(ports.clock.now_ms()):
        with apart("kill_switches", switch.account):
            if _has_reached_all(switch, ports):
                ports.kill_switches.done(switch)


def _has_reached_all(switch: KillSwitch, ports: Ports) -> bool:
    """Ask all that it reaches to end, and return whether nobody was missed."""
    missed = False
    for one in sorted(ports.live.of_account(switch.account)):
        with apart("kill_switch", one) as outcome, suppress(NotFound):  # ended meanwhile
            _reach(one, switch, ports)
        missed = missed or outcome.failed
    return not missed


def _reach(one: AggregateId, switch: KillSwitch, ports: Ports) -> None:
    aggregate = ports.ledger.load(one).aggregate
    if aggregate.origin != switch.origin or aggregate.created_at_ms > switch.cancel_at_ms:
        return
    if isinstance(aggregate, SmartOrder):
        cancel_smart_order(one, _REASON, ports)
    elif isinstance(aggregate, Order):
        request_cancel(one, _REASON, ports)
