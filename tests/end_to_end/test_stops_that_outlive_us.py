"""docs/protection.md over a whole running stack: its stops at exchanges when the power goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from app.domain.enums import Dialect, Market, PositionMode
from tests.support.each_dialect import KEY as CALLER
from tests.support.exchange_stack import Customer, Running, stack_at_exchanges
from tests.support.processes import eventually
from tests.support.stack import Json, running_stack
from tests.support.three_commas import TRADES

HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
PLACES = [
    ("binance", Market.USDM, HEDGE),
    ("binance", Market.USDM, ONEWAY),
    ("bybit", Market.USDM, HEDGE),
    ("bybit", Market.USDM, ONEWAY),
]
ETH, HALF = "ETH/USDT", Decimal("0.4")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with stack_at_exchanges(tmp_path_factory.mktemp("outlive"), ["binance", "bybit"]) as running:
        yield running


@contextmanager
def started_again(running: Running, data_dir: Path) -> Iterator[None]:
    """Start the same installation once more, beside the same exchanges."""
    with running_stack(data_dir, running.environment) as stack:
        running.stack = stack
        yield


def resting(running: Running, entry: str) -> Json | None:
    """Return the order that rests at the exchange for an entry, if it is there."""
    for guard in running.stack.rows(kind="SMART_ORDER", parent=entry):
        if guard["held_by"] == "venue":
            orders = running.stack.rows(kind="ORDER", parent=guard["id"])
            return next((one for one in orders if one["state"] == "NEW"), None)
    return None


def test_a_position_is_closed_while_every_process_is_dead(running: Running) -> None:
    owners = [
        Customer(running, venue, market, ETH, mode=mode, protection="both")
        for venue, market, mode in PLACES
    ]
    entries = [one.opened(f"{HALF}", loss="1900") for one in owners]
    rested = [eventually(partial(resting, running, entry)) for entry in entries]
    before = [len(one.holder.orders) + len(one.holder.stops) for one in owners]

    running.stack.lose_power()
    for one in owners:
        one.exchange.set_price(ETH, "1840")
    left = [one.leg() for one in owners]
    with started_again(running, running.stack.data_dir):
        ended = [one.ended(entry) for one, entry in zip(owners, entries, strict=True)]
        orders = [running.row(one["id"]) for one in rested]
        guards = [running.row(one["parent_id"]) for one in rested]
        sold = [one.sold() for one in owners]
        placed = [running.stack.rows(account=one.name, kind="ORDER") for one in owners]

    assert left == [0, 0, 0, 0]
    assert [(one["held_by"], one["trigger_price"]) for one in rested] == [("venue", "1843")] * 4
    assert [one["state"] for one in ended] == ["DONE"] * 4
    assert [(one["state"], Decimal(one["filled_quantity"])) for one in orders] == [
        ("FILLED", HALF)
    ] * 4
    assert {Decimal(one["average_price"]) for one in orders} == {Decimal(1_840)}
    for guard in guards:
        assert "triggered" in [line["event"] for line in guard["timeline"]]
    # Nothing more was sent: an entry, and the stop; at Binance the order that was made of it.
    assert sold == [[HALF]] * 4
    for one, known, count in zip(owners, placed, before, strict=True):
        assert len(known) <= 3  # ours may have been let go before it was sent
        made = 1 if one.holder.stops else 0
        assert len(one.holder.orders) + len(one.holder.stops) == count + made


def test_the_coins_of_a_trade_are_sold_while_every_process_is_dead(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """3Commas at Binance's spot market, where the stop that rests locks them."""
    with stack_at_exchanges(tmp_path_factory.mktemp("trade"), ["binance"]) as running:
        me = Customer(running, "binance", Market.SPOT, ETH)
        me.client_of(Dialect.THREE_COMMAS)
        running.put(f"clients/{Dialect.THREE_COMMAS}/{CALLER}", {"protection": "both"})
        fields = {
            "account_id": running.stack.call("GET", f"/api/accounts/{me.name}")["id"],
            "pair": "USDT_ETH",
            "units_to_buy": f"{HALF}",
            "buy_method": "market",
            "take_profit_enabled": False,
            "stop_loss_enabled": True,
            "stop_loss_price_condition": 1900,
        }

        def made() -> str | None:
            answer = me.answer_to(Dialect.THREE_COMMAS, f"{TRADES}/create_smart_trade", fields)
            return str(answer.json()["id"]) if answer.ok else None

        trade = eventually(made, 60)  # no worker may have read yet what is traded there

        def held() -> bool:
            return bool(running.row(trade)["held_by"] == "venue")

        eventually(held, 40, lambda: running.row(trade))
        placed = len(me.holder.orders)
        running.stack.lose_power()
        me.exchange.set_price(ETH, "1840")
        left = me.holder.total["ETH"]
        with started_again(running, running.stack.data_dir):
            ended = "stop_loss_finished"
            eventually(lambda: running.state(trade) == ended, 60, lambda: running.row(trade))
            rows = [running.row(one) for one in running.row(trade)["children"]]

    assert left == 0
    assert len(me.holder.orders) == placed  # nothing more was sent
    (sale,) = [one for one in rows if one["side"] == "SELL"]
    assert (sale["state"], sale["trigger_price"], sale["average_price"]) == (
        "FILLED",
        "1843",
        "1840",
    )
