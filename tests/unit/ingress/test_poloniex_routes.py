"""The routes of the Poloniex dialect over a store that is not there."""

import time

import pytest
from flask.testing import FlaskClient

from app.admin.authentication import OPEN_ROUTES
from app.dialects.poloniex.operations import ROWS
from tests.unit.ingress.conftest import MakeApp

SIGNED = [(method, path) for method, path, *_ in ROWS if path not in OPEN_ROUTES]
OPEN = [path for _, path, *_ in ROWS if path in OPEN_ROUTES]


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app().test_client()


def _of(path: str) -> str:
    return path.replace("<order_id>", "1").replace("<account_id>", "1").replace("<code>", "BTC")


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_what_is_not_open_must_be_signed(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(_of(path), method=method)

    assert answer.status_code == 401
    assert answer.get_json() == {"code": 401, "message": "Missing authentication headers"}


@pytest.mark.parametrize("path", ["/smartorders", "/smartorders/", "/orders/history", "/trades/"])
def test_slashes_at_the_end_do_not_matter(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_accounts_are_strict_about_theirs(client: FlaskClient) -> None:
    assert client.get("/accounts").get_json()["code"] == 401
    assert "detail" in client.get("/accounts/").get_json()  # that of Hummingbot


def test_a_store_that_is_away_is_said_in_the_dialects_words(client: FlaskClient) -> None:
    headers = {
        "key": "k",
        "signature": "s",
        "signTimestamp": str(int(time.time() * 1000)),
    }
    for path in ("/smartorders", "/markets"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 503
        assert answer.get_json() == {"code": 503, "message": "Service Unavailable"}
        assert answer.headers["Retry-After"] == "1"


def test_a_body_may_be_too_large(client: FlaskClient) -> None:
    answer = client.post("/smartorders", data=b"x" * (64 * 1024 + 1))

    assert (answer.status_code, answer.get_json()["code"]) == (413, 413)


def test_there_are_open_routes(client: FlaskClient) -> None:
    assert len(OPEN) == 15
    answer = client.get("/v3/market/allInstruments")
    assert answer.get_json() == {"code": 200, "msg": "Success", "data": []}
    assert client.put("/markets").get_json() == {"code": 405, "message": "Method Not Allowed"}
