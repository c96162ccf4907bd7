"""What a real venue is built from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.account import Account
from app.domain.identifiers import VenueName
from app.ports.clock import Clock
from app.ports.coordination import Locks
from app.ports.policy import Policy
from app.store.memory.key_trials import RedisKeyTrials
from app.store.memory.venue_budget import RedisRateBudget
from app.store.memory.venue_memory import RedisVenueMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePorts:
    """Everything that a real venue may need.

    Attributes:
        secrets: opens the credentials of an account: name → text; empty if it has none.
        trials: tell which keys are refused.
        urls: venue → URL of the host that stands in for all its hosts.
        proxy_of: tells by which proxy a venue is reached: its URL, or None.
        address: names the address from which this machine reaches venues; limits are by address.
        timeout_ms: for one answer.
    """

    memory: RedisVenueMemory
    budget: RedisRateBudget
    locks: Locks
    clock: Clock
    policy: Policy
    secrets: Callable[[Account], Mapping[str, str]]
    trials: RedisKeyTrials
    urls: Mapping[str, str]
    proxy_of: Callable[[VenueName], str | None]
    address: str
    timeout_ms: int
