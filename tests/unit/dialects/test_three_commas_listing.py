"""Lists: which trades, how many, in which order."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from app.dialects.three_commas.errors import InvalidParameters
from app.dialects.three_commas.listing import Listing, Order, listing_from
from app.dialects.three_commas.trade_routes import sorted_trades
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.smart_trade.enums import FINAL, FINISHED, TradeStatus, TradeType
from tests.support.three_commas_trades import NOW, a_trade

TRADE = a_trade()


@pytest.mark.parametrize(
    ("parameters", "listing"),
    [
        ({}, Listing()),
        ({"limit": "10", "offset": "5"}, Listing(limit=10, offset=5)),
        ({"limit": "1001"}, Listing(limit=1000)),
        pytest.param({"offset": "9" * 40}, Listing(offset=2**53), id="beyond all trades"),
        ({"account_id": "7"}, Listing(account=AccountId(7))),
        ({"account_id": "null"}, Listing()),
        ({"scope": "finished"}, Listing(statuses=FINISHED)),
        ({"scope": "cancelled"}, Listing(statuses=frozenset({TradeStatus.CANCELLED}))),
        ({"scope": "failed"}, Listing(statuses=frozenset({TradeStatus.FAILED}))),
        ({"scope": "active"}, Listing(statuses=frozenset(TradeStatus) - FINAL)),
        ({"scope": "whatever"}, Listing()),
        ({"type": "SmartTrade::Classic"}, Listing(types=frozenset({TradeType.CLASSIC}))),
        ({"type": "Classic"}, Listing(types=frozenset())),
        ({"order": "closed_at"}, Listing(order=Order.CLOSED_AT)),
        ({"order": "updated_at"}, Listing(order=Order.UPDATED_AT)),
        ({"order": "price"}, Listing()),
        ({"pairs": ["USDT_BTC"]}, Listing(symbols=frozenset({Symbol("BTC/USDT")}))),
        ({"pairs": "['USDT_BTC']"}, Listing(symbols=frozenset({Symbol("BTC/USDT")}))),
        ({"nonsense": "x"}, Listing()),
    ],
)
def test_what_a_list_shows(parameters: Mapping[str, object], listing: Listing) -> None:
    assert listing_from(parameters) == listing


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"limit": "0"}, {"limit": ["must be greater than 0"]}),
        ({"limit": "x"}, {"limit": ["is invalid"]}),
        ({"offset": "-1"}, {"offset": ["must be greater than or equal to 0"]}),
        ({"account_id": "x"}, {"account_id": ["is invalid"]}),
        ({"limit": "1.5", "offset": "y"}, {"limit": ["is invalid"], "offset": ["is invalid"]}),
    ],
)
def test_numbers_must_be_some(
    parameters: Mapping[str, object], fields: Mapping[str, list[str]]
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        listing_from(parameters)

    assert refused.value.fields == fields


@pytest.mark.parametrize(
    ("types", "is_shown"),
    [(None, True), ({TradeType.CLASSIC}, True), ({TradeType.SMART_SALE}, False), ((), False)],
)
def test_a_type_is_shown_or_not(types: Iterable[TradeType] | None, *, is_shown: bool) -> None:
    listing = Listing(types=None if types is None else frozenset(types))

    assert listing.shows(TRADE) is is_shown


@pytest.mark.parametrize(
    ("order", "ids"),
    [(Order.CREATED_AT, [1, 2, 3]), (Order.UPDATED_AT, [3, 1, 2]), (Order.CLOSED_AT, [3, 2, 1])],
)
def test_lists_begin_with_the_oldest_and_end_with_what_has_not_happened(
    order: Order, ids: list[int]
) -> None:
    moments = [(1, 10, 50, None), (2, 20, 60, 60), (3, 30, 40, 40)]
    trades = [
        replace(
            TRADE,
            id=AggregateId(number),
            created_at_ms=EpochMs(NOW + created),
            updated_at_ms=EpochMs(NOW + updated),
            closed_at_ms=None if closed is None else EpochMs(NOW + closed),
        )
        for number, created, updated, closed in reversed(moments)
    ]

    assert [trade.id for trade in sorted_trades(trades, order)] == ids


def test_what_is_as_old_is_sorted_by_id() -> None:
    trades = [replace(TRADE, id=AggregateId(number)) for number in (3, 1, 2)]

    assert [trade.id for trade in sorted_trades(trades, Order.CLOSED_AT)] == [1, 2, 3]
