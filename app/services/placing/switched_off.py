"""What is live of an account that is switched off ends: such an account sends nothing any more.

HALT is the switch that keeps things.
"""

from typing import NamedTuple

from app.domain.identifiers import AccountId, AggregateId
from app.ports import Ports
from app.services.apart import apart
from app.services.placing.cancel import request_cancel
from app.services.placing.place import DISABLED, pause_ms


class _Asked(NamedTuple):
    """How often one thing was asked to end, and the steady time of the next time."""

    times: int
    again_at_ms: int


class SwitchedOff:
    """Ends what is live of accounts that are switched off.

    What was asked to end waits for its venue, perhaps for hours. To ask it again changes nothing,
    so that comes after longer and longer pauses. A process remembers only what it has asked itself:
    what is new is asked at once, and so is everything after a start.
    """

    def __init__(self) -> None:
        self._asked: dict[AggregateId, _Asked] = {}

    def __call__(self, ports: Ports) -> None:
        """Ask everything of accounts that are switched off to end; what rests is taken off.

        Twice is once: what was asked already is not asked again. Stopped halfway, the next sweep
        does the rest.
        """
        disabled = [one.id for one in ports.accounts.accounts() if not one.enabled]
        before, self._asked = self._asked, {}
        for account_id in sorted(ports.live.with_any(disabled)):
            for one in sorted(ports.live.of_account(account_id)):
                asked = self._after(one, before.get(one), ports)
                if asked is not None:
                    self._asked[one] = asked

    @staticmethod
    def _after(one: AggregateId, last: _Asked | None, ports: Ports) -> _Asked | None:
        """Ask one to end if it is time; None if that has failed."""
        now_ms = ports.clock.steady_ms()
        if last is not None and now_ms < last.again_at_ms:
            return last
        times = 1 if last is None else last.times + 1
        pause = pause_ms(ports.policy, ports.policy.retry_ms, times)
        return _Asked(times, now_ms + pause) if _asked_to_end(one, ports) else None


def end_all_of(account_id: AccountId, ports: Ports) -> None:
    """Ask everything that is live of an account to end, oldest first; its parts follow."""
    for one in sorted(ports.live.of_account(account_id)):
        _asked_to_end(one, ports)


def _asked_to_end(one: AggregateId, ports: Ports) -> bool:
    with apart("cancels", one) as outcome:
        request_cancel(one, DISABLED, ports)
    return not outcome.failed
