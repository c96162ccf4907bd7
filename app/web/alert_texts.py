"""What alerts of TradingView hold where a number belongs, and what is to be said of it.

Its placeholders and their spelling: https://www.tradingview.com/support/solutions/43000531021
"""

import re

#: Longer texts are no number that somebody has spelled in another way.
_CHARACTERS_MAX = 100

#: Of a placeholder, as much as is shown.
_SHOWN_CHARACTERS = 60

_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")

#: What a script writes that has no value there.
_NO_VALUE = re.compile(r"\s*[+-]?(nan|na|n/a|null|none|undefined|inf|infinity)\s*", re.IGNORECASE)

#: Groups of three digits, with what people and places put between them.
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}(?:[,'_\u2019\u00a0\u202f ]\d{3})+(?:\.\d*)?\s*", re.ASCII)

_WITH_COMMA = re.compile(r"\s*[+-]?[\d.' ]*,\d+\s*", re.ASCII)


def left_over(text: str) -> str | None:
    """Return a placeholder that was not filled in, or None if there is none."""
    found = _PLACEHOLDER.search(text)
    return None if found is None else found.group()[:_SHOWN_CHARACTERS]


def no_number(text: str) -> str:
    """Return in a sentence what a text is that is no number."""
    if len(text) > _CHARACTERS_MAX:
        return "Not a number."
    left = left_over(text)
    if left is not None:
        return f"Not a number: TradingView has not filled in {left}."
    if _NO_VALUE.fullmatch(text):
        return f"Not a number: {text.strip()} is what a script writes that has no value there."
    if _GROUPED.fullmatch(text):
        return "Not a number: write it without anything between the digits."
    if _WITH_COMMA.fullmatch(text):
        return "Not a number: write a point before the decimals."
    return "Not a number."
