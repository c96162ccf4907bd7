"""Builds the Flask app: the routes of every dialect and of our own, and errors in their shapes."""

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app import metrics
from app.admin import (
    authentication,
    dashboard,
    doctor,
    health,
    orders,
    paper,
    reconciliation,
    recovery,
    symbols,
    venues,
)
from app.admin import routes as admin
from app.bootstrap import Wiring
from app.dialects.apisify import routes as apisify
from app.dialects.crypto_arsenal import routes as crypto_arsenal
from app.dialects.hummingbot import replies as hummingbot_replies
from app.dialects.hummingbot import routes as hummingbot
from app.dialects.poloniex import answers as poloniex_replies
from app.dialects.poloniex import routes as poloniex
from app.dialects.three_commas import replies as three_commas_replies
from app.dialects.three_commas import routes as three_commas
from app.domain.enums import Dialect
from app.domain.errors import HookfillError, NotFound, PayloadTooLarge
from app.openapi import document as openapi
from app.web.answers import error_answer, error_response
from app.web.fast_path import FastPath
from app.web.raw_body import BODY_BYTES_MAX

_OWN = (
    "/api",
    "/paper",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/login",
    "/static",
    "/ui",
)

_log = structlog.get_logger()


def create_app(wiring: Wiring) -> Flask:
    """Return the app. It connects to nothing before the first request."""
    app = Flask("hookfill", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # so that Allow names the real methods
    app.url_map.merge_slashes = False  # nothing redirects
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    webhook = crypto_arsenal.Webhook(wiring)
    app.register_blueprint(crypto_arsenal.blueprint(webhook))
    app.register_blueprint(apisify.blueprint(wiring))
    app.register_blueprint(poloniex.blueprint(wiring))
    app.register_blueprint(three_commas.blueprint(wiring))
    for module in (
        authentication,
        orders,
        admin,
        doctor,
        reconciliation,
        recovery,
        symbols,
        venues,
        paper,
        health,
        openapi,
        dashboard,
        hummingbot,
    ):
        app.register_blueprint(module.blueprint(wiring))
    app.register_error_handler(HookfillError, _answer_for)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_count)
    # The inner application is what `app.test_client()` and the web server call.
    app.wsgi_app = FastPath(  # type: ignore[method-assign] # as Flask documents it
        crypto_arsenal.PATH, webhook.answer, app.wsgi_app, Dialect.CRYPTO_ARSENAL
    )
    return app


def _answer_for(error: HookfillError) -> Response:
    if request.path == crypto_arsenal.PATH:
        return crypto_arsenal.error_answer(error)
    if _is_below(request.path, apisify.PATH):
        return apisify.error_answer(error)
    if request.blueprint == Dialect.POLONIEX:
        return poloniex_replies.error_answer(error)
    if hummingbot_replies.owns(request.path):
        return hummingbot_replies.error_reply(error)
    if three_commas_replies.owns(request.path):
        return three_commas_replies.error_reply(error)
    return error_answer(error)


def _http_error(error: HTTPException) -> Response:
    """Give Flask's own errors the shape of whoever owns the path (routes in docs/design.md)."""
    if isinstance(error, RequestEntityTooLarge):
        response = _answer_for(PayloadTooLarge("the body is over 64 KiB"))
    else:
        response = _dialect_error(error) or _own_error(error)
    allowed = error.get_response().headers.get("Allow")
    if allowed is not None:
        response.headers["Allow"] = allowed
    return response


def _dialect_error(error: HTTPException) -> Response | None:
    """Return the answer of the dialect that owns the path, or None if none does."""
    path, status = request.path, error.code or 500
    if path == crypto_arsenal.PATH:
        return crypto_arsenal.method_not_allowed()
    if _is_below(path, crypto_arsenal.PATH):
        return crypto_arsenal.error_answer(NotFound(path))
    if _is_below(path, apisify.PATH):
        return apisify.method_not_allowed() if path == apisify.PATH else apisify.not_found()
    if hummingbot_replies.owns(path):
        return hummingbot_replies.http_error(status)
    if three_commas_replies.owns(path):
        return three_commas_replies.routing_error(status)
    return None


def _own_error(error: HTTPException) -> Response:
    status, message = error.code or 500, error.description or error.name
    if _is_own(request.path):
        code = error.name.lower().replace(" ", "_")
        return error_response(status, code, message)
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return Response(error.get_body(), status, mimetype="text/html")
    response = jsonify({"code": status, "message": error.name})
    response.status_code = status
    return response


def _is_own(path: str) -> bool:
    return path == "/" or any(_is_below(path, own) for own in _OWN)


def _is_below(path: str, own: str) -> bool:
    return path == own or path.startswith(f"{own}/")


def _unexpected(error: Exception) -> Response:
    """The outermost handler of the web process: a mistake of ours, logged whole."""
    _log.exception("request_failed", path=request.path, kind=type(error).__name__)
    if _is_below(request.path, apisify.PATH):
        return apisify.internal()
    if request.blueprint == Dialect.POLONIEX:
        return poloniex_replies.internal()
    if hummingbot_replies.owns(request.path):
        return hummingbot_replies.internal()
    if three_commas_replies.owns(request.path):
        return three_commas_replies.internal()
    return error_response(500, "internal", "something went wrong here; the log has the details")


def _count(response: Response) -> Response:
    dialect = request.blueprint or "none"
    metrics.REQUESTS.labels(dialect=dialect, status=str(response.status_code)).inc()
    return response
