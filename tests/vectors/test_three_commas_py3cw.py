"""py3cw as it is published, every method that it has for version 1; only its address is set."""

from collections.abc import Callable, Iterator
from typing import Any

import py3cw.request
import pytest
from py3cw.request import Py3CW

from tests.support import three_commas as wire
from tests.support.users.three_commas import Client

ENTITY = "smart_trades_deprecated"

Call = Callable[..., Any]


@pytest.fixture
def bot(client: Client) -> Iterator[Py3CW]:
    before = py3cw.request.API_URL
    py3cw.request.API_URL = client.stack.run["base_url"]
    yield Py3CW(key=wire.KEY, secret=wire.SECRET)
    py3cw.request.API_URL = before


@pytest.fixture
def call(bot: Py3CW, client: Client) -> Call:
    """Return a function that calls what must be done, and waits for what follows."""

    def called(action: str, trade: Any = None, **parameters: object) -> Any:  # noqa: ANN401
        known = None if trade is None else str(trade["id"])
        error, content = bot.request(
            entity=ENTITY, action=action, action_id=known, payload=parameters
        )
        assert error == {}
        client.stack.settle()
        return content

    return called


def test_a_simple_buy_and_sell(call: Call, client: Client) -> None:
    bought = call("create_simple_buy", **client.simple(buy_method="market"))
    sold = call("create_simple_sell", **client.simple(buy_price=101))
    client.tick("101/101.2")

    assert client.shown(bought)["status"] == "simple_trade_finished"
    assert client.shown(sold)["average_sell_price"] == "101"


def test_a_smart_trade_from_entry_to_profit(call: Call, client: Client) -> None:
    exits = {
        "take_profit_enabled": True,
        "take_profit_type": "classic",
        "take_profit_price_condition": 110,
        "stop_loss_enabled": True,
        "stop_loss_price_condition": 90,
    }
    made = call("create_smart_trade", **client.smart(buy_method="market", **exits))
    client.tick("110/110.1")

    done = client.shown(made)
    assert (made["type"], done["status"]) == ("SmartTrade::Classic", "take_profit_finished")
    assert done["profit_percentage"] == "10"


def test_a_cover_is_cancelled_without_parameters(call: Call, client: Client) -> None:
    made = call("create_smart_cover", **client.smart(buy_method="conditional", buy_price=105))

    cancelled = call("cancel", made)

    assert (made["type"], cancelled["status"]) == ("SmartTrade::ConditionalSell", "cancelled")
    assert cancelled["id"] == made["id"]


def test_a_sale_is_changed_step_by_step(call: Call, client: Client) -> None:
    made = call("create_smart_sell", **client.sale(**wire.in_steps()))
    first, second, _ = made["take_profit_steps"]

    assert call("add_funds", made, quantity=1, is_market=True) == {}
    call("step_panic_sell", made, step_id=first["id"])
    call("cancel_order", made, step_id=str(second["id"]))
    looked_at = call("force_process", made)

    steps = looked_at["take_profit_steps"]
    assert [step["status"] for step in steps] == ["panic_sold", "cancelled", "idle"]
    assert looked_at["units_to_buy"] == "11"
    assert call("panic_sell", made)["status"] == "panic_sell_order_placed"
    assert client.shown(made)["status"] == "panic_sell_finished"


def test_a_trade_is_updated(call: Call, client: Client) -> None:
    made = call("create_smart_sell", **client.sale())

    changed = call("update", made, **client.sale(take_profit_price_condition=120, note="higher"))

    assert (changed["take_profit_price_condition"], changed["note"]) == ("120", "higher")
    assert changed["stop_loss_price_condition"] == "95"


def test_lists(call: Call, client: Client, bot: Py3CW) -> None:
    made = call("create_smart_sell", **client.sale())

    listed = call("", type="SmartTrade::SmartSale", scope="active", limit=1000, pairs=["USDT_LTC"])

    assert made["id"] in {trade["id"] for trade in listed}
    assert {trade["type"] for trade in listed} == {"SmartTrade::SmartSale"}
    error, everything = bot.request(entity=ENTITY)
    assert error == {}
    assert isinstance(everything, list)


def test_accounts_and_prices(bot: Py3CW, client: Client) -> None:
    account = bot.request(entity="accounts")[1][0]
    assert account["id"] == client.account
    _, pairs = bot.request(entity="accounts", action="market_pairs")
    assert "USDT_LTC" in pairs
    rate = {"pretty_display_type": account["pretty_display_type"], "pair": "USDT_LTC"}
    error, rates = bot.request(entity="accounts", action="currency_rates", payload=rate)
    assert error == {}
    assert (rates["bid"], rates["lotStep"]) == ("99.9", 0.01)


def test_an_error_is_told_in_its_own_words(bot: Py3CW, client: Client) -> None:
    parameters = client.simple(units_to_buy=0)

    error, content = bot.request(entity=ENTITY, action="create_simple_buy", payload=parameters)

    assert content == {}
    assert error == {
        "error": True,
        "msg": (
            "Other error occurred: record_invalid Invalid parameters "
            "{'units_to_buy': ['must be greater than 0']}."
        ),
        "status_code": 400,
    }
