"""The limits that an account sets to what opens or adds to something: its risk limits.

They are kept as texts, name → text, so that a record is what a person has written. A limit that
denies an order is the reason code of it: `max_order_value` denies with `max_order_value`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from app.domain.identifiers import Symbol
from app.domain.money import plain
from app.domain.trading_hours import TradingHours

#: No account needs a greater number.
COUNT_MAX: Final = 100_000
SECONDS_MAX: Final = 7 * 86_400
SYMBOLS_MAX: Final = 500
_DIGITS_MAX: Final = 40

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SYMBOL = re.compile(r"[A-Z0-9._-]{1,32}/[A-Z0-9._-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds the entries of an account; None, or nothing, bounds nothing.

    Attributes:
        max_order_value: of one order, in the quote currency of its symbol.
        max_position_value: of one leg of one symbol, or of its coins, in its quote currency.
        max_open_orders: that rest at the venue or are on their way.
        max_orders_per_minute: entries that are sent in 60 seconds.
        max_daily_loss: realised since midnight UTC, in the quote currency.
        allowed_symbols: the only ones in which anything is opened.
        cooldown_seconds: between two entries of one symbol.
        price_collar_percent: how far a price may be off the market's, or the alert's.
        trading_hours: when anything is opened.
    """

    max_order_value: Decimal | None = None
    max_position_value: Decimal | None = None
    max_open_orders: int | None = None
    max_orders_per_minute: int | None = None
    max_daily_loss: Decimal | None = None
    allowed_symbols: tuple[Symbol, ...] = ()
    cooldown_seconds: int | None = None
    price_collar_percent: Decimal | None = None
    trading_hours: TradingHours | None = None

    @property
    def looks_back_ms(self) -> int:
        """How long ago an entry still matters."""
        cooldown_ms = (self.cooldown_seconds or 0) * 1_000
        return max(cooldown_ms, 60_000)


class WrongLimits(ValueError):
    """Texts that are no limits.

    Attributes:
        messages: name → what is wrong, in a sentence.
    """

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in messages.items()))
        self.messages = dict(messages)


def limits_from(texts: Mapping[str, str]) -> Limits:
    """Return the limits that texts say; the same texts are read once.

    Raises:
        WrongLimits: some say none.
    """
    return _limits_from(tuple(sorted(texts.items())))


@lru_cache(maxsize=1_000)
def _limits_from(texts: tuple[tuple[str, str], ...]) -> Limits:
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, text in texts:
        read = _READ.get(name)
        if read is None:
            wrong[name] = f"There is no such limit; there are {', '.join(_READ)}."
            continue
        try:
            values[name] = read(text)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise WrongLimits(wrong)
    return Limits(**values)


def texts_of(limits: Limits) -> dict[str, str]:
    """Return the texts that limits are read from, each in one form."""
    texts = {}
    for name in _READ:
        value = getattr(limits, name)
        if value in {None, ()}:
            continue
        if isinstance(value, tuple):
            texts[name] = ",".join(value)
        else:
            texts[name] = plain(value) if isinstance(value, Decimal) else str(value)
    return texts


def _amount(text: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None or len(text) > _DIGITS_MAX:
        raise ValueError("Must be a number above 0, in plain digits.")
    try:
        amount = Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets no such text through
        raise ValueError("Must be a number above 0, in plain digits.") from error
    if amount <= 0:
        raise ValueError("Must be a number above 0, in plain digits.")
    return amount


def _percent(text: str) -> Decimal:
    percent = _amount(text)
    if percent > 100:  # noqa: PLR2004 - percent
        raise ValueError("Must be at most 100 percent.")
    return percent


def _whole(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # Its length first: endless digits are slow to read.
        is_whole = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not is_whole or not 1 <= int(text) <= most:
            raise ValueError(f"Must be a whole number from 1 to {most}.")
        return int(text)

    return read


def _symbols(text: str) -> tuple[Symbol, ...]:
    names = [one for one in re.split(r"[,\s]+", text) if one]
    if not 1 <= len(names) <= SYMBOLS_MAX:
        raise ValueError(f"Must name 1 to {SYMBOLS_MAX} symbols, as in `BTC/USDT,ETH/USDT`.")
    wrong = next((one for one in names if _SYMBOL.fullmatch(one) is None), None)
    if wrong is not None:
        raise ValueError(f"Must name symbols as in `BTC/USDT`, was `{wrong[:64]}`.")
    return tuple(dict.fromkeys(map(Symbol, names)))


#: All there are, in the order in which they are told.
_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "max_order_value": _amount,
    "max_position_value": _amount,
    "max_open_orders": _whole(COUNT_MAX),
    "max_orders_per_minute": _whole(COUNT_MAX),
    "max_daily_loss": _amount,
    "allowed_symbols": _symbols,
    "cooldown_seconds": _whole(SECONDS_MAX),
    "price_collar_percent": _percent,
    "trading_hours": TradingHours.from_text,
}

#: Their names.
LIMIT_NAMES: Final = tuple(_READ)
