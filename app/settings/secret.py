"""Values that must not be seen, and the key from which the others come."""

import base64
import hashlib
import hmac
import os
from contextlib import suppress
from pathlib import Path


class Secret:
    """A text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def matches(self, other: str) -> bool:
        """Compare in a time that does not depend on where the texts differ."""
        return hmac.compare_digest(self._text.encode(), other.encode())

    def __repr__(self) -> str:
        """Hide the text."""
        return "Secret('***')"

    def __str__(self) -> str:
        """Hide the text in formatted ones, too."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Compare the texts."""
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        """Agree with the comparison."""
        return hash(self._text)


def derived(key: str, purpose: str) -> str:
    """Return the secret for one purpose that comes from a key: 43 letters, digits, `-` and `_`."""
    digest = hmac.digest(key.encode(), f"hookfill {purpose}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def key_of(path: Path) -> str:
    """Return the key that a file holds, made on first use with mode 0600.

    Several processes may ask at once and get the same key.

    Raises:
        OSError: the file can be neither read nor made.
    """
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    # Whole or not at all, and only if nobody was faster.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text().strip()
