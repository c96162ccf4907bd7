"""An account for which nothing is sent, since its venue has orders of ours that nobody here knows.

That is what a store looks like that was restored from an earlier copy: what it takes for still to
come has been done already. Only a person can tell what of it shall go again.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.enums import AccountState, Side
from app.domain.errors import WrongState
from app.domain.identifiers import (
    AccountId,
    AggregateId,
    ClientOrderId,
    EpochMs,
    Symbol,
    VenueOrderId,
    first_id,
)
from app.domain.money import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order that was placed at a venue, whatever has become of it, and whoever placed it.

    Attributes:
        placed_at_ms: the venue's time.
        is_open: whether it may still fill.
    """

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId | None
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    placed_at_ms: EpochMs
    is_open: bool = False

    def sentence(self) -> str:
        """Return, for instance, `sell 0.5 BTC/USDT, filled 0.5`."""
        size = f"{plain(self.quantity)} {self.symbol}"
        return f"{self.side.lower()} {size}, filled {plain(self.filled_quantity)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Orders that were placed at a venue, of one symbol and from one moment on.

    Attributes:
        until_ms: server time up to which all of them are here; None is until they were asked for.
    """

    orders: tuple[PlacedOrder, ...]
    until_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Why an account is frozen.

    Attributes:
        at_ms: server time at which this was found; tells it from what was found before.
        orders: ours by their client order ids, and unknown here; oldest first.
        before: the state that it is in again once it is released, as the store has it.
    """

    account: AccountId
    at_ms: EpochMs
    why: str
    orders: tuple[PlacedOrder, ...] = ()
    before: AccountState = AccountState.HALT


def refuse_if_frozen(state: AccountState) -> None:
    """Refuse to change the state of an account that is frozen.

    Raises:
        WrongState: it is.
    """
    if state is AccountState.FROZEN:
        raise WrongState(
            "the account is frozen: its venue has orders of ours that are not known here. Look at "
            "them, and release it, with `hookfill recover`"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the present run of the store knows of one account's orders of one symbol.

    A run is one life of the store's server. A store that was restored always begins a new one.

    Attributes:
        run: its name.
        mark: the last id that was handed out before it began.
        begun_ms: server time at which it was first seen.
        since_ms: server time since when orders may have been placed of which it does not know; None
            if the venue was asked about all of them in this run.
        end: the last id that was handed out in the run in which it knew of all.
    """

    run: str
    mark: AggregateId
    begun_ms: EpochMs
    since_ms: EpochMs | None
    end: AggregateId

    def may_have_forgotten(self, order_id: AggregateId) -> bool:
        """Tell whether an order may have been made after the copy that runs here was.

        Then the store has never known it, even if the history does: that may be a newer copy.
        """
        return self.end < order_id < first_id(self.begun_ms)
