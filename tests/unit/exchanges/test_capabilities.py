"""What an exchange can do is asked of ccxt, not assumed."""

import pytest

from app.domain.enums import Market, OrderType
from app.exchanges.capabilities import capabilities_of


@pytest.mark.parametrize("exchange_id", ["binance", "bybit", "poloniex"])
def test_the_named_venues_take_every_type_of_order(exchange_id: str) -> None:
    found = capabilities_of(exchange_id, Market.SPOT)

    assert found.order_types == frozenset(OrderType)
    assert found.spends_amounts


def test_futures_are_bought_by_quantity() -> None:
    assert not capabilities_of("binance", Market.USDM).spends_amounts


def test_an_exchange_without_post_only_orders_takes_none() -> None:
    found = capabilities_of("btcturk", Market.SPOT)

    assert found.order_types == {OrderType.MARKET, OrderType.LIMIT}
    assert not found.spends_amounts
