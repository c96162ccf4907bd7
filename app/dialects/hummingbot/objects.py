"""Bodies as the reference takes them: JSON objects, announced as such (Hummingbot spec 2.4)."""

import json
from collections.abc import Mapping

from app.dialects.hummingbot.errors import BODY, InvalidBody, Problem
from app.domain.errors import MalformedPayload
from app.web.json_body import json_from

#: Of a body that is shown in an answer because it was announced as something else.
_SHOWN_CHARACTERS = 1000


def object_from(body: bytes, content_type: str) -> Mapping[str, object]:
    """Return the JSON object of a body.

    Raises:
        InvalidBody: there is none, it is no JSON, it is no object, or it was not announced as one.
    """
    if not body:
        raise _missing()
    if not _is_json(content_type):
        raise _no_object(body.decode(errors="replace")[:_SHOWN_CHARACTERS])
    try:
        content = json_from(body)
    except MalformedPayload as error:
        raise _no_json(error) from error
    if content is None:
        raise _missing()
    if not isinstance(content, dict):
        raise _no_object(content)
    return content


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    family, _, name = kind.partition("/")
    return family == "application" and (name == "json" or name.endswith("+json"))


def _missing() -> InvalidBody:
    return InvalidBody(
        [Problem(kind="missing", message="Field required", location=BODY, given=None)]
    )


def _no_object(given: object) -> InvalidBody:
    problem = Problem(
        kind="model_attributes_type",
        message="Input should be a valid dictionary or object to extract fields from",
        location=BODY,
        given=given,
    )
    return InvalidBody([problem])


def _no_json(error: MalformedPayload) -> InvalidBody:
    position, why = 0, str(error)
    if isinstance(error.__cause__, json.JSONDecodeError):
        position, why = error.__cause__.pos, error.__cause__.msg
    problem = Problem(
        kind="json_invalid",
        message="JSON decode error",
        location=(*BODY, position),
        given={},
        context={"error": why},
    )
    return InvalidBody([problem])
