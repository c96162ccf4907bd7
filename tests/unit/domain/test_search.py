"""What is searched for must be had, all of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.enums import Dialect, Kind, Side
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.request.signal import RequestStatus
from app.domain.search import Search
from app.domain.status import OrderStatus
from tests.support.builders import BTC, ETH, NOW, an_order

ORDER = an_order(parent_id=AggregateId(16), caller_id="mine")


def _only(*values: Any) -> frozenset[Any]:  # noqa: ANN401 - of whatever is searched
    return frozenset(values)


@pytest.mark.parametrize(
    "search",
    [
        Search(),
        Search(kinds=_only(Kind.ORDER, Kind.SIGNAL)),
        Search(accounts=_only(AccountId(1), AccountId(2))),
        Search(dialects=_only(Dialect.CRYPTO_ARSENAL)),
        Search(states=_only(OrderStatus.PENDING_NEW)),
        Search(symbols=_only(BTC)),
        Search(sides=_only(Side.BUY)),
        Search(parent=AggregateId(16)),
        Search(caller_id="mine"),
        Search(since_ms=NOW, until_ms=EpochMs(NOW + 1)),
    ],
)
def test_what_has_all_of_it_matches(search: Search) -> None:
    assert search.match(ORDER)


@pytest.mark.parametrize(
    "search",
    [
        Search(kinds=_only(Kind.SIGNAL)),
        Search(accounts=_only(AccountId(2))),
        Search(dialects=_only(Dialect.POLONIEX)),
        Search(states=_only(RequestStatus.DONE)),
        Search(symbols=_only(ETH, Symbol("btc/usdt"))),
        Search(sides=_only(Side.SELL)),
        Search(parent=AggregateId(17)),
        Search(caller_id="Mine"),
        Search(kinds=_only(Kind.ORDER), caller_id=""),
        Search(top_level=True),
        Search(since_ms=EpochMs(NOW + 1)),
        Search(until_ms=NOW),
    ],
)
def test_what_lacks_one_thing_does_not(search: Search) -> None:
    assert not search.match(ORDER)


@pytest.mark.parametrize("name", ["kinds", "accounts", "states", "symbols", "sides", "dialects"])
def test_an_empty_set_finds_nothing(name: str) -> None:
    nothing: dict[str, Any] = {name: frozenset()}
    search = Search(**nothing)

    assert search.finds_nothing
    assert not search.match(ORDER)


def test_everything_is_no_empty_set() -> None:
    assert not Search().finds_nothing
