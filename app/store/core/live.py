"""Which aggregates are live, by several keys."""

from collections.abc import Collection, Mapping, Sequence

import redis

from app.domain.enums import PositionSide
from app.domain.identifiers import AccountId, AggregateId, EpochMs, OrderId, Symbol
from app.domain.limit_checks import Sent
from app.domain.order import Order
from app.domain.smart_order import SmartOrder
from app.ports.ledger import UnderWay
from app.store.core import keys
from app.store.core.quarantine import RedisQuarantine
from app.store.core.scripts import text_of


class RedisLive:
    """Reads what the commits have listed."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._quarantine = RedisQuarantine(client)

    def of_origin(self, account: AccountId, origin: str) -> Mapping[AggregateId, str]:
        """Return the live top-level aggregates of one origin: id → caller id or ''."""
        found = self._client.hgetall(keys.account(account).origin + origin)
        return {AggregateId(int(one)): text_of(caller_id) for one, caller_id in found.items()}

    def of_account(self, account: AccountId) -> Collection[AggregateId]:
        """Return every live aggregate of an account."""
        return self._ids(keys.account(account).live)

    def open_orders(self, account: AccountId) -> Collection[AggregateId]:
        """Return the orders of an account that are at its venue, but for stops that rest there."""
        return self._ids(keys.account(account).open_orders)

    def stops(self, account: AccountId) -> Collection[AggregateId]:
        """Return the stops of an account that rest at its venue."""
        return self._ids(keys.account(account).stops)

    def holds_caller_id(self, account: AccountId, scope: str, caller_id: str) -> bool:
        """Tell whether something live holds a caller id."""
        return bool(self._client.hexists(keys.account(account).callers + scope, caller_id))

    def under_way(self, account: AccountId) -> UnderWay:
        """Return what of an account may still trade, and what was sent lately."""
        own, shard = keys.account(account), keys.shard_of(account)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(own.claims)
            pipeline.sinter([shard.placing, own.live])
            pipeline.sinter([shard.unknown, own.live])
            pipeline.smembers(own.open_orders)
            pipeline.zrange(own.sent, 0, -1, withscores=True)
            pipeline.zrange(own.filled, 0, -1)
            claims, *each, sent, filled = pipeline.execute()
        orders = {AggregateId(int(one)) for found in each for one in found}
        return UnderWay(
            claims=int(claims or 0),
            orders=tuple(sorted(orders)),
            sent=tuple(_sent_from(text_of(one), at_ms) for one, at_ms in sent),
            filled=tuple(AggregateId(int(one)) for one in filled),
        )

    def with_any(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts of which anything is live, asked all at once."""
        return self._having(accounts, [[keys.account(one).live] for one in accounts])

    def with_open_orders(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts that have open orders, as above, asked all at once."""
        return self._having(accounts, [[keys.account(one).open_orders] for one in accounts])

    def with_guards(self, accounts: Sequence[AccountId]) -> Collection[AccountId]:
        """Return those of these accounts with guards, here or at the venue, asked all at once."""
        wanted = [keys.account(one) for one in accounts]
        return self._having(accounts, [[one.protectors, one.stops] for one in wanted])

    def _having(
        self, accounts: Sequence[AccountId], of_each: Sequence[Sequence[str]]
    ) -> set[AccountId]:
        """Return the accounts of which any of these keys is there."""
        with self._client.pipeline(transaction=False) as pipeline:
            for own in of_each:
                pipeline.exists(*own)
            found = pipeline.execute()
        return {one for one, exists in zip(accounts, found, strict=True) if exists}

    def placing(self) -> Collection[AggregateId]:
        """Return the orders that are PENDING_NEW or PLACING, of all accounts."""
        return self._of_shards([shard.placing for shard in keys.SHARDS])

    def unknown(self) -> Collection[AggregateId]:
        """Return the orders that are UNKNOWN, of all accounts."""
        return self._of_shards([shard.unknown for shard in keys.SHARDS])

    def failing_exits(self) -> Collection[AggregateId]:
        """Return what has an exit that does not get through, of all accounts."""
        return self._of_shards([shard.failing_exits for shard in keys.SHARDS])

    def only_here(self) -> Collection[AggregateId]:
        """Return what has a stop here alone, of all accounts."""
        return self._of_shards([shard.only_here for shard in keys.SHARDS])

    def protectors(self, order: Order) -> Collection[AggregateId]:
        """Return the aggregates that guard the position which this order works on."""
        return self.guards(order.account, (order.symbol, order.reduced_leg))

    def guards(
        self, account: AccountId, of: tuple[Symbol, PositionSide] | None = None
    ) -> Collection[AggregateId]:
        """Return what guards one leg of an account's positions, or any of them."""
        found = self._client.hgetall(keys.account(account).protectors)
        leg = None if of is None else f"{of[0]}:{of[1]}"
        return sorted(
            AggregateId(int(one)) for one, whose in found.items() if leg in {None, text_of(whose)}
        )

    def waiting(self, account: AccountId) -> Sequence[SmartOrder]:
        """Return the smart orders of an account that stand alone and wait, here or there.

        The newest come first.
        """
        ids = sorted(self._ids(keys.account(account).waiting), reverse=True)
        found = self._quarantine.load(ids)
        return [one for one in found.values() if isinstance(one, SmartOrder) and one.is_pending]

    def _of_shards(self, each: Sequence[str]) -> list[AggregateId]:
        with self._client.pipeline(transaction=False) as pipeline:
            for key in each:
                pipeline.smembers(key)
            found = pipeline.execute()
        return [one for members in found for one in sorted(AggregateId(int(m)) for m in members)]

    def _ids(self, key: str) -> list[AggregateId]:
        return sorted(AggregateId(int(one)) for one in self._client.smembers(key))


def _sent_from(member: str, at_ms: float) -> Sent:
    order_id, _, symbol = member.partition(" ")
    return Sent(OrderId(AggregateId(int(order_id))), Symbol(symbol), EpochMs(int(at_ms)))
