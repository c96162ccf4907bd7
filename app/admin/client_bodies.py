"""What can be set of an API client, by dialect: the common fields, and its dialect's settings."""

from collections.abc import Mapping
from typing import Final

from marshmallow import fields, validate

from app.admin.request_body import SecretText, Strict
from app.dialects.apisify.settings import CloseMode
from app.domain.commands import OnSameSide
from app.domain.enums import Dialect
from app.web.fields import Flag, Text, WholeNumber, between

#: Of one client.
ACCOUNTS_MAX = 100

#: One day, as for connectors.
DEDUP_WINDOW_SECONDS_MAX = 86_400

_SECRET_CHARACTERS_MAX = 256

#: What clients of a dialect may be permitted to do. None named is no restriction.
PERMISSIONS: Final[Mapping[Dialect, tuple[str, ...]]] = {
    Dialect.APISIFY: (),
    Dialect.POLONIEX: ("READ", "TRADE"),
    Dialect.THREE_COMMAS: ("SMART_TRADE_READ", "SMART_TRADE_WRITE", "ACCOUNTS_READ"),
    Dialect.HUMMINGBOT: (),
}

#: The seed's README writes the plural; one of the two is stored (3Commas spec, 1.5).
_OTHER_SPELLINGS: Final = {
    "SMART_TRADES_READ": "SMART_TRADE_READ",
    "SMART_TRADES_WRITE": "SMART_TRADE_WRITE",
}


class Permission(Text):
    """One word of a dialect.

    Args:
        dialect: whose words.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(validate=validate.OneOf(PERMISSIONS[dialect]))

    def read(self, value: object) -> str:
        """Return the word that is stored."""
        text = super().read(value)
        return _OTHER_SPELLINGS.get(text, text)


class ClientBody(Strict):
    """What clients of every dialect have."""

    accounts = fields.List(Text(), validate=validate.Length(max=ACCOUNTS_MAX))
    enabled = Flag()


class ApisifyBody(ClientBody):
    """A key that signs, save where TradingView sends (apisify spec, 1 and 5)."""

    secret = SecretText(_SECRET_CHARACTERS_MAX)
    permissions = fields.List(Permission(Dialect.APISIFY))
    allow_tradingview_ip = Flag()
    dedup_window_seconds = WholeNumber(validate=between(0, DEDUP_WINDOW_SECONDS_MAX))
    close_mode = Text(validate=validate.OneOf(tuple(CloseMode)))
    sar_same_side = Text(validate=validate.OneOf(tuple(OnSameSide)))


class PoloniexBody(ClientBody):
    """A key that signs (Poloniex spec, 1.5; its one setting is decision D1)."""

    secret = SecretText(_SECRET_CHARACTERS_MAX)
    permissions = fields.List(Permission(Dialect.POLONIEX))
    by_id_shape = Text(validate=validate.OneOf(("object", "array", "auto")))


class ThreeCommasBody(ClientBody):
    """A key that signs (3Commas spec, 1)."""

    secret = SecretText(_SECRET_CHARACTERS_MAX)
    permissions = fields.List(Permission(Dialect.THREE_COMMAS))


class HummingbotBody(ClientBody):
    """A user with a password (Hummingbot spec, 1)."""

    password = SecretText(_SECRET_CHARACTERS_MAX)
    permissions = fields.List(Permission(Dialect.HUMMINGBOT))


BODIES: Final[Mapping[Dialect, ClientBody]] = {
    Dialect.APISIFY: ApisifyBody(),
    Dialect.POLONIEX: PoloniexBody(),
    Dialect.THREE_COMMAS: ThreeCommasBody(),
    Dialect.HUMMINGBOT: HummingbotBody(),
}

#: Fields of the record itself; the others are settings of the dialect.
RECORD_FIELDS: Final = frozenset({"accounts", "enabled", "permissions", "secret", "password"})
