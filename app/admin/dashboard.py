"""The dashboard: its door, its routes, and the headers that guard them.

Every page asks for itself again while it is looked at (see `static/dashboard.js`), so a view is a
plain function of the store, and text that came by webhook is escaped in one place, the templates.
"""

import shlex
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from app.admin.alert_builder import TOKEN_PLACEHOLDER
from app.admin.authentication import Gate
from app.admin.pages import Pages
from app.admin.static_files import StaticFiles
from app.bootstrap import Wiring
from app.domain.decision import EntryName
from app.domain.errors import HookfillError
from app.web.time_texts import iso, span

#: Nothing but our own files is loaded or run, nothing inline, and nobody may frame a page.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Door:
    """Stands before every page."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def ask(self) -> Response | None:
        """Show those without a session the form that asks for the token, and nothing else."""
        if self._gate.is_signed_in() or request.endpoint == "dashboard.file":
            return None
        response = make_response(render_template("dashboard/sign_in.html"))
        if request.path != "/":
            response.status_code = HTTPStatus.UNAUTHORIZED
        return response


def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the pages and their files."""
    routes = Blueprint("dashboard", __name__, template_folder="templates")
    gate = Gate(wiring.settings)
    pages, files = Pages(wiring, gate), StaticFiles()
    routes.before_request(_Door(gate).ask)
    routes.after_request(_guarded)
    routes.register_error_handler(HookfillError, pages.trouble)
    routes.context_processor(
        lambda: {
            "address_of": files.address,
            "events": list(EntryName),
            "iso": iso,
            "quote": shlex.quote,
            "span": span,
            "token_placeholder": TOKEN_PLACEHOLDER,
        }
    )
    for path, name, view in (
        ("/", "overview", pages.overview),
        ("/ui/orders/<reference>", "order", pages.order),
        ("/ui/accounts", "accounts", pages.accounts),
        ("/ui/accounts/<name>", "account", pages.account),
        ("/ui/connectors", "connectors", pages.connectors),
        ("/static/<path:filename>", "file", files.send),
    ):
        routes.add_url_rule(path, name, view, methods=["GET"])
    return routes
