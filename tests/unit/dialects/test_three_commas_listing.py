"""Lists: which trades, how many, in which order."""

from collections.abc import Mapping

import pytest

from app.dialects.three_commas.errors import InvalidParameters
from app.dialects.three_commas.listing import Listing, listing_from
from app.domain.identifiers import AccountId, Symbol
from app.domain.search import Moment
from app.domain.smart_trade.enums import FINAL, FINISHED, TradeStatus, TradeType


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
        ({"order": "closed_at"}, Listing(order=Moment.CLOSED_AT)),
        ({"order": "updated_at"}, Listing(order=Moment.UPDATED_AT)),
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
