"""Routes as rows: what answers to which path, and who may call it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import Enum, auto
from functools import wraps
from typing import Any, Final

from flask import Blueprint, Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.web.answers import Answer, respond
from app.web.raw_body import raw_body
from app.web.turns import Turns

#: Chapters of the documentation that several modules write.
SETTING_UP: Final = "Setting up"
OPERATION: Final = "Operation"

#: Gives an `Answer`, or whatever else Flask takes for one.
View = Callable[..., Any]

#: What a body or an answer is: a schema of ours, or what OpenAPI says, in which such may stand.
Shape = Schema | Mapping[str, Any]

#: Status → what it means, where nothing more particular is to be said.
_DONE: Mapping[int, str] = {200: "As asked."}

#: Where an app keeps its rows.
_ROUTES = "hookfill_routes"

#: Where it keeps the turns, by who may call: strangers keep none from callers, nor they from us.
_TURNS = "hookfill_turns"


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


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Attributes:
        rule: the path, as Flask writes it.
        view: what answers; of a route that is fast it takes the WSGI environment.
        summary: what it does, for the documentation; else the first line of its view says it.
        access: who may call it.
        scheme: how a caller of a dialect is known, if OpenAPI has a word for it: `basic`.
        tag: the chapter of the documentation; what has none, like a page, is not in it.
        query, body: what it takes.
        answer: its good answer; None says nothing about it.
        answers: status → what it means, besides the errors that are everywhere.
        is_exact: whether a path with one slash more or less at its end is another one.
        is_fast: whether it is answered before Flask is asked, for what comes by the thousand.
        is_reading: whether it changes nothing, though its method is not GET.
        is_light: whether it costs nothing, so that nobody is kept from it: what supervisors ask.
        runs_dry: whether it tells what it would do to whoever asks for that.
    """

    method: str
    rule: str
    view: View
    summary: str = ""
    _: KW_ONLY
    access: Access = Access.ADMIN
    scheme: str | None = None
    tag: str = ""
    query: Schema | None = None
    body: Shape | None = None
    answer: Shape | None = None
    answers: Mapping[int, str] = field(default_factory=lambda: _DONE)
    is_exact: bool = True
    is_fast: bool = False
    is_reading: bool = False
    is_light: bool = False
    runs_dry: bool = False

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.is_reading

    @property
    def takes_turns(self) -> bool:
        """Whether it stands back for orders, alerts and cancels (`app.web.turns`)."""
        return self.reads and not (self.is_fast or self.is_light)


def blueprint_of(name: str, tag: str, routes: Iterable[Route]) -> Blueprint:
    """Return the routes as Flask takes them; `routes_of` tells later what there is.

    Args:
        name: in metrics.
        tag: of routes that have none of their own.
        routes: the rows.
    """
    blueprint = Blueprint(name, __name__)
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
        summary = route.summary or (route.view.__doc__ or "").partition("\n")[0]
        row = replace(route, tag=route.tag or tag, summary=summary)
        blueprint.record(_noted(f"{name}.{endpoint}", row))
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
        if _TURNS not in state.app.extensions:
            state.app.extensions[_TURNS] = {one: Turns() for one in Access}

    return note


def _view(route: Route) -> Callable[..., ResponseReturnValue]:
    @wraps(route.view)
    def answering(**arguments: str) -> ResponseReturnValue:
        if route.is_exact and request.path != route.rule and route.rule.endswith("/"):
            abort(404)
        if route.takes_turns:
            raw_body()  # all of it is here before the turn begins: who sends slowly holds none
        with _turn(route):
            answer = route.view(request.environ) if route.is_fast else route.view(**arguments)
            given: ResponseReturnValue = respond(answer) if isinstance(answer, Answer) else answer
        return given

    return answering


def _turn(route: Route) -> AbstractContextManager[None]:
    """Return what a request holds while it is answered."""
    if not route.takes_turns:
        return nullcontext()
    turns: dict[Access, Turns] = current_app.extensions[_TURNS]
    return turns[route.access].turn()
