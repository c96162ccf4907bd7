"""Where an aggregate is listed, derived from its state alone.

A commit compares what the aggregate was listed under with what it is listed under now, and writes
the difference. So no index can forget an entry, and none needs a repair.
"""

from dataclasses import dataclass

from app.domain.aggregate import Aggregate, is_finished
from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OPEN, OrderStatus
from app.store.core import keys
from app.store.core.transaction import Transaction

_URGENT = "!"


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry: in which key, which member, with which value or score.

    `shape` is the Redis type: SET, HASH, ZSET, or LANE, a sorted set in which the store decides the
    place among those of the same millisecond.
    """

    shape: str
    key: str
    member: str
    value: str | int = ""


def effect_text(effect: Effect) -> str:
    """Return the outbox member of an effect, for instance `place:123` or `cancel!:123`."""
    return f"{effect.kind}{_URGENT if effect.urgent else ''}:{effect.target}"


def effect_from(text: str) -> Effect:
    """Return the effect of an outbox member."""
    word, _, target = text.partition(":")
    return Effect(
        kind=EffectKind(word.removesuffix(_URGENT)),
        target=AggregateId(int(target)),
        urgent=word.endswith(_URGENT),
    )


def listings_of(aggregate: Aggregate | None) -> dict[Listing, Effect | None]:
    """Return all the entries of an aggregate → the effect that an entry stands for, if it does."""
    if aggregate is None:
        return {}
    listings: dict[Listing, Effect | None] = {}
    member, account = str(aggregate.id), aggregate.account
    if aggregate.is_live:
        listings[Listing("SET", keys.live(account), member)] = None
    for effect in aggregate.owed():
        listings[_owed(effect)] = effect
    match aggregate:
        case Order():
            listings.update(dict.fromkeys(_order_listings(aggregate)))
        case Request():
            listings.update(dict.fromkeys(_request_listings(aggregate)))
        case SmartOrder():
            listings.update(dict.fromkeys(_smart_order_listings(aggregate)))
        case SmartTrade():
            pass  # it is live, and the rest is in what it owes
    return listings


def _owed(effect: Effect) -> Listing:
    shard = keys.shard_of_id(effect.target)
    if effect.kind is EffectKind.TIMER:
        return Listing("ZSET", keys.timers(shard), str(effect.target), effect.due_at_ms)
    return Listing("ZSET", keys.outbox(shard), effect_text(effect), effect.due_at_ms)


def _order_listings(order: Order) -> list[Listing]:
    shard, member = keys.shard_of_id(order.id), str(order.id)
    listings = []
    if order.is_queued:
        key = keys.lane(order.account, order.symbol)
        listings.append(Listing("LANE", key, member, order.due_at_ms))
    if order.is_in_flight:
        listings.append(Listing("SET", keys.flight(order.account, order.symbol), member))
    if order.status in {OrderStatus.PENDING_NEW, OrderStatus.PLACING} and not order.is_held:
        listings.append(Listing("SET", keys.placing(shard), member))
    if order.status is OrderStatus.UNKNOWN:
        listings.append(Listing("SET", keys.unknown(shard), member))
    if order.status in OPEN:
        listings.append(Listing("SET", keys.open_orders(order.account), member))
    if order.is_live and order.caller_id_scope is not None:
        key = keys.callers(order.account, order.caller_id_scope)
        listings.append(Listing("HASH", key, order.caller_id or "", member))
    return listings


def _request_listings(request: Request) -> list[Listing]:
    member, account = str(request.id), request.account
    listings = []
    if request.is_live and not request.is_cancel:
        key = keys.origin(account, request.origin)
        listings.append(Listing("HASH", key, member, request.caller_id or ""))
    if request.holds_caller_id and request.caller_id is not None:
        key = keys.callers(account, request.origin)
        listings.append(Listing("HASH", key, request.caller_id, member))
    if request.is_queued:
        key = keys.lane(account, request.symbol)
        listings.append(Listing("LANE", key, member, request.due_at_ms))
    if request.guarded_leg is not None:
        key = keys.protectors(account, request.symbol, request.guarded_leg)
        listings.append(Listing("SET", key, member))
    return listings


def _smart_order_listings(smart_order: SmartOrder) -> list[Listing]:
    member, account = str(smart_order.id), smart_order.account
    listings = []
    if smart_order.stands_alone and smart_order.is_waiting:
        listings.append(Listing("SET", keys.waiting(account), member))
    if smart_order.stands_alone and smart_order.caller_id is not None:
        key = keys.smart_callers(account, smart_order.origin)
        holder = member if smart_order.holds_caller_id else f"{member} free"
        listings.append(Listing("HASH", key, smart_order.caller_id, holder))
    return listings


_REMOVE = {"SET": "SREM", "HASH": "HDEL", "ZSET": "ZREM", "LANE": "ZREM"}


def write_difference(
    before: Aggregate | None, after: Aggregate, again_at_ms: EpochMs, transaction: Transaction
) -> list[Effect]:
    """Add the writes that lead from one set of entries to the other.

    Args:
        before: None for a new aggregate.
        after: as it will be.
        again_at_ms: server time at which the sweep sends an effect again that is due at once.
        transaction: gathers the writes.

    Returns:
        The effects that are owed now and were not, or not at that time.
    """
    old, new = listings_of(before), listings_of(after)
    kept = {(listing.key, listing.member) for listing in new}
    for listing in old.keys() - new.keys():
        if (listing.key, listing.member) not in kept:
            transaction.write(_REMOVE[listing.shape], listing.key, listing.member)
    if _flight(before) != _flight(after):
        transaction.write("INCR", keys.flight_changes(after.account, after.symbol))
        if isinstance(after, Order) and after.had_turn:
            transaction.write("INCR", keys.turn_changes(after.account, after.symbol))
    effects = []
    for listing, effect in new.items():
        if listing in old:
            continue
        _add(listing, again_at_ms, transaction)
        if effect is not None:
            effects.append(effect)
    return effects


def _flight(aggregate: Aggregate | None) -> OrderStatus | None:
    """Return as what an order is in flight, if it is."""
    if isinstance(aggregate, Order) and aggregate.is_in_flight:
        return aggregate.status
    return None


def _add(listing: Listing, again_at_ms: EpochMs, transaction: Transaction) -> None:
    key, member, value = listing.key, listing.member, listing.value
    match listing.shape:
        case "SET":
            transaction.write("SADD", key, member)
        case "HASH":
            transaction.write("HSET", key, member, value)
        case "LANE":
            transaction.write("LANE", key, value, member)
        case _:
            transaction.write("ZADD", key, value or again_at_ms, member)


def write_place(
    before: Aggregate | None, after: Aggregate, server_ms: EpochMs, transaction: Transaction
) -> None:
    """Add the writes that say where the newest form of an aggregate is: here, or soon there.

    What the history holds is never the newest form once a commit is through, so a change of
    something finished, a fill that overtook the news for instance, brings it back into the list.

    Args:
        before: None for a new aggregate.
        after: as it will be.
        server_ms: from which time on the history shall get what has finished.
        transaction: gathers the writes.
    """
    shard, member = keys.shard_of_id(after.id), str(after.id)
    was_finished = before is not None and is_finished(before)
    if before is None or was_finished:
        transaction.write("ZADD", keys.everything(shard), after.created_at_ms, member)
    if was_finished:
        transaction.write("ZREM", keys.kept(shard), member)
    if is_finished(after):
        transaction.write("ZADD", keys.finished(shard), server_ms, member)
    elif was_finished:
        transaction.write("ZREM", keys.finished(shard), member)
