"""From TradingView's addresses a key is enough, if it is one that nobody can guess."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.demo import seed
from app.settings import Settings
from app.settings.secret import Secret, key_of
from tests.support.caller import Caller, Json

pytestmark = pytest.mark.integration

ORDER = {
    "strategy": "trend",
    "exchange": "paper",
    "order_type": "Market",
    "qty": 1,
    "side": "Buy",
    "symbol": "BTCUSDT",
}


@pytest.fixture
def futures(demo: Caller) -> Caller:
    demo.call("PUT", "/paper/accounts/futures", {"market": "USDM", "balances": {"USDT": "99999"}})
    return demo


def sent(api: Caller, key: str) -> int:
    """Send an order with nothing but its key, from an address of TradingView."""
    there = {"REMOTE_ADDR": "52.89.214.238"}
    body = {**ORDER, "apikey": key}
    return api.client.post("/v1/order", json=body, environ_base=there).status_code


def put(api: Caller, key: str, **settings: bool) -> Json:
    body = {"accounts": ["futures"], **settings}
    return api.call("PUT", f"/api/clients/apisify/{key}", body)


@pytest.mark.parametrize(("characters", "status"), [(1, 401), (19, 401), (20, 200), (128, 200)])
def test_where_nothing_was_set_the_length_decides(
    futures: Caller, characters: int, status: int
) -> None:
    key = "k" * characters

    assert "weakness" not in put(futures, key)
    assert sent(futures, key) == status


def test_a_short_key_is_switched_on_by_name_and_called_weak(futures: Caller) -> None:
    put(futures, "short")

    assert "can be guessed" in put(futures, "short", allow_tradingview_ip=True)["weakness"]
    assert sent(futures, "short") == 200
    assert "can be guessed" in futures.call("GET", "/api/clients/apisify/short")["weakness"]
    assert "weakness" not in put(futures, "short", allow_tradingview_ip=False)
    assert sent(futures, "short") == 401


def test_a_long_key_can_be_switched_off(futures: Caller) -> None:
    put(futures, "k" * 20, allow_tradingview_ip=False)

    assert sent(futures, "k" * 20) == 401


def test_the_key_of_the_demo_is_its_own_in_each_installation(
    settings: Settings, tmp_path: Path
) -> None:
    other = replace(settings, secret_keys=(Secret(key_of(tmp_path / "other")),))
    mine, theirs = (seed(one)["apisify"] for one in (settings, other))

    assert isinstance(mine, dict)
    assert isinstance(theirs, dict)
    assert len(mine["apikey"]) > 40
    assert mine["apikey"] != theirs["apikey"]
