"""Take-profits that rest on the book, over HTTP (3Commas spec, 10, decision 11)."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support import three_commas as wire
from tests.support.users.three_commas import MINE, Client

SWITCH = f"/api/clients/three_commas/{wire.KEY}"
STEPS = [{"percent": "50", "price": "105"}, {"percent": "50", "price": "110"}]


@pytest.fixture
def client(client: Client) -> Iterator[Client]:
    """Return a client whose take-profits rest."""
    client.stack.call("PUT", SWITCH, {"tp_limit_rest_on_book": True})
    yield client
    client.stack.call("PUT", SWITCH, {"tp_limit_rest_on_book": False})


def bought(client: Client) -> dict[str, object]:
    """Buy 2 at market, with two profits at limits, and a stop."""
    profits = {
        "take_profit_enabled": True,
        "take_profit_type": "step_sell",
        "take_profit_sell_method": "limit",
        "take_profit_step_orders": STEPS,
    }
    stop = {
        "stop_loss_enabled": True,
        "stop_loss_price_condition": "95",
        "stop_loss_sell_method": "market",
    }
    made: dict[str, object] = client.post(
        "create_smart_trade", client.smart(buy_method="market", **profits, **stop)
    )
    return made


def resting(client: Client) -> list[tuple[Decimal, Decimal]]:
    """Return price and quantity of what the venue has of it, by price."""
    rows = client.stack.account(MINE)["ledger"]
    live = [one for one in rows if one["outcome"] in {"NEW", "PARTIALLY_FILLED"}]
    return sorted((Decimal(one["price"]), Decimal(one["quantity"])) for one in live)


def test_both_steps_rest_and_fill_at_their_prices(client: Client) -> None:
    trade = bought(client)
    assert resting(client) == [(Decimal(105), Decimal(1)), (Decimal(110), Decimal(1))]
    assert client.shown(trade)["status"] == "take_profit_order_placed"

    client.tick("106/106.1")
    assert resting(client) == [(Decimal(110), Decimal(1))]
    client.tick("111/111.1")

    ended = client.shown(trade)
    assert ended["status"] == "take_profit_finished"
    assert Decimal(ended["average_sell_price"]) == Decimal("107.5")


def test_a_stop_takes_off_what_rests_and_sells_all(client: Client) -> None:
    trade = bought(client)

    client.tick("94/94.1")

    assert resting(client) == []
    ended = client.shown(trade)
    assert ended["status"] == "stop_loss_finished"
    assert Decimal(ended["average_sell_price"]) == 94
