"""A wake-up in the words of Celery's protocol, as kombu keeps it in a list of Redis.

Celery's own `send_task` is for all brokers and all that a message may say. It takes as long as half
a request; this says the same of a task and its list.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from app.dispatch.routes import QueueName, TaskName

#: What follows the arguments of a task: nothing is to be done after it.
_NOTHING_AFTER: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

#: What all headers have in common: no task of ours belongs to another, none is tried again.
_PLAIN: Final[dict[str, object]] = {
    "lang": "py",
    "shadow": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "kwargsrepr": "",
    "origin": "hookfill",
    "ignore_result": None,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def celery_message(
    task: TaskName,
    queue: QueueName,
    values: Sequence[int | str],
    about: str,
    *,
    countdown: float | None = None,
    expires: float | None = None,
) -> str:
    """Return a message as it stands in the list of its queue.

    Args:
        task: whose it is.
        queue: where it will wait.
        values: the one argument of the task.
        about: what it is about, for people.
        countdown: seconds from now until it is due.
        expires: seconds from now after which no worker carries it out.
    """
    name = str(uuid4())
    body = json.dumps([[list(values)], {}, _NOTHING_AFTER])
    return json.dumps(
        {
            "body": b64encode(body.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                **_PLAIN,
                "task": task,
                "id": name,
                "root_id": name,
                "argsrepr": about,
                "eta": _in(countdown),
                "expires": _in(expires),
            },
            "properties": {
                "correlation_id": name,
                "reply_to": "",
                "delivery_mode": 2,
                **({} if expires is None else {"expiration": str(int(expires * 1000))}),
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
    )


def _in(seconds: float | None) -> str | None:
    """Return the time in so many seconds, as Celery writes it."""
    return None if seconds is None else (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
