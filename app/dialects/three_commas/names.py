"""How 3Commas writes pairs, currencies, markets and types of trades."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.domain.account import PAPER
from app.domain.identifiers import Currency, Symbol, VenueName, base_of, quote_of
from app.domain.smart_trade.enums import TradeType


class MarketNames(NamedTuple):
    """The three names of one exchange.

    Attributes:
        market: `account_market` of trades, `market_class` of steps.
        code: `market_code` of accounts.
        display: `pretty_display_type` of accounts.
    """

    market: str
    code: str
    display: str


#: The paper venue's list of currencies: of the coins that most of its trades are in.
_CURRENCIES: Final[Mapping[Currency, str]] = {
    Currency("BTC"): "Bitcoin",
    Currency("ETH"): "Ethereum",
    Currency("LTC"): "Litecoin",
    Currency("BNB"): "BNB",
    Currency("SOL"): "Solana",
    Currency("USDT"): "Tether",
    Currency("USDC"): "USD Coin",
    Currency("USD"): "US Dollar",
    Currency("EUR"): "Euro",
}

#: Letters and digits, by which a currency code is read as a number.
_BASE = 36


def market_of(venue: VenueName) -> MarketNames:
    """Return the names of an exchange: `BinanceMarket`, `binance` and `Binance`.

    Args:
        venue: or one of its feeds, `binance:SPOT:live`, as trades name it.
    """
    exchange = venue.partition(":")[0]
    code = "paper_trading" if exchange == PAPER else exchange
    camel = code.replace("_", " ").title().replace(" ", "")
    return MarketNames(f"{camel}Market", code, camel)


def type_name(kind: TradeType) -> str:
    """Return `SmartTrade::Classic`."""
    return f"SmartTrade::{kind}"


def pair_of(symbol: Symbol) -> str:
    """Return `USDT_BTC` for `BTC/USDT`: what is paid comes first."""
    return f"{quote_of(symbol)}_{base_of(symbol)}"


def symbol_of(pair: str) -> Symbol | None:
    """Return `BTC/USDT` for `USDT_BTC`, or None for what is no pair. The first `_` divides."""
    quote, divider, base = pair.partition("_")
    return Symbol(f"{base}/{quote}") if divider and quote and base and "/" not in pair else None


def paper_name(currency: Currency) -> str:
    """Return what the paper venue calls a currency; the code where it has no name."""
    return _CURRENCIES.get(currency, currency)


def display_name(name: str, currency: Currency) -> str:
    """Return `Bitcoin (BTC)`."""
    return f"{name} ({currency})"


def currency_id(currency: Currency) -> int:
    """Return a number that is always the same for a currency: its code read in base 36.

    Nothing is kept for it, so no two installations differ. Codes that are no such number, and long
    ones, which would not be safe as a JSON number, get theirs from their bytes.
    """
    if currency.isascii() and currency.isalnum() and len(currency) < len("1000000000"):
        return int(currency, _BASE)
    return int.from_bytes(currency.encode()[-6:], "big") + _BASE**9
