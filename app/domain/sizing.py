"""From percent, notional or a fixed amount to a quantity (Crypto Arsenal spec 3.1)."""

from dataclasses import dataclass, replace
from decimal import Context, Decimal

from app.domain.commands import Action, SignalRules, Size, SizeKind
from app.domain.enums import Market, ReasonCode
from app.domain.identifiers import base_of
from app.domain.instrument import Instrument
from app.domain.market import AccountView
from app.domain.money import settled_in
from app.domain.reason import Reason

_HUNDRED = Decimal(100)

#: Digits of a share that a message tells.
_SHARES = Context(prec=8)


@dataclass(frozen=True, slots=True)
class Sized:
    """A quantity on the lot, or why there can be no order of that size.

    Attributes:
        quantity: of one order, base currency or inverse contracts, rounded down to the lot; 0 when
            nothing is left.
        refusal: None when it may be sent.
        whole: of all orders of an exit that is larger than one may be; None if one is enough.
    """

    quantity: Decimal
    refusal: Reason | None = None
    whole: Decimal | None = None


def sized(
    action: Action,
    size: Size,
    price: Decimal,
    account: AccountView,
    instrument: Instrument,
    rules: SignalRules,
) -> Sized:
    """Return what `action` means in base currency; of inverse contracts, in contracts.

    Args:
        action: what is to be traded; cancels have no size.
        size: the amount as the caller said it.
        price: limit, else the touch, in quote currency.
        account: balances and positions as they are now.
        instrument: lot, minimum and maximum.
        rules: leverage and reserve.

    Returns:
        Sales and closes are capped at what is there. Entries are never shrunk: one that the funds
        do not cover is refused.
    """
    if not action.is_entry:
        return _exit(action, size, price, account, instrument)
    untold = instrument.untold()
    if untold is not None:
        return Sized(Decimal(0), untold)
    available = account.available(settled_in(instrument.market, instrument.symbol))
    if action is Action.BUY:
        rules = replace(rules, leverage=1)
    wanted = _entry_quantity(size, price, available, instrument, rules)
    quantity = instrument.quantity(wanted)
    refusal = instrument.refusal(quantity, price, _told(size, wanted))
    cost = instrument.worth(quantity, price) / rules.leverage
    if refusal is None and cost > available:
        refusal = Reason(
            ReasonCode.INSUFFICIENT_FUNDS,
            f"{quantity:f} {instrument.symbol} at {price:f} takes {cost:f}, "
            f"available was {available:f}",
        )
    return Sized(quantity, refusal)


def _entry_quantity(
    size: Size, price: Decimal, available: Decimal, instrument: Instrument, rules: SignalRules
) -> Decimal:
    match size.kind:
        case SizeKind.FIXED:
            return size.value
        case SizeKind.NOTIONAL:
            return instrument.quantity_of(size.value * rules.leverage, price)
        case SizeKind.PERCENT if rules.percent_is_notional:
            return instrument.quantity_worth(size.value / _HUNDRED * available, price)
        case SizeKind.PERCENT:
            # The reserve pays fees, and the way that the price may go until the order arrives.
            share = min(size.value / _HUNDRED, 1 - rules.balance_reserve)
            return instrument.quantity_worth(share * available * rules.leverage, price)


def _exit(
    action: Action, size: Size, price: Decimal, account: AccountView, instrument: Instrument
) -> Sized:
    held = account.held(instrument.symbol, action.position_side).available
    wanted = size.value
    if size.kind is SizeKind.PERCENT:
        wanted = size.value / _HUNDRED * held
    # Never more than is held: a sale beyond it is refused as a whole, and nothing would be closed.
    whole = instrument.quantity(min(wanted, held))
    # More than one order may be is sold by several: an exit that is refused is no exit.
    quantity = instrument.one_order(whole)
    if held <= 0:
        return Sized(Decimal(0), _nothing_held(action, instrument))
    reduces_position = instrument.market is not Market.SPOT
    refusal = instrument.refusal(quantity, price, _told(size, min(wanted, held)))
    if reduces_position and quantity >= instrument.quantity_step and quantity > 0:
        refusal = None  # venues exempt what only reduces from their minimums
    return Sized(quantity, refusal, None if whole == quantity else whole)


def _told(size: Size, wanted: Decimal) -> Decimal:
    """Return a quantity as a message tells it: as it was said, or as far as it means anything."""
    return wanted if size.kind is SizeKind.FIXED else wanted.normalize(_SHARES)


def _nothing_held(action: Action, instrument: Instrument) -> Reason:
    if action is Action.SELL:
        return Reason(ReasonCode.BELOW_MINIMUM, f"no {base_of(instrument.symbol)} to sell")
    return Reason(ReasonCode.NO_POSITION, f"no position in {instrument.symbol} to close")
