"""Lanes: who waits for a turn on one (account, symbol), and who may give turns."""

import redis

from app.domain.identifiers import AccountId, AggregateId, OrderId, Symbol
from app.ports import Turn
from app.store import keys
from app.store.scripts import load_script, text_of, translated
from app.store.transaction import OK

#: Longer than a turn takes; a worker that dies in its turn holds up its lane this long.
LEASE_MS = 3_000

#: How many of those who wait one turn looks at.
LOOKED_AT = 50


class RedisLanes:
    """Lanes in sorted sets, leased by scripts."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._enter = load_script(client, "enter.lua")
        self._release = load_script(client, "release.lua")

    def enter(self, account: AccountId, symbol: Symbol) -> Turn | None:
        """Lease the lane, or return None while somebody else holds it."""
        lane, lease = keys.lane(account, symbol), keys.lane_lease(account, symbol)
        flight = keys.flight(account, symbol)
        answer = self._enter([lane, lease, flight], [LEASE_MS, LOOKED_AT])
        if answer[0] != OK:
            return None
        return Turn(
            account=account,
            symbol=symbol,
            token=int(answer[1]),
            waiting=tuple(AggregateId(int(one)) for one in answer[2]),
            in_flight=tuple(OrderId(AggregateId(int(one))) for one in answer[3]),
        )

    def leave(self, turn: Turn) -> AggregateId | None:
        """Give the lane back, if it is still ours, and return who came to wait meanwhile.

        Whoever came while the lane was leased found it held and went away, so the one who leaves
        must look again. It looks after the release: from then on newcomers can enter themselves.
        """
        self._release([keys.lane_lease(turn.account, turn.symbol)], [turn.token])
        known = set(turn.waiting)
        for one in self._waiting(turn.account, turn.symbol, LOOKED_AT):
            if one not in known:
                return one
        return None

    def head(self, account: AccountId, symbol: Symbol) -> AggregateId | None:
        """Return whose turn would be next, or None while an order of the lane is in flight."""
        with translated():
            if self._client.scard(keys.flight(account, symbol)):
                return None
        waiting = self._waiting(account, symbol, 1)
        return waiting[0] if waiting else None

    def _waiting(self, account: AccountId, symbol: Symbol, most: int) -> list[AggregateId]:
        with translated():
            members = self._client.zrange(keys.lane(account, symbol), 0, most - 1)
        return [AggregateId(int(text_of(one))) for one in members]
