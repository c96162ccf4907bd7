"""The acceptance vectors of the Poloniex dialect that are about processes: A59 and A61."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import eventually
from tests.support.stack import Installation, Json, Stack, running_stack
from tests.support.users.poloniex import ACCOUNT, NOW_MS, OTHER_ACCOUNT, OTHER_KEY, Trader

#: Batches that are sent while the registry changes, and orders in each.
BATCHES, ORDERS = 8, 10

#: Between two changes of the registry.
CHANGE_SECONDS = 0.2


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


def test_a61_a_killed_worker_places_once(own_steps_stack: Stack) -> None:
    stack = own_steps_stack
    trader = Trader(stack)
    trader.reset()
    order_id = trader.create(side="BUY", quantity="0.01", stop_price="60001")
    stack.call("PUT", f"/paper/faults/{ACCOUNT}", {"place": ["ok"], "delay_ms": 5_000})
    quote = {"prices": {"BTC/USDT": {"last": "60001"}}}
    stack.call("PUT", "/paper/prices", quote)
    eventually(lambda: any(one["state"] == "PLACING" for one in stack.rows(kind="ORDER")))
    for name in [one for one in stack.run_file()["pids"] if one.startswith("worker")]:
        stack.kill(name, signal.SIGKILL)
    stack.call("DELETE", f"/paper/faults/{ACCOUNT}")
    stack.wait_ready()
    eventually(lambda: stack.rows(kind="ORDER")[0]["state"] == "FILLED", seconds=60)
    assert len(trader.placed()) == 1
    assert trader.state(order_id) == "TRIGGERED"
    assert trader.child(order_id)["state"] == "FILLED"


@contextmanager
def changing_registry(stack: Installation) -> Iterator[None]:
    """Change a client that nobody uses, again and again."""
    stopped = threading.Event()

    def change() -> None:
        shape: Json = {"accounts": [OTHER_ACCOUNT], "by_id_shape": "object"}
        while not stopped.wait(CHANGE_SECONDS):
            shape["by_id_shape"] = "array" if shape["by_id_shape"] == "object" else "object"
            stack.call("PUT", f"/api/clients/poloniex/{OTHER_KEY}", shape)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def buy(price: int) -> Json:
    """Return an order that rests at a price of its own."""
    figures = {"quantity": "0.001", "price": str(price)}
    return {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", **figures}


def test_a_registry_that_changes_makes_no_order_twice(own_steps_stack: Stack) -> None:
    trader = Trader(own_steps_stack)
    trader.reset()
    trader.real_time()
    asked = [buy(10_000 + number) for number in range(BATCHES * ORDERS)]
    told: dict[str, str] = {}
    with changing_registry(own_steps_stack):
        for start in range(0, len(asked), ORDERS):
            batch = asked[start : start + ORDERS]
            results = trader.sdk.request("POST", "/orders/batch", body=batch)
            told |= {one["id"]: item["price"] for one, item in zip(results, batch, strict=True)}

    made = trader.sdk.request("GET", "/orders", {"limit": 2_000})
    assert Counter(one["price"] for one in made) == Counter(item["price"] for item in asked)
    assert {one["id"]: one["price"] for one in made} == told


def test_a_registry_that_changes_undoes_no_replacement(own_steps_stack: Stack) -> None:
    trader = Trader(own_steps_stack)
    trader.reset()
    trader.real_time()
    request = trader.sdk.request
    old = [request("POST", "/orders", body=buy(10_000 + number))["id"] for number in range(10)]
    own_steps_stack.settle()
    with changing_registry(own_steps_stack):
        new = [
            request("PUT", f"/orders/{one}", body={"price": str(20_000 + number)})["id"]
            for number, one in enumerate(old)
        ]
    own_steps_stack.settle()

    assert {request("GET", f"/orders/{one}")["state"] for one in old} == {"CANCELED"}
    assert {one["id"] for one in request("GET", "/orders")} == set(new)
