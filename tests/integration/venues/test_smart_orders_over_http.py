"""Smart orders of the SDK, as its client sees them, that rest at a simulated Poloniex."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support.at_exchange import AtExchange, at_exchange
from tests.support.exchanges.books import Market as Listed
from tests.support.exchanges.books import Order
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waits
from tests.support.places import Place
from tests.support.processes import eventually
from tests.support.stack import Json
from tests.support.users.poloniex import ACCOUNT, KEY, NOW_MS, Trader

STEP = Decimal("0.000001")
LISTED = [
    Listed(base, "USDT", quantity_step=STEP, min_quantity=STEP, min_notional=Decimal(1))
    for base in ("BTC", "ETH")
]
CLIENT = f"/api/clients/poloniex/{KEY}"
SALE = {"side": "SELL", "quantity": "0.5", "stop_price": "55000"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtExchange]:
    with at_exchange(Place.POLONIEX, tmp_path_factory.mktemp("rests"), {}, LISTED) as running:
        yield running


@pytest.fixture
def trader(installation: AtExchange) -> Trader:
    """A caller whose stops are to rest at Poloniex: BTC is at 60,000, and it has one."""
    installation.wire.calm()
    trader = Trader(installation)
    trader.reset()
    trader.stack.call("PUT", CLIENT, {"protection": "exchange"})
    return trader


def refusal(trader: Trader, protection: str) -> str:
    """What a client is told that wants its stops held so."""
    url, wanted = trader.stack.url(CLIENT), {"protection": protection}
    answer = trader.stack.session.put(url, json=wanted, timeout=10)
    assert answer.status_code == 400
    return answer.text


def stops(trader: Trader) -> list[Order]:
    """What waits at the exchange."""
    assert isinstance(trader.stack, AtExchange)
    return [one for one in trader.stack.holder(ACCOUNT).stops if waits(one)]


def plan(trader: Trader, call: Call, *faults: Fault) -> None:
    assert isinstance(trader.stack, AtExchange)
    trader.stack.wire.plan.plan(call, *faults)


def row(trader: Trader, reference: str) -> Json:
    return trader.stack.call("GET", f"/api/orders/{reference}")


def test_it_is_a_smart_order_that_waits_and_no_order(trader: Trader) -> None:
    smart = trader.create(**SALE, client_order_id="mine")

    (stop,) = stops(trader)
    detail = row(trader, smart)
    (child,) = detail["children"]
    assert (detail["state"], detail["held_by"]) == ("PENDING_NEW", "venue")
    assert stop.ticket.client_id == row(trader, child)["client_order_id"]
    (listed,) = trader.sdk.get_all()
    assert (listed["id"], listed["state"], listed["stopPrice"]) == (smart, "PENDING_NEW", "55000")
    assert "triggeredOrder" not in trader.sdk.get_by_id(client_order_id="mine")
    assert trader.sdk.request("GET", "/orders") == []
    assert trader.hold("BTC") == 0
    for named in (child, "cid:mine"):
        trader.refused(21301, 404, trader.sdk.request, "GET", f"/orders/{named}")
        trader.refused(21301, 404, trader.sdk.request, "DELETE", f"/orders/{named}")
    assert trader.sdk.request("DELETE", "/orders", body={"symbols": ["BTC_USDT"]}) == []
    trader.refused(25004, 400, trader.sdk.create, **SALE, symbol="BTC_USDT", client_order_id="mine")
    assert len(stops(trader)) == 1


def test_when_it_fires_its_order_is_shown_as_any_other(trader: Trader) -> None:
    smart = trader.create(**SALE, client_order_id="sold")

    trader.price("54000")

    child = trader.child(smart)
    assert trader.state(smart) == "TRIGGERED"
    assert (child["state"], child["clientOrderId"]) == ("FILLED", "sold")
    assert (child["type"], Decimal(child["avgPrice"])) == ("MARKET", Decimal(54_000))
    assert trader.sdk.get_all() == []
    (past,) = trader.sdk.request("GET", "/orders/history")
    assert (past["id"], past["state"]) == (child["id"], "FILLED")
    (history,) = trader.sdk.get_history()
    assert (history["state"], Decimal(history["filledQuantity"])) == ("TRIGGERED", Decimal("0.5"))
    trader.refused(25009, 400, trader.sdk.cancel_by_id, smart)


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"protection": "auto"}, {}),
        ({"protection": "here"}, {}),
        ({"protection": "exchange"}, {"price": "54900"}),
        ({"protection": "exchange"}, {"side": "BUY", "stop_price": "65000"}),
        ({"protection": "exchange"}, {"type": "TRAILING_STOP", "trailing_offset": "500"}),
    ],
)
def test_the_rest_waits_here(
    trader: Trader, settings: dict[str, str], fields: dict[str, str]
) -> None:
    trader.stack.call("PUT", f"/api/accounts/{ACCOUNT}", {"protection": "exchange"})
    trader.stack.call("PUT", CLIENT, settings)
    wanted = {**SALE, **fields}
    if "trailing_offset" in fields:
        del wanted["stop_price"]

    smart = trader.create(**wanted)

    assert (row(trader, smart)["held_by"], stops(trader)) == ("here", [])


def test_it_cannot_be_held_by_both(trader: Trader) -> None:
    said = refusal(trader, "both")

    assert "Must be one of: auto, here, exchange." in said
    assert "one order ever" in said


def test_a_cancel_waits_for_the_exchange(trader: Trader) -> None:
    smart = trader.create(**SALE)

    answer = trader.sdk.cancel_by_id(smart)

    assert (answer["state"], answer["code"]) == ("CANCELED", 200)
    assert (trader.state(smart), stops(trader)) == ("CANCELED", [])
    trader.refused(21305, 400, trader.sdk.cancel_by_id, smart)


def test_a_cancel_that_the_exchange_does_not_answer_is_pending(trader: Trader) -> None:
    smart = trader.create(**SALE)
    plan(trader, Call.CANCEL, *[Fault.CUT] * 40)

    answers = [trader.sdk.cancel_by_id(smart)["state"] for _ in range(2)]
    (listed,) = trader.sdk.get_all()
    assert isinstance(trader.stack, AtExchange)
    trader.stack.wire.calm()
    work = trader.stack.settle

    eventually(lambda: work() or trader.state(smart) == "CANCELED")
    assert answers == ["PENDING_CANCEL"] * 2
    assert listed["state"] == "PENDING_CANCEL"
    assert stops(trader) == []


def test_a_cancel_that_comes_after_the_price_is_refused(trader: Trader) -> None:
    smart = trader.create(**SALE)
    assert isinstance(trader.stack, AtExchange)
    trader.stack.wire.exchange.set_price("BTC/USDT", "54000")  # nobody here knows

    trader.refused(25009, 400, trader.sdk.cancel_by_id, smart)

    assert trader.state(smart) == "TRIGGERED"
    assert trader.child(smart)["state"] == "FILLED"


def test_many_are_canceled_at_once(trader: Trader) -> None:
    named = trader.create(**SALE)
    others = [trader.create(**{**SALE, "quantity": "0.1"}) for _ in range(2)]

    (one,) = trader.sdk.cancel_by_multiple_ids(order_ids=[named])
    rest = trader.sdk.cancel(symbol="BTC_USDT")
    trader.stack.settle()

    assert {one["state"], *(each["state"] for each in rest)} == {"PENDING_CANCEL"}
    assert [trader.state(each) for each in (named, *others)] == ["CANCELED"] * 3
    assert stops(trader) == []


def test_the_kill_switch_reaches_it(trader: Trader) -> None:
    smart = trader.create(**SALE)
    trader.sdk.request("POST", "/orders/killSwitch", body={"timeout": "10"})

    trader.freeze(NOW_MS + 11_000)
    work = trader.stack.settle

    eventually(lambda: work() or trader.state(smart) == "CANCELED")
    assert stops(trader) == []


def test_another_one_takes_its_place(trader: Trader) -> None:
    old = trader.create(**SALE, client_order_id="next")

    new = trader.sdk.cancel_replace(old, stopPrice="56000", clientOrderId="next")["id"]
    trader.stack.settle()

    (stop,) = stops(trader)
    assert (trader.state(old), trader.state(new)) == ("CANCELED", "PENDING_NEW")
    assert stop.ticket.stop is not None
    assert stop.ticket.stop.level == 56_000
    assert row(trader, new)["held_by"] == "venue"


def test_what_has_fired_is_not_replaced(trader: Trader) -> None:
    old = trader.create(**SALE)
    assert isinstance(trader.stack, AtExchange)
    trader.stack.wire.exchange.set_price("BTC/USDT", "54000")  # nobody here knows

    trader.refused(25009, 400, trader.sdk.cancel_replace, old, stopPrice="53000")
    trader.price("52000")

    sales = [one for one in trader.placed() if one["side"] == "SELL"]
    assert (trader.state(old), len(sales)) == ("TRIGGERED", 1)


def test_a_client_order_id_is_free_after_a_cancel(trader: Trader) -> None:
    first = trader.create(**SALE, client_order_id="free")
    trader.sdk.cancel_by_id(first)

    second = trader.create(**SALE, client_order_id="free")

    assert trader.sdk.get_by_id(client_order_id="free")["id"] == second
    assert len(stops(trader)) == 1
