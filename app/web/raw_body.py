"""The body of a request as it was sent: whole, and within one limit for all."""

from collections.abc import Mapping, MutableMapping
from io import BytesIO
from typing import Any, Final

from flask import request

from app.domain.errors import MalformedPayload, PayloadTooLarge

#: Larger bodies are refused with 413, whatever they say about their length.
BODY_BYTES_MAX = 64 * 1024


#: Where a request keeps its body once it was read.
_BODY: Final = "hookfill.body"


def raw_body() -> bytes:
    """Return the body of the request at hand, as often as it is asked for.

    Raises:
        PayloadTooLarge, MalformedPayload: as in `raw_body_of`.
    """
    environ = request.environ
    if _BODY not in environ:
        environ["wsgi.input"] = BytesIO(raw_body_of(environ))  # forms are read by Flask
    return body_read(environ)


def body_read(environ: Mapping[str, Any]) -> bytes:
    """Return the body of a request as far as it was read: whole, or nothing of it."""
    body: bytes = environ.get(_BODY, b"")
    return body


def raw_body_of(environ: MutableMapping[str, Any]) -> bytes:
    """Return the body of a request, to be read once; the request keeps it.

    A body that comes in chunks does not say how long it is: it is read to one byte over the limit.

    Raises:
        PayloadTooLarge: it is over the limit.
        MalformedPayload: it ended before its announced length, or its last chunk. What is there
            may make sense, and need not be what was meant.
    """
    announced = environ.get("CONTENT_LENGTH") or ""
    length = int(announced) if announced.isascii() and announced.isdigit() else None
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    body: bytes = b""
    if length is None or length <= BODY_BYTES_MAX:
        body = _read(environ, BODY_BYTES_MAX + 1 if length is None else length)
    if (length or len(body)) > BODY_BYTES_MAX:
        raise PayloadTooLarge(f"the body is over {BODY_BYTES_MAX} bytes")
    if length is not None and len(body) < length:
        raise MalformedPayload(
            "invalid_json", f"the body ended after {len(body)} of {length} bytes"
        )
    environ[_BODY] = body
    return body


def _read(environ: Mapping[str, Any], most: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(most)
    except Exception as error:  # each web server has errors of its own for what it cannot read
        raise MalformedPayload("invalid_json", "the body ended before it was whole") from error
    return body
