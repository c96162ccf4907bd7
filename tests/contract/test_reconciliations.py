"""What reconciliations have found, and cancels of what they have found, over both servers."""

from dataclasses import replace
from decimal import Decimal

import pytest
import redis

from app.domain.enums import Side
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs, Symbol, VenueOrderId
from app.domain.reconciliation import (
    FailedReconciliation,
    Mismatch,
    MismatchKind,
    OrphanedFill,
    Reconciliation,
    VenueOrder,
)
from app.domain.venue_cancel import CancelState, VenueCancel
from app.store.coordination.reconciliations import RedisReconciliations
from app.store.coordination.venue_cancels import LIFE_MS, RedisVenueCancels
from app.store.memory import venue_keys
from tests.support.builders import NOW, SPOT_ID, USDM_ID, a_fill, a_report, an_id, must
from tests.support.clocks import FrozenClock

ORDER = VenueOrder(
    client_order_id=ClientOrderId("by-hand"),
    venue_order_id=VenueOrderId("77"),
    symbol=Symbol("BTC/USDT"),
    side=Side.SELL,
    quantity=Decimal("0.010"),
    filled_quantity=Decimal("1E-3"),
)
FOUND = Reconciliation(
    at_ms=NOW,
    begun_ms=EpochMs(NOW - 5),
    mismatches=(
        Mismatch(kind=MismatchKind.UNGUARDED, about="7", message="why", aggregate_id=an_id(7)),
        Mismatch(kind=MismatchKind.UNEXPECTED, about="x", message="why", standing=ORDER),
    ),
    foreign=(ORDER,),
)
FAILED = FailedReconciliation(at_ms=NOW, begun_ms=NOW, message="nobody is there")
WISH = VenueCancel(
    id=an_id(1),
    account=SPOT_ID,
    order=ORDER,
    asked_at_ms=NOW,
    until_ms=EpochMs(NOW + 30_000),
    next_check_ms=EpochMs(NOW + 3_000),
)
REFUSED = WISH.settled(CancelState.STANDS, "it is still open", NOW)
ENDED = WISH.settled(CancelState.ENDED, "it is CANCELED", NOW)


@pytest.fixture
def kept(client: redis.Redis) -> RedisReconciliations:
    return RedisReconciliations(client)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def cancels(client: redis.Redis, clock: FrozenClock) -> RedisVenueCancels:
    return RedisVenueCancels(client, clock)


def test_an_outcome_is_read_as_it_was_written(kept: RedisReconciliations) -> None:
    kept.put(SPOT_ID, FOUND)

    assert kept.get(SPOT_ID) == FOUND
    assert kept.get(USDM_ID) is None


def test_one_of_an_older_release_is_read(kept: RedisReconciliations, client: redis.Redis) -> None:
    text = '{"at_ms": 5, "mismatches": [{"kind": "missing", "about": "x", "message": "why"}]}'
    client.hset(venue_keys.RECONCILIATIONS, str(SPOT_ID), text)

    found = must(kept.get(SPOT_ID))

    assert (found.begun_ms, found.mismatches[0].kind) == (0, MismatchKind.MISSING)


def test_a_failure_takes_no_outcome_away(kept: RedisReconciliations) -> None:
    kept.put(SPOT_ID, FOUND)
    kept.put_failure(SPOT_ID, FAILED)

    assert kept.get(SPOT_ID) == FOUND
    assert kept.failure(SPOT_ID) == FAILED
    assert kept.failure(USDM_ID) is None


ORPHAN = OrphanedFill(
    at_ms=NOW,
    client_order_id=ClientOrderId("hone"),
    report=a_report(filled_quantity=Decimal("0.3"), fills=(a_fill(),)),
)


def test_a_fill_stays_until_it_is_acknowledged(kept: RedisReconciliations) -> None:
    assert kept.keep_orphan(SPOT_ID, ORPHAN)

    assert not kept.keep_orphan(SPOT_ID, ORPHAN)
    assert kept.orphans(SPOT_ID) == [ORPHAN]
    assert kept.orphans(USDM_ID) == []
    assert kept.orphan_count() == 1
    assert not kept.acknowledge(USDM_ID, ORPHAN.client_order_id)
    assert kept.acknowledge(SPOT_ID, ORPHAN.client_order_id)
    assert not kept.acknowledge(SPOT_ID, ORPHAN.client_order_id)
    assert kept.orphans(SPOT_ID) == []


def test_accounts_are_told_apart_by_their_whole_number(kept: RedisReconciliations) -> None:
    kept.keep_orphan(AccountId(11), ORPHAN)

    assert kept.orphans(AccountId(1)) == []


def test_a_wish_is_found_by_its_id_and_its_account(cancels: RedisVenueCancels) -> None:
    assert cancels.begin(WISH) == WISH

    assert cancels.find(WISH.id) == WISH
    assert cancels.find(an_id(2)) is None
    assert cancels.of(SPOT_ID) == [WISH]
    assert cancels.of(USDM_ID) == []
    assert cancels.unsettled() == [WISH]


@pytest.mark.parametrize("first", [WISH, replace(WISH, state=CancelState.UNKNOWN), ENDED])
def test_one_that_counts_still_is_not_replaced(
    cancels: RedisVenueCancels, first: VenueCancel
) -> None:
    cancels.begin(first)

    assert cancels.begin(replace(WISH, id=an_id(2))) == first


def test_one_of_which_nothing_came_is_replaced(cancels: RedisVenueCancels) -> None:
    cancels.begin(REFUSED)
    again = replace(WISH, id=an_id(2))

    assert cancels.begin(again) == again
    assert cancels.of(SPOT_ID) == [again]


def test_other_orders_and_accounts_have_their_own(cancels: RedisVenueCancels) -> None:
    others = [
        replace(WISH, id=an_id(2), account=AccountId(9)),
        replace(WISH, id=an_id(3), order=replace(ORDER, symbol=Symbol("ETH/USDT"))),
        replace(WISH, id=an_id(4), order=replace(ORDER, venue_order_id=VenueOrderId("78"))),
    ]

    for one in (WISH, *others):
        assert cancels.begin(one) == one
    assert [one.id for one in cancels.of(SPOT_ID)] == [an_id(4), an_id(3), an_id(1)]


def test_only_what_nobody_else_has_changed_is_changed(cancels: RedisVenueCancels) -> None:
    cancels.begin(WISH)
    sent = WISH.sent(NOW, 30_000)

    assert cancels.change(WISH, sent)
    assert not cancels.change(WISH, ENDED)
    assert cancels.find(WISH.id) == sent


def test_what_was_settled_long_ago_is_forgotten(
    cancels: RedisVenueCancels, clock: FrozenClock
) -> None:
    cancels.begin(ENDED)
    clock.advance(LIFE_MS + 1)
    other = replace(WISH, id=an_id(2), order=replace(ORDER, venue_order_id=VenueOrderId("78")))

    cancels.begin(other)

    assert cancels.of(SPOT_ID) == [other]
