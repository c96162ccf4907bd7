"""What a request about a net position means for its legs (apisify spec 3.3)."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.commands import NetAction, OnSameSide
from app.domain.enums import PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView
from app.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """What is to be traded on one side: first what closes, then what opens; one of them may be 0.

    Attributes:
        is_one_order: both are one order, which passes through zero; it is not reduce-only.
        is_together: what opens is sent as soon as the venue has taken what closes, else only when
            that has filled.
    """

    side: Side
    closing: Decimal
    opening: Decimal
    is_one_order: bool = False
    is_together: bool = True

    @property
    def quantity(self) -> Decimal:
        """All of it."""
        return self.closing + self.opening

    def refusal(self, instrument: Instrument, price: Decimal) -> Reason | None:
        """Return why one of its orders is too small or too large, or None if none is.

        What only reduces is exempt from the minimums, as at the venues, but not from the lot.
        """
        if self.is_one_order or not self.closing:
            return instrument.refusal(self.quantity, price)
        # One that is larger than one order may be is closed by several.
        refused = instrument.reducing().refusal(instrument.one_order(self.closing), price)
        if refused is None and self.opening:
            refused = instrument.refusal(self.opening, price)
        return refused


def legs_of(
    action: NetAction,
    wanted: Decimal,
    on_same_side: OnSameSide,
    account: AccountView,
    instrument: Instrument,
) -> Legs | Reason:
    """Return what `action` means for the position as it is now, or why there is nothing to do.

    Args:
        action: what is asked for.
        wanted: the quantity, rounded down to the lot here; 0 closes everything.
        on_same_side: of a reversal.
        account: tells the position and its mode.
        instrument: tells lot and greatest order.
    """
    symbol, side = instrument.symbol, action.side
    if side is None:
        return _close(wanted, account, instrument)
    quantity = instrument.quantity(wanted)
    held = _held(account, symbol, side.opens.opposite)
    is_net = account.position_mode is PositionMode.ONEWAY
    if not action.reverses:
        closing = min(quantity, instrument.quantity(held))
        return Legs(
            side=side,
            closing=closing,
            opening=quantity - closing,
            is_one_order=is_net,
            is_together=False,
        )
    # A position on the wanted side is turned around already.
    same = _held(account, symbol, side.opens)
    if same and not held and on_same_side is OnSameSide.SKIP:
        return Reason(ReasonCode.ALREADY_IN_POSITION, f"a {side.opens} of {same:f} is open already")
    closing = instrument.quantity(held)
    most = instrument.max_quantity
    # In one order only where the venue takes one of that size.
    fits = most is None or closing + quantity <= most
    return Legs(
        side=side,
        closing=closing,
        opening=quantity,
        is_one_order=is_net and fits,
        is_together=not is_net,
    )


def _close(wanted: Decimal, account: AccountView, instrument: Instrument) -> Legs | Reason:
    """Close the net position; of two legs that is the greater one."""
    long = _held(account, instrument.symbol, PositionSide.LONG)
    short = _held(account, instrument.symbol, PositionSide.SHORT)
    held = max(long, short)
    if not held:
        return Reason(ReasonCode.NO_POSITION, f"no position in {instrument.symbol} to close")
    return Legs(
        side=Side.SELL if long >= short else Side.BUY,
        closing=instrument.quantity(min(wanted, held) if wanted else held),
        opening=Decimal(0),
    )


def _held(account: AccountView, symbol: Symbol, leg: PositionSide) -> Decimal:
    """Return the whole leg: resting orders that reduce it are left alone, and reserve nothing."""
    return account.position(symbol, leg).size
