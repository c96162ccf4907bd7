"""What an account has gained or lost today."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Currency, EpochMs, Symbol
from app.domain.market import AccountView, Position
from app.domain.money import worth
from app.domain.results import Results, Traded, after, begun, day_of
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
    results = begin or Results(day=day_of(NOW))
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

    assert loss(bought, sold) == 3
    assert loss(other) == 0


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
    today = Results(day=day_of(NOW))
    yesterday = EpochMs(NOW - DAY_MS)
    bought = traded("BUY", "1", "100", at_ms=yesterday)

    results = of(bought, traded("SELL", "1", "90", at_ms=yesterday), begin=today)

    assert results.loss(USDT, NOW) == 0


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
    begin = begun(view, Market.USDM, NOW, "7")
    own = leg if mode is PositionMode.HEDGE else None

    closed = traded(side, "2", price, market=Market.USDM, symbol=ETH, leg=own)

    assert begin.seen == "7"
    assert loss(closed, begin=begin) == lost
