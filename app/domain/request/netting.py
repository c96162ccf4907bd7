"""What a request about a net position means for its legs (apisify spec 3.3)."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.commands import NetAction, OnSameSide
from app.domain.enums import Market, PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import Symbol, base_of
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

    @property
    def only_closes(self) -> bool:
        """Whether nothing is opened, so that it is all exit."""
        return not (self.opening or self.is_one_order)

    def refusal(self, instrument: Instrument, price: Decimal, wanted: Decimal) -> Reason | None:
        """Return why one of its orders is too small or too large, or None if none is.

        What only reduces is exempt from the minimums, as at the venues, but not from the lot; a
        sale of coins is not.

        Args:
            instrument: tells the rules.
            price: what orders are worth by.
            wanted: what was asked for, which is told where nothing of it is left on the lot.
        """
        if self.is_one_order or not self.closing:
            asked = None if self.quantity else wanted
            return instrument.refusal(self.quantity, price, asked)
        # One that is larger than one order may be is closed by several.
        rules = instrument if instrument.market is Market.SPOT else instrument.reducing()
        refused = rules.refusal(instrument.one_order(self.closing), price)
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
    if instrument.market is Market.SPOT:
        return _of_coins(side or Side.SELL, wanted, account, instrument)
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
            is_one_order=is_net and closing < quantity,
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


def _of_coins(
    side: Side, wanted: Decimal, account: AccountView, instrument: Instrument
) -> Legs | Reason:
    """Buy coins, or sell no more than there are: a spot account owes none."""
    nothing = Decimal(0)
    if side is Side.BUY:
        return Legs(side=side, closing=nothing, opening=instrument.quantity(wanted))
    held = closable(side, account, instrument)
    if held < instrument.quantity_step:
        reason = f"no {base_of(instrument.symbol)} is held to sell"
        return Reason(ReasonCode.NO_POSITION, reason)
    closing = instrument.quantity(min(wanted, held) if wanted else held)
    return Legs(side=side, closing=closing, opening=nothing)


def closable(side: Side, account: AccountView, instrument: Instrument) -> Decimal:
    """Return how much a trade on this side may close now: a leg, or coins.

    Resting orders that reduce a leg reserve nothing of it. Coins are reserved: where all of them
    are, the venue says no, and for how long that counts is the business of who closes.
    """
    if instrument.market is not Market.SPOT:
        return _held(account, instrument.symbol, side.works_on(reduces=True))
    held = account.held(instrument.symbol, None)
    return held.available if held.available >= instrument.quantity_step else held.size


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
