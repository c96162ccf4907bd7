"""What a request to our own paths says: its body and its query, each read by a schema."""

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from app.domain.errors import MalformedPayload, invalid_fields
from app.web.fields import Strict, Text, loaded
from app.web.json_body import payload_from
from app.web.raw_body import raw_body


def body_of_request() -> Mapping[str, object]:
    """Return the JSON object of the request; without a body it is an empty one.

    Raises:
        MalformedPayload: it is something else.
    """
    body = raw_body()
    return payload_from(body) if body else {}


def form_of_request() -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        MalformedPayload: it is not whole.
    """
    raw_body()
    return request.form


def refuse_body() -> None:
    """Refuse a request that says anything, where there is nothing to say.

    Raises:
        MalformedPayload: it does.
    """
    loaded(Strict(), body_of_request())


def query_of_request(schema: Schema) -> dict[str, Any]:
    """Return the parameters of the query; an empty one counts as absent.

    Raises:
        MalformedPayload: one is unknown, wrong, or stands there twice.
    """
    given = request.args.to_dict(flat=False)
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise invalid_fields({name: ["Stands there more than once."] for name in twice})
    return loaded(schema, {name: values[0] for name, values in given.items() if values[0]})


def checked_name(name: str, shape: Text) -> str:
    """Return a name of the path, if it is one that a record may have.

    Raises:
        MalformedPayload: it is none.
    """
    try:
        checked: str = shape.deserialize(name)
    except ValidationError as error:
        raise invalid_fields({"name": [str(one) for one in error.messages]}) from error
    return checked


def refused(field: str, message: str) -> MalformedPayload:
    """Return the error of one wrong field."""
    return invalid_fields({field: [message]})
