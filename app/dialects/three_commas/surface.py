"""What the rest of the house needs to know of the SmartTrades of 3Commas."""

from collections.abc import Mapping
from typing import Final

from marshmallow import fields, validate

from app.dialects.three_commas import render
from app.dialects.three_commas.callers import ACCOUNTS, READ, WRITE
from app.dialects.three_commas.routes import PREFIXES, routes
from app.dialects.three_commas.signing import BASE
from app.domain.enums import Dialect
from app.web.fields import Flag, Text
from app.web.surface import (
    ClientBody,
    ClientKind,
    DemoAccount,
    DemoMaker,
    Surface,
    distance_field,
    is_below,
    limit_exit_field,
    protection_field,
    secret_field,
)

#: The seed's README writes the plural; one of the two is stored (3Commas spec, 1.5).
_OTHER_SPELLINGS: Final = {"SMART_TRADES_READ": READ, "SMART_TRADES_WRITE": WRITE}


class _Permission(Text):
    """What a key is permitted to do."""

    def read(self, value: object) -> str:
        """Return the word that is stored."""
        text = super().read(value)
        return _OTHER_SPELLINGS.get(text, text)


class _Client(ClientBody):
    """A key that signs (3Commas spec, 1)."""

    secret = secret_field()
    limit_exit_seconds = limit_exit_field()
    sl_timeout_abort_on_recovery = Flag()
    tp_limit_rest_on_book = Flag()
    protection = protection_field()
    protection_distance_percent = distance_field()
    permissions = fields.List(
        _Permission(validate=validate.OneOf((READ, WRITE, ACCOUNTS))), allow_none=True
    )


def _demo(maker: DemoMaker) -> Mapping[str, object]:
    key, secret = maker.client(Dialect.THREE_COMMAS, DemoAccount.SPOT)
    return {"key": key, "secret": secret, "account_id": 1}


SURFACE = Surface(
    dialect=Dialect.THREE_COMMAS,
    title="3Commas",
    routes=routes,
    demo=_demo,
    error=render.error_for,
    internal=render.internal,
    owns=lambda path: is_below(path, BASE, *PREFIXES),
    http_error=render.http_error,
    clients=ClientKind(body=_Client()),
)
