"""A web application that tells of a request what a signature would cover, and is slow if asked."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

#: More than the system keeps of what is sent and not yet taken.
LARGE_BYTES = 40_000_000
_LARGE = b"." * LARGE_BYTES

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer target and body; `/slow` a word at a time, over a second; `/large` much at once.

    `/busy` holds up the process for a second before it reads the body.
    """
    if environ["PATH_INFO"] == "/slow":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return slowly()
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE_BYTES))])
        return [_LARGE]
    if environ["PATH_INFO"] == "/busy":
        free_at = time.monotonic() + 1
        while time.monotonic() < free_at:  # no other green thread goes on meanwhile
            pass
    told = {"target": environ["RAW_URI"], "body": environ["wsgi.input"].read().decode()}
    content = json.dumps(told).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


def slowly() -> Iterator[bytes]:
    for _ in range(10):
        time.sleep(0.1)
        yield b"word "
