"""The price vectors of the 3Commas spec, 8.1, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.enums import Side
from app.domain.smart_trade.enums import TakeProfitType
from app.domain.smart_trade.spec import NewTrade, PriceCondition
from tests.support.price_vectors import VECTORS, Vector
from tests.support.users.three_commas import MINE, PAIR, Client

Json = dict[str, Any]


@pytest.mark.parametrize("name", VECTORS)
def test_a_price_vector(client: Client, name: str) -> None:
    vector = VECTORS[name]

    trade, fills = played(client, vector)

    assert trade["status"] == vector.statuses[-1]
    assert fills == list(vector.fills)
    if vector.steps is not None:
        steps = [*trade["take_profit_steps"], *trade["stop_loss_steps"]]
        assert " ".join(one["status"] for one in steps) == vector.steps
    for figure, wanted in vector.figures.items():
        assert shown(trade, figure) == wanted, figure
    if vector.type is not None:
        assert trade["type"] == f"SmartTrade::{vector.type}"
    assert trade["finished"] is True
    assert trade["closed_at"] is not None
    open_states = {"NEW", "PARTIALLY_FILLED"}
    ledger = client.stack.account(MINE)["ledger"]
    assert not [row for row in ledger if row["outcome"] in open_states | {"DUPLICATE"}]


def played(client: Client, vector: Vector) -> tuple[Json, list[str]]:
    """Play a vector; return the trade as it ended, and its fills with the tick of each."""
    client.tick(vector.first)
    path, parameters = created(client, vector.command)
    trade = client.post(path, parameters)
    seconds, number = 0, 0
    seen = [0] * len(fills_of(client))
    for tick in vector.ticks:
        if tick.startswith("!"):
            act(client, client.shown(trade), *tick[1:].split())
        else:
            number += 1
            at, _, price = tick.rpartition(" ")
            if at:
                client.stack.advance((int(at[1:]) - seconds) * 1000)
                seconds = int(at[1:])
            client.tick(price if "/" in price else f"{price}/{price}")
        seen += [number] * (len(fills_of(client)) - len(seen))
    filled = zip(seen, fills_of(client), strict=True)
    return client.shown(trade), [f"T{tick} {fill}" for tick, fill in filled]


def fills_of(client: Client) -> list[str]:
    """Return the orders that the venue has filled, by the time of their first fill."""
    account = client.stack.account(MINE)
    rows = {row["client_order_id"]: row for row in account["ledger"]}
    prices: dict[str, list[tuple[Decimal, Decimal]]] = {}
    for fill in account["fills"]:
        one = (Decimal(fill["quantity"]), Decimal(fill["price"]))
        prices.setdefault(fill["client_order_id"], []).append(one)
    found = []
    for order_id, filled in prices.items():
        quantity = sum((one for one, _ in filled), Decimal(0))
        average = sum((one * price for one, price in filled), Decimal(0)) / quantity
        row = rows[order_id]
        words = f"{row['side']} {row['type']} {quantity.normalize():f}"
        found.append(f"{words} @{average.normalize():f}")
    return found


def act(client: Client, trade: Json, what: str, *figures: str) -> None:
    """Let a caller do something, with all that follows."""
    match what, figures:
        case "cancel", ():
            client.post(f"{trade['id']}/cancel")
        case "panic", ():
            client.post(f"{trade['id']}/panic_sell")
        case "panic", (position,):
            steps = trade["take_profit_steps"]
            step = next(one["id"] for one in steps if one["position"] == int(position))
            client.post(f"{trade['id']}/step_panic_sell", {"step_id": step})
        case "funds", (quantity, *price):
            funds = {"quantity": quantity, "is_market": not price}
            client.post(f"{trade['id']}/add_funds", {**funds, "rate": price[0] if price else None})
        case _:
            raise AssertionError(f"nobody can {what} {figures}")


#: Figures of the vectors → fields of the entity.
FIELDS = {
    "profit": "profit_percentage",
    "sell": "average_sell_price",
    "buy": "average_buy_price",
    "entry": "average_buy_price",
    "profit_order": "take_profit_price_order",
    "profit_price": "take_profit_price_condition",
    "stop_price": "stop_loss_price_condition",
    "stop_percent": "trailing_stop_loss_condition_percentage",
    "stop_extreme": "trailing_stop_loss_last_price",
    "profit_extreme": "trailing_take_profit_last_price",
}


def shown(trade: Json, figure: str) -> str:
    """Return a figure of the vectors as the entity shows it."""
    if figure == "profit_prices":
        return " ".join(one["price"] for one in trade["take_profit_steps"])
    if figure == "entry_extreme":
        return str(trade["buy_steps"][0]["trailing_last_price"])
    return f"{Decimal(str(trade[FIELDS[figure]])).normalize():f}"


# What is sent


def created(client: Client, command: NewTrade) -> tuple[str, Json]:
    """Return the path and the parameters by which a client opens such a trade."""
    common: Json = {
        "account_id": client.account,
        "pair": PAIR,
        "units_to_buy": str(command.quantity),
        **entered(command),
    }
    if command.type.is_simple:
        side = "buy" if command.type.entry_side is Side.BUY else "sell"
        return f"create_simple_{side}", common
    parameters = {**common, **profits(command), **stops(command)}
    if command.entry is None:
        return "create_smart_sell", {**parameters, "average_buy_price": str(command.basis_price)}
    is_cover = command.type.entry_side is Side.SELL
    return ("create_smart_cover" if is_cover else "create_smart_trade"), parameters


def entered(command: NewTrade) -> Json:
    entry = command.entry
    if entry is None:
        return {}
    found: Json = {"buy_method": entry.method, "buy_price": str(entry.price or 1)}
    if entry.limit_price is not None:
        found["conditional_limit_price"] = str(entry.limit_price)
    if entry.trailing_percent is not None:
        found |= {"trailing_buy_enabled": True, "trailing_buy_step": str(entry.trailing_percent)}
    return found


def profits(command: NewTrade) -> Json:
    terms = command.take_profit
    if terms is None:
        return {"take_profit_enabled": False}
    found: Json = {
        "take_profit_enabled": True,
        "take_profit_type": terms.type,
        "take_profit_sell_method": terms.order_type.lower(),
        "trailing_take_profit": terms.trailing_percent is not None,
    }
    if terms.trailing_percent is not None:
        found["trailing_take_profit_step"] = str(terms.trailing_percent)
    if terms.order_price is not None:
        found["take_profit_sell_order_price"] = str(terms.order_price)
    if terms.type is TakeProfitType.CLASSIC:
        return {**found, **condition("take_profit", command.take_profit_steps[0].condition)}
    orders = [
        {
            "percent": str(one.percent),
            "price_method": one.condition.source,
            **{
                name: str(figure)
                for name, figure in (
                    ("price", one.condition.price),
                    ("price_percentage", one.condition.percentage),
                )
                if figure is not None
            },
        }
        for one in command.take_profit_steps
    ]
    return {**found, "take_profit_step_orders": orders}


def stops(command: NewTrade) -> Json:
    terms = command.stop_loss
    if terms is None or command.stop_loss_condition is None:
        return {"stop_loss_enabled": False}
    found: Json = {
        "stop_loss_enabled": True,
        "stop_loss_sell_method": terms.order_type.lower(),
        "trailing_stop_loss": terms.is_trailing,
        "stop_loss_timeout_enabled": terms.timeout_seconds is not None,
    }
    if terms.timeout_seconds is not None:
        found["stop_loss_timeout_seconds"] = terms.timeout_seconds
    if terms.order_price is not None:
        found["stop_loss_sell_order_price"] = str(terms.order_price)
    return {**found, **condition("stop_loss", command.stop_loss_condition)}


def condition(name: str, terms: PriceCondition) -> Json:
    found: Json = {f"{name}_price_method": terms.source}
    if terms.price is not None:
        found[f"{name}_price_condition"] = str(terms.price)
    if terms.percentage is not None:
        found[f"{name}_percentage_condition"] = str(terms.percentage)
    return found
