"""What `python -m benchmarks` makes of its figures."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.plots import plot, write_plots
from benchmarks.table import (
    Baseline,
    Row,
    figure,
    read_baseline,
    table,
    write_baseline,
    write_into,
)

RATE = Row(name="acknowledged/s, 16 connections", hookfill=900, naive=300, more_is_better=True)
WAIT = Row(name="alert to order, p99 ms, idle", hookfill=20, naive=10)
ALONE = Row(name="a tick that fires 1 trade, ms", hookfill=7.284)


def baseline(**ratios: float) -> Baseline:
    return Baseline("a machine", 0.25, ratios)


def test_a_ratio_tells_how_many_times_as_well_as_the_naive_app() -> None:
    assert RATE.ratio == 3
    assert WAIT.ratio == 0.5
    assert ALONE.ratio is None


@pytest.mark.parametrize("naive", [None, 0.0])
def test_a_figure_beside_nothing_has_no_ratio(naive: float | None) -> None:
    assert Row(name="expired", hookfill=1, naive=naive).ratio is None


def test_a_ratio_that_has_fallen_by_more_than_the_tolerance_is_told() -> None:
    told = list(baseline(**{RATE.name: 4.1}).fallen([RATE, WAIT, ALONE]))

    assert told == [
        f"{RATE.name}: 3.00 times the naive app, 4.10 in the baseline (may fall by 25%)"
    ]


def test_a_wait_that_has_grown_is_a_ratio_that_has_fallen() -> None:
    assert list(baseline(**{WAIT.name: 0.7}).fallen([WAIT]))


@pytest.mark.parametrize("then", [4.0, 3.0, 1.0])
def test_what_fell_by_less_or_rose_is_not_told(then: float) -> None:
    assert list(baseline(**{RATE.name: then}).fallen([RATE])) == []


def test_a_ratio_that_nobody_measured_is_named() -> None:
    kept = baseline(**{RATE.name: 3.0, "a row of another name": 2.0})

    assert kept.unmeasured([RATE, WAIT]) == ["a row of another name"]


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"

    write_baseline(path, "a machine", 0.25, [RATE, WAIT, ALONE])

    assert read_baseline(path) == baseline(**{RATE.name: 3.0, WAIT.name: 0.5})


def test_the_table_has_a_dash_where_there_is_nothing() -> None:
    assert table([RATE, ALONE]).splitlines()[2:] == [
        "| acknowledged/s, 16 connections | 900 | 300 | 3.00 | - |",
        "| a tick that fires 1 trade, ms | 7.28 | - | - | - |",
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (0.00412, "0.0041"), (0.5, "0.50"), (21.9, "21.9"), (254_245.0, "254,245")],
)
def test_a_figure_has_the_digits_that_count(value: float, told: str) -> None:
    assert figure(value) == told


def test_a_page_gets_the_table_between_its_marks_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n")

    write_into(page, ["new", "newer"])

    assert page.read_text() == (
        "before\n<!-- measured -->\nnew\nnewer\n<!-- /measured -->\nafter\n"
    )


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")

    with pytest.raises(ValueError, match="has no <!-- measured -->"):
        write_into(page, ["new"])

    assert page.read_text() == "nothing\n"


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    picture = ET.fromstring(plot("a < b", {"x": {"Hookfill": 40.0, "naive": 10.0}}))  # noqa: S314 - ours

    bars = [one for one in picture.iter() if one.get("height") == "15"]
    assert [float(one.attrib["width"]) for one in bars] == [460.0, 115.0]


def test_a_plot_is_written_for_what_was_measured_alone(tmp_path: Path) -> None:
    write_plots(tmp_path / "img", [RATE])

    assert [one.name for one in (tmp_path / "img").iterdir()] == ["acknowledged.svg"]
