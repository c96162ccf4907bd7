"""From webhooks to one exchange for several accounts at once; the benchmark has many of them."""

from __future__ import annotations

from benchmarks.many_accounts import measured


def test_each_account_gets_each_order_once() -> None:
    figures = measured(accounts=3, latency_ms=10, has_limits=False)

    assert figures["orders"] == {2: 3}
    assert figures["newest_states"] == {"FILLED": 6}
