"""`hummingbot-api-client` from PyPI, unmodified (Hummingbot spec, V37)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hummingbot_api_client import HummingbotAPIClient

from tests.support.users.hummingbot import User

# The client is used as it is; its way to sign in is one that its library will drop in time.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

Talk = Callable[[HummingbotAPIClient], Awaitable[Any]]


def told(user: User, talk: Talk, password: str | None = None) -> Any:  # noqa: ANN401
    """Let the client talk to the stack, and return what it was told."""

    async def session() -> Any:  # noqa: ANN401
        url, word = user.stack.run["base_url"], password or user.password
        async with HummingbotAPIClient(url, "admin", word) as client:
            return await talk(client)

    return asyncio.run(session())


def test_v37_an_order_is_placed_seen_canceled_and_found(user: User) -> None:
    name = user.account_name

    async def talk(client: HummingbotAPIClient) -> str:
        trading = client.trading
        order = await trading.place_order(
            name, user.connector, "BTC-USDT", "BUY", 0.001, order_type="LIMIT", price=59000.5
        )
        active = await trading.get_active_orders(account_names=[name])
        assert [one["order_id"] for one in active["data"]] == [order["order_id"]]
        said = await trading.cancel_order(name, user.connector, order["order_id"])
        assert order["order_id"] in said["message"]
        order_id: str = order["order_id"]
        return order_id

    canceled = told(user, talk)
    user.stack.settle()
    filled = told(
        user,
        lambda client: client.trading.place_order(name, user.connector, "BTC-USDT", "BUY", 0.001),
    )["order_id"]
    user.stack.settle()

    async def look_back(client: HummingbotAPIClient) -> tuple[Any, Any]:
        since = int(time.time()) - 3600
        found = await client.trading.search_orders(account_names=[name], start_time=since)
        return found, await client.trading.get_trades(account_names=[name], start_time=since)

    found, trades = told(user, look_back)
    statuses = {one["order_id"]: one["status"] for one in found["data"]}
    assert statuses == {canceled: "CANCELLED", filled: "FILLED"}
    assert [one["order_id"] for one in trades["data"]] == [filled]
    assert trades["pagination"]["limit"] == 50


def test_it_finds_out_what_there_is(user: User) -> None:
    async def talk(client: HummingbotAPIClient) -> list[Any]:
        return [
            await client.accounts.list_accounts(),
            await client.connectors.list_connectors(),
            await client.connectors.get_supported_order_types(user.connector),
            await client.connectors.get_trading_rules(user.connector, ["BTC-USDT"]),
            await client.portfolio.get_state([user.account_name]),
            await client.portfolio.get_total_value(user.account_name, user.connector),
            await client.trading.get_funding_payments(),
        ]

    accounts, connectors, types, rules, state, value, payments = told(user, talk)
    assert accounts == [user.account_name]
    assert connectors == [user.connector, user.perpetual_connector]
    assert types["supported_order_types"] == ["LIMIT", "MARKET", "LIMIT_MAKER"]
    assert rules["BTC-USDT"]["min_notional_size"] == 5
    assert set(state[user.account_name]) == {user.connector, user.perpetual_connector}
    assert value == 2_000_000 + 60_000
    assert payments["data"] == []


def test_it_trades_derivatives(user: User) -> None:
    name, connector = user.account_name, user.perpetual_connector

    async def prepare(client: HummingbotAPIClient) -> Any:  # noqa: ANN401
        await client.trading.set_leverage(name, connector, "ETH-USDT", 10)
        await client.trading.set_position_mode(name, connector, "oneway")
        order = client.trading.place_order(name, connector, "ETH-USDT", "SELL", 2)
        await order
        return await client.trading.get_position_mode(name, connector)

    mode = told(user, prepare)
    user.stack.settle()
    positions = told(user, lambda client: client.trading.get_open_positions(name))

    assert mode == {"position_mode": "ONEWAY", "connector": connector, "account": name}
    (position,) = positions["data"]
    assert (position["side"], position["amount"], position["leverage"]) == ("BOTH", -2, 10)


def test_it_understands_what_it_is_refused(user: User) -> None:
    with pytest.raises(aiohttp.ClientResponseError) as refused:
        told(
            user,
            lambda client: client.trading.place_order(
                "nobody", user.connector, "BTC-USDT", "BUY", 0.001
            ),
        )
    assert (refused.value.status, refused.value.message) == (404, "Account 'nobody' not found")

    with pytest.raises(aiohttp.ClientResponseError) as stranger:
        told(user, lambda client: client.accounts.list_accounts(), "wrong")
    assert stranger.value.message == "Incorrect username or password"
