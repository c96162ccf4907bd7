"""The routes of the Poloniex dialect over a store that is not there."""

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.routes import Access, Route, routes_of
from tests.unit.conftest import MakeApp


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app().test_client()


def _of(path: str) -> str:
    return path.replace("<order_id>", "1").replace("<account_id>", "1").replace("<code>", "BTC")


def _routes(app: Flask, access: Access) -> list[Route]:
    rows = routes_of(app).items()
    return [row for name, row in rows if name.startswith("poloniex.") and row.access is access]


def test_what_is_not_open_must_be_signed(make_app: MakeApp) -> None:
    app = make_app()

    signed = _routes(app, Access.CALLER)
    for route in signed:
        answer = app.test_client().open(_of(route.rule), method=route.method)
        assert answer.status_code == 401, route
        assert answer.get_json() == {"code": 401, "message": "Missing authentication headers"}
    assert len(signed) == 25


@pytest.mark.parametrize("path", ["/smartorders", "/smartorders/", "/orders/history", "/trades/"])
def test_slashes_at_the_end_do_not_matter(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_accounts_are_strict_about_theirs(client: FlaskClient) -> None:
    assert client.get("/accounts").get_json()["code"] == 401
    assert "detail" in client.get("/accounts/").get_json()  # that of Hummingbot


def test_a_store_that_is_away_is_said_in_the_dialects_words(client: FlaskClient) -> None:
    headers = {"key": "k", "signature": "s", "signTimestamp": str(int(time.time() * 1000))}
    for path in ("/smartorders", "/markets"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 503
        assert answer.get_json() == {"code": 503, "message": "Service Unavailable"}
        assert answer.headers["Retry-After"] == "1"


def test_a_body_may_be_too_large(client: FlaskClient) -> None:
    answer = client.post("/smartorders", data=b"x" * (64 * 1024 + 1))

    assert (answer.status_code, answer.get_json()["code"]) == (413, 413)


def test_there_are_open_routes(make_app: MakeApp) -> None:
    app = make_app()
    client = app.test_client()

    assert len(_routes(app, Access.OPEN)) == 15
    answer = client.get("/v3/market/allInstruments")
    assert answer.get_json() == {"code": 200, "msg": "Success", "data": []}
    assert client.put("/markets").get_json() == {"code": 405, "message": "Method Not Allowed"}
