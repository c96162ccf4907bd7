"""What the paper venue trades before anybody has changed it (docs/api.md)."""

from decimal import Decimal

from app.domain.enums import Market
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument

#: The last two count contracts of one US dollar each.
_STEPS = (
    (Symbol("BTC/USDT"), Market.SPOT, "0.00001"),
    (Symbol("BTC/USDT"), Market.USDM, "0.00001"),
    (Symbol("ETH/USDT"), Market.SPOT, "0.0001"),
    (Symbol("ETH/USDT"), Market.USDM, "0.001"),
    (Symbol("BTC/USD"), Market.COINM, "1"),
    (Symbol("ETH/USD"), Market.COINM, "1"),
)

DEFAULT_INSTRUMENTS = tuple(
    Instrument(
        symbol=symbol,
        market=market,
        kind="inverse" if market is Market.COINM else "linear",
        price_step=Decimal("0.01"),
        quantity_step=Decimal(quantity_step),
        min_quantity=Decimal(quantity_step),
        min_notional=Decimal(1 if market is Market.COINM else 5),
    )
    for symbol, market, quantity_step in _STEPS
)
