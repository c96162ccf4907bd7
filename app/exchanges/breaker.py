"""What keeps requests from an exchange that does not answer: else each holds a thread for long."""

from contextlib import suppress

from app.domain.account import Account
from app.domain.errors import StoreError, VenueBusy
from app.exchanges.ports import VenuePorts

#: Requests in a row without an answer after which only a question goes, one at a time.
FAILURES_MAX = 5

#: Between the end of such a question without an answer and the next.
PROBE_MS = 2_000

#: Before who was refused tries again, for each request that had no answer; each try is written
#: down, so that a long outage must not have one every few seconds.
RETRY_MS = 1_000
RETRY_MS_MAX = 30_000

#: Of failures in a row; more says nothing more.
_COUNT_MAX = 1_000_000


class Breaker:
    """Open after a row of requests without an answer; closed by the next answer.

    All workers and all accounts share it: an exchange that hangs does so for everybody. It is one
    for each market and kind of money, which exchanges serve from hosts of their own. This object
    is for one thread at a time.

    Args:
        account: whose requests it counts.
        ports: tell what others have met.
    """

    def __init__(self, account: Account, ports: VenuePorts) -> None:
        self._name = f"{account.feed}:{ports.address}"
        self._ports = ports
        self._probe: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last requests had no answer."""
        return self._failures() >= FAILURES_MAX

    def _failures(self) -> int:
        return self._ports.budget.failures(self._name)

    def admit(self, *, changes: bool) -> None:
        """Let a request pass while it is closed, and one question at a time while it is open.

        Args:
            changes: it is no question.

        Raises:
            VenueBusy: it is open, and somebody else asks, or has asked just now.
        """
        failures = self._failures()
        if failures < FAILURES_MAX:
            return
        if not changes and self._probe is None:
            # For as long as an answer may take, in case that this process dies over it.
            lease_ms = self._ports.timeout_ms + PROBE_MS
            self._probe = self._ports.locks.acquire(self._lease, lease_ms)
        if changes or self._probe is None:
            retry_ms = min(failures * RETRY_MS, RETRY_MS_MAX)
            raise VenueBusy(f"{self._name} left {failures} requests without an answer", retry_ms)

    def noted(self, *, answered: bool) -> None:
        """Count a request. A store that cannot be reached must not make an answer unknown."""
        with suppress(StoreError):
            asked = self._probe is not None
            if answered:
                self._ports.budget.answered(self._name)
            else:
                # Fifty that fail at one moment say no more than five; how long it is away is
                # told by the questions that go one at a time.
                most = _COUNT_MAX if asked else FAILURES_MAX
                self._ports.budget.failed(self._name, most)
            self.give_back()
            if asked and not answered:
                self._ports.locks.acquire(self._lease, PROBE_MS)

    def give_back(self) -> None:
        """Let others ask, if this was to: nothing more is sent for now."""
        probe, self._probe = self._probe, None
        if probe is not None:
            self._ports.locks.release(self._lease, probe)

    @property
    def _lease(self) -> str:
        return f"probe:{self._name}"
