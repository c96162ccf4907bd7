"""Bars of the table as SVG, which a page shows in light and in dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from benchmarks.table import Row, figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Name of a plot -> its title, and what the names of its rows begin with.
_PLOTS = {
    "acknowledged": ("Webhooks acknowledged a second, more is better", "acknowledged/s, "),
    "acknowledged-p99": ("Webhook to `ok`, p99 in ms, less is better", "acknowledged, p99 ms, "),
    "filled": ("Orders filled a second, more is better", "orders filled/s, "),
    "alert-to-order": ("Alert to order in ms, less is better", "alert to order, "),
}
_COLORS = {"Hookfill": "#3b82f6", "naive": "#94a3b8", "FastAPI": "#d97706"}
_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 680, 150, 70, 18, 14
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">
<style>text {{ fill: #1f2328 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} }}\
</style>
<title>{title}</title>
<text x="0" y="16" font-weight="bold">{title}</text>
"""


def write_plots(folder: Path, rows: Sequence[Row]) -> None:
    """Write a file for each plot of which rows were measured."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, prefix) in _PLOTS.items():
        groups = {
            row.name.removeprefix(prefix): _bars(row) for row in rows if row.name.startswith(prefix)
        }
        if groups:
            (folder / f"{name}.svg").write_text(plot(title, groups))


def _bars(row: Row) -> dict[str, float]:
    found = {"Hookfill": row.hookfill, "naive": row.naive, "FastAPI": row.fast_api}
    return {app: value for app, value in found.items() if value is not None}


def plot(title: str, groups: dict[str, dict[str, float]]) -> str:
    """Return horizontal bars from nought, as long as what they stand for.

    Args:
        title: with the unit.
        groups: label of a group -> app -> value.
    """
    lines, top = [], 30
    scale = (_WIDTH - _LEFT - _RIGHT) / (max(max(one.values()) for one in groups.values()) or 1)
    for label, bars in groups.items():
        middle = top + len(bars) * _BAR / 2 + 4
        lines.append(f'<text x="0" y="{middle:g}">{escape(label)}</text>')
        for app, value in bars.items():
            lines += _bar(app, value, top, value * scale)
            top += _BAR
        top += _GAP
    shown = list(dict.fromkeys(app for bars in groups.values() for app in bars))
    for number, app in enumerate(shown):
        x = _LEFT + 110 * number
        lines.append(f'<rect x="{x}" y="{top}" width="12" height="12" fill="{_COLORS[app]}"/>')
        lines.append(f'<text x="{x + 18}" y="{top + 11}">{app}</text>')
    head = _HEAD.format(width=_WIDTH, height=top + 20, title=escape(title))
    return head + "\n".join([*lines, "</svg>", ""])


def _bar(app: str, value: float, top: int, length: float) -> Iterator[str]:
    size = f'width="{length:.1f}" height="{_BAR - 3}"'
    yield f'<rect x="{_LEFT}" y="{top}" {size} fill="{_COLORS[app]}"/>'
    yield f'<text x="{_LEFT + length + 6:.1f}" y="{top + _BAR - 6}">{figure(value)}</text>'
