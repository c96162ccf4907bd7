"""The kill switch is set, switched off and looked at."""

from app.bootstrap import Wiring
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Reading, object_from
from app.domain.identifiers import EpochMs
from app.domain.kill_switch import KillSwitch

Json = dict[str, object]


class KillSwitches:
    """Keeps the kill switch of an account."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._switches = wiring.ports.kill_switches
        self._callers = callers

    def set(self) -> Json:
        """Set it, in the place of an older one, or switch it off."""
        return self._callers.serve(self._set)

    def status(self) -> Json:
        """Return when it cancels."""
        caller = self._callers.reader()
        return self._shown(caller)

    def _set(self, caller: Caller) -> Json:
        seconds = Reading(schemas.KILL_SWITCH, object_from(caller.body))["timeout"]
        if seconds == schemas.OFF:
            shown = self._shown(caller)
            self._switches.remove(caller.account.id)
            return shown
        now_ms = caller.received_at_ms
        switch = KillSwitch(
            account=caller.account.id,
            origin=caller.origin,
            set_at_ms=now_ms,
            cancel_at_ms=EpochMs(now_ms + seconds * 1000),
        )
        self._switches.put(switch)
        return _status(switch)

    def _shown(self, caller: Caller) -> Json:
        switch = self._switches.of(caller.account.id)
        if switch is None or switch.cancel_at_ms <= caller.received_at_ms:
            raise Problem(Code.NO_KILL_SWITCH)
        return _status(switch)


def _status(switch: KillSwitch) -> Json:
    return {"startTime": switch.set_at_ms, "cancellationTime": switch.cancel_at_ms}
