"""How events are signed for a webhook of ours, as standardwebhooks.com describes it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

#: What a signing secret begins with; the rest is base64.
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - it is none


def new_secret() -> str:
    """Return a signing secret that nobody can guess."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """Return the key that a signing secret holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64 after {SECRET_PREFIX}") from error


def signature_of(key: bytes, event_id: str, seconds: int, body: bytes) -> str:
    """Return `v1,` and the signature of an event, base64 of HMAC-SHA256."""
    signed = f"{event_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
