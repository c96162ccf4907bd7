"""What the rest of the house needs to know of the Hummingbot API."""

from collections.abc import Mapping

from app.dialects.hummingbot import errors
from app.dialects.hummingbot.callers import DEFAULT
from app.dialects.hummingbot.routes import routes
from app.domain.enums import Dialect
from app.web.surface import (
    ClientBody,
    ClientKind,
    DemoAccount,
    DemoMaker,
    Surface,
    permissions_of,
    secret_field,
)


class _Client(ClientBody):
    """A user with a password (Hummingbot spec, 1)."""

    password = secret_field()
    permissions = permissions_of()


def _demo(maker: DemoMaker) -> Mapping[str, object]:
    user, password = maker.client(Dialect.HUMMINGBOT, DemoAccount.SPOT, DemoAccount.USDM)
    names = {"account_name": "demo", "connector_name": "paper"}
    return {"username": user, "password": password, **names}


def _owns(path: str) -> bool:
    # `/accounts` without the slash belongs to others, and so do these words alone.
    return path == "/accounts/" or path.startswith(("/trading/", "/connectors/", "/portfolio/"))


SURFACE = Surface(
    dialect=Dialect.HUMMINGBOT,
    title="Hummingbot",
    routes=routes,
    demo=_demo,
    error=errors.error_for,
    internal=errors.internal,
    owns=_owns,
    http_error=errors.http_error,
    clients=ClientKind(body=_Client(), word="password", is_compared=True, public=DEFAULT),
)
