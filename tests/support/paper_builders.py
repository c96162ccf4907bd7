"""One valid paper order, account and instrument each, with only the odd detail named."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Market, OrderType, PositionMode, PositionSide, Side, TimeInForce
from app.domain.identifiers import ClientOrderId, Currency, EpochMs, Symbol
from app.paper.domain.account import Fees, Leg, PaperAccount
from app.paper.domain.order import PaperOrder
from tests.support.builders import BTC, BTC_SPOT, ETH, ETH_USDM

NOW = EpochMs(1_000)


def a_spot_account(fee: str = "0", **balances: str) -> PaperAccount:
    """An account with these balances, or 10,000 USDT and half a BTC."""
    totals = balances or {"USDT": "10000", "BTC": "0.5"}
    return PaperAccount(
        market=Market.SPOT,
        balances={Currency(name): Decimal(total) for name, total in totals.items()},
        fees=Fees(maker=Decimal(fee), taker=Decimal(fee)),
    )


def a_futures_account(
    mode: PositionMode = PositionMode.HEDGE,
    usdt: str = "1000",
    leverage: int = 5,
    fee: str = "0",
    legs: Mapping[PositionSide, tuple[str, str]] | None = None,
) -> PaperAccount:
    """A wallet in USDT; `legs` holds side → (size, entry price) in ETH/USDT."""
    return PaperAccount(
        market=Market.USDM,
        position_mode=mode,
        balances={Currency("USDT"): Decimal(usdt)},
        leverage={ETH: leverage},
        fees=Fees(maker=Decimal(fee), taker=Decimal(fee)),
        legs={
            (ETH, side): Leg(size=Decimal(size), cost=Decimal(size) * Decimal(price))
            for side, (size, price) in (legs or {}).items()
        },
    )


def a_spot_order(
    side: Side,
    quantity: str,
    price: str | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    kind: OrderType | None = None,
) -> PaperOrder:
    """A market order, or a limit order if there is a price, in BTC/USDT."""
    made = _an_order(side, quantity, price, symbol=BTC, market=Market.SPOT)
    return replace(made, time_in_force=time_in_force, type=kind or made.type)


def a_futures_order(
    side: Side,
    quantity: str,
    price: str | None = None,
    leg: PositionSide | None = None,
    *,
    reduce_only: bool = False,
) -> PaperOrder:
    """A market order, or a limit order if there is a price, in ETH/USDT."""
    made = _an_order(side, quantity, price, symbol=ETH, market=Market.USDM)
    return replace(made, position_side=leg, reduce_only=reduce_only)


def _an_order(
    side: Side, quantity: str, price: str | None, *, symbol: Symbol, market: Market
) -> PaperOrder:
    return PaperOrder(
        client_order_id=ClientOrderId("h0001"),
        number=7,
        symbol=symbol,
        market=market,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=Decimal(quantity),
        price=None if price is None else Decimal(price),
        received_at_ms=NOW,
        updated_at_ms=NOW,
    )


SPOT_BTC = replace(BTC_SPOT, max_quantity=Decimal(1000))
USDM_ETH = replace(ETH_USDM, min_quantity=Decimal("0.002"))
