"""The body of a request as it was sent, within one limit for all."""

from collections.abc import Mapping
from typing import Any

from flask import request

from app.domain.errors import PayloadTooLarge

#: Larger bodies are refused with 413, whatever they say about their length.
BODY_BYTES_MAX = 64 * 1024


def raw_body() -> bytes:
    """Return the body of the request at hand.

    Raises:
        PayloadTooLarge: it is over the limit.
    """
    return raw_body_of(request.environ)


def raw_body_of(environ: Mapping[str, Any]) -> bytes:
    """Return the body of a request, to be read once.

    A body that comes in chunks does not say how long it is: it is read to one byte over the limit.

    Raises:
        PayloadTooLarge: it is over the limit.
    """
    announced = environ.get("CONTENT_LENGTH") or ""
    length = int(announced) if announced.isascii() and announced.isdigit() else None
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    body: bytes = b""
    if length is None or length <= BODY_BYTES_MAX:
        body = environ["wsgi.input"].read(BODY_BYTES_MAX + 1 if length is None else length)
    if (length or len(body)) > BODY_BYTES_MAX:
        raise PayloadTooLarge(f"the body is over {BODY_BYTES_MAX} bytes")
    return body
