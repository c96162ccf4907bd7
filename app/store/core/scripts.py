"""Loads Lua scripts, and turns the client's errors into ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from typing import Any

import redis
from redis.client import Pipeline

from app.domain.errors import StoreUnavailable

#: What a script answers: a list that begins with a word, `ok` or the condition that was not met.
Answer = list[Any]
Script = Callable[[Sequence[str], Sequence[str | int]], Answer]

#: A call of a script: keys, then arguments.
Call = tuple["LoadedScript", Sequence[str], Sequence[str | int]]

_LUA = Path(__file__).parents[1] / "lua"


def text_of(value: object) -> str:
    """Return an answer of the client, which decodes, as the text that it is."""
    if not isinstance(value, str):
        raise StoreUnavailable(f"the store answered {value!r} where text was expected")
    return value


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailable where the server does not answer.

    A server that is full, read-only or loading is as good as away: nothing was written.
    """
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"the store did not answer: {error}") from error


class LoadedScript:
    """A script that is called with keys and arguments.

    Args:
        client: decodes answers to text.
        text: in Lua.
    """

    def __init__(self, client: redis.Redis, text: str) -> None:
        self._client = client
        self._text = text
        self._sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        """Run it."""
        with translated():
            return self.attempt(keys, arguments)

    def attempt(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        """Run it, and let errors be those of the client.

        A server that has been started anew knows no script, and says so before anything runs.
        """
        answer: Any
        try:
            answer = self._client.evalsha(self._sha, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            answer = self._client.eval(self._text, len(keys), *keys, *arguments)
        return list(answer)

    def queue(
        self, pipeline: Pipeline, keys: Sequence[str], arguments: Sequence[str | int]
    ) -> None:
        """Add a call of it to a pipeline; see `run_queued`."""
        pipeline.evalsha(self._sha, len(keys), *keys, *arguments)

    def load(self) -> None:
        """Make it known to the server."""
        self._client.script_load(self._text)


def run_queued(client: redis.Redis, calls: Sequence[Call]) -> list[Answer]:
    """Run scripts in one round trip, in order, and return their answers.

    Scripts that the server does not know are loaded, and those calls are made again.
    """
    if len(calls) == 1:
        script, keys, arguments = calls[0]
        return [script(keys, arguments)]
    answers: list[Any] = _attempt(client, calls)
    unknown = [
        place
        for place, one in enumerate(answers)
        if isinstance(one, redis.exceptions.NoScriptError)
    ]
    if unknown:
        again = [calls[place] for place in unknown]
        with translated():
            for script in {id(call[0]): call[0] for call in again}.values():
                script.load()
        for place, answer in zip(unknown, _attempt(client, again), strict=True):
            answers[place] = answer
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise StoreUnavailable(f"the store did not answer: {answer}") from answer
    return answers


def _attempt(client: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    with translated(), client.pipeline(transaction=False) as pipeline:
        for script, keys, arguments in calls:
            script.queue(pipeline, keys, arguments)
        return pipeline.execute(raise_on_error=False)


def load_script(client: redis.Redis, *files: str | Path) -> LoadedScript:
    """Return the script in the last of the files.

    Args:
        client: decodes answers to text.
        files: names in `app/store/lua`, or paths; the text of those before the last, which
            hold what it calls, comes first.
    """
    return LoadedScript(client, "\n".join((_LUA / file).read_text() for file in files))
