"""docs/poloniex.md over a whole running stack: a stop that rests at Poloniex as power goes."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path

from app.domain.enums import Dialect, Market
from tests.support.exchange_stack import Customer, Running, stack_at_exchanges
from tests.support.processes import eventually
from tests.support.stack import Json, running_stack

BTC, HALF = "BTC/USDT", Decimal("0.1")
STOP = {"symbol": "BTC_USDT", "side": "SELL", "quantity": f"{HALF}", "stopPrice": "47500"}


def resting(running: Running, smart: str) -> Json | None:
    """Return the order that rests at the exchange for a smart order, if it is there."""
    orders = running.stack.rows(kind="ORDER", parent=smart)
    return next((one for one in orders if one["state"] == "NEW"), None)


def test_it_sells_while_every_process_is_dead(tmp_path: Path) -> None:
    with stack_at_exchanges(tmp_path, ["poloniex"]) as running:
        me = Customer(running, "poloniex", Market.SPOT, BTC)
        me.holder.total["BTC"] = HALF
        me.client_of(Dialect.POLONIEX, protection="exchange")
        created = eventually(partial(taken, me))
        smart = created["id"]
        rested = eventually(partial(resting, running, smart))

        running.stack.lose_power()
        me.exchange.set_price(BTC, "47000")
        me.exchange.set_price(BTC, "52000")
        left = me.coins()
        with running_stack(running.stack.data_dir, running.environment) as stack:
            running.stack = stack
            ended = me.ended(smart, "TRIGGERED")
            order = running.row(rested["id"])
            shown = me.call(Dialect.POLONIEX, f"/smartorders/{smart}", {}, "GET")
            orders = stack.rows(account=me.name, kind="ORDER")

    assert left == 0
    assert (rested["held_by"], rested["trigger_price"]) == ("venue", "47500")
    assert (order["state"], Decimal(order["filled_quantity"])) == ("FILLED", HALF)
    assert Decimal(order["average_price"]) == 47_000
    assert "triggered" in [line["event"] for line in ended["timeline"]]
    assert shown["triggeredOrder"]["state"] == "FILLED"
    # Nothing more was sent: the stop, and the order that Poloniex made of it.
    assert (me.sold(), len(me.holder.stops), len(orders)) == ([HALF], 1, 1)


def taken(me: Customer) -> Json | None:
    """Create the stop, once a worker has read what is traded there."""
    answer = me.answer_to(Dialect.POLONIEX, "/smartorders", STOP)
    content: Json = answer.json()
    return content if answer.ok else None
