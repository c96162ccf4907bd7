"""Time and ids: what differs between two runs of the same thing."""

from typing import Protocol

from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs, FreshId


class Clock(Protocol):
    """The one place that reads the time, and lets it pass."""

    def now_ms(self) -> EpochMs:
        """Return business time: the server's, unless a test has moved it."""

    def server_ms(self) -> EpochMs:
        """Return the server's time, which leases, grace periods and retries go by."""

    def lasted_ms(self, since_ms: EpochMs) -> int:
        """Return for how long something has lasted for certain, since a server time.

        Where the server's clock was set since, that is the time since then.
        """

    def steady_ms(self) -> int:
        """Return the monotonic time of this machine, to compare within a call."""

    def sleep(self, for_ms: int) -> None:
        """Let so many milliseconds pass on that clock."""


class MovableClock(Clock, Protocol):
    """The clock of the test profile: business time can be moved, for all processes at once."""

    def advance(self, by_ms: int) -> EpochMs:
        """Move business time ahead, and return it; a frozen clock stays frozen, later."""

    def freeze(self, at_ms: int) -> EpochMs:
        """Let business time stand still at this moment, and return it."""

    def follow_server(self) -> EpochMs:
        """Let business time be the server's again, and return it."""


class Ids(Protocol):
    """Hands out ids that nobody has used."""

    def fresh(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids whose remainder names the shard of the account, rising."""

    def latest(self, account: AccountId, count: int) -> tuple[FreshId, ...]:
        """Return ids like `fresh`, above all that any process has handed out: for a fair turn."""

    def order_of(self, client_order_id: ClientOrderId) -> AggregateId | None:
        """Return the order behind a client order id, or None if it is not one of ours."""

    def client_order_id(self, order_id: AggregateId) -> ClientOrderId:
        """Return by which id venues know an order."""
