"""Prices that walk: a pure function of seed, symbol and time, so that every process agrees."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from hashlib import sha256

from app.domain.identifiers import Currency, EpochMs, Symbol, base_of
from app.domain.market import Quote
from app.paper.domain.ledger import Rules

#: Milliseconds for which a price stands still.
STEP_MS = 500

#: Waves of value noise: period in steps → share of the base price that it may add or take.
#: From hours down to a single step; the shares add up to just below the 20 % promised.
_WAVES: tuple[tuple[int, Decimal], ...] = (
    (28_800, Decimal("0.12")),
    (3_600, Decimal("0.05")),
    (450, Decimal("0.02")),
    (56, Decimal("0.006")),
    (7, Decimal("0.002")),
    (1, Decimal("0.0005")),
)

#: Share of the price between bid and ask; at least one price step.
_SPREAD = Decimal("0.0001")

#: Where a coin's price starts from, in whatever it is quoted in.
BASE_PRICES = {Currency("BTC"): Decimal(60_000), Currency("ETH"): Decimal(2_000)}
_OTHER_BASE_PRICE = Decimal(100)

_HALF_RANGE = 2**63


class WalkSource:
    """A QuoteSource that needs no network. A symbol without rules has no price.

    Args:
        seed: the same seed gives the same prices at the same times.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def quote(self, symbol: Symbol, rules: Rules, at_ms: EpochMs) -> Quote | None:
        """Return the prices at a business time, or None for what is not traded."""
        return self.past(symbol, rules, [at_ms])[0]

    def past(self, symbol: Symbol, rules: Rules, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments: they are a function of time."""
        steps = [instrument.price_step for instrument in rules.values()]
        if not steps:
            return [None for _ in moments]
        base = BASE_PRICES.get(base_of(symbol), _OTHER_BASE_PRICE)
        return [walk(self._seed, symbol, base, max(steps), moment) for moment in moments]


def walk(seed: str, symbol: Symbol, base: Decimal, price_step: Decimal, at_ms: EpochMs) -> Quote:
    """Return the prices at a business time: multiples of `price_step` within 20 % of `base`."""
    step = at_ms // STEP_MS
    share = sum(
        (size * _wave(f"{seed}:{symbol}:{period}", step, period) for period, size in _WAVES),
        Decimal(0),
    )
    bid = max(price_step, _to_step(base * (1 + share), price_step, ROUND_FLOOR))
    ask = bid + max(price_step, _to_step(bid * _SPREAD, price_step, ROUND_CEILING))
    last = ask if _noise(f"{seed}:{symbol}:last", step) > 0 else bid
    return Quote(bid=bid, ask=ask, last=last)


def _wave(name: str, step: int, period: int) -> Decimal:
    """Return a number from -1 to 1 that moves in a straight line from one period to the next."""
    index, phase = divmod(step, period)
    before = _noise(name, index)
    if phase == 0:
        return before
    return before + (_noise(name, index + 1) - before) * phase / period


def _noise(name: str, index: int) -> Decimal:
    """Return a number from -1 to 1 that depends on nothing but its name and index."""
    digest = sha256(f"{name}:{index}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    # 18 places: all that eight bytes can tell, and short enough for exact arithmetic after it.
    share = Decimal(number - _HALF_RANGE) / _HALF_RANGE
    return share.quantize(Decimal("1e-18"), ROUND_DOWN)


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding=rounding) * step
