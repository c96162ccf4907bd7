"""Which aggregates are live, by several keys."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.enums import Direction, PositionSide, Side
from app.domain.errors import ClaimsChanged, StaleRegistry
from app.domain.identifiers import AccountId, EpochMs
from app.domain.order import Condition
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.ports.ledger import Change, Claim, CommitConditions
from tests.support.builders import (
    ETH,
    ORIGIN,
    SPOT,
    SPOT_ID,
    USDM_ID,
    a_signal,
    a_smart_order,
    an_id,
    an_order,
    an_order_in,
)
from tests.support.redis_store import Store

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
A_CONDITION = Condition(level=Decimal(1_843), direction=Direction.FALLING)


def test_an_origin_shows_its_live_signals_with_their_caller_ids(store: Store) -> None:
    store.put(a_signal(id=an_id(1), caller_id="Long"))
    store.put(a_signal(id=an_id(2), status=RequestStatus.SCHEDULED))
    store.put(a_signal(id=an_id(3), status=RequestStatus.DONE))
    store.put(a_signal(id=an_id(4), origin="crypto_arsenal:two"))
    store.put(a_signal(Action.CANCEL_ALL, id=an_id(5)))

    assert store.live.of_origin(SPOT_ID, ORIGIN) == {an_id(1): "Long", an_id(2): ""}


def test_an_origin_shows_a_signal_while_its_protection_lives(store: Store) -> None:
    signal = a_signal(Action.OPEN_LONG, stage=Stage.PROTECTED, caller_id="Long")
    store.put(signal)

    assert store.live.of_origin(USDM_ID, ORIGIN) == {signal.id: "Long"}


def test_an_account_shows_everything_live_of_it(store: Store) -> None:
    store.put(a_signal(id=an_id(1)))
    store.put(an_order(id=an_id(2)))
    store.put(an_order_in(OrderStatus.FILLED, id=an_id(3)))
    store.put(a_smart_order())

    assert list(store.live.of_account(SPOT_ID)) == [an_id(1), an_id(2)]
    assert list(store.live.of_account(USDM_ID)) == [a_smart_order().id]
    assert set(store.live.with_any([SPOT_ID, USDM_ID, AccountId(9)])) == {SPOT_ID, USDM_ID}


def test_a_smart_order_is_live_until_it_ends(store: Store) -> None:
    store.put(a_smart_order())

    store.change(a_smart_order(status=SmartOrderStatus.CANCELED))

    assert list(store.live.of_account(USDM_ID)) == []


@pytest.mark.parametrize("status", OrderStatus)
def test_orders_on_their_way_are_found_by_status(store: Store, status: OrderStatus) -> None:
    order = an_order_in(status, id=an_id(1, USDM_ID), account=USDM_ID)
    store.put(order)

    placing = status in {OrderStatus.PENDING_NEW, OrderStatus.PLACING}
    assert (order.id in store.live.placing()) is placing
    assert (order.id in store.live.unknown()) is (status is OrderStatus.UNKNOWN)


def test_accounts_with_orders_at_their_venue_are_found_at_once(store: Store) -> None:
    store.put(an_order_in(OrderStatus.NEW, id=an_id(1, USDM_ID), account=USDM_ID))
    store.put(an_order_in(OrderStatus.FILLED, id=an_id(2), account=SPOT_ID))

    assert set(store.live.with_open_orders([SPOT_ID, USDM_ID])) == {USDM_ID}
    assert set(store.live.with_open_orders([])) == set()


def test_stops_that_rest_are_not_among_the_open_orders_until_they_fill(store: Store) -> None:
    waits = {"condition": A_CONDITION, "reduces": True, "side": Side.SELL}
    stop = an_order_in(OrderStatus.NEW, id=an_id(1, USDM_ID), account=USDM_ID, **waits)
    store.put(stop)

    assert list(store.live.stops(USDM_ID)) == [stop.id]
    assert list(store.live.open_orders(USDM_ID)) == []
    assert set(store.live.with_open_orders([SPOT_ID, USDM_ID])) == set()
    assert set(store.live.with_guards([SPOT_ID, USDM_ID])) == {USDM_ID}

    filling = an_order_in(OrderStatus.PARTIALLY_FILLED, id=stop.id, account=USDM_ID, **waits)
    store.ledger.commit([Change(store.ledger.load(stop.id), filling)])

    assert list(store.live.stops(USDM_ID)) == []
    assert list(store.live.open_orders(USDM_ID)) == [stop.id]
    assert set(store.live.with_open_orders([SPOT_ID, USDM_ID])) == {USDM_ID}
    assert set(store.live.with_guards([SPOT_ID, USDM_ID])) == set()


@pytest.mark.parametrize(
    ("side", "leg", "guards"),
    [
        (Side.SELL, LONG, Action.OPEN_LONG),
        (Side.SELL, None, Action.OPEN_LONG),
        (Side.BUY, SHORT, Action.OPEN_SHORT),
        (Side.BUY, None, Action.OPEN_SHORT),
    ],
)
def test_an_order_finds_who_guards_the_leg_that_it_works_on(
    store: Store, side: Side, leg: PositionSide | None, guards: Action
) -> None:
    for number, action in ((1, Action.OPEN_LONG), (2, Action.OPEN_SHORT)):
        store.put(a_signal(action, id=an_id(number, USDM_ID), stage=Stage.PROTECTED))
    order = an_order(account=USDM_ID, symbol="ETH/USDT", side=side, position_side=leg)

    number = 1 if guards is Action.OPEN_LONG else 2
    assert list(store.live.protectors(order)) == [an_id(number, USDM_ID)]


def test_accounts_with_guards_are_found_at_once_until_the_guards_end(store: Store) -> None:
    for number, action in ((1, Action.OPEN_LONG), (2, Action.OPEN_SHORT)):
        store.put(a_signal(action, id=an_id(number, USDM_ID), stage=Stage.PROTECTED))

    assert set(store.live.with_guards([SPOT_ID, USDM_ID])) == {USDM_ID}
    assert list(store.live.guards(USDM_ID)) == [an_id(number, USDM_ID) for number in (1, 2)]
    assert list(store.live.guards(USDM_ID, (ETH, SHORT))) == [an_id(2, USDM_ID)]
    for number in (1, 2):
        stored = store.ledger.load(an_id(number, USDM_ID))
        assert isinstance(stored.aggregate, Signal)
        done = replace(stored.aggregate, status=RequestStatus.DONE)
        store.ledger.commit([Change(stored, done)])
    assert set(store.live.with_guards([SPOT_ID, USDM_ID])) == set()


def test_who_has_nothing_open_yet_guards_nothing(store: Store) -> None:
    store.put(a_signal(Action.OPEN_LONG, stage=Stage.WORKING))
    order = an_order(account=USDM_ID, symbol="ETH/USDT", position_side=LONG)

    assert list(store.live.protectors(order)) == []


# What may still trade


def test_what_may_still_trade_of_one_account(store: Store) -> None:
    for number, status in enumerate(OrderStatus, 1):
        store.put(an_order_in(status, id=an_id(number)))
        store.put(an_order_in(status, id=an_id(number, USDM_ID), account=USDM_ID))

    found = store.live.under_way(SPOT_ID)

    stand = {one: store.ledger.load(one).aggregate.status for one in found.orders}
    assert set(stand.values()) == {"PENDING_NEW", "PLACING", "UNKNOWN", "NEW", "PARTIALLY_FILLED"}
    assert len(stand) == len(set(stand.values()))
    assert (found.claims, found.sent) == (0, ())


def test_claims_are_counted_and_what_they_send_is_kept_for_a_while(store: Store) -> None:
    order = an_order(id=an_id(1))
    store.put(order)
    claim = Claim(seen=0, entry=order, looks_back_ms=60_000)

    store.change(replace(order, attempts=1), CommitConditions(claim=claim))
    store.change(replace(order, attempts=2), CommitConditions(claim=replace(claim, seen=1)))
    store.change(replace(order, attempts=3), CommitConditions(claim=Claim(seen=2)))
    found = store.live.under_way(SPOT_ID)

    assert found.claims == 3
    assert [(one.order_id, one.symbol) for one in found.sent] == [(order.id, order.symbol)]
    store.clock.advance(60_001)
    other = an_order(id=an_id(2))
    store.put(other)
    later = Claim(seen=3, entry=other, looks_back_ms=60_000)
    store.change(replace(other, attempts=1), CommitConditions(claim=later))
    assert [one.order_id for one in store.live.under_way(SPOT_ID).sent] == [other.id]


def test_what_has_filled_just_now_is_listed_of_accounts_with_limits(store: Store) -> None:
    account = store.registry.put_account(replace(SPOT, id=AccountId(0)))
    order = an_order_in(OrderStatus.NEW, id=an_id(1), account=account.id)
    store.put(order)
    store.change(replace(order, filled_quantity=Decimal("0.1")))
    assert store.live.under_way(account.id).filled == ()
    store.registry.put_account(replace(account, limits={"max_open_orders": "1"}))

    store.change(replace(order, attempts=2, filled_quantity=Decimal("0.1")))
    assert store.live.under_way(account.id).filled == ()
    store.change(replace(order, filled_quantity=Decimal("0.2")))
    assert store.live.under_way(account.id).filled == (order.id,)

    other = an_order_in(OrderStatus.NEW, id=an_id(2), account=account.id)
    store.put(other)
    later = EpochMs(order.updated_at_ms + 10_000)
    filled = replace(other, filled_quantity=Decimal("0.1"), updated_at_ms=later)
    store.change(filled)
    assert store.live.under_way(account.id).filled == (other.id,)


def test_a_claim_is_refused_if_another_came_first(store: Store) -> None:
    order = an_order(id=an_id(1))
    stored = store.put(order)
    store.change(replace(order, attempts=1), CommitConditions(claim=Claim(seen=0)))

    with pytest.raises(ClaimsChanged):
        store.change(replace(order, attempts=2), CommitConditions(claim=Claim(seen=0)))

    assert store.ledger.load(order.id).version == stored.version + 1
    assert store.live.under_way(SPOT_ID).claims == 1


def test_a_claim_by_limits_that_have_changed_since_is_refused(store: Store) -> None:
    account = store.registry.put_account(replace(SPOT, id=AccountId(0)))
    version = store.registry.version()
    order = an_order(id=an_id(1), account=account.id)
    store.put(order)
    store.registry.put_account(replace(account, group="others"))
    store.change(replace(order, attempts=1), CommitConditions(limits_of=version))

    store.registry.put_account(replace(account, limits={"max_open_orders": "1"}))

    with pytest.raises(StaleRegistry):
        store.change(replace(order, attempts=2), CommitConditions(limits_of=version))
    newest = CommitConditions(limits_of=store.registry.version())
    store.change(replace(order, attempts=2), newest)
