"""Routes as rows: what answers to which path, and who may call it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, current_app, request
from flask.typing import ResponseReturnValue

from app.web.answers import Answer, respond

View = Callable[..., Answer | ResponseReturnValue]

#: Where an app keeps its rows.
_ROUTES = "hookfill_routes"


class Access(Enum):
    """Who may call a route; `app.admin.authentication` sees to it before any view is called."""

    #: Somebody with the admin token, or a session of the dashboard that had it.
    ADMIN = auto()
    #: A session of the dashboard; others see the form that asks for the admin token.
    SESSION = auto()
    #: A caller of the dialect: its view asks who that is, in the way of the dialect.
    CALLER = auto()
    #: Everybody.
    OPEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        rule: the path, as Flask writes it.
        view: what answers; of a route that is fast it takes the WSGI environment.
        access: who may call it.
        is_exact: whether a path with one slash more or less at its end is another one.
        is_fast: whether it is answered before Flask is asked, for what comes by the thousand.
    """

    method: str
    rule: str
    view: View
    access: Access = Access.ADMIN
    is_exact: bool = True
    is_fast: bool = False


def blueprint_of(
    name: str,
    routes: Iterable[Route],
    import_name: str = __name__,
    template_folder: str | None = None,
) -> Blueprint:
    """Return the routes as Flask takes them; `route_of` tells later what row one has."""
    blueprint = Blueprint(name, import_name, template_folder=template_folder)
    for route in routes:
        slashed = route.rule.endswith("/")
        endpoint = f"{route.method} {route.rule}".replace(".", " ")
        blueprint.add_url_rule(
            route.rule,
            endpoint,
            _view(route),
            methods=[route.method],
            # Nothing redirects: a client may have signed the path that it has asked for.
            strict_slashes=route.is_exact and not slashed,
        )
        blueprint.record(_noted(f"{name}.{endpoint}", route))
    return blueprint


def routes_of(app: Flask) -> Mapping[str, Route]:
    """Return endpoint → row, of all routes of an app."""
    known: dict[str, Route] = app.extensions.setdefault(_ROUTES, {})
    return known


def route_of_request() -> Route | None:
    """Return the row of the request at hand; None if no route, or one without a row, takes it."""
    return routes_of(current_app).get(request.endpoint or "")


def _noted(endpoint: str, route: Route) -> Callable[[Any], None]:
    def note(state: Any) -> None:  # noqa: ANN401 - Flask's own
        state.app.extensions.setdefault(_ROUTES, {})[endpoint] = route

    return note


def _view(route: Route) -> Callable[..., ResponseReturnValue]:
    @wraps(route.view)
    def answering(**arguments: str) -> ResponseReturnValue:
        if route.is_exact and request.path != route.rule and route.rule.endswith("/"):
            abort(404)
        answer = route.view(request.environ) if route.is_fast else route.view(**arguments)
        return respond(answer) if isinstance(answer, Answer) else answer

    return answering
