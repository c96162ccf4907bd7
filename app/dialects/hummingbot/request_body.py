"""The body of a Hummingbot request, read by one of the dialect's schemas."""

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema

from app.dialects.hummingbot.parse import object_from, shape_of
from app.web.raw_body import raw_body


def body_from(content: bytes) -> Mapping[str, object]:
    """Return the JSON object that the body of the request at hand holds.

    Raises:
        InvalidBody: there is none.
    """
    return object_from(content, request.headers.get("Content-Type", ""))


def shape_of_request(schema: Schema) -> dict[str, Any]:
    """Return what a schema makes of the request at hand, whose body can be read once.

    Raises:
        InvalidBody: with every problem.
        PayloadTooLarge: it is over the limit.
    """
    return shape_of(schema, body_from(raw_body()))
