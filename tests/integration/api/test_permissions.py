"""In every dialect null permits all, and an empty list nothing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

import pytest
from werkzeug.test import TestResponse

from app.dialects.surfaces import SURFACES
from app.domain.enums import Dialect
from tests.support import three_commas as wire
from tests.support.caller import Caller

pytestmark = pytest.mark.integration

KEY, SECRET = "a-key-of-20-characters-or-more", "a-secret-of-20-characters-or-more"


def _signed_poloniex(api: Caller, method: str, path: str, body: object = None) -> TestResponse:
    text = "" if body is None else json.dumps(body)
    stamp = str(int(time.time() * 1000))
    said = f"requestBody={text}&signTimestamp={stamp}" if text else f"signTimestamp={stamp}"
    digest = hmac.new(SECRET.encode(), f"{method}\n{path}\n{said}".encode(), hashlib.sha256)
    signature = base64.b64encode(digest.digest()).decode()
    headers = {"key": KEY, "signature": signature, "signTimestamp": stamp}
    return api.client.open(path, method=method, data=text or None, headers=headers)


def _poloniex_reads(api: Caller) -> TestResponse:
    return _signed_poloniex(api, "GET", "/accounts/balances")


def _poloniex_trades(api: Caller) -> TestResponse:
    order = {"symbol": "BTC_USDT", "side": "BUY", "type": "MARKET", "amount": "100"}
    return _signed_poloniex(api, "POST", "/orders", order)


def _three_commas_reads(api: Caller) -> TestResponse:
    return api.client.get(wire.TRADES, headers=wire.headers(wire.TRADES, key=KEY, secret=SECRET))


def _three_commas_trades(api: Caller) -> TestResponse:
    path = f"{wire.TRADES}/create_simple_buy"
    account = api.call("GET", "/api/accounts/demo")["id"]
    order = {
        "account_id": account,
        "pair": "USDT_BTC",
        "units_to_buy": "0.01",
        "buy_price": "50000",
    }
    body = json.dumps(order)
    return api.client.post(
        path, data=body, headers=wire.headers(path, body, key=KEY, secret=SECRET)
    )


def _apisify_trades(api: Caller) -> TestResponse:
    stamp = int(time.time() * 1000)
    text = f"{stamp}POSThttp://localhost/v1/order"
    sign = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    order = {"strategy": "s", "exchange": "paper", "order_type": "Market", "qty": "0.01"}
    order |= {"side": "Buy", "symbol": "BTCUSDT"}
    return api.client.post(
        "/v1/order", json={**order, "apikey": KEY, "timestamp": stamp, "sign": sign}
    )


def _hummingbot_trades(api: Caller) -> TestResponse:
    order = {"account_name": "demo", "connector_name": "paper", "trading_pair": "BTC-USDT"}
    order |= {"trade_type": "BUY", "order_type": "MARKET", "amount": "0.01"}
    return api.client.post("/trading/orders", json=order, auth=(KEY, SECRET))


#: What each dialect lets do; those with no words know no other permission than none.
REQUESTS: Mapping[Dialect, tuple[Callable[[Caller], TestResponse], ...]] = {
    Dialect.POLONIEX: (_poloniex_reads, _poloniex_trades),
    Dialect.THREE_COMMAS: (_three_commas_reads, _three_commas_trades),
    Dialect.APISIFY: (_apisify_trades,),
    Dialect.HUMMINGBOT: (_hummingbot_trades,),
}


def _put(api: Caller, dialect: Dialect, **fields: object) -> object:
    kind = SURFACES[dialect].clients
    assert kind is not None
    names = ["futures"] if dialect is Dialect.APISIFY else ["demo"]
    body = {kind.word: SECRET, "accounts": names, **fields}
    return api.call("PUT", f"/api/clients/{dialect}/{KEY}", body)["permissions"]


def test_each_dialect_with_clients_is_asked() -> None:
    assert {one.dialect for one in SURFACES.values() if one.clients is not None} == set(REQUESTS)


@pytest.mark.parametrize("dialect", REQUESTS)
def test_null_permits_all_and_an_empty_list_nothing(demo: Caller, dialect: Dialect) -> None:
    demo.call("PUT", "/paper/accounts/futures", {"market": "USDM", "balances": {"USDT": "99999"}})
    asked = REQUESTS[dialect]
    at_first = _put(demo, dialect)
    good = [ask(demo).status_code for ask in asked]
    nothing = _put(demo, dialect, permissions=[])
    kept = _put(demo, dialect, enabled=True)
    refused = [ask(demo).status_code for ask in asked]
    everything = _put(demo, dialect, permissions=None)

    assert (at_first, nothing, kept, everything) == (None, [], [], None)
    assert all(200 <= status < 300 for status in good), good
    assert all(400 <= status < 500 for status in refused), refused
    assert all(200 <= ask(demo).status_code < 300 for ask in asked)
