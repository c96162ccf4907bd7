"""What was measured, as one table; and its ratios beside those of another day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

#: What stands where an app has no such thing, or was not measured.
NOTHING = "-"
_HEAD = ("| | Hookfill | naive | ratio | FastAPI |", "| :--- | ---: | ---: | ---: | ---: |")
#: Below this two digits after the point are too few.
_SMALL = 0.1
_BEGIN, _END = "<!-- measured -->\n", "<!-- /measured -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of each app that has it.

    Attributes:
        name: with the unit; no two rows of a table have the same.
        more_is_better: or else less is.
    """

    name: str
    hookfill: float
    naive: float | None = None
    fast_api: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times as well as the naive app Hookfill does; None if that says nothing."""
        if not self.hookfill or not self.naive:
            return None
        ratio = self.hookfill / self.naive
        return ratio if self.more_is_better else 1 / ratio

    def __str__(self) -> str:
        """Return it as a line of Markdown."""
        cells = map(figure, (self.hookfill, self.naive, self.ratio, self.fast_api))
        return f"| {self.name} | {' | '.join(cells)} |"


def table(rows: Iterable[Row]) -> str:
    """Return the rows in Markdown."""
    return "\n".join([*_HEAD, *map(str, rows)])


def figure(value: float | None) -> str:
    """Return a number as people read it: with the digits that count, or all before the point."""
    if value is None:
        return NOTHING
    if abs(value) < _SMALL:
        return f"{value:.2g}"
    digits = next((digits for digits, least in ((0, 100), (1, 10)) if abs(value) >= least), 2)
    return f"{value:,.{digits}f}"


def told(figures: Mapping[str, float]) -> str:
    """Return figures by name in one line."""
    return ", ".join(f"{name} {figure(value)}" for name, value in figures.items())


@dataclass(frozen=True, slots=True)
class Baseline:
    """The ratios of another day.

    Attributes:
        machine: on which, and what else it did.
        tolerance: the part of a ratio that it may lose before that is told; below 1.
        ratios: by the name of the row.
    """

    machine: str
    tolerance: float
    ratios: Mapping[str, float]

    def fallen(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yield a sentence for each ratio that is lower by more than the tolerance."""
        for row in rows:
            then, now = self.ratios.get(row.name), row.ratio
            if then is not None and now is not None and now < then * (1 - self.tolerance):
                yield (
                    f"{row.name}: {figure(now)} times the naive app, {figure(then)} in the "
                    f"baseline (may fall by {self.tolerance:.0%})"
                )

    def unmeasured(self, rows: Iterable[Row]) -> list[str]:
        """Return the names of ratios that were not measured, lest nobody miss them."""
        return sorted(self.ratios.keys() - {row.name for row in rows})


def read_baseline(path: Path) -> Baseline:
    """Return what `write_baseline` has written."""
    return Baseline(**json.loads(path.read_text()))


def write_baseline(path: Path, machine: str, tolerance: float, rows: Iterable[Row]) -> None:
    """Keep the ratios of these rows."""
    ratios = {row.name: float(f"{row.ratio:.3g}") for row in rows if row.ratio is not None}
    found = {"machine": machine, "tolerance": tolerance, "ratios": ratios}
    path.write_text(json.dumps(found, indent=2) + "\n")


def write_into(page: Path, lines: Sequence[str]) -> None:
    """Put the lines between the two marks of a page.

    Raises:
        ValueError: they are not there, once each and in this order.
    """
    before, begin, rest = page.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has no {_BEGIN.strip()} ... {_END}")
    page.write_text("".join([before, begin, "\n".join([*lines, ""]), end, after]))
