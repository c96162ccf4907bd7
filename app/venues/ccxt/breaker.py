"""What keeps requests from an exchange that does not answer: else each holds a thread for long."""

from contextlib import suppress

from app.domain.account import Account
from app.domain.errors import StoreError, VenueBusy
from app.venues.ccxt.ports import VenuePorts

#: Requests in a row without an answer after which only a question goes, one at a time.
FAILURES_MAX = 5

#: Between two such questions, and before who was refused tries again.
PROBE_MS = 2_000


class Breaker:
    """Open after a row of requests without an answer; closed by the next answer.

    All workers and all accounts share it: an exchange that hangs does so for everybody. It is one
    for each market and kind of money, which exchanges serve from hosts of their own.

    Args:
        account: whose requests it counts.
        ports: tell what others have met.
    """

    def __init__(self, account: Account, ports: VenuePorts) -> None:
        self._name = f"{account.feed}:{ports.address}"
        self._ports = ports

    @property
    def is_open(self) -> bool:
        """Whether the last requests had no answer."""
        return self._ports.budget.failures(self._name) >= FAILURES_MAX

    def admit(self) -> None:
        """Let a request pass while it is closed, and one question at a time while it is open.

        Raises:
            VenueBusy: it is open, and somebody else asks already.
        """
        if not self.is_open:
            return
        # As long as an answer may take; `noted` makes it shorter as soon as there is none.
        lease_ms = self._ports.timeout_ms + PROBE_MS
        if self._ports.locks.acquire(self._lease, lease_ms) is None:
            raise VenueBusy(f"{self._name} has left requests without an answer", PROBE_MS)

    def noted(self, *, answered: bool) -> None:
        """Count a request. A store that cannot be reached must not make an answer unknown."""
        with suppress(StoreError):
            if answered:
                self._ports.budget.answered(self._name)
            else:
                self._ports.budget.failed(self._name)

    @property
    def _lease(self) -> str:
        return f"probe:{self._name}"
