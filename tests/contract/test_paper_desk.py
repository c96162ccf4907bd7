"""What a person sets and sees at the paper venue."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.domain.enums import PositionSide, Side
from app.domain.errors import MalformedPayload
from app.domain.identifiers import Currency
from app.paper.admin.administration import DEFAULT_INSTRUMENTS
from tests.support.builders import ETH, SPOT, USDM, a_quote
from tests.support.paper_world import USDT, PaperWorld


def test_an_account_is_shown_whole(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.10000", "50000.00")
    world.spot.place(order)
    world.spot.place(world.order(Side.BUY, "0.01", "40000"))

    answer: dict[str, Any] = world.desk.account(SPOT)

    assert json.loads(json.dumps(answer)) == answer
    assert answer["balances"] == {
        "BTC": {"total": "0.6", "available": "0.6", "hold": "0"},
        "USDT": {"total": "5000", "available": "4600", "hold": "400"},
    }
    assert [row["outcome"] for row in answer["ledger"]] == ["FILLED", "NEW"]
    assert {
        "client_order_id": order.client_order_id,
        "symbol": "BTC/USDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.1",
        "price": "50000",
        "filled_quantity": "0.1",
        "outcome": "FILLED",
        "reduce_only": False,
        "received_at_ms": 1_000,
        "updated_at_ms": 1_000,
    }.items() <= answer["ledger"][0].items()
    assert answer["fills"] == [
        {
            "trade_id": f"{answer['ledger'][0]['venue_order_id']}-1",
            "client_order_id": order.client_order_id,
            "quantity": "0.1",
            "price": "50000",
            "fee": "0",
            "fee_currency": "BTC",
            "at_ms": 1_000,
        }
    ]


def test_a_position_is_shown_with_both_legs(world: PaperWorld) -> None:
    world.desk.set_account(
        USDM, {"positions": {"ETH/USDT": {"long": "0.5", "short": "0", "entry_price": "2000"}}}
    )

    positions: Any = world.desk.account(USDM)["positions"]

    position = positions["ETH/USDT"]
    assert (position["long"], position["short"]) == ("0.5", "0")
    assert position["entry_price"] == "2000"


def test_what_is_not_named_stays(world: PaperWorld) -> None:
    world.desk.set_account(SPOT, {"balances": {"USDT": "7"}})

    assert world.available() == Decimal(7)
    assert world.available(Currency("BTC")) == Decimal("0.5")


def test_a_reset_forgets_orders_and_positions_and_frees_what_was_held(world: PaperWorld) -> None:
    world.desk.set_account(
        USDM, {"positions": {"ETH/USDT": {"long": "0.5", "entry_price": "2000"}}}
    )
    world.price("2000", ETH)
    world.usdm.place(world.order(Side.SELL, "0.2", "2200", leg=PositionSide.LONG))
    world.usdm.place(world.order(Side.BUY, "0.2", "1800", leg=PositionSide.LONG))

    world.desk.set_account(USDM, {"reset": True})

    answer: Any = world.desk.account(USDM)
    assert (answer["ledger"], answer["fills"], answer["positions"]) == ([], [], {})
    assert answer["balances"]["USDT"] == {"total": "1000", "available": "1000", "hold": "0"}
    assert answer["leverage"] == {"ETH/USDT": 5}
    assert world.resting() == 0


def test_a_position_without_entry_price_takes_the_last_price(world: PaperWorld) -> None:
    world.source.quotes = {ETH: a_quote("1234")}

    world.desk.set_account(USDM, {"positions": {"ETH/USDT": {"short": "1"}}})

    view = world.usdm.view()
    assert view.position(ETH, PositionSide.SHORT).entry_price == Decimal(1_234)


def test_a_position_without_any_price_is_refused(world: PaperWorld) -> None:
    with pytest.raises(MalformedPayload) as caught:
        world.desk.set_account(USDM, {"positions": {"ETH/USDT": {"short": "1"}}})

    assert set(caught.value.fields) == {"positions.ETH/USDT.entry_price"}


@pytest.mark.parametrize(
    ("content", "field"),
    [({"position_mode": "ONEWAY"}, "position_mode"), ({"market": "SPOT"}, "market")],
)
def test_what_resting_orders_depend_on_cannot_change(
    world: PaperWorld, content: dict[str, object], field: str
) -> None:
    world.price("2000", ETH)
    world.usdm.place(world.order(Side.BUY, "0.2", "1800", leg=PositionSide.LONG))

    with pytest.raises(MalformedPayload) as caught:
        world.desk.set_account(USDM, content)

    assert set(caught.value.fields) == {field}
    world.desk.set_account(USDM, {**content, "reset": True})


def test_a_one_way_account_has_one_leg(world: PaperWorld) -> None:
    both = {"long": "1", "short": "1", "entry_price": "1"}

    with pytest.raises(MalformedPayload):
        world.desk.set_account(USDM, {"position_mode": "ONEWAY", "positions": {"ETH/USDT": both}})


def test_a_spot_account_has_no_positions(world: PaperWorld) -> None:
    with pytest.raises(MalformedPayload):
        world.desk.set_account(SPOT, {"positions": {"ETH/USDT": {"long": "1", "entry_price": "1"}}})


def test_seeding_leaves_an_account_alone_that_exists(world: PaperWorld) -> None:
    world.desk.seed_account(SPOT, {"balances": {"USDT": "1"}})

    assert world.available() == Decimal(10_000)


def test_seeding_opens_a_new_account(world: PaperWorld) -> None:
    world.client.flushall()

    world.desk.seed_account(SPOT, {"balances": {"USDT": "1"}})

    assert world.available() == Decimal(1)


def test_seeding_instruments_keeps_what_a_person_changed(world: PaperWorld) -> None:
    body = {"symbol": "BTC/USDT", "market": "SPOT", "price_step": "1", "quantity_step": "1"}
    world.desk.set_instruments({"instruments": [body]})

    world.desk.seed_instruments()

    instruments: Any = world.desk.instruments()["instruments"]
    assert [one["price_step"] for one in instruments if one["symbol"] == "BTC/USDT"] == [
        "1",
        "0.01",
    ]
    assert len(instruments) == len(DEFAULT_INSTRUMENTS)


def test_all_prices_are_shown_and_whether_they_were_set(world: PaperWorld) -> None:
    world.source.quotes = {ETH: a_quote("2000", "2001")}
    world.desk.set_prices({"prices": {"XRP/USDT": None}})

    prices: Any = world.desk.prices()["prices"]

    assert prices["BTC/USDT"]["is_set"]
    assert prices["BTC/USDT"]["last"] == "50000"
    assert not prices["ETH/USDT"]["is_set"]
    assert prices["ETH/USDT"]["ask"] == "2001"
    assert prices["XRP/USDT"] is None


def test_wrong_bodies_change_nothing(world: PaperWorld) -> None:
    with pytest.raises(MalformedPayload):
        world.desk.set_prices({"prices": {"BTC/USDT": {"last": "1"}, "ETH/USDT": {}}})

    assert world.ports.prices.oldest_tick() is None


def test_money_taken_out_from_under_a_hold_leaves_nothing_available(world: PaperWorld) -> None:
    world.spot.place(world.order(Side.BUY, "0.1", "40000"))

    world.desk.set_account(SPOT, {"balances": {"USDT": "1000"}})

    assert world.available(USDT) == 0
