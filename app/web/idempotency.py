"""`Idempotency-Key`: by its own word a caller's request is the one that it sent before."""

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from app.domain.account import Account
from app.domain.enums import Dialect
from app.domain.errors import UnusableKey
from app.domain.sender import Mark, SingleUse

HEADER: Final = "Idempotency-Key"

#: One day, by business time, in which a key means the same request.
KEY_LIFE_MS: Final = 86_400_000

_CHARACTERS_MAX = 64


def marks_of_key(
    key: str | None,
    whose: tuple[Dialect, str],
    content: str,
    accounts: Iterable[Account],
    part: int = 0,
) -> tuple[Mark, ...]:
    """Return by what the command is known again, if its request came with a key.

    Args:
        key: as it was sent, or None.
        whose: the dialect, and its client or connector, within which keys differ.
        content: hash of the request, hexadecimal, that the same one again has, signed anew or not.
        accounts: those of the caller; the key is forgotten when one of them is reset.
        part: counts the parts of the request from 0.

    Raises:
        UnusableKey: it is empty or too long.
    """
    if key is None:
        return ()
    if not 0 < len(key) <= _CHARACTERS_MAX:
        raise UnusableKey(f"{HEADER} must have 1 to {_CHARACTERS_MAX} characters")
    dialect, caller = whose
    lines = [name_of_key(dialect, caller, key), content, *([str(part)] if part else [])]
    return (
        Mark(
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            life_ms=KEY_LIFE_MS,
            single_use=SingleUse(
                name_of_key(dialect, caller, key, [one.resets for one in accounts]), content
            ),
        ),
    )


def name_of_key(dialect: Dialect, caller: str, key: str, resets: Iterable[int] = ()) -> str:
    """Return a hash, in hexadecimal, of whose key it is and what it says.

    Args:
        dialect: that it was sent in.
        caller: who sends it.
        key: as it was sent.
        resets: of the caller's accounts, where it is to be forgotten with any of them.
    """
    return hashlib.sha256(json.dumps([dialect, caller, key, *resets]).encode()).hexdigest()
