"""Cancels of orders that are open at venues, and that nobody here follows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from app.domain.identifiers import AccountId, AggregateId
from app.domain.venue_cancel import VenueCancel
from app.ports.clock import Clock
from app.store.core.codec import encoder, value_from
from app.store.core.scripts import load_script
from app.store.core.transaction import OK
from app.store.memory import venue_keys

#: How long after its outcome one is shown.
LIFE_MS = 86_400_000


class RedisVenueCancels:
    """All of them in one hash, for people ask for them one by one.

    Args:
        client: decodes answers to text.
        clock: tells the server's time.
    """

    def __init__(self, client: redis.Redis, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._swap = load_script(client, "swap_field.lua")

    def begin(self, wish: VenueCancel) -> VenueCancel:
        """Store a wish and return it, or return the one for the same order that counts still."""
        while True:
            kept = dict(self._all())
            self._forget_old(kept)
            before = kept.get(_field(wish))
            if before is not None and not before.may_be_repeated:
                return before
            if self._swapped(_field(wish), before, wish):
                return wish

    def change(self, before: VenueCancel, after: VenueCancel) -> bool:
        """Put one in the place of what it was, and return whether nobody else had changed it."""
        return self._swapped(_field(before), before, after)

    def find(self, cancel_id: AggregateId) -> VenueCancel | None:
        """Return one by its id, or None if there is none, or another one has taken its place."""
        return next((one for _, one in self._all() if one.id == cancel_id), None)

    def of(self, account: AccountId) -> Sequence[VenueCancel]:
        """Return those of an account, newest first."""
        found = [one for _, one in self._all() if one.account == account]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def unsettled(self) -> Sequence[VenueCancel]:
        """Return those whose outcome is not known, of all accounts."""
        return [one for _, one in self._all() if not one.is_settled]

    def _all(self) -> Iterator[tuple[str, VenueCancel]]:
        found: Any = self._client.hgetall(venue_keys.VENUE_CANCELS)
        for field, text in found.items():
            yield field, value_from(VenueCancel, text)

    def _forget_old(self, kept: dict[str, VenueCancel]) -> None:
        """Let go of those that nobody looks at any more."""
        before_ms = self._clock.server_ms() - LIFE_MS
        for field, one in list(kept.items()):
            if one.is_settled and one.settled_ms < before_ms:
                self._swapped(field, one, None)
                del kept[field]

    def _swapped(self, field: str, before: VenueCancel | None, after: VenueCancel | None) -> bool:
        arguments = [field, _text_of(before), _text_of(after)]
        return bool(self._swap([venue_keys.VENUE_CANCELS], arguments)[0] == OK)


def _field(cancel: VenueCancel) -> str:
    return f"{cancel.account}:{cancel.order.symbol}:{cancel.order.venue_order_id}"


def _text_of(cancel: VenueCancel | None) -> str:
    return "" if cancel is None else json.dumps(encoder(VenueCancel)(cancel), separators=(",", ":"))
