"""Where the accounts of an installation are, if they are not on paper."""

from enum import StrEnum

from app.domain.enums import Market, PositionMode


class Place(StrEnum):
    """Where accounts are: an exchange, and for one of them the mode of its positions."""

    BINANCE = "binance"
    BINANCE_ONE_WAY = "binance-one-way"
    BYBIT = "bybit"
    POLONIEX = "poloniex"

    @property
    def venue(self) -> str:
        """The name that accounts there have for it."""
        return self.partition("-")[0]

    def mode(self, wanted: str) -> PositionMode:
        """Return the position mode of an account that wants this one."""
        return PositionMode.ONEWAY if self is Place.BINANCE_ONE_WAY else PositionMode(wanted)

    def has(self, market: Market) -> bool:
        """Tell whether accounts of a market can be there."""
        return market is Market.SPOT or (market is Market.USDM and self is not Place.POLONIEX)
