"""How accounts stand at their venues, as people and programs read it (docs/api.md).

Everything comes from the store: workers ask the venues.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.admin.venue_rows import VENUE_ACCOUNT
from app.bootstrap import Wiring
from app.domain import moments
from app.domain.account import Account
from app.domain.errors import NotFound, UnreadableRecord
from app.domain.identifiers import AccountId
from app.domain.order import Order
from app.domain.reconciliation import Reconciliation
from app.venues import traits_of
from app.web.answers import Json

#: Orders of unknown outcome, oldest first, among which those are looked for that need a person.
UNKNOWN_MAX = 1_000

#: Workers compare each account once a minute; when the last time is longer ago, something is wrong.
STALE_MS = 180_000


class VenueAccounts:
    """Reads what workers have found out about accounts at their venues."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._memory = wiring.memory

    def of(self, account: Account, waiting: Sequence[Order] | None = None) -> Json:
        """Return how an account stands at its venue.

        Args:
            account: whose it is.
            waiting: its orders that wait for a person, if they have been read already.
        """
        found = self._ports.reconciliations.get(account.id)
        failed = self._ports.reconciliations.failure(account.id)
        if failed is not None and found is not None and found.begun_ms >= failed.begun_ms:
            failed = None  # it went well since
        if waiting is None:
            waiting = self.waiting().get(account.id, ())
        row: Json = VENUE_ACCOUNT.dump(
            {
                "account": account.name,
                "venue": account.venue,
                **_adapter(account),
                "clock_offset_ms": self._memory.clock_offset_ms(account.hosts),
                **self._compared(account.id, found),
                "failure": failed,
                "waiting_for_person": waiting,
                "cancels": self._ports.venue_cancels.of(account.id),
            }
        )
        return row

    def waiting(self) -> Mapping[AccountId, Sequence[Order]]:
        """Return account → its orders that only a person can settle, oldest first."""
        found: dict[AccountId, list[Order]] = defaultdict(list)
        for one in sorted(self._ports.live.unknown())[:UNKNOWN_MAX]:
            with suppress(NotFound, UnreadableRecord):
                order = self._ports.ledger.load(one).aggregate
                if isinstance(order, Order) and order.needs_person:
                    found[order.account].append(order)
        return found

    def _compared(self, account: AccountId, found: Reconciliation | None) -> Json:
        orphans = [one.mismatch() for one in self._ports.reconciliations.orphans(account)]
        if found is None:
            return {
                "at_ms": None,
                "is_stale": False,
                "agrees": False if orphans else None,
                "mismatches": orphans,
                "foreign_orders": (),
            }
        mismatches = [*orphans, *found.mismatches]
        age_ms = moments.age_ms(found.begun_ms, self._ports.clock.server_ms())
        return {
            "at_ms": found.at_ms,
            "is_stale": age_ms > STALE_MS,
            "agrees": not mismatches,
            "mismatches": mismatches,
            "foreign_orders": found.foreign,
        }


def _adapter(account: Account) -> Json:
    """Return what may be expected of the venue; nothing of one that nobody knows any more."""
    try:
        traits = traits_of(account.venue)
    except NotFound:
        return {"adapter": None, "lists_all_symbols": False}
    return {"adapter": traits.adapter, "lists_all_symbols": traits.lists_all_symbols}
