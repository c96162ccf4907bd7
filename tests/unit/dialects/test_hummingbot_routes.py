"""The Hummingbot routes ask for a user and a password, and have errors of their own shape."""

import base64

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.unit.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


def _detail(answer: TestResponse) -> tuple[int, object]:
    assert set(answer.get_json()) == {"detail"}
    return answer.status_code, answer.get_json()["detail"]


def _routes(app: Flask) -> list[tuple[str, str]]:
    return [
        (method, rule.rule.replace("<", "").replace(">", ""))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("hummingbot.")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_every_route_asks_who_is_calling(app: Flask) -> None:
    for method, path in _routes(app):
        answer = app.test_client().open(path, method=method, json={})
        assert _detail(answer) == (401, "Not authenticated"), f"{method} {path}"
        assert answer.headers["WWW-Authenticate"] == "Basic"
    assert len(_routes(app)) == 15


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !",
        "Bearer YWRtaW46YWRtaW4=",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
    ],
)
def test_what_cannot_be_understood_is_no_credential(app: Flask, header: str) -> None:
    answer = app.test_client().get("/accounts/", headers={"Authorization": header})

    assert _detail(answer) == (401, "Not authenticated")


def test_without_the_store_nobody_is_let_in_or_turned_away(app: Flask) -> None:
    answer = app.test_client().post("/trading/orders", auth=("admin", "admin"), json={})

    status, detail = _detail(answer)
    assert (status, isinstance(detail, str)) == (503, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/trading/orders", 405),
        ("POST", "/trading/orders/", 404),
        ("POST", "/trading/nothing", 404),
        ("GET", "/connectors/", 401),
        ("GET", "/connectors/paper/nothing", 404),
        ("GET", "/portfolio/state", 405),
        ("POST", "/accounts/", 405),
    ],
)
def test_other_paths_and_methods_have_the_shape_too(
    app: Flask, method: str, path: str, status: int
) -> None:
    answer = app.test_client().open(path, method=method)

    assert _detail(answer)[0] == status
    assert "Location" not in answer.headers


def test_the_allowed_methods_are_named(app: Flask) -> None:
    assert app.test_client().get("/trading/orders").headers["Allow"] == "POST"


def test_accounts_without_the_slash_is_another_path(app: Flask) -> None:
    answer = app.test_client().get("/accounts")

    assert answer.status_code == 401  # that of Poloniex
    assert "detail" not in answer.get_json()
