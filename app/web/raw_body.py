"""The body of a request as it was sent: whole, unpacked, and within one limit for all."""

import zlib
from collections.abc import Mapping, MutableMapping
from gzip import BadGzipFile, GzipFile
from io import BytesIO
from typing import Any, Final

from flask import request

from app.domain.errors import EncodingUnsupported, MalformedPayload, PayloadTooLarge

#: Larger bodies are refused with 413, whatever they say about their length, packed or unpacked.
BODY_BYTES_MAX = 64 * 1024


#: The same, by RFC 9110, 8.4.1.3.
_GZIP: Final = frozenset({"gzip", "x-gzip"})

#: Of an encoding that is quoted in a message.
_SHOWN_CHARACTERS = 40

#: Where a request keeps its body once it was read.
_BODY: Final = "hookfill.body"


def raw_body() -> bytes:
    """Return the body of the request at hand, as often as it is asked for.

    Raises:
        PayloadTooLarge, MalformedPayload, EncodingUnsupported: as in `raw_body_of`.
    """
    return raw_body_of(request.environ)


def body_read(environ: Mapping[str, Any]) -> bytes:
    """Return the body of a request as far as it was read: whole, or nothing of it."""
    body: bytes = environ.get(_BODY, b"")
    return body


def raw_body_of(environ: MutableMapping[str, Any]) -> bytes:
    """Return the body of a request, as often as it is asked for; the request keeps it.

    A body that comes in chunks does not say how long it is: it is read to one byte over the limit.
    So is one that was packed unpacked, and all else, signatures too, is about the unpacked text.

    Raises:
        PayloadTooLarge: it is over the limit.
        MalformedPayload: it ended before its announced length, or its last chunk. What is there
            may make sense, and need not be what was meant.
        EncodingUnsupported: it was packed otherwise than by gzip.
    """
    if _BODY in environ:
        return body_read(environ)
    announced = environ.get("CONTENT_LENGTH") or ""
    length = int(announced) if announced.isascii() and announced.isdigit() else None
    if length is None and not environ.get("wsgi.input_terminated"):
        environ[_BODY] = b""
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
    environ[_BODY] = body = _unpacked(body, environ.get("HTTP_CONTENT_ENCODING", ""))
    environ["wsgi.input"] = BytesIO(body)  # forms are read by Flask
    if environ.get("CONTENT_LENGTH"):
        environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _unpacked(body: bytes, encoding: str) -> bytes:
    word = encoding.strip().lower()
    if not body or word in {"", "identity"}:
        return body
    if word not in _GZIP:
        raise EncodingUnsupported(
            "unsupported_encoding",
            f"Content-Encoding was {word[:_SHOWN_CHARACTERS]!a}; it may be gzip, or be left out",
        )
    try:
        with GzipFile(fileobj=BytesIO(body)) as packed:
            text = packed.read(BODY_BYTES_MAX + 1)
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedPayload("invalid_json", "the body is not gzip, or not whole") from error
    if len(text) > BODY_BYTES_MAX:
        raise PayloadTooLarge(f"the body is over {BODY_BYTES_MAX} bytes when it is unpacked")
    return text


def _read(environ: Mapping[str, Any], most: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(most)
    except Exception as error:  # each web server has errors of its own for what it cannot read
        raise MalformedPayload("invalid_json", "the body ended before it was whole") from error
    return body
