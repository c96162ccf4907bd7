"""What API clients of a dialect are, as the admin API sets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marshmallow import fields, validate

from app.domain.account import Account
from app.web.fields import Flag, Strict, Text, printable

#: Of one client.
ACCOUNTS_MAX = 100

#: One day, as for connectors.
DEDUP_WINDOW_SECONDS_MAX = 86_400

_SECRET_CHARACTERS_MAX = 256


def permissions_of(*words: str) -> fields.List[str]:
    """Return the field of what clients may be permitted to do; none named is no restriction."""
    return fields.List(Text(validate=validate.OneOf(words)))


def secret_field() -> Text:
    """Return the field of what a client signs or signs in with."""
    return Text(validate=printable(_SECRET_CHARACTERS_MAX))


class ClientBody(Strict):
    """What can be set of a client of any dialect; each adds its secret and its settings."""

    accounts = fields.List(Text(), validate=validate.Length(max=ACCOUNTS_MAX))
    enabled = Flag()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKind:
    """What API clients of a dialect are.

    Attributes:
        body: what can be set of them.
        word: what the dialect calls their secret: a field of the body.
        is_compared: the secret is only compared, so no more than a keyed hash of it is kept; else
            it signs, and is kept sealed.
        complaint: what is wrong with the accounts that a client is to cover, in a sentence.
        public: key and secret that everybody knows, if there are such: they open play money only.
    """

    body: ClientBody
    word: str = "secret"
    is_compared: bool = False
    complaint: Callable[[Sequence[Account]], str | None] = lambda _: None
    public: tuple[str, str] | None = None
