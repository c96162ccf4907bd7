"""Lanes: who waits for a turn on one (account, symbol), and what is in flight there."""

import redis

from app.domain.identifiers import AccountId, AggregateId, OrderId, Symbol
from app.ports.ledger import LaneView
from app.store.core import keys
from app.store.core.scripts import text_of

#: How many of those who wait one look sees.
LOOKED_AT = 50


class RedisLanes:
    """Lanes in sorted sets."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def look(self, account: AccountId, symbol: Symbol) -> LaneView:
        """Return who waits, what is in flight, and how often that has changed, at one moment."""
        own = keys.account(account)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(own.flight_changes + symbol)
            pipeline.get(own.turn_changes + symbol)
            pipeline.zrange(own.lane + symbol, 0, LOOKED_AT - 1)
            pipeline.smembers(own.flight + symbol)
            changes, turns, waiting, in_flight = pipeline.execute()
        return LaneView(
            account=account,
            symbol=symbol,
            changes=int(changes or 0),
            turns=int(turns or 0),
            waiting=tuple(AggregateId(int(text_of(one))) for one in waiting),
            in_flight=tuple(OrderId(AggregateId(int(text_of(one)))) for one in in_flight),
        )

    def head(self, account: AccountId, symbol: Symbol) -> AggregateId | None:
        """Return whose turn would be next, or None while an order of the lane is in flight."""
        lane = self.look(account, symbol)
        return lane.waiting[0] if lane.waiting and not lane.in_flight else None
