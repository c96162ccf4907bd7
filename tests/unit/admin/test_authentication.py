"""Nobody gets past without the admin token, or a session that had it."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.admin.sessions import COOKIE, LIFE_SECONDS
from app.store.memory.attempts import FAILURES_MAX
from app.web.routes import Access, Route, blueprint_of, routes_of
from tests.unit.conftest import ADMIN_TOKEN, MakeApp


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app().test_client()


def _signed_in(client: FlaskClient) -> str:
    """Sign in and return the CSRF token."""
    answer = client.post("/login", json={"token": ADMIN_TOKEN})
    assert answer.status_code == 200
    token: str = answer.get_json()["csrf_token"]
    return token


def _code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


#: Every path that anybody may call: a new one has to be thought about here as well.
OPEN = {
    "/login",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/static/<path:filename>",
    # The market data of Poloniex, as there.
    "/timestamp",
    "/currencies",
    "/currencies/<code>",
    "/v2/currencies",
    "/v2/currencies/<code>",
    "/v3/market/allInstruments",
    "/markets",
    "/markets/price",
    "/markets/ticker24h",
    "/markets/<symbol>",
    "/markets/<symbol>/price",
    "/markets/<symbol>/ticker24h",
    "/markets/<symbol>/orderBook",
    "/markets/<symbol>/candles",
    "/markets/<symbol>/trades",
    *(
        f"{prefix}/{path}"
        for prefix in ("/public/api/ver1", "/ver1")
        for path in ("ping", "time", "accounts/currency_rates")
    ),
}


def _called(app: Flask, route: Route) -> TestResponse:
    """Call a route without any credentials; there is no store behind it."""
    path = re.sub(r"<(?:\w+:)?\w+>", "apisify", route.rule)
    return app.test_client().open(path, method=route.method)


def _routes(app: Flask, access: Access) -> list[Route]:
    return [one for one in routes_of(app).values() if one.access is access]


def test_every_route_has_a_row(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")

    assert {one.endpoint for one in app.url_map.iter_rules()} == set(routes_of(app))


def test_what_is_open_is_known(make_app: MakeApp) -> None:
    assert {one.rule for one in _routes(make_app(HOOKFILL_FAST="1"), Access.OPEN)} == OPEN


def test_what_is_for_the_admin_asks_for_the_token(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")

    closed = _routes(app, Access.ADMIN)
    for route in closed:
        answer = _called(app, route)
        assert _code(answer) == (401, "unauthorized"), route
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(closed) > 20


def test_what_is_for_callers_of_a_dialect_lets_no_stranger_in(make_app: MakeApp) -> None:
    app = make_app()

    for route in _routes(app, Access.CALLER):
        # Whether there is such a key cannot be told without the store.
        assert _called(app, route).status_code in {400, 401, 503}, route


def test_what_says_nothing_about_access_is_for_the_admin_alone(make_app: MakeApp) -> None:
    app = make_app()
    said_nothing = Route("GET", "/api/new", lambda: "secret")
    app.register_blueprint(blueprint_of("new", "New", [said_nothing]))
    app.add_url_rule("/api/bare", view_func=lambda: "secret")

    for path in ("/api/new", "/api/bare"):
        assert _code(app.test_client().get(path)) == (401, "unauthorized")
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        assert app.test_client().get(path, headers=headers).text == "secret"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {ADMIN_TOKEN}x",
        f"Basic {ADMIN_TOKEN}",
        ADMIN_TOKEN,
        "Bearer ÿ\xe9",
    ],
)
def test_a_wrong_token_is_refused(client: FlaskClient, header: str) -> None:
    answer = client.get("/api/orders", headers={"Authorization": header})

    assert _code(answer) == (401, "unauthorized")
    assert ADMIN_TOKEN not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_admin_token_lets_pass(client: FlaskClient, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {ADMIN_TOKEN}"}

    assert client.get("/api/orders?limit=0", headers=headers).status_code == 400


def test_a_login_begins_a_session_that_scripts_cannot_read(client: FlaskClient) -> None:
    answer = client.post("/login", json={"token": ADMIN_TOKEN})

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", f"Max-Age={LIFE_SECONDS}", "Path=/"} <= set(
        cookie.split("; ")
    )
    assert "Secure" not in cookie
    assert ADMIN_TOKEN not in cookie + answer.text


def test_over_https_the_cookie_is_secure(client: FlaskClient) -> None:
    answer = client.post("/login", json={"token": ADMIN_TOKEN}, base_url="https://localhost")

    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_a_trusted_proxy_says_that_it_is_https(make_app: MakeApp) -> None:
    client = make_app(HOOKFILL_TRUSTED_PROXIES="127.0.0.1").test_client()

    answer = client.post(
        "/login", json={"token": ADMIN_TOKEN}, headers={"X-Forwarded-Proto": "https"}
    )

    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("body", [{"token": "wrong"}, {"token": ""}])
def test_a_wrong_login_begins_nothing(client: FlaskClient, body: dict[str, str]) -> None:
    for answer in (client.post("/login", json=body), client.post("/login", data=body)):
        assert _code(answer) == (401, "unauthorized")
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("body", ['{"token": 5}', "{}", "[]", "nonsense", '{"token":"x","y":1}'])
def test_a_malformed_login_says_so(client: FlaskClient, body: str) -> None:
    assert client.post("/login", data=body).status_code == 400


def test_a_wrong_token_is_not_saved_by_a_session(client: FlaskClient) -> None:
    _signed_in(client)

    answer = client.get("/api/orders", headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 401


def test_guesses_at_the_login_and_elsewhere_are_counted_together(client: FlaskClient) -> None:
    for _ in range(FAILURES_MAX):
        client.post("/login", json={"token": "wrong"})

    answer = client.get("/api/orders", headers={"Authorization": "Bearer wrong"})

    assert _code(answer) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0


def test_who_brings_no_credentials_does_not_guess(client: FlaskClient) -> None:
    for _ in range(2 * FAILURES_MAX):
        assert _code(client.get("/api/orders")) == (401, "unauthorized")


def test_the_test_profile_does_not_limit(make_app: MakeApp) -> None:
    client = make_app(HOOKFILL_FAST="1").test_client()
    for _ in range(FAILURES_MAX + 1):
        client.post("/login", json={"token": "wrong"})

    _signed_in(client)


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/orders"), ("PUT", "/paper/prices")])
def test_while_the_store_is_away_no_session_is_let_in(
    client: FlaskClient, method: str, path: str
) -> None:
    token = _signed_in(client)

    answer = client.open(path, method=method, json={"x": 1}, headers={"X-CSRF-Token": token})

    assert _code(answer)[0] == 503


def test_a_session_that_cannot_be_ended_is_not_called_ended(client: FlaskClient) -> None:
    token = _signed_in(client)

    answer = client.delete("/login", headers={"X-CSRF-Token": token})

    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers
