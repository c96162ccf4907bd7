"""Rounds of one measurement as a Markdown table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.ingress.load import Result

_HEADINGS = ("connections", "app", "req/s", "p50 ms", "p99 ms", "req/s ratio", "p99 ratio")


@dataclass(frozen=True, slots=True)
class Round:
    """The two apps, measured one right after the other with the same load."""

    naive: Result
    hookfill: Result

    @property
    def connections(self) -> int:
        """How many were open at a time."""
        return self.naive.connections


def table(rounds: Sequence[Round]) -> str:
    """Return two rows for each number of connections: medians, and the range in brackets.

    A ratio is Hookfill's figure over the naive app's of the same round; the ratios of the rounds
    are then ordered. That is steadier than a ratio of medians when the machine is not.
    """
    lines = [_line(_HEADINGS), _line(["---:", ":---", *["---:"] * 5])]
    for connections in dict.fromkeys(each.connections for each in rounds):
        lines += _rows([each for each in rounds if each.connections == connections])
    return "\n".join(lines)


def errors(rounds: Sequence[Round]) -> list[str]:
    """Return one sentence for each run in which a request was not answered 200."""
    return [
        f"{name}, {result.connections} connections: {count} x {kind}"
        for each in rounds
        for name, result in (("naive", each.naive), ("Hookfill", each.hookfill))
        for kind, count in result.errors.items()
    ]


def _rows(rounds: Sequence[Round]) -> Iterator[str]:
    naive, hookfill = [each.naive for each in rounds], [each.hookfill for each in rounds]
    rates = [each.hookfill.per_second / (each.naive.per_second or math.nan) for each in rounds]
    tails = [each.hookfill.percentile_ms(99) / each.naive.percentile_ms(99) for each in rounds]
    yield _line([str(rounds[0].connections), "naive", *_figures(naive), "1", "1"])
    yield _line(["", "Hookfill", *_figures(hookfill), _spread(rates, 2), _spread(tails, 2)])


def _figures(results: Sequence[Result]) -> list[str]:
    return [
        _spread([each.per_second for each in results], 0),
        _spread([each.percentile_ms(50) for each in results], 2),
        _spread([each.percentile_ms(99) for each in results], 2),
    ]


def _spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = min(values), median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
