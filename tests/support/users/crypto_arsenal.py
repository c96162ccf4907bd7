"""The state that the vectors of the Crypto Arsenal spec (section 6) begin from."""

import time

from tests.support.stack import Installation

SPOT, FUTURES = "vector-spot", "vector-futures"
SPOT1 = {"connectorName": "spot1", "connectorToken": "T1"}
FUT1 = {"connectorName": "fut1", "connectorToken": "T2"}


def reset(stack: Installation) -> None:
    """Bring about connectors, balances and prices; no fees, nothing live, time frozen.

    Connectors are `spot1` (SPOT BTC/USDT) and `fut1` (USDM ETH/USDT, leverage 5), balances those
    of section 3.1.
    """
    stack.thaw()
    _bring_back(stack)
    stack.freeze(int(time.time() * 1000))
    stack.forget()


def _bring_back(stack: Installation) -> None:
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
