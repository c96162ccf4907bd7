"""One call of commit.lua: conditions and writes, gathered one by one, all or nothing."""

from app.store.core.scripts import Answer, Script

OK = "ok"


class Transaction:
    """Conditions and writes on the keys of one shard.

    A condition that is not met refuses the whole; the answer says which it was.
    """

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._conditions: list[str | int] = []
        self._count = 0
        self._writes: list[str | int] = []

    def key(self, name: str) -> int:
        """Return the index under which the script knows this key."""
        return self._keys.setdefault(name, len(self._keys) + 1)

    def require(self, word: str, key: str, argument: str | int) -> None:
        """Add a condition; see commit.lua for the words."""
        self._conditions += [word, self.key(key), argument]
        self._count += 1

    def write(self, command: str, key: str, *arguments: str | int) -> None:
        """Add a write: a Redis command on one key, or one of the script's own."""
        self._writes += [len(arguments) + 2, command, self.key(key), *arguments]

    def run(self, script: Script) -> Answer:
        """Send it. Returns `["ok"]`, or the condition that was not met and what was there."""
        return script(list(self._keys), [self._count, *self._conditions, *self._writes])
