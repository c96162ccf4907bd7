"""What strangers may put into a queue of the broker, by what is wrong with it."""

import base64
import json
from typing import Any

NOTHING_ELSE = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def a_message(arguments: object = ([["x"]], {}, NOTHING_ELSE), **changes: object) -> dict[str, Any]:
    """Return a message as Celery writes it, with some of its headers changed.

    Args:
        arguments: positional ones, those by name, and what Celery shall do afterwards.
        **changes: header → value.
    """
    headers = {"lang": "py", "task": "hookfill.canary", "id": "i", "eta": None, "expires": None}
    return {
        "body": _encoded(json.dumps(arguments)),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers | changes,
        "properties": {
            "correlation_id": "i",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "orders"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "t",
        },
    }


def _encoded(body: str) -> str:
    return base64.b64encode(body.encode()).decode()


def _with(**parts: object) -> str:
    return json.dumps(a_message() | {name.replace("_", "-"): part for name, part in parts.items()})


def _arguments(*parts: object) -> str:
    return json.dumps(a_message(parts))


def _header(**changes: object) -> str:
    return json.dumps(a_message(**changes))


def _properties(**changes: object) -> str:
    message = a_message()
    return json.dumps(message | {"properties": message["properties"] | changes})


#: What is wrong → the message. A worker drops each.
HOSTILE: dict[str, str | bytes] = {
    "no message": "{}",
    "no JSON": "hello",
    "no text": b"\xff\xfe",
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "nested": "[" * 100_000,
    "a type of the library": '{"__type__": "uuid", "__value__": 1}',
    "no headers": _with(headers=None),
    "headers in a list": _with(headers=[]),
    "no id": _header(id=None),
    "an unknown task": _header(task="nobodys.task"),
    "a task of Celery": json.dumps(a_message(([], {}, {}), task="celery.accumulate")),
    "a list for a task": _header(task=[]),
    "a number for a time": _header(eta=5),
    "a time far away": _header(eta="9999-12-31T23:59:59+00:00"),
    "an end without a zone": _header(expires="9999-12-31T23:59:59"),
    "an end that is none": _header(expires="soon"),
    "a list for a sentence": _header(argsrepr=[]),
    "no properties": _with(properties=None),
    "no tag": _properties(delivery_tag=None),
    "a list for a tag": _properties(delivery_tag=[]),
    "an unknown encoding": _properties(body_encoding="nobodys"),
    "a pickle": _with(content_type="application/x-python-serialize"),
    "an unknown content type": _with(content_type="nobodys/type"),
    "a number for a body": _with(body=5),
    "a body that is not encoded": _with(body="%"),
    "a body {}": _with(body=_encoded("{}")),
    "a body []": _with(body=_encoded("[]")),
    "a body without JSON": _with(body=_encoded("hello")),
    "a nested body": _with(body=_encoded("[" * 100_000)),
    "a number for arguments": _arguments(17, {}, {}),
    "too many arguments": _arguments([["x"], ["y"]], {}, {}),
    "arguments by name": _arguments([["x"]], {"x": 1}, {}),
    "a number for the list": _arguments([5], {}, {}),
    "an older protocol": _with(headers={}, body=_encoded('{"task": [], "id": [], "args": 5}')),
}
