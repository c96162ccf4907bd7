"""From webhooks to one exchange for several accounts at once; the benchmark has many of them."""

from __future__ import annotations

import pytest

from benchmarks.many_accounts import measured

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_each_account_gets_each_order_once() -> None:
    figures = measured(accounts=3, latency_ms=10, has_limits=False)

    assert figures["orders"] == {2: 3}
    assert figures["newest_states"] == {"FILLED": 6}
