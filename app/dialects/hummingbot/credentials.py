"""Who is calling, by HTTP Basic authentication (Hummingbot spec, section 1)."""

import base64
import binascii
from collections.abc import Iterable
from typing import NamedTuple

from app.domain.account import Account
from app.domain.enums import Mode
from app.domain.errors import NotAuthenticated

#: User and password with which the reference, and the official client, come to people.
DEFAULT = "admin"


class Credentials(NamedTuple):
    """A user, and what it says is its password."""

    user: str
    password: str

    @property
    def are_default(self) -> bool:
        """Whether everybody knows them."""
        return self == (DEFAULT, DEFAULT)


def credentials_from(header: str | None) -> Credentials:
    """Return user and password of an `Authorization` header.

    Raises:
        NotAuthenticated: there is no such header, or it cannot be understood.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            decoded = ""
        user, colon, password = decoded.partition(":")
        if colon:
            return Credentials(user, password)
    raise NotAuthenticated("Not authenticated")


def is_only_play(accounts: Iterable[Account]) -> bool:
    """Tell whether default credentials may open these accounts: there is no money in any."""
    return all(one.mode is Mode.PAPER for one in accounts)
