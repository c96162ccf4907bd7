"""What was traded: fills of spot orders, in the order in which they became known.

Each is written by the commit that tells of it. So who shows trades to everybody reads what is new,
and no orders at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import redis

from app.domain.aggregate import Aggregate
from app.domain.enums import Market, Side
from app.domain.identifiers import AccountId, AggregateId, EpochMs, OrderId, Symbol
from app.domain.market import Trade
from app.domain.order import Order
from app.store.core import keys
from app.store.core.scripts import text_of
from app.store.core.sharded import by_server
from app.store.core.transaction import Write
from app.unhurried import unhurried

#: Of one shard. Beyond it the oldest are forgotten here; orders keep their fills.
TRADES_KEPT: Final = 10_000

#: Read from one shard in one go.
_PAGE: Final = 1_000

#: Stream → position of the last entry that was read.
Positions = Mapping[str, str]


def trade_writes(before: Aggregate | None, after: Aggregate) -> Iterator[Write]:
    """Yield the writes of the fills that are new."""
    if not isinstance(after, Order) or after.market is not Market.SPOT:
        return
    known = len(before.fills) if isinstance(before, Order) else 0
    stream = keys.shard_of(after.id).trades
    for number, fill in enumerate(after.fills[known:], known):
        side = after.side.opposite if fill.is_maker else after.side
        facts = (after.account, after.symbol, after.id, number, fill.at_ms, fill.price)
        told = "|".join(map(str, (*facts, fill.quantity, side)))
        yield ("XADD", stream, "MAXLEN", "~", TRADES_KEPT, "*", "trade", told)


class RedisTape:
    """Reads trades as they come.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def after(self, positions: Positions) -> tuple[Positions, Sequence[Trade]]:
        """Return the new positions, and what came after these, in no particular order.

        Of streams that have no position everything is new.
        """
        reached, trades = dict(positions), list[Trade]()
        for server, streams in by_server(self._client, [one.trades for one in keys.SHARDS]).items():
            own: dict[Any, Any] = {one: positions.get(one, "0") for one in streams}
            trades += _all_after(server, own)
            reached |= own
        return reached, trades


def _all_after(server: redis.Redis, reached: dict[Any, Any]) -> Sequence[Trade]:
    """Return the trades after these positions of streams of one server, which are moved on."""
    trades: list[Trade] = []
    while True:
        answer: Any = server.xread(reached, count=_PAGE)
        # A list of (stream, messages) or a mapping, by protocol.
        streams = answer.items() if isinstance(answer, dict) else answer
        if not streams:
            return trades
        for stream, found in streams:
            reached[stream] = text_of(found[-1][0])
            trades += [_trade_from(entry["trade"]) for _, entry in unhurried(found)]


def _trade_from(text: str) -> Trade:
    account, symbol, order_id, number, at_ms, price, quantity, side = text.split("|")
    return Trade(
        account=AccountId(int(account)),
        symbol=Symbol(symbol),
        order_id=OrderId(AggregateId(int(order_id))),
        number=int(number),
        at_ms=EpochMs(int(at_ms)),
        price=Decimal(price),
        quantity=Decimal(quantity),
        taker_side=Side(side),
    )
