"""Secrets: encrypted where they must be read again, hashed where they need only be compared."""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.errors import StoreError

#: Hashes that one process keeps unsealed, so that a webhook costs no decryption.
HASHES_MAX = 4096

#: What earlier releases kept of a token: its keyed hash, not sealed.
_BARE_DIGEST = re.compile(r"[0-9a-f]{64}")


class Vault:
    """Seals and hashes with the installation's secret keys.

    Whatever it returns to be kept hangs on the newest key alone. So all keys but that one can go
    once everything is `renewed`.

    Args:
        secret_keys: Fernet keys, newest first; the first encrypts, all decrypt, so keys can rotate.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._newest = Fernet(secret_keys[0])
        self._all = MultiFernet([Fernet(key) for key in secret_keys])
        # A bare digest was made with whichever key was the oldest then: that is one of these.
        self._bare_salts = " ".join(_salt_of(key) for key in secret_keys)
        self._hash_of = lru_cache(maxsize=HASHES_MAX)(self._read_hash)
        self._nobody = self.hashed("nobody", secrets.token_hex())

    def encrypt(self, owner: str, named: Mapping[str, str]) -> str:
        """Return the secrets sealed together with the name of their owner."""
        return self._newest.encrypt(json.dumps([owner, dict(named)]).encode()).decode()

    def decrypt(self, owner: str, sealed: str) -> Mapping[str, str]:
        """Return the secrets.

        Raises:
            StoreError: the keys are others, or the seal belongs to another owner.
        """
        try:
            found, named = json.loads(self._all.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise StoreError(f"the secrets of {owner} were sealed with another key") from error
        if found != owner:
            raise StoreError(f"the secrets of {found} were found under {owner}")
        return {str(name): str(value) for name, value in named.items()}

    def hashed(self, owner: str, secret: str) -> str:
        """Return a hash of a token or password, with a salt of its own, sealed."""
        salt = secrets.token_hex(32)
        return self.encrypt(owner, {"salts": salt, "digest": _digest(salt, secret)})

    def matches(self, owner: str, secret: str, kept: str | None) -> bool:
        """Tell whether `kept` is of this secret, in a time that does not say how near it is.

        Args:
            owner: as it was hashed for.
            secret: what somebody says it is.
            kept: as `hashed` has returned it. None, for an owner whom nobody knows, costs as much
                and matches nothing.

        Raises:
            StoreError: as `decrypt`.
        """
        if kept is None:
            owner, kept = "nobody", self._nobody
        salts, digest = self._hash_of(owner, kept)
        found = [hmac.compare_digest(_digest(salt, secret), digest) for salt in salts]
        return any(found)

    def is_sealed(self, kept: str) -> bool:
        """Tell whether it says by itself if a key fits; what an earlier release hashed does not."""
        return not _BARE_DIGEST.fullmatch(kept)

    def renewed(self, owner: str, kept: str) -> str:
        """Return what is kept of an owner's secrets, sealed with the newest key.

        Twice is once: what is sealed so comes back as it is.

        Raises:
            StoreError: as `decrypt`.
        """
        if not self.is_sealed(kept):
            return self.encrypt(owner, {"salts": self._bare_salts, "digest": kept})
        named = self.decrypt(owner, kept)
        try:
            self._newest.decrypt(kept.encode())
        except InvalidToken:
            return self.encrypt(owner, named)
        return kept

    def _read_hash(self, owner: str, kept: str) -> tuple[Sequence[str], str]:
        """Return the salts, one of which the hash was made with, and the hash."""
        if not self.is_sealed(kept):
            return self._bare_salts.split(), kept
        named = self.decrypt(owner, kept)
        return named["salts"].split(), named["digest"]


def _salt_of(key: str) -> str:
    return hashlib.sha256(b"hookfill hash " + key.encode()).hexdigest()


def _digest(salt: str, secret: str) -> str:
    return hmac.digest(bytes.fromhex(salt), secret.encode(), hashlib.sha256).hex()
