"""The fixture of the Hummingbot spec, section 6, on the stack that all end-to-end tests share."""

import itertools
import time
from collections.abc import Iterator

import pytest

from tests.end_to_end.hummingbot.user import User
from tests.end_to_end.stack import Stack

#: Each test has an account name of its own: a reset does not take away what was traded before.
_NUMBERS = itertools.count(1)


@pytest.fixture
def user(shared_stack: Stack) -> Iterator[User]:
    """Return a user `admin`/`admin` of one account name with a spot and a futures account.

    BTC-USDT stands at 60000, ETH-USDT at 2000; business time is frozen.
    """
    stack = shared_stack
    stack.thaw()
    name = f"master_{next(_NUMBERS)}"
    balances = {"USDT": "2000000", "BTC": "1"}
    for account, market in ((f"{name}-spot", "SPOT"), (f"{name}-usdm", "USDM")):
        stack.call("PUT", f"/api/accounts/{account}", {"group": name, "market": market})
        setting = {"balances": balances, "position_mode": "HEDGE", "reset": True}
        stack.call("PUT", f"/paper/accounts/{account}", {"market": market, **setting})
    client = {"password": "admin", "accounts": [f"{name}-spot", f"{name}-usdm"], "enabled": True}
    stack.call("PUT", "/api/clients/hummingbot/admin", client)
    stack.prices(BTC="60000", ETH="2000")
    stack.freeze(int(time.time() * 1000))
    yield User(stack, name)
    stack.thaw()
    for account in (f"{name}-spot", f"{name}-usdm"):
        stack.call("PUT", f"/paper/accounts/{account}", {"reset": True})
