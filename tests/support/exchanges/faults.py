"""What may go wrong with an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.support.clocks import nothing


class Call(StrEnum):
    """The kinds of request that faults are planned for."""

    PLACE = "place"
    CANCEL = "cancel"
    FIND = "find"
    LIST = "list"
    VIEW = "view"
    OTHER = "other"


class Fault(StrEnum):
    """`ACCEPT_...` carries the request out, and then the answer goes wrong."""

    OK = "ok"
    TIMEOUT = "timeout"
    CUT = "cut"
    ERROR = "error"
    BAN = "ban"
    LIMIT = "limit"
    GARBAGE = "garbage"
    ACCEPT_THEN_TIMEOUT = "accept_then_timeout"
    ACCEPT_THEN_CUT = "accept_then_cut"
    ACCEPT_THEN_ERROR = "accept_then_error"
    ACCEPT_THEN_GARBAGE = "accept_then_garbage"
    ACCEPT_THEN_EMPTY = "accept_then_empty"
    ACCEPT_LATER = "accept_later"
    NOT_FOUND = "not_found"
    STALE = "stale"

    @property
    def arrives(self) -> bool:
        """Whether the request is carried out before its answer."""
        return self in {Fault.OK, Fault.NOT_FOUND, Fault.STALE} or self.startswith("accept_then")


#: How long the tests wait for an answer: longer than a busy machine takes for a thousand rows.
PATIENCE_MS = 20_000
#: How long a request without an answer is kept waiting by whoever does not say that none comes.
SILENCE_SECONDS = 1.8


@dataclass
class Plan:
    """The faults of the next calls of each kind; then all is well again.

    Attributes:
        look_up_lag_ms: how long a new order stays hidden from every look-up.
        trades_lag_ms: how long a trade is missing wherever trades are told; the order counts it.
        price_age_ms: how old the prices are by the time that is told with them.
        hides: the places that do not tell of orders, by the last word of their path; `order` is the
            look-up by client order id.
        later_seconds: when a request that is carried out late is carried out.
        retry_after_seconds: what a ban tells, and that there were too many requests.
        latency_seconds: how long every answer takes.
        on_the_way: called while a request is on its way, and again while its answer is.
    """

    look_up_lag_ms: int = 0
    trades_lag_ms: int = 0
    price_age_ms: int = 0
    hides: frozenset[str] = frozenset()
    later_seconds: float = 0.3
    retry_after_seconds: int = 1
    latency_seconds: float = 0.0
    on_the_way: Callable[[], object] = nothing
    _next: dict[Call, deque[Fault]] = field(default_factory=dict)

    def plan(self, call: Call | str, *words: Fault | str) -> None:
        """Let the next calls of a kind meet these, one each."""
        self._next.setdefault(Call(call), deque()).extend(Fault(word) for word in words)

    def next(self, call: Call) -> Fault:
        planned = self._next.get(call)
        return planned.popleft() if planned else Fault.OK

    def clear(self) -> None:
        self._next.clear()
        self.look_up_lag_ms = 0
        self.trades_lag_ms = 0
        self.price_age_ms = 0
        self.latency_seconds = 0.0
        self.hides = frozenset()
        self.on_the_way = nothing
