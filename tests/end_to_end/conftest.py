"""One running stack for all end-to-end tests, brought into the same state before each."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.stack import Stack, running_stack

SPOT, FUTURES = "vector-spot", "vector-futures"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run last what shares a stack: an idle one takes its part of a small machine, too."""
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack in the test profile."""
    data_dir: Path = tmp_path_factory.mktemp("stack")
    with running_stack(data_dir) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Return the stack as the vectors of the Crypto Arsenal spec (section 6) expect it.

    Connectors `spot1` (SPOT BTC/USDT) and `fut1` (USDM ETH/USDT, leverage 5), balances of section
    3.1, no fees, clock frozen.
    """
    shared_stack.thaw()
    _bring_back(shared_stack)
    shared_stack.freeze(int(time.time() * 1000))
    shared_stack.forget()
    return shared_stack


def _bring_back(stack: Stack) -> None:
    nothing = {"maker": "0", "taker": "0"}
    stack.call(
        "PUT",
        f"/paper/accounts/{SPOT}",
        {
            "market": "SPOT",
            "balances": {"USDT": "10000", "BTC": "0.5"},
            "fees": nothing,
            "reset": True,
        },
    )
    stack.call(
        "PUT",
        f"/paper/accounts/{FUTURES}",
        {
            "market": "USDM",
            "balances": {"USDT": "1000"},
            "position_mode": "HEDGE",
            "fees": nothing,
            "reset": True,
        },
    )
    spot = {"token": "T1", "account": SPOT, "symbol": "BTC/USDT", "enabled": True}
    futures = {"token": "T2", "account": FUTURES, "symbol": "ETH/USDT", "leverage": 5}
    stack.call("PUT", "/api/connectors/spot1", spot)
    stack.call("PUT", "/api/connectors/fut1", futures)
    stack.prices(BTC="50000", ETH="2000")
