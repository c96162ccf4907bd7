"""Exits that do not get through: positions that are open though somebody wants them closed.

And stops that a venue was to hold, and does not.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from app.bootstrap import Wiring
from app.domain.aggregate import Aggregate
from app.domain.errors import NotFound, UnreadableRecord
from app.domain.identifiers import AccountName, AggregateId
from app.domain.reason import Reason
from app.domain.smart_trade.trade import SmartTrade

#: Of more than these it is enough to know that there are more.
SHOWN_MAX = 20

#: What a person can do about one.
FIX = (
    "Mend what its reason names, or close the position at the venue: it is tried again, at least "
    "once a minute, for as long as docs/protection.md says."
)

#: What a person can do about a stop that is here alone.
FIX_ONLY_HERE = (
    "Its stop here acts while Hookfill runs. Mend what its reason names; docs/protection.md says "
    "when the venue is asked again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingExit:
    """What has an exit that does not get through.

    Attributes:
        message: what was wanted, and what the venue said last.
    """

    id: AggregateId
    account: AccountName
    message: str


def failing_exits(wiring: Wiring) -> Iterator[FailingExit]:
    """Yield the oldest of them.

    Raises:
        StoreUnavailable: the store does not say.
    """
    listed = wiring.ports.live.failing_exits()
    return _told(listed, lambda one: one.exit_fails, "does not get through", wiring)


def only_here(wiring: Wiring) -> Iterator[FailingExit]:
    """Yield the oldest of what has a stop here alone though its venue was to hold one.

    Raises:
        StoreUnavailable: the store does not say.
    """
    listed = wiring.ports.live.only_here()
    return _told(listed, lambda one: one.is_only_here, "has no stop at its venue", wiring)


def _told(
    listed: Collection[AggregateId],
    is_still: Callable[[Aggregate], bool],
    what: str,
    wiring: Wiring,
) -> Iterator[FailingExit]:
    for one in islice(sorted(listed), SHOWN_MAX):
        with suppress(NotFound, UnreadableRecord):
            found = wiring.reader.find(one)
            if is_still(found):
                reason = _reason_of(found)
                said = "nothing was said" if reason is None else reason.message
                yield FailingExit(
                    id=one,
                    account=wiring.registry.account(found.account).name,
                    message=f"{found.sentence()} {what}: {said}",
                )


def _reason_of(found: Aggregate) -> Reason | None:
    if found.is_only_here and isinstance(found, SmartTrade):
        return found.venue_stop.reason
    return found.reason
