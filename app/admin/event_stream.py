"""Timeline entries as they happen, as server-sent events."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator

from flask import Response, request

from app.admin.rows import entry_row
from app.domain.errors import RateLimited, StoreUnavailable
from app.ports.history import EventFeed, TimelineEvent

#: Pause before a browser connects again, in milliseconds.
RETRY_MS = 1_000

#: How long a stream goes on after its session has ended.
ADMISSION_SECONDS = 5.0

_POSITION = re.compile(r"\d{1,16}-\d{1,16}", re.ASCII)


class EventStreams:
    """Hands out streams, each of which holds a place of the web server while it is open.

    Args:
        feed: whose events are told.
        most: streams at once in this process, so that places are left for orders.
        admission: returns what tells whether the sender of the request is let in still.
    """

    def __init__(
        self, feed: EventFeed, most: int, admission: Callable[[], Callable[[], bool]]
    ) -> None:
        self._feed = feed
        self._admission = admission
        self._slots = threading.BoundedSemaphore(most)

    def open(self) -> Response:
        """Answer timeline entries as they happen, as server-sent events.

        The stream ends when the client goes away, or its session does.
        `Last-Event-ID`, which browsers send when they connect again, goes on where they were.
        """
        if request.method == "HEAD":
            return _response(iter(()))
        if not self._slots.acquire(blocking=False):
            raise RateLimited("too many event streams are open", 1_000)
        try:
            events = self._feed.events(_position())
            next(events)  # from here on nothing is missed; an unreachable store shows now
        except BaseException:
            self._slots.release()
            raise
        response = _response(_texts(events, self._admission()))

        @response.call_on_close
        def _close() -> None:
            events.close()
            self._slots.release()

        return response


def _position() -> str | None:
    said = request.headers.get("Last-Event-ID", "")
    return said if _POSITION.fullmatch(said) else None


def _response(texts: Iterator[str]) -> Response:
    response = Response(texts, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep events back
    return response


def _texts(
    events: Iterator[TimelineEvent | None], is_admitted: Callable[[], bool]
) -> Iterator[str]:
    """Yield what goes over the wire. A silent store ends the stream: the client comes again."""
    yield f"retry: {RETRY_MS}\n\n"
    looked = time.monotonic()
    try:
        for event in events:
            if time.monotonic() - looked >= ADMISSION_SECONDS:
                if not is_admitted():
                    return
                looked = time.monotonic()
            yield ": nothing\n\n" if event is None else _text(event)
    except StoreUnavailable:
        return


def _text(event: TimelineEvent) -> str:
    row = {"id": str(event.id), **entry_row(event.entry, event.process)}
    data = json.dumps(row, separators=(",", ":"))
    place = "" if event.position is None else f"id: {event.position}\n"
    return f"{place}event: {event.entry.name}\ndata: {data}\n\n"
