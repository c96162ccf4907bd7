"""What the rest of the house needs to know of the webhook of Crypto Arsenal."""

from collections.abc import Mapping

from app.dialects.crypto_arsenal import alerts, render, settings
from app.dialects.crypto_arsenal.routes import PATH, routes
from app.domain.enums import Dialect
from app.web.surface import ConnectorKind, DemoAccount, DemoMaker, Surface, is_below


def _demo(maker: DemoMaker) -> Mapping[str, object]:
    return {
        "spot": maker.connector(DemoAccount.SPOT, "BTC/USDT"),
        "usdm": maker.connector(DemoAccount.USDM, "ETH/USDT"),
    }


SURFACE = Surface(
    dialect=Dialect.CRYPTO_ARSENAL,
    title="Signals",
    routes=routes,
    demo=_demo,
    error=render.error_for,
    internal=render.internal,
    owns=lambda path: is_below(path, PATH),
    http_error=render.http_error,
    connectors=ConnectorKind(
        path=PATH,
        settings=settings.SETTINGS_FIELDS,
        record=lambda named: settings.settings_of(named).record(),
        shown=settings.shown,
        alert=alerts.alert_for,
        small_alert=alerts.SMALL_ALERT,
    ),
)
