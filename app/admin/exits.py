"""Exits that do not get through: positions that are open though somebody wants them closed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from app.bootstrap import Wiring
from app.domain.aggregate import Aggregate
from app.domain.errors import NotFound, UnreadableRecord
from app.domain.identifiers import AccountName, AggregateId

#: Of more than these it is enough to know that there are more.
SHOWN_MAX = 20

#: What a person can do about one.
FIX = (
    "Mend what its reason names, or close the position at the venue: it is tried again, at least "
    "once a minute, for as long as docs/protection.md says."
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
    for one in islice(sorted(wiring.ports.live.failing_exits()), SHOWN_MAX):
        with suppress(NotFound, UnreadableRecord):
            found = wiring.reader.find(one)
            if found.exit_fails:
                name = wiring.registry.account(found.account).name
                yield FailingExit(id=one, account=name, message=_message(found))


def _message(found: Aggregate) -> str:
    said = "nothing was said" if found.reason is None else found.reason.message
    return f"{found.sentence()} does not get through: {said}"
