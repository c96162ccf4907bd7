"""Routes under heavy load, answered before Flask is asked (see docs/benchmarks.md).

Flask has the same routes and calls the same views; this only spares a signal its way through the
framework, a tenth or more of what the whole request costs.
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from app import metrics
from app.domain.errors import HookfillError
from app.web.answers import Answer

Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Any, StartResponse], Iterable[bytes]]


class FastRoute(NamedTuple):
    """A route that is answered before Flask.

    Attributes:
        name: in metrics.
        view: takes the environment and gives an `Answer`. Of what it raises only errors of ours
            are caught; the rest is a mistake, which the web server logs and answers with 500.
        error: the answer to such an error.
    """

    name: str
    view: Callable[..., Any]
    error: Callable[[HookfillError], Answer]


class FastPath:
    """A WSGI application that answers a few routes itself, and leaves the rest to another.

    Args:
        routes: by method and exact path.
        rest: answers everything else.
    """

    def __init__(self, routes: Mapping[tuple[str, str], FastRoute], rest: Application) -> None:
        self._routes = routes
        self._rest = rest
        self._counters: dict[tuple[str, int], Callable[[], None]] = {}

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        """Answer one request."""
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if route is None:
            return self._rest(environ, start_response)
        try:
            answer = route.view(environ)
        except HookfillError as error:
            answer = route.error(error)
        self._count(route.name, answer.status)
        content = answer.content()
        headers = [*answer.all_headers().items(), ("Content-Length", str(len(content)))]
        start_response(f"{answer.status:d} {HTTPStatus(answer.status).phrase}", headers)
        return (content,)

    def _count(self, name: str, status: int) -> None:
        count = self._counters.get((name, status))
        if count is None:
            count = metrics.REQUESTS.labels(dialect=name, status=str(status)).inc
            self._counters[name, status] = count
        count()
