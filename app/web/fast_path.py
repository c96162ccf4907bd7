"""The one route under heavy load, answered before Flask is asked (see docs/benchmarks.md).

Flask knows the same route and gives the same answers; this only spares a signal its way through
the framework, a tenth or more of what the whole request costs.
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from app import metrics

Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Any, StartResponse], Iterable[bytes]]


class Reply(NamedTuple):
    """An answer, as any web framework or none can send it."""

    status: int
    headers: dict[str, str]
    body: bytes


class FastPath:
    """A WSGI application that answers POST requests to one path, and leaves the rest to another.

    Args:
        path: exactly.
        answer: raises only by a mistake of ours, which the web server logs and answers with 500.
        rest: answers everything else.
        name: of the route, in metrics.
    """

    def __init__(
        self, path: str, answer: Callable[[Environ], Reply], rest: Application, name: str
    ) -> None:
        self._path = path
        self._answer = answer
        self._rest = rest
        self._name = name
        self._accepted = metrics.REQUESTS.labels(dialect=name, status=str(HTTPStatus.OK.value))

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        """Answer one request."""
        if environ["PATH_INFO"] != self._path or environ["REQUEST_METHOD"] != "POST":
            return self._rest(environ, start_response)
        reply = self._answer(environ)
        if reply.status == HTTPStatus.OK:
            self._accepted.inc()
        else:
            metrics.REQUESTS.labels(dialect=self._name, status=str(reply.status)).inc()
        phrase = HTTPStatus(reply.status).phrase
        headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status:d} {phrase}", headers)
        return (reply.body,)
