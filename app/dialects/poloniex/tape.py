"""What paper accounts have traded, as everybody may see it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.bootstrap import Wiring
from app.dialects.poloniex.render_orders import trade_id_of
from app.domain.account import PAPER
from app.domain.identifiers import AccountId, Symbol
from app.domain.market import Trade
from app.domain.market_data import PublicTrade
from app.unhurried import unhurried

#: Of one pair, the newest; what is older is left out of everything.
TRADES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Reel:
    """What was read so far.

    Attributes:
        positions: of what was read last.
        trades: symbol → account and trade, oldest first.
    """

    positions: Mapping[str, str] = field(default_factory=dict)
    trades: Mapping[Symbol, Sequence[tuple[AccountId, PublicTrade]]] = field(default_factory=dict)


class Tape:
    """Keeps in memory what was read of the tape, and reads what is new.

    Args:
        wiring: of the web process.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._source = wiring.tape
        self._registry = wiring.registry
        self._lock = threading.Lock()
        self._reel = _Reel()

    def trades(self, symbol: Symbol) -> Sequence[PublicTrade]:
        """Return the newest trades of a pair, by time, then id; the oldest first."""
        trades = self._read().trades.get(symbol, ())
        paper = {one.id for one in self._registry.accounts() if one.venue == PAPER}
        return [trade for account, trade in trades if account in paper]

    def _read(self) -> _Reel:
        """Return all there is by now. What two read at once is right for both; one is kept."""
        before = self._reel
        positions, new = self._source.after(before.positions)
        if not new:
            return before
        trades = dict(before.trades)
        for symbol in {one.symbol for one in new}:
            added = ((one.account, _shown(one)) for one in unhurried(new) if one.symbol == symbol)
            known = sorted((*trades.get(symbol, ()), *added), key=_place)
            trades[symbol] = tuple(known[-TRADES_MAX:])
        reel = _Reel(positions, trades)
        with self._lock:
            if self._reel is before:
                self._reel = reel
        return reel


def _place(one: tuple[AccountId, PublicTrade]) -> tuple[int, int]:
    return one[1].at_ms, int(one[1].id)


def _shown(trade: Trade) -> PublicTrade:
    return PublicTrade(
        id=trade_id_of(trade.order_id, trade.number),
        at_ms=trade.at_ms,
        price=trade.price,
        quantity=trade.quantity,
        taker_side=trade.taker_side,
    )
