"""What the rest of the house needs to know of the orders of apisify."""

from collections.abc import Mapping

from marshmallow import validate

from app.dialects.apisify import render
from app.dialects.apisify.parse import CloseMode, weakness_of
from app.dialects.apisify.routes import PATH, routes
from app.domain.commands import OnSameSide
from app.domain.enums import Dialect
from app.web.fields import Flag, Text, WholeNumber, between
from app.web.surface import (
    DEDUP_WINDOW_SECONDS_MAX,
    ClientBody,
    ClientKind,
    DemoAccount,
    DemoMaker,
    Surface,
    exit_patience_field,
    is_below,
    limit_exit_field,
    permissions_of,
    secret_field,
)


class _Client(ClientBody):
    """A key that signs, save where TradingView sends (apisify spec, 1 and 5)."""

    secret = secret_field()
    permissions = permissions_of()
    allow_tradingview_ip = Flag()
    dedup_window_seconds = WholeNumber(validate=between(0, DEDUP_WINDOW_SECONDS_MAX))
    close_mode = Text(validate=validate.OneOf(tuple(CloseMode)))
    exit_patience_seconds = exit_patience_field()
    limit_exit_seconds = limit_exit_field()
    sar_same_side = Text(validate=validate.OneOf(tuple(OnSameSide)))


def _demo(maker: DemoMaker) -> Mapping[str, object]:
    key, secret = maker.client(Dialect.APISIFY, DemoAccount.NET, DemoAccount.COINM)
    return {"apikey": key, "secret": secret}


SURFACE = Surface(
    dialect=Dialect.APISIFY,
    title="Signals",
    routes=routes,
    demo=_demo,
    error=render.error_for,
    internal=render.internal,
    owns=lambda path: is_below(path, PATH),
    http_error=render.http_error,
    clients=ClientKind(body=_Client(), is_key_secret=True, weakness=weakness_of),
)
