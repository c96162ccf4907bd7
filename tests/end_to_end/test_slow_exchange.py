"""From a webhook to an exchange that takes seconds over each request, with nothing shortened."""

from __future__ import annotations

from benchmarks.slow_venue import measured


def test_a_sale_in_percent_is_placed_once_however_slow_the_exchange_is() -> None:
    rows = measured([0.0, 1.6, 9.0], patience=90)

    assert [row["sales"] for row in rows] == [1, 1, 1]
