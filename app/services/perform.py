"""Who does what is owed: from each kind of effect to the use case behind it."""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.aggregate import Aggregate
from app.domain.effects import EffectKind
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import Stored
from app.services.admin.adjust import adjust
from app.services.admin.inspect import inspect_account
from app.services.admin.venue_cancels import cancel_at_venue
from app.services.following.news import read_news
from app.services.following.reconcile import reconcile_as_asked
from app.services.learn import learn_for
from app.services.placing.cancel import (
    cancel_order,
    cancel_targets,
    withdraw_children,
    withdraw_order,
)
from app.services.placing.go_on import go_on
from app.services.placing.lane import work_lane
from app.services.placing.place import place_order
from app.services.placing.resolve import resolve_order
from app.services.smart_trades.watches import book_watches, withdraw_orders
from app.services.watching.arm import arm, disarm


def carry_out(kind: EffectKind, target: AggregateId, ports: Ports) -> None:
    """Do one effect. Safe at any time, twice and at once: each step finds out what is still wanted.

    Raises:
        NotFound: there is nothing with this id.
    """
    BY_ID.get(kind, perform)(target, ports)


def perform(aggregate_id: AggregateId, ports: Ports) -> None:
    """Bring the aggregate forward as far as it goes now: its news first, then all that it owes.

    Raises:
        NotFound: there is no such aggregate.
    """
    stored = read_news(aggregate_id, ports)
    for effect in stored.aggregate.owed():
        use_case = OWED_BY.get((type(stored.aggregate), effect.kind))
        if use_case is not None:
            use_case(stored, ports)


def _take_turn(stored: Stored, ports: Ports) -> None:
    work_lane(stored.aggregate.account, stored.aggregate.symbol, ports, stored)


def _execute(stored: Stored, ports: Ports) -> None:
    if isinstance(stored.aggregate, Signal) and stored.aggregate.is_cancel:
        cancel_targets(stored.aggregate, ports)
    else:
        _take_turn(stored, ports)


def _alone(use_case: Callable[[Any, Ports], None]) -> Callable[[Stored, Ports], None]:
    """Return a use case that needs the aggregate alone, however it is stored."""
    return lambda stored, ports: use_case(stored.aggregate, ports)


#: What has a task of its own. Each use case loads what it works on, as it is by then.
BY_ID: Mapping[EffectKind, Callable[[AggregateId, Ports], None]] = {
    EffectKind.PLACE: place_order,
    EffectKind.CANCEL: cancel_order,
    EffectKind.RESOLVE: resolve_order,
    EffectKind.ADJUST: adjust,
    EffectKind.INSPECT: inspect_account,
    EffectKind.LEARN: learn_for,
    EffectKind.RECONCILE: reconcile_as_asked,
    EffectKind.CANCEL_AT_VENUE: cancel_at_venue,
}

#: What else an aggregate may owe, save timers, which `release` looks at: all of it is done by one
#: message, in the order of `owed`. Each use case gets the aggregate as its row names it.
OWED_BY: Mapping[tuple[type[Aggregate], EffectKind], Callable[[Stored, Ports], None]] = {
    (Order, EffectKind.ADVANCE): _take_turn,
    (Signal, EffectKind.ADVANCE): _execute,
    (Signal, EffectKind.WITHDRAW): _alone(withdraw_children),
    (Reversal, EffectKind.ADVANCE): _take_turn,
    (Reversal, EffectKind.WITHDRAW): _alone(withdraw_children),
    (SmartOrder, EffectKind.ADVANCE): _alone(go_on),
    (SmartOrder, EffectKind.WITHDRAW): _alone(withdraw_order),
    (SmartOrder, EffectKind.ARM): _alone(arm),
    (SmartOrder, EffectKind.DISARM): _alone(disarm),
    (SmartTrade, EffectKind.ADVANCE): _alone(go_on),
    (SmartTrade, EffectKind.ARM): _alone(book_watches),
    (SmartTrade, EffectKind.DISARM): _alone(book_watches),
    (SmartTrade, EffectKind.WITHDRAW): _alone(withdraw_orders),
}
