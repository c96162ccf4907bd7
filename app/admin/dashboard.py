"""The dashboard: its routes, and the headers that guard them.

Every page asks for itself again while it is looked at (see `static/dashboard.js`), so a view is a
plain function of the store, and text that came by webhook is escaped in one place, the templates.
"""

import shlex
from typing import Final

from flask import Blueprint, Response

from app.admin.authentication import Gate
from app.admin.pages import Pages
from app.admin.static_files import StaticFiles
from app.bootstrap import Wiring
from app.domain.decision import EntryName
from app.domain.errors import HookfillError
from app.web.routes import Access, Route, blueprint_of
from app.web.surface import TOKEN_PLACEHOLDER
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


def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the pages and their files."""
    pages, files = Pages(wiring, Gate(wiring)), StaticFiles()
    rows = [
        Route("GET", rule, view, access=Access.SESSION)
        for rule, view in (
            ("/", pages.overview),
            ("/ui/orders/<reference>", pages.order),
            ("/ui/accounts", pages.accounts),
            ("/ui/accounts/<name>", pages.account),
            ("/ui/connectors", pages.connectors),
            ("/ui/channels", pages.channels),
        )
    ]
    file = Route("GET", "/static/<path:filename>", files.send, access=Access.OPEN)
    routes = blueprint_of("dashboard", "", (*rows, file))
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
    return routes
