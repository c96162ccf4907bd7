"""The documentation tells of every route that there is, and of no other."""

from typing import Any

from app.openapi.document import document_of, routes_of
from app.openapi.operations import OPERATIONS
from tests.unit.ingress.conftest import ADMIN_TOKEN, MakeApp

Json = dict[str, Any]


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [one for value in part.values() for one in _references(value)]
    if isinstance(part, list):
        return [one for value in part for one in _references(value)]
    return []


def test_every_route_is_documented_and_nothing_else(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")

    assert sorted(routes_of(app)) == sorted((one.method, one.path) for one in OPERATIONS)


def test_what_only_the_test_profile_has_is_told_by_it_only(make_app: MakeApp) -> None:
    document, fast = document_of(make_app()), document_of(make_app(HOOKFILL_FAST="1"))

    controls = {"/paper/clock", "/paper/faults/{account}"}
    assert set(fast["paths"]) - set(document["paths"]) == controls


def test_the_document_is_served_to_everybody(make_app: MakeApp) -> None:
    answer = make_app().test_client().get("/openapi.json")

    document: Json = answer.get_json()
    assert (answer.status_code, document["openapi"]) == (200, "3.1.0")
    schemas = document["components"]["schemas"]
    assert {one.removeprefix("#/components/schemas/") for one in _references(document)} <= set(
        schemas
    )


def test_every_parameter_of_a_path_is_declared(make_app: MakeApp) -> None:
    document = document_of(make_app(HOOKFILL_FAST="1"))

    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert all(f"{{{name}}}" in path for name in declared)
            assert path.count("{") == len(declared)
            assert operation["responses"]


def test_the_schemas_say_what_is_checked(make_app: MakeApp) -> None:
    paths: Json = document_of(make_app())["paths"]

    body = paths["/api/connectors/{name}"]["put"]["requestBody"]["content"]["application/json"]
    properties = body["schema"]["properties"]
    assert properties["leverage"] == {"type": "integer", "default": 1}
    assert properties["on_opposite"]["enum"] == ["keep", "reverse", "reject"]
    assert body["schema"]["additionalProperties"] is False
    limit = next(one for one in paths["/api/orders"]["get"]["parameters"] if one["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 500)


def test_the_page_needs_nothing_from_elsewhere(make_app: MakeApp) -> None:
    answer = make_app().test_client().get("/docs")

    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "/api/orders/{reference}" in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert ADMIN_TOKEN not in answer.text
