"""What accounts have gained or lost today, and what they have traded since that was told."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import redis

from app.domain.aggregate import Aggregate
from app.domain.identifiers import AccountId
from app.domain.money import worth
from app.domain.order import Order
from app.domain.results import Results, Traded
from app.ports.results import KeptResults
from app.store.core import keys
from app.store.core.codec import encoder, json_text, value_from
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import Key, Write

#: More trades than one account makes before somebody looks at its result.
TRADES_KEPT: Final = 10_000

#: Every exchange shows sooner what has filled.
FILLED_KEPT_MS: Final = 10_000

_NOTHING: Final = Decimal(0)


def traded_writes(before: Aggregate | None, after: Aggregate) -> Iterator[Write]:
    """Yield the writes of what an order has filled more, if it has."""
    if not isinstance(after, Order):
        return
    known = before if isinstance(before, Order) else None
    own = keys.account(after.account)
    if after.filled_quantity > (_NOTHING if known is None else known.filled_quantity):
        at_ms, id_ = after.updated_at_ms, after.id
        yield ("FILLED", own.filled, Key(own.limits_since), at_ms, id_, FILLED_KEPT_MS)
    traded = _traded(known, after)
    if traded is not None:
        text = json_text(encoder(Traded)(traded))
        yield ("TRADE", own.traded, Key(own.results), TRADES_KEPT, text)


def _traded(before: Order | None, after: Order) -> Traded | None:
    old_quantity, old_value = _filled(before)
    quantity, value = _filled(after)
    old_fees = {} if before is None else before.fees
    if (old_quantity, old_value, old_fees) == (quantity, value, after.fees):
        return None
    return Traded(
        symbol=after.symbol,
        market=after.market,
        side=after.side,
        leg=after.position_side,
        reduces=after.reduces,
        quantity=quantity - old_quantity,
        value=value - old_value,
        price=after.average_price or after.price or _NOTHING,
        fees={
            currency: fee - old_fees.get(currency, _NOTHING)
            for currency, fee in after.fees.items()
            if fee != old_fees.get(currency, _NOTHING)
        },
        at_ms=after.updated_at_ms,
    )


def _filled(order: Order | None) -> tuple[Decimal, Decimal]:
    """Return how much is filled and what that is worth; what has no price yet comes later."""
    if order is None or not order.filled_quantity or not order.average_price:
        return _NOTHING, _NOTHING
    quantity = order.filled_quantity
    return quantity, worth(order.market, quantity, order.average_price)


class RedisDayResults:
    """Keeps results beside the trades that are not in them yet.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._keep = load_script(client, "keep_results.lua")

    def read(self, account: AccountId) -> KeptResults:
        """Return what is kept of an account."""
        own = keys.account(account)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hget(own.results, "body")
            pipeline.xrange(own.traded)
            text, found = pipeline.execute()
        results = None if text is None else value_from(Results, text_of(text))
        marks: list[tuple[str, Any]] = [(text_of(mark), entry) for mark, entry in found]
        seen = _order(results.seen if results else "0")
        newer = [
            (mark, value_from(Traded, text_of(entry["trade"])))
            for mark, entry in marks
            if _order(mark) > seen
        ]
        newest = marks[-1][0] if marks else (results.seen if results else "0")
        return KeptResults(results, newer, newest)

    def keep(self, account: AccountId, results: Results, before: Results | None) -> None:
        """Keep the results, and forget the trades that are in them."""
        own, body = keys.account(account), json_text(encoder(Results)(results))
        seen = "" if before is None else before.seen
        self._keep([own.results, own.traded], [seen, results.seen, body])

    def forget(self, account: AccountId) -> None:
        """Keep nothing of an account any more."""
        own = keys.account(account)
        self._client.delete(own.results, own.traded)


def _order(mark: str) -> tuple[int, int]:
    """Return a mark of a stream as something that can be compared."""
    ms, _, number = mark.partition("-")
    return int(ms), int(number or 0)
