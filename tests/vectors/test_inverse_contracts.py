"""Inverse contracts on paper: their margin is the coin, and one contract is one dollar."""

import pytest

from tests.support.stack import Installation
from tests.support.users.crypto_arsenal import ledger, outcome, settled

ACCOUNT, ETH_USD = "vector-inverse", "ETH/USD"


@pytest.fixture
def stack(shared_stack: Installation) -> Installation:
    """An account with one ETH, at 2,000, whose connector trades five times as much."""
    shared_stack.thaw()
    shared_stack.open_account(ACCOUNT, {"ETH": "1"}, "COINM", position_mode="ONEWAY")
    connector = {"token": "T9", "account": ACCOUNT, "symbol": ETH_USD, "leverage": 5}
    shared_stack.call("PUT", "/api/connectors/coins", connector)
    shared_stack.quotes({ETH_USD: {"last": "2000"}})
    return shared_stack


def send(stack: Installation, **fields: object) -> str:
    return settled(stack, {"connectorName": "coins", "connectorToken": "T9", **fields})


def legs(stack: Installation) -> tuple[str, str]:
    found = stack.account(ACCOUNT)["positions"].get(ETH_USD, {})
    return found.get("long", "0"), found.get("short", "0")


@pytest.mark.parametrize(
    ("size", "contracts"),
    [
        ({"percent": "50"}, "5000"),  # half a coin, five times, at 2,000
        ({"percent": "100"}, "9900"),  # 1 % is left alone
        ({"fixed": "30"}, "30"),
        ({"notional": "100"}, "500"),  # dollars of margin, five times
    ],
)
def test_an_entry_is_sized_by_the_coin(
    stack: Installation, size: dict[str, str], contracts: str
) -> None:
    assert outcome(stack, send(stack, action="openLong", **size)) == ("DONE", None)

    assert [row["quantity"] for row in ledger(stack, ACCOUNT)] == [contracts]
    assert legs(stack) == (contracts, "0")


def test_a_stop_closes_all_contracts(stack: Installation) -> None:
    entry = send(stack, action="openShort", fixed="400", loss="2100", profit="1900")

    stack.quotes({ETH_USD: {"last": "2150"}})

    assert outcome(stack, entry)[0] == "DONE"
    rows = [(row["quantity"], row["reduce_only"]) for row in ledger(stack, ACCOUNT)]
    assert rows == [("400", False), ("400", True)]
    assert legs(stack) == ("0", "0")


def test_coins_that_are_not_there_buy_nothing(stack: Installation) -> None:
    reference = send(stack, action="openLong", fixed="10001")

    assert outcome(stack, reference) == ("DENIED", "insufficient_funds")
    assert ledger(stack, ACCOUNT) == []
