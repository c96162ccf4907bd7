"""A signature is for the URL that was called, and a header does not change which that was."""

import hashlib
import hmac
from dataclasses import replace
from ipaddress import ip_network

import pytest

from app.bootstrap import Wiring
from app.factory import create_app
from tests.support.caller import Caller

pytestmark = pytest.mark.integration

KEY, SECRET = "my-key", "a-secret-of-mine"
PROXY = ip_network("127.0.0.1")


@pytest.mark.parametrize(
    ("is_trusted", "is_set", "status"),
    [(True, False, 401), (True, True, 200), (False, True, 401)],
)
def test_a_forwarded_host_counts_where_proxy_and_header_are_trusted(
    demo: Caller, wiring: Wiring, *, is_trusted: bool, is_set: bool, status: int
) -> None:
    account = {"market": "USDM", "balances": {"USDT": "99999"}}
    demo.call("PUT", "/paper/accounts/futures", account)
    demo.call("PUT", f"/api/clients/apisify/{KEY}", {"secret": SECRET, "accounts": ["futures"]})
    proxies = (PROXY,) if is_trusted else ()
    settings = replace(wiring.settings, trusted_proxies=proxies, trust_forwarded_host=is_set)
    client = create_app(replace(wiring, settings=settings)).test_client()
    now = wiring.ports.clock.now_ms()
    called = f"{now}POSThttp://staging.example/v1/order"
    order = {
        "strategy": "trend",
        "exchange": "paper",
        "order_type": "Market",
        "qty": 1,
        "side": "Buy",
        "symbol": "BTCUSDT",
        "apikey": KEY,
        "timestamp": now,
        "sign": hmac.new(SECRET.encode(), called.encode(), hashlib.sha256).hexdigest(),
    }

    answer = client.post("/v1/order", json=order, headers={"X-Forwarded-Host": "staging.example"})

    assert answer.status_code == status
