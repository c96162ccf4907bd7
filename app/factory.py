"""Builds the Flask app: the routes of every dialect and of our own, and errors in their shapes."""

from pathlib import Path
from typing import Final

import structlog
from flask import Flask, Response, current_app, make_response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app import metrics
from app.admin import (
    authentication,
    dashboard,
    doctor,
    errors,
    health,
    keys,
    openapi,
    orders,
    paper,
    protection,
    recovery,
    refusals,
    symbols,
    venue_accounts,
    venues,
)
from app.admin import routes as admin
from app.bootstrap import Wiring
from app.dialects.surfaces import SURFACES
from app.domain.errors import HookfillError, PayloadTooLarge
from app.web.answers import respond
from app.web.dry_run import refuse_elsewhere, routes_of_dialect
from app.web.fast_path import FastPath
from app.web.raw_body import BODY_BYTES_MAX
from app.web.refusals import Refusals
from app.web.routes import View, blueprint_of, routes_of
from app.web.surface import Surface, is_below

#: What serves our own paths.
_OWN_ROUTES: Final = (
    authentication,
    orders,
    protection,
    refusals,
    admin,
    doctor,
    venue_accounts,
    recovery,
    keys,
    symbols,
    venues,
    paper,
    health,
    openapi,
    dashboard,
)

#: Of the blueprint of a dialect.
_BY_NAME: Final = {str(dialect): surface for dialect, surface in SURFACES.items()}

#: Where an app keeps what answers refused requests of dialects.
_REFUSALS: Final = "hookfill_refusals"

_log = structlog.get_logger()


def create_app(wiring: Wiring) -> Flask:
    """Return the app. It connects to nothing before the first request."""
    templates = Path(dashboard.__file__).with_name("templates")
    app = Flask("hookfill", static_folder=None, template_folder=templates)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # so that Allow names the real methods
    app.url_map.merge_slashes = False  # nothing redirects
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    fast: dict[tuple[str, str], tuple[Surface, View]] = {}
    for surface in SURFACES.values():
        routes = routes_of_dialect(surface, wiring)
        app.register_blueprint(blueprint_of(surface.dialect, surface.title, routes))
        fast |= {(one.method, one.rule): (surface, one.view) for one in routes if one.is_fast}
    for module in _OWN_ROUTES:
        app.register_blueprint(module.blueprint(wiring))
    app.before_request(authentication.Gate(wiring).admit)
    app.before_request(refuse_elsewhere)
    answering = app.extensions[_REFUSALS] = Refusals(wiring)
    app.register_error_handler(HookfillError, _answer_for)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_count)
    # The inner application is what `app.test_client()` and the web server call.
    app.wsgi_app = FastPath(fast, app.wsgi_app, answering)  # type: ignore[method-assign] # as Flask says
    return app


def _owner_of_path() -> Surface | None:
    """Return the dialect that owns the path of the request, if one does."""
    return next((one for one in SURFACES.values() if one.owns(request.path)), None)


def _dialect_of_request() -> Surface | None:
    """Return the dialect whose route takes the request, or else that owns its path."""
    return _BY_NAME.get(request.blueprint or "") or _owner_of_path()


def _answer_for(error: HookfillError) -> Response:
    surface = _dialect_of_request()
    if surface is None:
        return respond(errors.error_answer(error))
    answering: Refusals = current_app.extensions[_REFUSALS]
    return respond(answering.answer(surface, error, request.environ))


def _http_error(error: HTTPException) -> Response:
    """Give Flask's own errors the shape of whoever owns the path (routes in docs/design.md)."""
    owner = _owner_of_path()
    if isinstance(error, RequestEntityTooLarge):
        response = _answer_for(PayloadTooLarge("the body is over 64 KiB"))
    elif owner is not None and owner.http_error is not None:
        response = respond(owner.http_error(error.code or 500))
    else:
        response = _own_error(error)
    allowed = error.get_response().headers.get("Allow")
    if allowed is not None:
        response.headers["Allow"] = allowed
    return response


def _is_own_path() -> bool:
    """Tell whether errors here have our own shape, as below whatever our own routes begin with."""
    own = {
        f"/{route.rule.split('/')[1]}"
        for endpoint, route in routes_of(current_app).items()
        if endpoint.partition(".")[0] not in _BY_NAME
    }
    return request.path == "/" or is_below(request.path, *own - {"/"})


def _own_error(error: HTTPException) -> Response:
    status, message = error.code or 500, error.description or error.name
    if _is_own_path():
        code = error.name.lower().replace(" ", "_")
        return respond(errors.refusal(status, code, message))
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return Response(error.get_body(), status, mimetype="text/html")
    return make_response({"code": status, "message": error.name}, status)


def _unexpected(error: Exception) -> Response:
    """The outermost handler of the web process: a mistake of ours, logged whole."""
    _log.exception("request_failed", route=str(request.url_rule), kind=type(error).__name__)
    surface = _dialect_of_request()
    return respond(errors.internal() if surface is None else surface.internal())


def _count(response: Response) -> Response:
    dialect = request.blueprint or "none"
    metrics.REQUESTS.labels(dialect=dialect, status=str(response.status_code)).inc()
    return response
