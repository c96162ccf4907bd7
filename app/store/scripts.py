"""Loads Lua scripts, and turns the client's errors into ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from app.domain.errors import StoreUnavailable

#: What a script answers: a list that begins with a word, `ok` or the condition that was not met.
Answer = list[Any]
Script = Callable[[Sequence[str], Sequence[str | int]], Answer]


def text_of(value: object) -> str:
    """Return an answer of the client, which decodes, as the text that it is."""
    if not isinstance(value, str):
        raise StoreUnavailable(f"the store answered {value!r} where text was expected")
    return value


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailable for whatever keeps the server from answering.

    A server that is full, read-only or loading is as good as away: nothing was written.
    """
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"the store did not answer: {error}") from error


def load_script(client: redis.Redis, name: str) -> Script:
    """Return the script in the file `name` beside this module as a function (keys, arguments)."""
    script = client.register_script((Path(__file__).parent / name).read_text())

    def run(keys: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        with translated():
            answer: Answer = script(keys=list(keys), args=list(arguments))
            return answer

    return run
