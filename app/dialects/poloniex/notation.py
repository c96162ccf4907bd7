"""Pairs, currencies, numbers and words of orders, as Poloniex writes them."""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from app.domain.enums import Direction, OrderType, Side, SmartOrderType, TimeInForce
from app.domain.identifiers import Currency, Symbol
from app.domain.money import plain

#: The only account type that there is here.
SPOT: Final = "SPOT"

#: What is not set.
UNSET: Final = "0.00"

SIDES: Final[Mapping[str, Side]] = {one.value: one for one in Side}
TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {one.value: one for one in TimeInForce}
ORDER_TYPES: Final[Mapping[str, OrderType]] = {one.value: one for one in OrderType}
OPERATORS: Final[Mapping[str, Direction]] = {"GTE": Direction.RISING, "LTE": Direction.FALLING}


class SmartType(NamedTuple):
    """A type of smart order as its caller means it."""

    type: SmartOrderType
    post_only: bool = False


#: The SDK's README creates smart orders with the types of plain ones.
SMART_TYPES: Final[Mapping[str, SmartType]] = {
    **{one.value: SmartType(one) for one in SmartOrderType},
    "MARKET": SmartType(SmartOrderType.STOP),
    "LIMIT": SmartType(SmartOrderType.STOP_LIMIT),
    "LIMIT_MAKER": SmartType(SmartOrderType.STOP_LIMIT, post_only=True),
}

_PAIR = re.compile(r"([A-Z0-9]{1,20})_([A-Z0-9]{1,20})", re.ASCII)

CALLER_ID_CHARACTERS_MAX: Final = 64
CALLER_ID: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{CALLER_ID_CHARACTERS_MAX}}}", re.ASCII)

#: Digits behind the point of what a division brings forth.
_QUOTIENT_DIGITS = Decimal("1e-18")

#: A quotient of ours has no more digits before the point than this many bits of it keep exact.
_QUOTIENT_MAX = Decimal(10) ** 9

#: Numbers of currencies; those of others begin at `_FIRST_NUMBER`.
_NUMBERS: Final[Mapping[Currency, int]] = {
    Currency("BTC"): 28,
    Currency("USDT"): 214,
    Currency("ETH"): 267,
}
_FIRST_NUMBER: Final = 10_000
_NUMBERS_COUNT: Final = 1_000_000


def symbol_from(text: str) -> Symbol | None:
    """Return our symbol for a pair in any case, or None for what is no pair."""
    match = _PAIR.fullmatch(text.strip().upper()) if text.isascii() else None
    return None if match is None else Symbol(f"{match[1]}/{match[2]}")


def pair_of(symbol: Symbol) -> str:
    """Return `BTC_USDT` for `BTC/USDT`."""
    return symbol.replace("/", "_")


def shown(value: Decimal | None) -> str:
    """Return a number in plain digits; `0.00` for None and for 0."""
    return UNSET if not value else plain(value)


def quotient(value: Decimal) -> str:
    """Return a number that was divided, without the digits that mean nothing."""
    if abs(value) < _QUOTIENT_MAX:
        value = value.quantize(_QUOTIENT_DIGITS)
    return shown(value)


def number_of(code: Currency) -> int:
    """Return the number of a currency: always the same, whatever else is traded."""
    known = _NUMBERS.get(code)
    if known is not None:
        return known
    digest = hashlib.sha256(code.encode()).digest()
    return _FIRST_NUMBER + int.from_bytes(digest[:8], "big") % _NUMBERS_COUNT
