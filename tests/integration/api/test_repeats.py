"""The very same signed request of the Poloniex dialect is one request, however often it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.bootstrap import Wiring
from app.settings import Settings
from tests.support.caller import Caller, Json, Worker
from tests.support.faulty_store import Fault
from tests.support.trader import Placed, Signed, Trader, failing_web

#: How often the same comes at once.
AT_ONCE = 5

PATHS = ["/orders", "/smartorders"]

pytestmark = pytest.mark.integration


@pytest.fixture
def wiring(settings: Settings, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """A web process whose store can fail; while it waits, the worker works."""
    return failing_web(settings, worker, monkeypatch)


@pytest.fixture
def trader(demo: Caller, wiring: Wiring, worker: Worker) -> Trader:
    return Trader(demo, wiring, worker)


def item(trader: Trader, path: str, **fields: str) -> Json:
    shape = trader.stop() if path == "/smartorders" else trader.limit()
    return {**shape, **fields}


def at_once(trader: Trader, request: Signed) -> list[Json]:
    """Send the same from several threads, and return the answers."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        clients = [trader.client.application.test_client() for _ in range(AT_ONCE)]
        answers = pool.map(lambda one: one.open(**request), clients)
        return [answer.get_json() for answer in answers]


def is_asked_to_end(one: Placed) -> bool:
    return not one.is_live or bool(getattr(one, "cancel_requested", False))


# What makes something


@pytest.mark.parametrize("named", [{}, {"clientOrderId": "mine"}])
@pytest.mark.parametrize("path", PATHS)
def test_an_order_is_made_once(trader: Trader, path: str, named: Json) -> None:
    order = item(trader, path, **named)
    request = trader.signed("POST", path, order)

    answers = [*at_once(trader, request), trader.send(request).get_json()]
    trader.worker.step()
    answers.append(trader.send(request).get_json())

    assert [str(one.id) for one in trader.at(order["price"])] == [answers[0]["id"]]
    assert answers == [answers[0]] * len(answers)


@pytest.mark.parametrize("path", PATHS)
def test_what_was_signed_anew_is_another_order(trader: Trader, path: str) -> None:
    order = item(trader, path)

    made = {trader.made(path, order), trader.made(path, {**order, "memo": "again"})}

    assert len(made) == len(trader.at(order["price"])) == 2


def test_an_order_that_ate_the_money_is_told_again(trader: Trader) -> None:
    order = {**trader.limit(), "price": "40000", "quantity": "0.2"}
    request = trader.signed("POST", "/orders", order)

    first = trader.send(request).get_json()
    trader.worker.step()

    assert trader.send(request).get_json() == first
    assert trader.send(trader.signed("POST", "/orders", order)).get_json()["code"] == 21709


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("path", PATHS)
def test_after_a_failure_the_same_again_makes_it(trader: Trader, path: str, fault: Fault) -> None:
    calls, at = 1, 0
    while calls >= at:
        at += 1
        order = item(trader, path)
        request = trader.signed("POST", path, order)
        trader.store.arm(fault, at, trader.change)
        first = trader.send(request)
        calls = trader.store.disarm()
        assert first.status_code in {200, 503}, first.text

        again = trader.send(request).get_json()["id"]

        assert [str(one.id) for one in trader.at(order["price"])] == [again]
        assert first.status_code == 503 or first.get_json()["id"] == again
    assert at > 3, "there was no call to fail"


@pytest.mark.parametrize("path", PATHS)
def test_an_order_is_replaced_once(trader: Trader, path: str) -> None:
    old = trader.made(path, item(trader, path))
    price = trader.limit()["price"]
    request = trader.signed("PUT", f"{path}/{old}", {"price": price})

    answers = [*at_once(trader, request), trader.send(request).get_json()]

    assert [str(one.id) for one in trader.at(price)] == [answers[0]["id"]]
    assert answers == [answers[0]] * len(answers)


# What ends something


@pytest.mark.parametrize("path", PATHS)
def test_a_cancel_is_told_as_the_first_time(trader: Trader, path: str) -> None:
    made = trader.made(path, item(trader, path))
    trader.worker.step()
    request = trader.signed("DELETE", f"{path}/{made}")

    answers = [*at_once(trader, request)]
    trader.worker.step(2)
    answers.append(trader.send(request).get_json())

    assert answers == [answers[0]] * len(answers)
    assert answers[0]["code"] == 200
    assert not trader.now(made).is_live


CANCELS: dict[str, Callable[[str], tuple[str, object]]] = {
    "one by its own id": lambda path: (f"{path}/cid:mine", None),
    "some by their own ids": lambda path: (f"{path}/cancelByIds", {"clientOrderIds": ["mine"]}),
    "all": lambda path: (path, None),
}


@pytest.mark.parametrize("name", CANCELS)
@pytest.mark.parametrize("path", PATHS)
def test_a_cancel_does_not_reach_what_came_after_it(trader: Trader, path: str, name: str) -> None:
    old = trader.made(path, item(trader, path, clientOrderId="mine"))
    trader.worker.step()
    request = trader.signed("DELETE", *CANCELS[name](path))
    first = trader.send(request).get_json()
    trader.worker.step(2)
    new = trader.made(path, item(trader, path, clientOrderId="mine"))

    assert trader.send(request).get_json() == first
    assert not trader.now(old).is_live
    assert not is_asked_to_end(trader.now(new))


@pytest.mark.parametrize("path", PATHS)
def test_a_refused_cancel_is_looked_at_anew(trader: Trader, path: str) -> None:
    request = trader.signed("DELETE", f"{path}/cid:mine")
    first = trader.send(request)
    made = trader.made(path, item(trader, path, clientOrderId="mine"))

    assert first.status_code == 404
    assert trader.send(request).status_code == 200
    assert is_asked_to_end(trader.now(made))


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("path", PATHS)
def test_after_a_failure_the_same_again_cancels(trader: Trader, path: str, fault: Fault) -> None:
    calls, at = 1, 0
    while calls >= at:
        at += 1
        made = trader.made(path, item(trader, path))
        request = trader.signed("DELETE", f"{path}/{made}")
        trader.store.arm(fault, at, trader.change)
        first = trader.send(request)
        calls = trader.store.disarm()

        assert first.status_code in {200, 503}, first.text
        again = trader.send(request)
        # What was done without being told, or kept, is looked up anew: it may have ended by then.
        assert again.status_code == 200 or again.get_json()["message"] == "Order is canceled"
        assert is_asked_to_end(trader.now(made))
    assert at > 3, "there was no call to fail"


# The kill switch


def test_a_kill_switch_that_was_taken_off_stays_off(trader: Trader) -> None:
    path = "/orders/killSwitch"
    request = trader.signed("POST", path, {"timeout": "60"})
    first = trader.send(request).get_json()
    trader.good("POST", path, {"timeout": "-1"})

    assert trader.send(request).get_json() == first
    assert trader.send(trader.signed("GET", f"{path}Status")).get_json()["code"] == 25020
