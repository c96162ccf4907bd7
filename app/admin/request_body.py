"""What a request to our own paths says: its body and its query, each read by a schema."""

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import RAISE, Schema, ValidationError, validate

from app.domain.errors import MalformedPayload
from app.web.fields import Text, invalid_fields, loaded
from app.web.json_body import payload_from
from app.web.raw_body import raw_body

#: Of any secret that a person gives.
SECRET_CHARACTERS_MAX = 4096


class Strict(Schema):
    """A shape of our own API, which refuses what it does not know."""

    class Meta:
        """Unknown keys are mistakes of whoever wrote them."""

        unknown = RAISE


class Name(Text):
    """A name of ours: a letter or digit, then letters, digits and any of `._-`, 64 in all."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        pattern = validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
            error="Must be 1 to 64 letters, digits or any of ._- beginning with a letter or digit.",
        )
        super().__init__(validate=pattern, **options)


class SecretText(Text):
    """A token, secret or password: printable ASCII, kept as given. No message repeats it.

    Args:
        characters_max: how long it may be.
        lines: whether it may have several.
    """

    def __init__(
        self,
        characters_max: int = SECRET_CHARACTERS_MAX,
        *,
        lines: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> None:
        signs = r"[ -~\r\n]" if lines else "[ -~]"
        pattern = validate.Regexp(
            rf"{signs}{{1,{characters_max}}}\Z",
            error=f"Must be 1 to {characters_max} printable ASCII characters.",
        )
        super().__init__(validate=pattern, **options)


def body_of_request() -> Mapping[str, object]:
    """Return the JSON object of the request; without a body it is an empty one.

    Raises:
        MalformedPayload: it is something else.
    """
    body = raw_body()
    return payload_from(body) if body else {}


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
