"""Whether a message waits, and how long (Crypto Arsenal webhook spec, section 3.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from typing import Any

#: Exact for every number that a field lets through: 40 digits, and four of the factor.
_EXACT = Context(prec=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRules:
    """The settings of an installation that shape delays.

    Attributes:
        seconds_max: a message that asks for more is refused.
        ignores_case: whether the filter word matches in any case.
    """

    seconds_max: int = 86_400
    ignores_case: bool = False


def delay_refusals(shape: Mapping[str, Any], rules: DelayRules) -> dict[str, list[str]]:
    """Return what is wrong with `delaySeconds`, whether or not the delay would apply."""
    seconds = shape.get("delay_seconds", 0)
    if 0 <= seconds <= rules.seconds_max:
        return {}
    return {"delaySeconds": [f"Must be at least 0 and at most {rules.seconds_max}, was {seconds}."]}


def delay_ms(shape: Mapping[str, Any], rules: DelayRules) -> int:
    """Return the delay in whole milliseconds, rounded up: a delay is never early.

    With a filter word it applies only to a message whose log holds that word anywhere.
    """
    seconds = shape.get("delay_seconds", 0)
    if not seconds or not _matches(shape, rules):
        return 0
    return int(_EXACT.multiply(seconds, 1000).to_integral_value(ROUND_CEILING))


def _matches(shape: Mapping[str, Any], rules: DelayRules) -> bool:
    word, log = shape.get("delay_filter", ""), shape.get("log", "")
    if rules.ignores_case:
        return word.casefold() in log.casefold()
    return word in log
