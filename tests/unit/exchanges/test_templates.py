"""Each line has a ccxt exchange of its own, however cheaply it came by it."""

from __future__ import annotations

import re
import types
from dataclasses import replace
from typing import TYPE_CHECKING

import ccxt
import pytest

from app.domain.enums import Market, Mode
from app.domain.identifiers import AccountId, VenueName
from app.exchanges.templates import SHARED, copied
from tests.support.builders import SPOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.account import Account

VENUES = ["binance", "bybit", "poloniex", "okx", "kraken"]

#: What nobody can change through one of two owners, and what only ccxt's code is made of.
_FIXED = (
    str,
    int,
    float,
    bool,
    type(None),
    type,
    re.Pattern,
    types.FunctionType,
    types.BuiltinFunctionType,
)


def of(venue: str, number: int, market: Market = Market.SPOT, mode: Mode = Mode.LIVE) -> Account:
    named = VenueName(venue)
    return replace(SPOT, id=AccountId(number), venue=named, market=market, mode=mode)


def changeable(part: object) -> Iterator[object]:
    """Yield whatever of a value could be changed, at any depth."""
    if isinstance(part, _FIXED):
        return
    yield part
    inner = part.values() if isinstance(part, dict) else part
    if isinstance(inner, list | tuple | set | type({}.values())):
        for one in inner:
            yield from changeable(one)


@pytest.mark.parametrize("venue", VENUES)
def test_two_share_nothing_that_is_written_to(venue: str) -> None:
    first, second = (copied(of(venue, number)) for number in (1, 2))
    ours = {
        id(one): name
        for name, part in vars(first).items()
        if name not in SHARED
        for one in changeable(part)
    }

    common = {
        ours[id(one)]
        for name, part in vars(second).items()
        if name not in SHARED
        for one in changeable(part)
        if id(one) in ours
    }

    assert len(ours) > len(vars(first)) / 20  # there is something to compare
    assert common <= {"logger"}
    assert vars(first).keys() == vars(second).keys()


@pytest.mark.parametrize("venue", VENUES)
def test_one_answers_for_itself(venue: str) -> None:
    """No method that was bound while it was built is another one's."""
    fresh = copied(of(venue, 1))

    bound = {name: getattr(part, "__self__", None) for name, part in vars(fresh).items()}

    assert {name for name, owner in bound.items() if isinstance(owner, ccxt.Exchange)} == set()


def test_what_one_learns_the_other_does_not() -> None:
    first = copied(of("bybit", 1))
    first.apiKey, first.secret = "key", "secret"
    first.options["enableUnifiedAccount"] = True
    first.options["accountsByType"]["spot"] = "SOMETHING"
    first.headers["X"] = "1"
    first.urls["api"]["spot"] = "https://elsewhere.invalid"

    second = copied(of("bybit", 2))

    assert (second.apiKey, second.secret) == (None, None)
    assert not second.options["enableUnifiedAccount"]
    assert second.options["accountsByType"]["spot"] != "SOMETHING"
    assert second.headers == {}
    assert "elsewhere" not in str(second.urls)


def test_each_market_and_each_kind_of_money_has_its_own() -> None:
    made = [
        copied(of("binance", 1, market, mode))
        for market in (Market.SPOT, Market.USDM)
        for mode in (Mode.LIVE, Mode.TESTNET)
    ]

    told = [(one.options["defaultType"], "testnet" in str(one.urls["api"])) for one in made]
    demo = [one.options.get("enableDemoTrading", False) for one in made]

    assert told == [("spot", False), ("spot", True), ("swap", False), ("swap", False)]
    assert demo == [False, False, False, True]
