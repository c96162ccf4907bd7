"""What accounts have gained or lost, beside the trades that are not in it yet."""

from dataclasses import replace
from decimal import Decimal

import pytest
import redis

from app.domain.identifiers import Currency, EpochMs
from app.domain.order import Order
from app.domain.results import Results, after
from app.domain.status import OrderStatus
from app.store.core.day_results import RedisDayResults
from tests.support.builders import NOW, SPOT_ID, USDM_ID, an_order_in
from tests.support.redis_store import Store

BEGUN = Results(realised={(20_046, Currency("USDT")): Decimal(0)})
USDT = Currency("USDT")


@pytest.fixture
def results(client: redis.Redis) -> RedisDayResults:
    return RedisDayResults(client)


def filled(store: Store, quantity: str, price: str, **odd: object) -> Order:
    """Let the order of the store be filled so far."""
    before = store.ledger.load(an_order_in(OrderStatus.NEW).id).aggregate
    assert isinstance(before, Order)
    after_it = replace(
        before,
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal(quantity),
        average_price=Decimal(price),
        **odd,  # type: ignore[arg-type]
    )
    store.change(after_it)
    return after_it


def test_nothing_is_kept_before_somebody_begins(store: Store, results: RedisDayResults) -> None:
    store.put(an_order_in(OrderStatus.NEW))
    filled(store, "0.1", "50000")

    assert results.read(SPOT_ID) == (None, [], "0")


def test_what_is_traded_more_is_told_once(store: Store, results: RedisDayResults) -> None:
    results.keep(SPOT_ID, BEGUN, None)
    store.put(an_order_in(OrderStatus.NEW))
    filled(store, "0.1", "50000", fees={USDT: Decimal(5)})
    filled(store, "0.1", "50000", fees={USDT: Decimal(5)}, updated_at_ms=EpochMs(NOW + 1))
    filled(store, "0.3", "51000", fees={USDT: Decimal(7)})

    kept = results.read(SPOT_ID)

    first, second = (one for _, one in kept.newer)
    assert [one.quantity for one in (first, second)] == [Decimal("0.1"), Decimal("0.2")]
    assert [one.value for one in (first, second)] == [5_000, 10_300]
    assert [one.fees[USDT] for one in (first, second)] == [5, 2]
    assert kept.newest == kept.newer[-1][0]
    assert kept.results == BEGUN
    assert results.read(USDM_ID).results is None


def test_a_fill_without_a_price_is_told_when_it_has_one(
    store: Store, results: RedisDayResults
) -> None:
    results.keep(SPOT_ID, BEGUN, None)
    order = an_order_in(OrderStatus.NEW)
    store.put(order)
    store.change(replace(order, filled_quantity=Decimal("0.1")))
    assert results.read(SPOT_ID).newer == []

    filled(store, "0.1", "50000")

    ((_, traded),) = results.read(SPOT_ID).newer
    assert traded.quantity == Decimal("0.1")
    assert traded.value == 5_000


def test_what_is_kept_is_forgotten_as_trades(store: Store, results: RedisDayResults) -> None:
    results.keep(SPOT_ID, BEGUN, None)
    store.put(an_order_in(OrderStatus.NEW))
    filled(store, "0.1", "50000")
    ((mark, traded),) = results.read(SPOT_ID).newer
    told = after(BEGUN, traded, mark)

    results.keep(SPOT_ID, told, BEGUN)
    results.keep(SPOT_ID, BEGUN, BEGUN)  # somebody who has read before, and comes late

    assert results.read(SPOT_ID) == (told, [], mark)
    filled(store, "0.2", "50000")
    assert len(results.read(SPOT_ID).newer) == 1
    results.forget(SPOT_ID)
    assert results.read(SPOT_ID) == (None, [], "0")
