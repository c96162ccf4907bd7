"""The body of a request as it was sent, within one limit for all."""

from flask import request

from app.domain.errors import PayloadTooLarge

#: Larger bodies are refused with 413, whatever they say about their length.
BODY_BYTES_MAX = 64 * 1024


def raw_body() -> bytes:
    """Return the body.

    A body of announced length over the limit is refused by Flask. One that comes in chunks is cut
    off there one byte above the limit, by which it is known here.

    Raises:
        PayloadTooLarge: it is over the limit.
    """
    body = request.get_data(cache=False)
    if len(body) > BODY_BYTES_MAX:
        raise PayloadTooLarge(f"the body is over {BODY_BYTES_MAX} bytes")
    return body
