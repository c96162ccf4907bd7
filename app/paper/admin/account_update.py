"""What becomes of an account when a person sets it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.domain.enums import Market, PositionMode, PositionSide
from app.domain.errors import MalformedPayload
from app.domain.identifiers import Currency, Symbol
from app.domain.money import worth
from app.paper.domain.account import Fees, Leg, PaperAccount

#: The greatest leverage that any venue we know offers.
LEVERAGE_MAX = 500

PriceOf = Callable[[Symbol], Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSetting:
    """Both legs of a position; one entry price for them, or None to take the market's."""

    long: Decimal
    short: Decimal
    entry_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetting:
    """What is to be replaced in an account; what is None or not named stays as it is."""

    market: Market | None = None
    balances: Mapping[Currency, Decimal] = field(default_factory=dict)
    positions: Mapping[Symbol, PositionSetting] = field(default_factory=dict)
    leverage: Mapping[Symbol, int] = field(default_factory=dict)
    position_mode: PositionMode | None = None
    fees: Fees | None = None
    reset: bool = False


def account_after(
    account: PaperAccount, setting: AccountSetting, price_of: PriceOf, *, has_resting: bool
) -> PaperAccount:
    """Return the account with what the setting names replaced.

    Args:
        account: as it is now.
        setting: a reset first takes away holds and positions.
        price_of: the entry price of a position that is set without one.
        has_resting: whether orders rest that the setting does not take away.

    Raises:
        MalformedPayload: the setting contradicts itself, or what the account holds.
    """
    for symbol, factor in setting.leverage.items():
        if not 1 <= factor <= LEVERAGE_MAX:
            message = f"must be a whole number from 1 to {LEVERAGE_MAX}"
            raise _refused(f"leverage.{symbol}", message)
    if setting.reset:
        account = replace(account, held={}, reserved={}, legs={})
    after = replace(
        account,
        market=setting.market or account.market,
        position_mode=setting.position_mode or account.position_mode,
        balances={**account.balances, **setting.balances},
        leverage={**account.leverage, **setting.leverage},
        fees=setting.fees or account.fees,
    )
    for symbol, position in setting.positions.items():
        for side, leg in _legs(symbol, position, after.market, price_of).items():
            after = after.with_leg(symbol, side, leg)
    _check(account, after, has_resting=has_resting)
    return after


def _legs(
    symbol: Symbol, position: PositionSetting, market: Market, price_of: PriceOf
) -> Mapping[PositionSide, Leg]:
    price = position.entry_price
    if not price and (position.long or position.short):
        price = price_of(symbol)
        if price is None:
            raise _refused(f"positions.{symbol}.entry_price", "is needed: no price is known")
    sizes = {PositionSide.LONG: position.long, PositionSide.SHORT: position.short}
    return {
        side: Leg(size=size, cost=worth(market, size, price) if price else Decimal(0))
        for side, size in sizes.items()
    }


def _check(before: PaperAccount, after: PaperAccount, *, has_resting: bool) -> None:
    is_busy = has_resting or any(leg.size for leg in before.legs.values())
    if after.market is not before.market and is_busy:
        raise _refused("market", "cannot change while there are orders or positions")
    if after.position_mode is not before.position_mode and has_resting:
        raise _refused("position_mode", "cannot change while there are orders")
    sizes = {key: leg.size for key, leg in after.legs.items() if leg.size}
    if after.market is Market.SPOT and sizes:
        raise _refused("positions", "a spot account has none")
    if after.position_mode is PositionMode.ONEWAY:
        for symbol, side in sizes:
            if (symbol, side.opposite) in sizes:
                raise _refused(f"positions.{symbol}", "a one-way position is long or short")


def _refused(field: str, message: str) -> MalformedPayload:
    return MalformedPayload("validation_failed", f"wrong: {field}", {field: [message]})
