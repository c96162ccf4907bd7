"""An account of the paper venue: what it has, what it owes, and what is held back of it.

Linear contracts count base coins, inverse ones units of quote currency. An inverse contract (COINM)
is margined in its base coin, in which its profit is paid as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.domain.enums import Market, PositionMode, PositionSide
from app.domain.identifiers import Currency, Symbol
from app.domain.market import AccountView, Balance, Position
from app.domain.money import price_of, settled_in

_NOTHING = Decimal(0)

#: In the record of an account every field stands, also with its default: the release before reads
#: no other, and runs beside this one for a while, or again.
_ALWAYS = {"always": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Shares of the notional, for instance 0.001; a maker's order rested, a taker's did not."""

    maker: Decimal = _NOTHING
    taker: Decimal = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One side of a futures position.

    Attributes:
        size: in base currency, of inverse contracts in contracts; never negative.
        cost: what the size was bought or sold for in all, in the currency that it settles in. Kept
            instead of the average, so that adding and reducing lose nothing to rounding.
    """

    size: Decimal = _NOTHING
    cost: Decimal = _NOTHING

    def entry_price(self, market: Market) -> Decimal:
        """Return the average price, weighted by quantity; 0 when flat."""
        return price_of(market, self.size, self.cost)


FLAT = Leg()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAccount:
    """One account of the paper venue.

    Attributes:
        balances: currency → total; for futures the wallet, without unrealized profit.
        held: currency → what resting orders hold back, the sum of their own holds.
        legs: (symbol, side) → futures position; a leg that was closed stays, flat.
        reserved: (symbol, side) → what resting closes are going to take of the leg.
        leverage: symbol → factor; 1 where there is none.
    """

    market: Market = field(default=Market.SPOT, metadata=_ALWAYS)
    position_mode: PositionMode = field(default=PositionMode.HEDGE, metadata=_ALWAYS)
    balances: Mapping[Currency, Decimal] = field(default_factory=dict, metadata=_ALWAYS)
    held: Mapping[Currency, Decimal] = field(default_factory=dict, metadata=_ALWAYS)
    legs: Mapping[tuple[Symbol, PositionSide], Leg] = field(default_factory=dict, metadata=_ALWAYS)
    reserved: Mapping[tuple[Symbol, PositionSide], Decimal] = field(
        default_factory=dict, metadata=_ALWAYS
    )
    leverage: Mapping[Symbol, int] = field(default_factory=dict, metadata=_ALWAYS)
    fees: Fees = field(default_factory=Fees, metadata=_ALWAYS)

    def total(self, currency: Currency) -> Decimal:
        """Return the balance of a currency, held or not."""
        return self.balances.get(currency, _NOTHING)

    def hold(self, currency: Currency) -> Decimal:
        """Return what resting orders and open positions bind of a currency."""
        margins = sum(
            (
                leg.cost / self.leverage_of(symbol)
                for (symbol, _), leg in self.legs.items()
                if settled_in(self.market, symbol) == currency
            ),
            _NOTHING,
        )
        return self.held.get(currency, _NOTHING) + margins

    def free(self, currency: Currency) -> Decimal:
        """Return what new orders may use; below 0 after a loss, or when a person took money out."""
        return self.total(currency) - self.hold(currency)

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the factor by which notional exceeds margin."""
        return self.leverage.get(symbol, 1)

    def leg(self, symbol: Symbol, side: PositionSide) -> Leg:
        """Return one side of the position, flat if there is none."""
        return self.legs.get((symbol, side), FLAT)

    def with_balance(self, currency: Currency, change: Decimal) -> "PaperAccount":
        """Return the account with a balance raised or lowered."""
        total = self.total(currency) + change
        return replace(self, balances={**self.balances, currency: total})

    def with_leg(self, symbol: Symbol, side: PositionSide, leg: Leg) -> "PaperAccount":
        """Return the account with one side of a position replaced."""
        return replace(self, legs={**self.legs, (symbol, side): leg})

    def with_leverage(self, symbol: Symbol, leverage: int) -> "PaperAccount":
        """Return the account with another factor; the margins of open positions follow."""
        return replace(self, leverage={**self.leverage, symbol: leverage})

    def view(self) -> AccountView:
        """Return the account as anybody outside the venue sees it."""
        return AccountView(
            position_mode=self.position_mode,
            balances={
                currency: Balance(total=total, available=max(_NOTHING, self.free(currency)))
                for currency, total in self.balances.items()
            },
            positions={
                (symbol, side): self._position(symbol, side, leg)
                for (symbol, side), leg in self.legs.items()
            },
        )

    def _position(self, symbol: Symbol, side: PositionSide, leg: Leg) -> Position:
        reserved = self.reserved.get((symbol, side), _NOTHING)
        return Position(
            size=leg.size,
            available=max(_NOTHING, leg.size - reserved),
            entry_price=leg.entry_price(self.market),
        )
