"""Routes under heavy load, answered before Flask is asked (see docs/performance.md).

Flask has the same routes and calls the same views; this only spares a signal its way through the
framework, a tenth or more of what the whole request costs.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import cache, partial
from http import HTTPStatus
from typing import Any

from app import metrics
from app.domain.errors import HookfillError
from app.history.patience import of_one_request
from app.scrubbing import hide, hide_nothing
from app.web.refusals import Refusals
from app.web.routes import View
from app.web.said import words_of
from app.web.surface import Surface

Environ = MutableMapping[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Any, StartResponse], Iterable[bytes]]


class FastPath:
    """A WSGI application that answers a few routes itself, and leaves the rest to another.

    Args:
        routes: by method and exact path: the dialect, and a view that takes the environment. Of
            what a view raises only errors of ours are caught; the rest is a mistake, which the web
            server logs and answers with 500.
        rest: answers everything else.
        refusals: answers what one of these routes refuses.
    """

    def __init__(
        self,
        routes: Mapping[tuple[str, str], tuple[Surface, View]],
        rest: Application,
        refusals: Refusals,
    ) -> None:
        self._routes = routes
        self._rest = rest
        self._refusals = refusals

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        """Answer one request, which waits for the history once.

        No log repeats of it what may be a token, until it is over.
        """
        hide(partial(words_of, environ))
        with of_one_request():
            answer = self._answer(environ, start_response)
        hide_nothing()  # not after a mistake, which the web server has yet to log
        return answer

    def _answer(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if route is None:
            return self._rest(environ, start_response)
        surface, view = route
        try:
            answer = view(environ)
        except HookfillError as error:
            answer = self._refusals.answer(surface, error, environ)
        _counter(surface.dialect, answer.status)()
        content, headers = answer.sent()
        headers["Content-Length"] = str(len(content))
        status = HTTPStatus(answer.status)
        start_response(f"{status:d} {status.phrase}", [*headers.items()])
        return (content,)


@cache
def _counter(dialect: str, status: int) -> Callable[[], None]:
    return metrics.REQUESTS.labels(dialect=dialect, status=str(status)).inc
