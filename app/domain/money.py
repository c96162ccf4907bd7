"""Figures as text: plain digits, no exponent, no trailing zeros."""

from decimal import Decimal


def plain(value: Decimal) -> str:
    """Return `0.1` for `1E-1`, `100` for `1E+2` and `100.00`, `0` for `-0`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
