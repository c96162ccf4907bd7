"""Where an aggregate is listed, derived from its state alone.

A commit compares what the aggregate was listed under with what it is listed under now, and writes
the difference. So no index can forget an entry, and none needs a repair.
"""

from collections.abc import Iterator
from typing import NamedTuple

from app.domain.aggregate import Aggregate, is_finished
from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OPEN, OrderStatus
from app.store.core import keys
from app.store.core.transaction import Write

_URGENT = "!"

_REMOVE = {"SADD": "SREM", "HSET": "HDEL", "ZADD": "ZREM", "LANE": "ZREM"}


class Listing(NamedTuple):
    """One entry: by which command, in which key, which member, with which value or score.

    `LANE` is commit.lua's own: a sorted set in which the store decides the place among those of the
    same millisecond.
    """

    command: str
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
    listings: dict[Listing, Effect | None] = dict.fromkeys(_common_listings(aggregate))
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


def _common_listings(aggregate: Aggregate) -> Iterator[Listing]:
    member = str(aggregate.id)
    if aggregate.is_live:
        yield Listing("SADD", keys.account(aggregate.account).live, member)
    if aggregate.exit_fails:
        yield Listing("SADD", keys.shard_of(aggregate.id).failing_exits, member)
    if aggregate.is_only_here:
        yield Listing("SADD", keys.shard_of(aggregate.id).only_here, member)


def _owed(effect: Effect) -> Listing:
    shard = keys.shard_of(effect.target)
    if effect.kind is EffectKind.TIMER:
        return Listing("ZADD", shard.timers, str(effect.target), effect.due_at_ms)
    return Listing("ZADD", shard.outbox, effect_text(effect), effect.due_at_ms)


def _order_listings(order: Order) -> Iterator[Listing]:
    shard, own, member = keys.shard_of(order.id), keys.account(order.account), str(order.id)
    if order.is_queued:
        yield Listing("LANE", own.lane + order.symbol, member, order.due_at_ms)
    if order.holds_lane:
        yield Listing("SADD", own.flight + order.symbol, member)
    if order.status in {OrderStatus.PENDING_NEW, OrderStatus.PLACING} and not order.is_held:
        yield Listing("SADD", shard.placing, member)
    if order.status is OrderStatus.UNKNOWN:
        yield Listing("SADD", shard.unknown, member)
    if order.status in OPEN:
        yield Listing("SADD", own.stops if order.rests else own.open_orders, member)
    if order.is_live and order.caller_id_scope is not None:
        yield Listing("HSET", own.callers + order.caller_id_scope, order.caller_id or "", member)


def _request_listings(request: Request) -> Iterator[Listing]:
    own, member = keys.account(request.account), str(request.id)
    if request.is_live and not request.is_cancel:
        yield Listing("HSET", own.origin + request.origin, member, request.caller_id or "")
    if request.holds_caller_id and request.caller_id is not None:
        yield Listing("HSET", own.callers + request.origin, request.caller_id, member)
    if request.is_queued:
        yield Listing("LANE", own.lane + request.symbol, member, request.due_at_ms)
    if request.guarded_leg is not None:
        leg = f"{request.symbol}:{request.guarded_leg}"
        yield Listing("HSET", own.protectors, member, leg)


def left_by(aggregate: Aggregate | None) -> Listing | None:
    """Return the entry that an aggregate leaves behind when it has ended, if it does."""
    if not isinstance(aggregate, SmartOrder) or aggregate.caller_id is None:
        return None
    if not aggregate.stands_alone:
        return None
    own, member = keys.account(aggregate.account), str(aggregate.id)
    holder = member if aggregate.holds_caller_id else f"{member} free"
    return Listing("HSET", own.smart_callers + aggregate.origin, aggregate.caller_id, holder)


def _smart_order_listings(smart_order: SmartOrder) -> Iterator[Listing]:
    own, member = keys.account(smart_order.account), str(smart_order.id)
    if smart_order.stands_alone and smart_order.is_pending:
        yield Listing("SADD", own.waiting, member)
    lasting = left_by(smart_order)
    if lasting is not None:
        yield lasting


def list_anew(
    before: Aggregate | None, after: Aggregate, server_ms: EpochMs, again_at_ms: EpochMs
) -> tuple[list[Write], list[Effect]]:
    """Return the writes that lead from one set of entries to the other, and what comes to be owed.

    Args:
        before: None for a new aggregate.
        after: as it will be.
        server_ms: from which time on the history shall get what has finished.
        again_at_ms: server time at which the sweep sends an effect again that is due at once.

    Returns:
        The writes, and the effects that are owed now and were not, or not at that time.
    """
    old, new = listings_of(before), listings_of(after)
    writes, effects = _placed(before, after, server_ms), []
    kept = {(listing.key, listing.member) for listing in new}
    for listing in old.keys() - new.keys():
        if (listing.key, listing.member) not in kept:
            writes.append((_REMOVE[listing.command], listing.key, listing.member))
    if _flight(before) != _flight(after):
        own = keys.account(after.account)
        writes.append(("INCR", own.flight_changes + after.symbol))
        if isinstance(after, Order) and after.had_turn:
            writes.append(("INCR", own.turn_changes + after.symbol))
    for listing, effect in new.items():
        if listing in old:
            continue
        writes.append(_added(listing, again_at_ms))
        if effect is not None:
            effects.append(effect)
    return writes, effects


def _flight(aggregate: Aggregate | None) -> OrderStatus | None:
    """Return as what an order is in flight, if it is."""
    if isinstance(aggregate, Order) and aggregate.holds_lane:
        return aggregate.status
    return None


def _added(listing: Listing, again_at_ms: EpochMs) -> Write:
    command, key, member, value = listing
    match command:
        case "SADD":
            return command, key, member
        case "HSET":
            return command, key, member, value
        case "LANE":
            return command, key, value, member
        case _:
            return command, key, value or again_at_ms, member


def _placed(before: Aggregate | None, after: Aggregate, server_ms: EpochMs) -> list[Write]:
    """Return the writes that say where the newest form of an aggregate is: here, or soon there.

    What the history holds is never the newest form once a commit is through, so a change of
    something finished, a fill that overtook the news for instance, brings it back into the list.
    """
    shard, member = keys.shard_of(after.id), str(after.id)
    was_finished = before is not None and is_finished(before)
    writes: list[Write] = []
    if before is None or was_finished:
        writes.append(("ZADD", shard.everything, after.created_at_ms, member))
    if was_finished:
        writes.append(("ZREM", shard.kept, member))
    if is_finished(after):
        writes.append(("ZADD", shard.finished, server_ms, member))
    elif was_finished:
        writes.append(("ZREM", shard.finished, member))
    return writes
