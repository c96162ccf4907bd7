"""Loads Lua scripts, and runs them."""

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any

import redis

from app.domain.errors import StoreUnavailable

#: What a script answers: a list that begins with a word, `ok` or the condition that was not met.
Answer = list[Any]
Script = Callable[[Sequence[str], Sequence[str | int]], Answer]

#: A call of a script: keys, then arguments.
Call = tuple["LoadedScript", Sequence[str], Sequence[str | int]]

_LUA = Path(__file__).parents[1] / "lua"

#: No script is refused for lack of memory, whatever `maxmemory` says: who ends or guards something
#: must always get through, and whoever is to be refused is refused by commit.lua.
_FLAGS = "#!lua flags=allow-oom"


def text_of(value: object) -> str:
    """Return an answer of the client, which decodes, as the text that it is."""
    if not isinstance(value, str):
        raise StoreUnavailable(f"the store answered {value!r} where text was expected")
    return value


class LoadedScript:
    """A script that is called with keys and arguments.

    A server that has been started anew knows no script, and says so before anything runs. It is
    given the text with the call itself: it may be started anew between two questions again.

    Args:
        client: decodes answers to text.
        text: in Lua.

    Attributes:
        sha: the name by which a server knows the script.
    """

    def __init__(self, client: redis.Redis, text: str) -> None:
        self._client, self._text = client, text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Answer:
        """Run it."""
        words = *keys, *arguments
        answer: Any
        try:
            answer = self._client.evalsha(self.sha, len(keys), *words)
        except redis.exceptions.NoScriptError:
            answer = self._client.eval(self._text, len(keys), *words)
        return list(answer)


def run_queued(client: redis.Redis, calls: Sequence[Call]) -> list[Answer]:
    """Run scripts in one round trip, in order, and return their answers.

    A server that does not know them is told the first, and the others are queued again.
    """
    if not calls:
        return []
    if len(calls) == 1:
        script, keys, arguments = calls[0]
        return [script(keys, arguments)]
    with client.pipeline(transaction=False) as pipeline:
        for script, keys, arguments in calls:
            pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
    told = enumerate(answers)
    unknown = [at for at, one in told if isinstance(one, redis.exceptions.NoScriptError)]
    if unknown:
        first, *others = (calls[at] for at in unknown)
        script, keys, arguments = first
        again = [script(keys, arguments), *run_queued(client, others)]
        for at, answer in zip(unknown, again, strict=True):
            answers[at] = answer
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise StoreUnavailable(f"the store did not answer: {answer}") from answer
    return answers


def load_script(client: redis.Redis, *files: str | Path) -> LoadedScript:
    """Return the script in the last of the files.

    Args:
        client: decodes answers to text.
        files: names in `app/store/lua`, or paths; the text of those before the last, which
            hold what it calls, comes first.
    """
    return LoadedScript(client, script_text(*files))


@cache
def script_text(*files: str | Path) -> str:
    """Return what `load_script` loads."""
    return "\n".join([_FLAGS, *((_LUA / file).read_text() for file in files)])
