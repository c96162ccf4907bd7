"""What an account has gained or lost today."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Currency, EpochMs, Symbol
from app.domain.market import AccountView, Balance, Position
from app.domain.money import worth
from app.domain.results import DAYS_KEPT, Holding, Results, Traded, after, begun, held_against
from tests.support.builders import BTC, ETH, NOW

USDT = Currency("USDT")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
DAY_MS = 86_400_000


def traded(  # noqa: PLR0913 - what may differ
    side: str,
    quantity: str,
    price: str,
    *,
    market: Market = Market.SPOT,
    symbol: Symbol = BTC,
    leg: PositionSide | None = None,
    fees: Mapping[Currency, Decimal] | None = None,
    at_ms: EpochMs = NOW,
) -> Traded:
    at, size = Decimal(price), Decimal(quantity)
    return Traded(
        symbol=symbol,
        market=market,
        side=Side(side),
        leg=leg,
        quantity=size,
        value=worth(market, size, at),
        price=at,
        fees=fees or {},
        at_ms=at_ms,
    )


def of(*trades: Traded, begin: Results | None = None, unit: Decimal | None = None) -> Results:
    results = begin or Results()
    for number, one in enumerate(trades, 1):
        results = after(results, one, str(number), unit)
    return results


def loss(*trades: Traded, begin: Results | None = None, unit: Decimal | None = None) -> Decimal:
    return of(*trades, begin=begin, unit=unit).loss(USDT, NOW)


def test_nothing_is_lost_by_buying() -> None:
    assert loss(traded("BUY", "1", "100")) == 0


@pytest.mark.parametrize(
    ("trades", "lost"),
    [
        ([("BUY", "1", "100"), ("SELL", "1", "90")], 10),
        ([("BUY", "1", "100"), ("SELL", "1", "110")], -10),
        ([("BUY", "1", "100"), ("SELL", "0.5", "90")], 5),
        # By what it has cost on average.
        ([("BUY", "1", "100"), ("BUY", "1", "200"), ("SELL", "1", "120")], 30),
        ([("BUY", "1", "100"), ("BUY", "1", "200"), ("SELL", "2", "150")], 0),
        ([("BUY", "1", "100"), ("SELL", "1", "90"), ("BUY", "1", "50"), ("SELL", "1", "45")], 15),
        # What was there before has no known cost.
        ([("SELL", "1", "90")], 0),
        ([("BUY", "1", "100"), ("SELL", "3", "90")], 10),
    ],
)
def test_coins(trades: list[tuple[str, str, str]], lost: int) -> None:
    assert loss(*(traded(*one) for one in trades)) == lost


def test_fees_are_lost_in_either_currency_of_the_symbol() -> None:
    bought = traded("BUY", "1", "100", fees={Currency("BTC"): Decimal("0.01")})
    sold = traded("SELL", "1", "100", fees={USDT: Decimal(2)})
    other = traded("BUY", "1", "100", fees={Currency("BNB"): Decimal(1)})

    assert loss(bought, sold) == 3  # 0.99 are left to sell, and have cost 99
    assert loss(other) == 0


def test_coins_that_paid_fees_are_not_held_any_more() -> None:
    bought = traded("BUY", "1", "100", fees={Currency("BTC"): Decimal("0.001")})
    flat = of(*[bought, traded("SELL", "0.999", "100")] * 100)

    assert flat.holdings == {}
    assert flat.loss(USDT, NOW) == 10
    # So a round trip at another price is as flat as it is.
    again = of(traded("BUY", "1", "50"), traded("SELL", "1", "50"), begin=flat)
    assert again.loss(USDT, NOW) == 10


def test_a_fee_in_coins_that_becomes_known_later_is_taken_from_them() -> None:
    fee = traded("BUY", "0", "100", fees={Currency("BTC"): Decimal("0.1")})

    results = of(traded("BUY", "3", "100"), fee, traded("SELL", "2.9", "100"))

    assert results.holdings == {}
    assert results.loss(USDT, NOW) == 10


def test_what_is_closed_in_parts_leaves_no_trace() -> None:
    assert of(traded("BUY", "3", "100"), *[traded("SELL", "1", "90")] * 3).holdings == {}


def test_a_fee_that_becomes_known_later_moves_nothing_else() -> None:
    fee = traded("BUY", "0", "100", fees={USDT: Decimal(1)})

    results = of(traded("BUY", "1", "100"), fee)

    assert results.loss(USDT, NOW) == 1
    assert results.holdings[BTC, LONG].size == 1


@pytest.mark.parametrize(
    ("leg", "trades", "lost"),
    [
        (LONG, [("BUY", "2", "100"), ("SELL", "2", "90")], 20),
        (SHORT, [("SELL", "2", "100"), ("BUY", "2", "110")], 20),
        (SHORT, [("SELL", "2", "100"), ("BUY", "1", "90")], -10),
        # One net position, which passes through zero.
        (None, [("SELL", "2", "100"), ("BUY", "2", "110")], 20),
        (None, [("BUY", "1", "100"), ("SELL", "3", "90"), ("BUY", "2", "95")], 20),
        (None, [("BUY", "1", "100"), ("SELL", "3", "90")], 10),
    ],
)
def test_positions(leg: PositionSide | None, trades: list[tuple[str, str, str]], lost: int) -> None:
    each = [traded(*one, market=Market.USDM, leg=leg, symbol=ETH) for one in trades]

    assert loss(*each) == lost


def test_what_only_reduces_opens_no_holding() -> None:
    closed = replace(traded("SELL", "1", "2000", market=Market.USDM, symbol=ETH), reduces=True)

    assert of(closed).holdings == {}


def test_coins_that_were_sold_may_be_bought_back() -> None:
    assert loss(replace(traded("BUY", "1", "100"), reduces=True), traded("SELL", "1", "90")) == 10


def test_both_legs_are_apart() -> None:
    long = traded("BUY", "1", "100", market=Market.USDM, leg=LONG)
    short = traded("SELL", "1", "90", market=Market.USDM, leg=SHORT)

    assert loss(long, short) == 0


def test_inverse_contracts_are_told_in_quote_currency() -> None:
    symbol = Symbol("ETH/USD")
    bought = traded("BUY", "10", "2000", market=Market.COINM, symbol=symbol)
    sold = traded("SELL", "10", "1000", market=Market.COINM, symbol=symbol)

    # 1000 dollars of ETH bought at 2000 are 0.5 ETH, and at 1000 it takes 1 ETH: 0.5 are lost.
    results = of(bought, sold, unit=Decimal(100))

    assert results.loss(Currency("USD"), NOW) == 500


def test_a_new_day_begins_with_nothing_lost_and_the_same_costs() -> None:
    tomorrow = EpochMs(NOW + DAY_MS)
    results = of(traded("BUY", "2", "100"), traded("SELL", "1", "90"))

    assert results.loss(USDT, NOW) == 10
    assert results.loss(USDT, tomorrow) == 0
    later = of(traded("SELL", "1", "95", at_ms=tomorrow), begin=results)
    assert later.loss(USDT, tomorrow) == 5


def test_what_is_told_late_of_yesterday_is_no_loss_of_today() -> None:
    yesterday = EpochMs(NOW - DAY_MS)
    bought = traded("BUY", "1", "100", at_ms=yesterday)

    results = of(bought, traded("SELL", "1", "90", at_ms=yesterday))

    assert results.loss(USDT, NOW) == 0


def test_a_clock_that_was_a_day_ahead_for_a_trade_forgets_no_loss() -> None:
    bought = traded("BUY", "3", "100")
    ahead = traded("SELL", "1", "90", at_ms=EpochMs(NOW + DAY_MS))

    results = of(bought, traded("SELL", "1", "90"), ahead, traded("SELL", "1", "90"))

    assert results.loss(USDT, NOW) == 20
    assert results.loss(USDT, EpochMs(NOW + DAY_MS)) == 10


def test_only_the_nearest_days_are_kept() -> None:
    trades = [traded("SELL", "1", "90", at_ms=EpochMs(NOW + day * DAY_MS)) for day in range(9)]

    assert len(of(*trades).realised) == DAYS_KEPT


def test_currencies_are_apart() -> None:
    in_coins = traded("BUY", "1", "0.05", symbol=Symbol("ETH/BTC"))
    sold = traded("SELL", "1", "0.04", symbol=Symbol("ETH/BTC"))

    results = of(in_coins, sold)

    assert results.loss(USDT, NOW) == 0
    assert results.loss(Currency("BTC"), NOW) == Decimal("0.01")


@pytest.mark.parametrize(
    ("mode", "leg", "side", "price", "lost"),
    [
        (PositionMode.HEDGE, LONG, "SELL", "90", 20),
        (PositionMode.HEDGE, SHORT, "BUY", "110", 20),
        (PositionMode.ONEWAY, LONG, "SELL", "90", 20),
        (PositionMode.ONEWAY, SHORT, "BUY", "110", 20),
    ],
)
def test_positions_that_are_there_begin_at_their_entry_price(
    mode: PositionMode, leg: PositionSide, side: str, price: str, lost: int
) -> None:
    held = Position(size=Decimal(2), available=Decimal(2), entry_price=Decimal(100))
    view = AccountView(position_mode=mode, positions={(ETH, leg): held})
    begin = begun(view, Market.USDM, "7")
    own = leg if mode is PositionMode.HEDGE else None

    closed = traded(side, "2", price, market=Market.USDM, symbol=ETH, leg=own)

    assert begin.seen == "7"
    assert loss(closed, begin=begin) == lost


# What is there


def a_net_view(size: str, entry: str = "50", leg: PositionSide = LONG) -> AccountView:
    held = Position(size=Decimal(size), available=Decimal(size), entry_price=Decimal(entry))
    return AccountView(position_mode=PositionMode.ONEWAY, positions={(ETH, leg): held})


@pytest.mark.parametrize(
    ("view", "held"),
    [
        # The same size is the same position, at the cost that is known here.
        (a_net_view("2"), Holding(size=Decimal(2), cost=Decimal(200))),
        (a_net_view("1"), Holding(size=Decimal(1), cost=Decimal(50))),
        (a_net_view("3"), Holding(size=Decimal(3), cost=Decimal(150))),
        (a_net_view("1", leg=SHORT), Holding(size=Decimal(-1), cost=Decimal(-50))),
        (AccountView(position_mode=PositionMode.ONEWAY), None),
    ],
)
def test_a_position_that_others_have_changed_is_taken_as_it_is(
    view: AccountView, held: Holding | None
) -> None:
    results = of(traded("BUY", "2", "100", market=Market.USDM, symbol=ETH))

    there = held_against(results, view, Market.USDM, ())

    assert there.holdings == ({} if held is None else {(ETH, LONG): held})
    assert there.loss(USDT, NOW) == 0
    assert held_against(results, view, Market.USDM, {ETH}) == results


@pytest.mark.parametrize(("there", "size"), [("5", 2), ("2", 2), ("0.5", Decimal("0.5")), ("0", 0)])
def test_coins_that_are_gone_have_cost_nothing(there: str, size: Decimal) -> None:
    results = of(traded("BUY", "2", "100"))
    coins = Balance(total=Decimal(there), available=Decimal(there))

    found = held_against(results, AccountView(balances={Currency("BTC"): coins}), Market.SPOT, ())

    held = found.holdings.get((BTC, LONG), Holding())
    assert held == Holding(size=Decimal(size), cost=Decimal(size) * 100)
