"""Inverse contracts at the paper venue: counted in dollars, margined and paid in coins."""

from decimal import Decimal

import pytest

from app.domain.enums import Market, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import ClientOrderId, Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.paper.domain.account import Fees, Leg, PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.engine import Outcome, place
from tests.support.builders import a_quote, must
from tests.support.paper_builders import NOW

BTC_USD, BTC = Symbol("BTC/USD"), Currency("BTC")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
INVERSE = Instrument(
    symbol=BTC_USD,
    market=Market.COINM,
    kind="inverse",
    price_step=Decimal("0.5"),
    quantity_step=Decimal(1),
    min_notional=Decimal(1),
)


def an_account(leg: PositionSide | None = None, size: str = "0", fee: str = "0") -> PaperAccount:
    """One BTC, and perhaps a position from 50,000."""
    position = Leg(size=Decimal(size), cost=Decimal(size) / 50_000)
    return PaperAccount(
        market=Market.COINM,
        position_mode=PositionMode.ONEWAY,
        balances={BTC: Decimal(1)},
        fees=Fees(maker=Decimal(fee), taker=Decimal(fee)),
        legs={} if leg is None else {(BTC_USD, leg): position},
    )


def traded(side: Side, contracts: str, price: str, account: PaperAccount | None = None) -> Outcome:
    order = PaperOrder(
        client_order_id=ClientOrderId("h0001"),
        number=7,
        symbol=BTC_USD,
        market=Market.COINM,
        side=side,
        type=OrderType.MARKET,
        quantity=Decimal(contracts),
        received_at_ms=NOW,
        updated_at_ms=NOW,
    )
    return place(account or an_account(), order, INVERSE, a_quote(price))


def test_a_position_is_counted_in_contracts_and_binds_coins() -> None:
    outcome = traded(Side.BUY, "10000", "50000")

    leg = outcome.account.leg(BTC_USD, LONG)
    assert (leg.size, leg.entry_price(Market.COINM)) == (Decimal(10_000), Decimal(50_000))
    assert outcome.account.free(BTC) == Decimal("0.8")
    assert outcome.order.average_price == 50_000


@pytest.mark.parametrize(
    ("leg", "side", "price", "wallet"),
    [
        (LONG, Side.SELL, "62500", "1.04"),  # 0.2 BTC bought, 0.16 given back
        (LONG, Side.SELL, "40000", "0.95"),
        (SHORT, Side.BUY, "62500", "0.96"),
        (SHORT, Side.BUY, "40000", "1.05"),
    ],
)
def test_profit_is_paid_in_coins(leg: PositionSide, side: Side, price: str, wallet: str) -> None:
    outcome = traded(side, "10000", price, an_account(leg, "10000"))

    assert outcome.account.leg(BTC_USD, leg).size == 0
    assert outcome.account.total(BTC) == Decimal(wallet)


def test_the_entry_price_of_two_buys_is_their_harmonic_mean() -> None:
    outcome = traded(Side.BUY, "10000", "40000", an_account(LONG, "10000"))

    price = outcome.account.leg(BTC_USD, LONG).entry_price(Market.COINM)
    assert price.quantize(Decimal("0.01")) == Decimal("44444.44")


def test_fees_are_paid_in_coins() -> None:
    outcome = traded(Side.BUY, "10000", "50000", an_account(fee="0.001"))

    assert outcome.account.total(BTC) == Decimal("0.9998")
    assert outcome.order.fees == {BTC: Decimal("0.0002")}


def test_more_than_the_coins_bear_is_refused() -> None:
    outcome = traded(Side.BUY, "50001", "50000")

    assert outcome.order.status is OrderStatus.REJECTED
    assert isinstance(outcome.order.reason, Reason)
    assert outcome.order.reason.code is ReasonCode.INSUFFICIENT_FUNDS


def test_half_a_contract_is_none() -> None:
    refusal = must(INVERSE.refusal(INVERSE.quantity(Decimal("0.01")), Decimal(50_000)))

    assert refusal.code is ReasonCode.BELOW_MINIMUM
