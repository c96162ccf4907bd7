"""Secrets: encrypted where they must be read again, hashed where they need only be compared."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.errors import StoreError


class Vault:
    """Encrypts and hashes with the installation's secret keys.

    Args:
        secret_keys: Fernet keys, newest first; the first encrypts, all decrypt, so keys can rotate.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in secret_keys])
        # The hash key must survive rotation, so it hangs on the oldest key.
        self._hash_key = hashlib.sha256(b"hookfill hash " + secret_keys[-1].encode()).digest()

    def encrypt(self, owner: str, secrets: Mapping[str, str]) -> str:
        """Return the secrets sealed together with the name of their owner."""
        return self._fernet.encrypt(json.dumps([owner, dict(secrets)]).encode()).decode()

    def decrypt(self, owner: str, sealed: str) -> Mapping[str, str]:
        """Return the secrets.

        Raises:
            StoreError: the keys are others, or the seal belongs to another owner.
        """
        try:
            found, secrets = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise StoreError(f"the secrets of {owner} were sealed with another key") from error
        if found != owner:
            raise StoreError(f"the secrets of {found} were found under {owner}")
        return {str(name): str(value) for name, value in secrets.items()}

    def digest(self, secret: str) -> str:
        """Return the keyed hash of a token or password, lower-case hexadecimal."""
        return hmac.new(self._hash_key, secret.encode(), hashlib.sha256).hexdigest()

    def matches(self, secret: str, digest: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.digest(secret), digest)
