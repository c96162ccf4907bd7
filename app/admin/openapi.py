"""The documentation of all routes: for programs as OpenAPI, for people as a page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Flask, Response, current_app, render_template, request
from marshmallow import fields, validate

from app.admin.errors import ERROR
from app.bootstrap import Wiring
from app.unhurried import unhurried
from app.web.answers import Json
from app.web.dry_answer import DRY_RUN
from app.web.dry_run import HEADER, NAME
from app.web.fields import Flag, Number, Text, WholeNumber
from app.web.routes import OPERATION, Access, Route, Shape, blueprint_of, routes_of
from app.web.shared import Shared

#: Field class → what it takes. Numbers come as numbers or as text.
_TYPES: Final[Mapping[type[fields.Field[Any]], str | list[str]]] = {
    Flag: "boolean",
    WholeNumber: ["integer", "string"],
    Number: ["string", "number"],
    Text: "string",
    fields.Enum: "string",
}

#: Where a dry run can be asked for; a field of a JSON body, which is not shown, is the same.
_ASKED: Final[Json] = {
    "description": "Tell what the request would do, and do nothing; see docs/dry-run.md.",
    "schema": {"type": "string", "enum": ["true", "false"]},
}

#: How our patterns end; JSON schemas are read by other engines, which do not know it.
_END: Final = r"\Z"

#: What is answered depends on the release alone.
_FOR_EVER_MS: Final = 2**63

_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def documented(app: Flask) -> Sequence[Route]:
    """Return every route that is no page, by its path."""
    told = [route for route in routes_of(app).values() if route.tag]
    return sorted(told, key=lambda one: (one.rule, one.method))


def document_of(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of the routes that this app has."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _: "")
    spec = APISpec("Hookfill", _version(), "3.1.0", plugins=[plugin])
    converter = plugin.converter
    assert converter is not None, "the plugin has met its document"  # noqa: S101
    for kind, taken in _TYPES.items():
        converter.map_to_openapi_type(kind, taken, None)  # type: ignore[no-untyped-call]
    converter.add_attribute_function(_bounds)  # type: ignore[no-untyped-call] # nor has this one
    spec.components.schema("Error", schema=ERROR)
    spec.components.schema("DryRun", schema=DRY_RUN)
    spec.components.security_scheme("admin", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    for route in unhurried(documented(app)):
        path = _PARAMETER.sub(r"{\1}", route.rule)
        spec.path(path, operations={route.method.lower(): _described(route)})
    return spec.to_dict()


def _bounds(_: object, field: fields.Field[Any], ret: Json) -> Json:
    """Return what apispec does not tell of a field as we check it."""
    bounds: Json = {}
    for rule in field.validators:
        match rule:
            case validate.Range():
                bounds |= _exclusive(rule, ret)
            case validate.OneOf() if isinstance(field, fields.Enum):
                bounds["enum"] = [str(choice) for choice in rule.choices]
            case validate.Regexp():
                bounds["pattern"] = f"^{str(rule.regex.pattern).removesuffix(_END)}$"
            case _:
                continue
    return bounds


def _exclusive(rule: validate.Range, ret: Json) -> Json:
    bounds = {}
    if not rule.min_inclusive:
        bounds["exclusiveMinimum"] = ret.pop("minimum")
    if not rule.max_inclusive:
        bounds["exclusiveMaximum"] = ret.pop("maximum")
    return bounds


def _described(route: Route) -> Json:
    closed = "admin" if route.access is Access.ADMIN else route.scheme
    described: Json = {
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": _responses(route, is_closed=closed is not None),
        "security": [] if closed is None else [{closed: []}],
    }
    if route.body is not None:
        described["requestBody"] = _content(route.body)
    return described


def _parameters(route: Route) -> list[Json]:
    named: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.rule)
    ]
    if route.query is not None:
        named.append({"in": "query", "schema": route.query})
    if route.runs_dry:
        named += [
            {"name": NAME, "in": "query", **_ASKED},
            {"name": HEADER, "in": "header", **_ASKED},
        ]
    return named


def _responses(route: Route, *, is_closed: bool) -> dict[str, Json]:
    responses: dict[str, Json] = {
        str(status): {"description": meaning} for status, meaning in route.answers.items()
    }
    if route.answer is not None:
        responses[str(min(route.answers))] |= _content(route.answer)
    if route.runs_dry:
        _add_dry_run(responses.setdefault("200", {"description": "What it would do."}))
    for status in _errors_of(route, is_closed=is_closed):
        error = {"description": status.phrase, **_content({"$ref": "#/components/schemas/Error"})}
        responses.setdefault(str(int(status)), error)
    return responses


def _add_dry_run(response: Json) -> None:
    """Let a response be that of a dry run as well."""
    told: Json = {"$ref": "#/components/schemas/DryRun"}
    content: Any = response.get("content")
    usual = None if content is None else content["application/json"]["schema"]
    response |= _content(told if usual is None else {"anyOf": [usual, told]})


def _content(shape: Shape) -> Json:
    return {"content": {"application/json": {"schema": shape}}}


def _errors_of(route: Route, *, is_closed: bool) -> Iterator[HTTPStatus]:
    if route.body is not None or route.query is not None:
        yield HTTPStatus.BAD_REQUEST
    if is_closed:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.SERVICE_UNAVAILABLE
    if "<" in route.rule:
        yield HTTPStatus.NOT_FOUND


def _version() -> str:
    try:
        return version("hookfill")
    except PackageNotFoundError:
        return "0"


class _Documentation:
    """The document and its page, made once in a process, when somebody first asks."""

    def __init__(self) -> None:
        self._shared = Shared(kept_ms=_FOR_EVER_MS)

    def shown(self) -> Response:
        """Answer this document."""
        return _sent(self._shared.get("document", _document), "application/json")

    def page(self) -> Response:
        """Answer this document as a page."""
        response = _sent(self._shared.get("page", _page), "text/html")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
        )
        return response


def _document() -> bytes:
    return current_app.json.dumps(document_of(current_app)).encode()


def _page() -> bytes:
    tags = dict.fromkeys(route.tag for route in routes_of(current_app).values() if route.tag)
    document = document_of(current_app)
    return render_template("docs.html", document=document, tags=tags).encode()


def _sent(content: bytes, mimetype: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"  # asked for anew, and seldom sent
    response.make_conditional(request)
    return response


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of the documentation, which are open."""
    del wiring  # it is about routes, not about what is behind them
    documentation = _Documentation()
    rows = (
        Route("GET", "/openapi.json", documentation.shown, access=Access.OPEN),
        Route("GET", "/docs", documentation.page, access=Access.OPEN),
    )
    return blueprint_of("openapi", OPERATION, rows)
