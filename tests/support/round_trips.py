"""How often the store is asked: each command, and each pipeline as a whole, is one round trip."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis


@contextmanager
def round_trips(client: redis.Redis) -> Iterator[list[str]]:
    """Note what goes to the server meanwhile: the names of the commands of each round trip."""
    noted: list[str] = []
    ask: Any = client.execute_command
    make: Any = client.pipeline

    def execute_command(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        noted.append(str(args[0]))
        return ask(*args, **options)

    def pipeline(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        made = make(*args, **options)
        carry_out = made.execute

        def execute(*more: Any, **others: Any) -> Any:  # noqa: ANN401 - as redis-py has it
            names = [str(words[0]) for words, _ in made.command_stack]
            noted.append(" ".join(["MULTI", *names] if made.transaction else names))
            return carry_out(*more, **others)

        made.execute = execute
        return made

    client.execute_command = execute_command  # type: ignore[method-assign]
    client.pipeline = pipeline  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        client.execute_command, client.pipeline = ask, make  # type: ignore[method-assign]
