"""`make bench` measures all that it should, and each other benchmark still runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.table import read_baseline

ROOT = Path(__file__).parents[2]

#: With next to nothing to do, so that a run takes some seconds.
SMALL = [
    "account_memory --accounts 3 --markets 3",
    "history --counts 100 --rounds 1",
    "lists --finished 100 --live 10 --rounds 1",
    "paper_memory --orders 50 --rounds 1",
    "smart_trades --trades 40 --ticks 3",
    "steady --minutes 0.02 --per-second 20 --lanes 2",
    "triggers --fixed 200 --trailing 100 --orders 20",
    "walks",
]

#: Everything, for a moment each.
MOMENT = "--seconds 0.5 --count 20 --due-within 1 --fires 1,3 --accounts 2 --kills 1 --save-to"

#: What the table begins with, whatever the machine takes for it.
ROWS = """
acknowledged/s, 1 connection
acknowledged, p99 ms, 1 connection
acknowledged/s, 16 connections
acknowledged, p99 ms, 16 connections
acknowledged/s, 64 connections
acknowledged, p99 ms, 64 connections
orders filled/s meanwhile, 64 connections
s from then until none waited, 64 connections
expired by then, 64 connections
alert to order, p50 ms, idle
alert to order, p99 ms, idle
alert to order, p50 ms, at 50/s
alert to order, p99 ms, at 50/s
orders filled/s, one lane
CPU ms an order, one lane
orders filled/s, 100 lanes
CPU ms an order, 100 lanes
20 delays over 1 s: released, p50 ms late
20 delays over 1 s: released, p99 ms late
20 delays over 1 s: order made, p50 ms late
20 delays over 1 s: order made, p99 ms late
20 delays over 1 s: orders made
20 delays over 1 s: early
a tick that fires 1 trade, ms
a tick that fires 3 trades, ms
an order for each of 2 accounts at an exchange of 100 ms: last sent, s, first
an order for each of 2 accounts at an exchange of 100 ms: last sent, s, again
ready after its start, s
CPU s until ready
memory of all, MB (PSS)
CPU s a minute, idle
kB/s to the append-only file, idle
s from SIGKILL of all web processes to `ok`, longest of 1
s from SIGKILL of all workers to the next order of a busy lane, longest of 1
"""


@pytest.mark.e2e
@pytest.mark.timeout(920)
def test_the_one_command_measures_everything_for_a_moment(tmp_path: Path) -> None:
    page, plots, kept = tmp_path / "page.md", tmp_path / "img", tmp_path / "ratios.json"
    page.write_text("<!-- measured -->\n<!-- /measured -->\n")
    options = [*MOMENT.split(), str(kept), "--write", str(page), "--plots", str(plots)]

    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-4_000:]
    rows = dict(re.findall(r"^\| (\w.*?) \| (.*) \|$", page.read_text(), re.MULTILINE))
    assert list(rows) == ROWS.strip().splitlines()
    assert rows["20 delays over 1 s: orders made"].startswith("20.0 | 20.0 |")
    assert rows["20 delays over 1 s: early"].startswith("0 | 0 |")
    assert read_baseline(kept).ratios.keys() < rows.keys()
    assert len(list(plots.iterdir())) == 4


@pytest.mark.e2e
@pytest.mark.timeout(320)
@pytest.mark.parametrize("command", SMALL)
def test_it_runs_and_tells_something(command: str) -> None:
    module, *arguments = command.split()
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-2_000:]
    assert any(character.isdigit() for character in ran.stdout)
