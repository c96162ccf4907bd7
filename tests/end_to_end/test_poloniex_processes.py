"""The acceptance vectors of the Poloniex dialect that are about processes: A59 and A61."""

import signal
from pathlib import Path

from tests.end_to_end.poloniex import ACCOUNT, NOW_MS, Trader
from tests.end_to_end.stack import running_stack, until


def test_a59_what_trails_survives_a_restart(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        trader = Trader(stack)
        trader.reset()
        order_id = trader.create(
            side="SELL", type="TRAILING_STOP", trailingOffset="500", quantity="0.1"
        )
        trader.price("61000")
    with running_stack(tmp_path) as stack:
        again = Trader(stack)
        again.freeze(NOW_MS)
        assert again.state(order_id) == "PENDING_NEW"
        again.price("60500")
        assert again.state(order_id) == "TRIGGERED"
        assert len(again.placed()) == 1


def test_a61_a_killed_worker_places_once(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        trader = Trader(stack)
        trader.reset()
        order_id = trader.create(side="BUY", quantity="0.01", stop_price="60001")
        stack.call("PUT", f"/paper/faults/{ACCOUNT}", {"place": ["ok"], "delay_ms": 5_000})
        quote = {"prices": {"BTC/USDT": {"last": "60001"}}}
        stack.call("PUT", "/paper/prices", quote)
        until(lambda: any(one["state"] == "PLACING" for one in stack.rows(kind="ORDER")))
        for name in [one for one in stack.run_file()["pids"] if one.startswith("worker")]:
            stack.kill(name, signal.SIGKILL)
        stack.call("DELETE", f"/paper/faults/{ACCOUNT}")
        stack.wait_ready()
        until(lambda: stack.rows(kind="ORDER")[0]["state"] == "FILLED", seconds=60)
        assert len(trader.placed()) == 1
        assert trader.state(order_id) == "TRIGGERED"
        assert trader.child(order_id)["state"] == "FILLED"
