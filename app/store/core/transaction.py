"""One call of commit.lua: conditions and writes on the keys of one shard, all or nothing."""

from collections.abc import Sequence

from app.store.core.scripts import Answer, Script

OK = "ok"

#: One of the words of commit.lua, a key, and what it is held against.
Condition = tuple[str, str, str | int]

#: A Redis command on one key, or one of the script's own: its name, the key, its arguments.
Write = tuple[str, str, *tuple[str | int, ...]]


class Key(str):
    """A further key, among the arguments of a write; the script gets its number."""

    __slots__ = ()


def transact(script: Script, conditions: Sequence[Condition], writes: Sequence[Write]) -> Answer:
    """Send it. Returns `["ok"]`, or the first condition that was not met and what was there."""
    numbers: dict[str, int] = {}
    words: list[str | int] = [len(conditions)]
    for word, key, argument in conditions:
        words += [word, numbers.setdefault(key, len(numbers) + 1), argument]
    for command, key, *arguments in writes:
        words += [len(arguments) + 2, command, numbers.setdefault(key, len(numbers) + 1)]
        words += [
            numbers.setdefault(one, len(numbers) + 1) if isinstance(one, Key) else one
            for one in arguments
        ]
    return script(list(numbers), words)
