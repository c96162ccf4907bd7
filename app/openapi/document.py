"""The documentation of all routes: for programs as OpenAPI, for people as a page."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template

from app.bootstrap import Wiring
from app.openapi.operation_bodies import ERROR
from app.openapi.operations import OPERATIONS, Operation
from app.web.json_schema import Json, query_parameters
from app.web.routes import Access, Route, blueprint_of

#: Methods that Flask adds by itself.
_ADDED_METHODS = frozenset({"HEAD", "OPTIONS"})

#: HTML for people, which is no interface.
_PAGES = ("/ui", "/static")

_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

#: The chapters, in their order.
_TAGS = tuple(dict.fromkeys(operation.tag for operation in OPERATIONS))

_TABLE = {(operation.method, operation.path): operation for operation in OPERATIONS}


def routes_of(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield (method, rule) of every route that is no page of the dashboard."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if rule.rule == "/" or rule.rule.startswith(_PAGES):
            continue
        for method in sorted((rule.methods or set()) - _ADDED_METHODS):
            yield method, rule.rule


def document_of(app: Flask) -> Json:
    """Return the OpenAPI document of the routes that this app has."""
    paths: dict[str, Json] = {}
    for method, rule in routes_of(app):
        operation = _TABLE.get((method, rule))
        if operation is not None:
            path = paths.setdefault(_PARAMETER.sub(r"{\1}", rule), {})
            path[method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hookfill", "version": _version()},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "admin": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _described(operation: Operation) -> Json:
    described: Json = {
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": [] if operation.is_open else [{operation.scheme: []}],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"content": content}
    return described


def _parameters(operation: Operation) -> list[Json]:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    return named if operation.query is None else named + query_parameters(operation.query)


def _responses(operation: Operation) -> Json:
    responses: Json = {}
    for status, meaning in operation.answers.items():
        responses[str(status)] = {"description": meaning}
    if operation.answer is not None:
        responses[str(min(operation.answers))]["content"] = {
            "application/json": {"schema": operation.answer}
        }
    for status in _errors_of(operation):
        responses.setdefault(
            str(int(status)),
            {
                "description": status.phrase,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        )
    return responses


def _errors_of(operation: Operation) -> Iterator[HTTPStatus]:
    if operation.body is not None or operation.query is not None:
        yield HTTPStatus.BAD_REQUEST
    if not operation.is_open:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.SERVICE_UNAVAILABLE
    if "<" in operation.path:
        yield HTTPStatus.NOT_FOUND


def _version() -> str:
    try:
        return version("hookfill")
    except PackageNotFoundError:
        return "0"


def _shown() -> Response:
    return jsonify(document_of(current_app))


def _page() -> Response:
    text = render_template("docs.html", document=document_of(current_app), tags=_TAGS)
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of the documentation, which are open."""
    del wiring  # it is about routes, not about what is behind them
    return blueprint_of(
        "openapi",
        (
            Route(method="GET", rule="/openapi.json", view=_shown, access=Access.OPEN),
            Route(method="GET", rule="/docs", view=_page, access=Access.OPEN),
        ),
        __name__,
        "templates",
    )
