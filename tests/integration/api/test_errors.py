"""Every error of our own paths has one shape, whoever finds it."""

from unittest.mock import Mock

import pytest
from flask import Flask

from tests.support.caller import Caller

pytestmark = pytest.mark.integration

#: One more than a body may have.
TOO_MANY_BYTES = 64 * 1024 + 1


@pytest.mark.parametrize("path", ["/api/nothing", "/paper/nothing", "/api/orders/1/2", "/api/"])
def test_a_path_that_is_not_there(api: Caller, path: str) -> None:
    assert api.refusal("GET", path) == (404, "not_found", [])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/orders", {"GET", "HEAD"}),
        ("PATCH", "/api/accounts/x", {"GET", "HEAD", "PUT", "DELETE"}),
        ("GET", "/paper/settle", {"POST"}),
        ("OPTIONS", "/paper/prices", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PUT", "/readyz", {"GET", "HEAD"}),
        ("GET", "/login", {"POST", "DELETE"}),
    ],
)
def test_a_method_that_is_not_there(api: Caller, method: str, path: str, allowed: set[str]) -> None:
    answer = api.send(method, path)

    assert (answer.status_code, set(answer.get_json())) == (405, {"error"})
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/api/accounts/x", "/paper/accounts/x", "/paper/prices"])
def test_a_body_that_is_too_large(api: Caller, path: str) -> None:
    assert api.refusal("PUT", path, " " * TOO_MANY_BYTES) == (413, "too_large", [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/accounts/x"),
        ("PUT", "/api/connectors/x"),
        ("PUT", "/api/clients/apisify/x"),
        ("PUT", "/paper/accounts/x"),
        ("PUT", "/paper/instruments"),
        ("PUT", "/paper/prices"),
        ("POST", "/paper/clock"),
        ("POST", "/login"),
    ],
)
def test_a_body_that_is_no_json(api: Caller, method: str, path: str) -> None:
    assert api.refusal(method, path, "{") == (400, "invalid_json", [])


@pytest.mark.parametrize("path", ["/api/accounts/x", "/paper/accounts/x", "/paper/prices"])
def test_without_the_token_nothing_is_told(api: Caller, path: str) -> None:
    answer = api.client.put(path, data="{")

    assert answer.status_code == 401
    assert answer.get_json()["error"] == {
        "code": "unauthorized",
        "message": "the admin token is missing or wrong",
        "fields": {},
    }


@pytest.mark.parametrize(
    ("method", "path", "shape"),
    [
        ("GET", "/api/orders", {"error"}),
        ("GET", "/markets", {"code", "message"}),
        ("GET", "/accounts/", {"detail"}),
        ("GET", "/public/api/ver1/time", {"error", "error_description"}),
        ("POST", "/v1/order", {"result", "code", "message"}),
    ],
)
def test_a_mistake_of_ours_is_told_in_the_shape_of_the_path(
    app: Flask, api: Caller, method: str, path: str, shape: set[str]
) -> None:
    endpoint, _ = app.url_map.bind("").match(path, method=method)
    app.view_functions[endpoint] = Mock(side_effect=ZeroDivisionError("a secret of the inside"))

    answer = api.send(method, path)

    assert (answer.status_code, set(answer.get_json())) == (500, shape)
    assert "secret" not in answer.text
