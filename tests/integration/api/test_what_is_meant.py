"""What a message does not say for sure moves no money: it is refused, and nothing is queued."""

from decimal import Decimal

import pytest

from tests.support.caller import Caller, Worker

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("name", "value"),
    [("fixed", ""), ("fixed", None), ("Fixed", "0.001"), ("quantity", "0.001"), ("size", 5)],
)
def test_a_size_that_was_meant_buys_nothing_else(
    name: str, value: object, demo: Caller, worker: Worker
) -> None:
    answer = demo.signal(action="buy", **{name: value})
    worker.work()

    assert answer.status_code == 400
    assert list(answer.get_json()["error"]["fields"]) == [name]
    assert demo.rows() == []
    assert demo.balance("demo", "USDT") == Decimal(10_000)
