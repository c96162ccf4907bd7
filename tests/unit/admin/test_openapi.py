"""The documentation tells of every route that there is, and of no other."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from app import admin
from app.admin.openapi import document_of, documented
from app.web.routes import Access, routes_of
from tests.unit.conftest import ADMIN_TOKEN, MakeApp

Json = dict[str, Any]


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [one for value in part.values() for one in _references(value)]
    if isinstance(part, list):
        return [one for value in part for one in _references(value)]
    return []


#: The files of the dashboard, which are no interface.
FILES = "/static/<path:filename>"


def test_every_route_that_is_no_page_is_documented(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")

    document = document_of(app)
    told = {(method, path) for path, one in document["paths"].items() for method in one}
    expected = {
        (route.method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule))
        for route in routes_of(app).values()
        if route.access is not Access.SESSION and route.rule != FILES
    }
    assert told == expected


def test_every_route_says_what_it_does(make_app: MakeApp) -> None:
    routes = documented(make_app(HOOKFILL_FAST="1"))

    assert [route.rule for route in routes if not route.summary] == []


def _names(schema: Schema) -> dict[str, fields.Field[Any]]:
    return {field.data_key or name: field for name, field in schema.fields.items()}


def _assert_told(schema: Schema, told: Json, where: str) -> None:
    assert set(told["properties"]) == set(_names(schema)), where
    required = {name for name, field in _names(schema).items() if field.required}
    assert set(told.get("required", ())) == required, where
    for name, field in _names(schema).items():
        inner = field.inner if isinstance(field, fields.List) else field
        shape = told["properties"][name]
        assert shape, f"{where}: nothing is told of {name}"
        if isinstance(inner, fields.Nested):
            nested = shape["items"] if isinstance(field, fields.List) else shape
            _assert_told(inner.schema, nested, f"{where}.{name}")


def _schemas_in(shape: object, told: Any) -> Iterator[tuple[Schema, Json]]:  # noqa: ANN401
    """Yield the schemas of a shape, each with what stands in the document in its place."""
    if isinstance(shape, Schema):
        yield shape, told
    elif isinstance(shape, Mapping):
        for name, part in shape.items():
            yield from _schemas_in(part, told[name])
    elif isinstance(shape, list):
        for part, inner in zip(shape, told, strict=True):
            yield from _schemas_in(part, inner)


def test_every_field_of_every_schema_is_documented(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")
    document = document_of(app)
    seen = 0

    for route in documented(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
        told = document["paths"][path][route.method.lower()]
        if route.query is not None:
            query = {one["name"]: one for one in told["parameters"] if one["in"] == "query"}
            required = {name: field.required for name, field in _names(route.query).items()}
            assert {name: one["required"] for name, one in query.items()} == required
        if route.body is not None:
            content = told["requestBody"]["content"]["application/json"]["schema"]
            for schema, shown in _schemas_in(route.body, content):
                _assert_told(schema, shown, f"{route.method} {path}")
                seen += 1
    assert seen > 50


#: Method and path → what its view reads of the query by itself, past any schema.
READ_BY_NAME = {
    ("delete", "/api/accounts/{name}"): {"force"},
    ("get", "/public/api/ver1/accounts/currency_rates"): {"pretty_display_type", "pair"},
    ("get", "/public/api/ver1/accounts/market_pairs"): {"pretty_display_type"},
    ("get", "/connectors/{connector_name}/trading-rules"): {"trading_pairs"},
}


def test_what_a_view_reads_of_the_query_is_documented(make_app: MakeApp) -> None:
    paths = document_of(make_app())["paths"]
    told = {
        (method, path): {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }

    assert {named: told[named] for named in READ_BY_NAME} == READ_BY_NAME


#: Modules that read a query; of those that answer documented routes a test above knows what.
READERS = {
    "app/admin/account_records.py",
    "app/admin/pages.py",
    "app/admin/request_body.py",
    "app/admin/static_files.py",
    "app/dialects/hummingbot/account_routes.py",
    "app/dialects/poloniex/queries.py",
    "app/dialects/three_commas/market_routes.py",
}


def test_no_other_module_reads_the_query_by_name() -> None:
    root = Path(admin.__file__).parents[2]
    found = {
        str(path.relative_to(root))
        for path in (root / "app").rglob("*.py")
        if "request.args" in path.read_text()
    }

    assert found == READERS


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
    assert properties["leverage"] == {
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": 1000,
        "default": 1,
    }
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


def test_the_page_has_chapters_of_what_is_documented_only(make_app: MakeApp) -> None:
    app = make_app(HOOKFILL_FAST="1")

    page = app.test_client().get("/docs").text
    assert set(re.findall("<h2>(.*?)</h2>", page)) == {one.tag for one in documented(app)}
