"""What the rest of the house needs to know of the Poloniex dialect."""

from collections.abc import Mapping, Sequence
from typing import Final

from marshmallow import validate

from app.dialects.poloniex import errors
from app.dialects.poloniex.routes import routes
from app.dialects.poloniex.smart_orders import ByIdShape
from app.domain.account import Account
from app.domain.enums import Dialect, Market, Protection
from app.web.fields import Text
from app.web.surface import (
    ClientBody,
    ClientKind,
    DemoAccount,
    DemoMaker,
    Surface,
    permissions_of,
    secret_field,
)

#: BOTH is none of them.
_HOLDERS: Final = validate.OneOf(
    [Protection.AUTO, Protection.HERE, Protection.EXCHANGE],
    error="Must be one of: {choices}. A smart order is one order ever, so one of the two holds it.",
)


class _Client(ClientBody):
    """A key that signs (Poloniex spec, 1.5; `by_id_shape` is decision D1)."""

    secret = secret_field()
    permissions = permissions_of("READ", "TRADE")
    by_id_shape = Text(validate=validate.OneOf(tuple(ByIdShape)))
    protection = Text(validate=_HOLDERS)


def _complaint(accounts: Sequence[Account]) -> str | None:
    if len(accounts) <= 1 and all(one.market is Market.SPOT for one in accounts):
        return None
    return "Poloniex has one account, and that is a SPOT account."


def _demo(maker: DemoMaker) -> Mapping[str, object]:
    key, secret = maker.client(Dialect.POLONIEX, DemoAccount.SPOT)
    return {"key": key, "secret": secret}


SURFACE = Surface(
    dialect=Dialect.POLONIEX,
    title="Poloniex",
    routes=routes,
    demo=_demo,
    error=errors.error_for,
    internal=errors.internal,
    clients=ClientKind(body=_Client(), complaint=_complaint),
)
