"""How accounts stand at their venues, as people and programs read it (docs/api.md).

Everything comes from the store: workers ask the venues.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.bootstrap import Wiring
from app.domain import moments
from app.domain.account import Account
from app.domain.errors import NotFound, UnreadableRecord
from app.domain.identifiers import AccountId
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reconciliation import (
    FailedReconciliation,
    Mismatch,
    Reconciliation,
    VenueOrder,
)
from app.domain.venue_cancel import CancelState, VenueCancel
from app.venues import traits_of

Json = dict[str, object]

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
        if waiting is None:
            waiting = self.waiting().get(account.id, ())
        return {
            "account": account.name,
            "venue": account.venue,
            **_adapter(account),
            "clock_offset_ms": self._memory.clock_offset_ms(account.hosts),
            **self._compared(account.id, found),
            "failure": _failure(found, failed),
            "waiting_for_person": [_waiting_row(one) for one in waiting],
            "cancels": [cancel_row(one) for one in self._ports.venue_cancels.of(account.id)],
        }

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
            nothing: list[Json] = []
            return {
                "at_ms": None,
                "is_stale": False,
                "agrees": False if orphans else None,
                "mismatches": [_mismatch_row(one) for one in orphans],
                "foreign_orders": nothing,
            }
        mismatches = [*orphans, *found.mismatches]
        age_ms = moments.age_ms(found.begun_ms, self._ports.clock.server_ms())
        return {
            "at_ms": found.at_ms,
            "is_stale": age_ms > STALE_MS,
            "agrees": not mismatches,
            "mismatches": [_mismatch_row(one) for one in mismatches],
            "foreign_orders": [_standing_row(one) for one in found.foreign],
        }


def _adapter(account: Account) -> Json:
    """Return what may be expected of the venue; nothing of one that nobody knows any more."""
    try:
        traits = traits_of(account.venue)
    except NotFound:
        return {"adapter": None, "lists_all_symbols": False}
    return {"adapter": traits.adapter, "lists_all_symbols": traits.lists_all_symbols}


def _failure(found: Reconciliation | None, failed: FailedReconciliation | None) -> Json | None:
    """Return why the newest comparison came to nothing, or None if it did not."""
    if failed is None or (found is not None and found.begun_ms >= failed.begun_ms):
        return None
    return {"at_ms": failed.at_ms, "message": failed.message}


def _mismatch_row(mismatch: Mismatch) -> Json:
    order, standing = mismatch.aggregate_id, mismatch.standing
    return {
        "kind": mismatch.kind,
        "about": mismatch.about,
        "message": mismatch.message,
        "fix": mismatch.fix,
        "order_id": None if order is None else str(order),
        "venue_order": None if standing is None else _standing_row(standing),
    }


def _standing_row(order: VenueOrder) -> Json:
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "symbol": order.symbol,
        "side": order.side,
        "quantity": plain(order.quantity),
        "filled_quantity": plain(order.filled_quantity),
        "price": None if order.price is None else plain(order.price),
        "sentence": order.sentence(),
    }


def cancel_row(cancel: VenueCancel) -> Json:
    """Return a cancel of an order that nobody here follows, and what has become of it."""
    return {
        "venue_order": _standing_row(cancel.order),
        "state": cancel.state,
        "message": cancel.message or _BEFORE[cancel.state],
        "is_settled": cancel.is_settled,
        "may_be_repeated": cancel.may_be_repeated,
        "asked_at_ms": cancel.asked_at_ms,
        "next_check_at_ms": None if cancel.is_settled else cancel.next_check_ms,
    }


#: What is to be said before anything is known.
_BEFORE = defaultdict(
    str,
    {
        CancelState.ASKED: "no worker has begun with it yet",
        CancelState.SENT: "a worker is at it",
    },
)


def _waiting_row(order: Order) -> Json:
    return {
        "order_id": str(order.id),
        "client_order_id": order.client_order_id,
        "sentence": order.sentence(),
        "placement": order.token,
        "unknown_since_ms": order.unknown_since_ms,
        "command": (
            f"hookfill resolve {order.id} [absent|open|canceled|filled] --placement {order.token}"
        ),
    }
