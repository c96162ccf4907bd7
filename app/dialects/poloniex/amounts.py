"""Numbers as Poloniex writes them: text, and `0.00` for what is not set."""

from decimal import Decimal

from app.domain.money import plain

UNSET = "0.00"

#: Digits behind the point of what a division brings forth.
_QUOTIENT_DIGITS = Decimal("1e-18")

#: A quotient of ours has no more digits before the point than this many bits of it keep exact.
_QUOTIENT_MAX = Decimal(10) ** 9


def shown(value: Decimal | None) -> str:
    """Return a number in plain digits; `0.00` for None and for 0."""
    return UNSET if not value else plain(value)


def quotient(value: Decimal) -> str:
    """Return a number that was divided, without the digits that mean nothing."""
    if abs(value) < _QUOTIENT_MAX:
        value = value.quantize(_QUOTIENT_DIGITS)
    return shown(value)


def scale_of(step: Decimal) -> int:
    """Return how many digits behind the point a step has: 2 for `0.01`, 0 for `10`."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))
