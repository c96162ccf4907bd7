"""`POST /api/orders/<id>/replay`: what came in once is given anew, on paper."""

from flask import request
from marshmallow import fields

from app.admin.request_body import refused
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect
from app.domain.errors import NotFound
from app.domain.exits import USUAL
from app.domain.identifiers import AccountName, EpochMs
from app.domain.sender import Sender
from app.services.intake.accept import Accepted
from app.services.replay import ReplayPrices, account_for, replay
from app.web.digests import one_hash
from app.web.fields import Flag, Strict, Text
from app.web.idempotency import HEADER, marks_of_key
from app.web.registry_refresh import with_current_registry

#: Within which caller ids of replays differ, and what repeats of them are looked for in.
ORIGIN = "replay"

#: Whose an Idempotency-Key is: no connector can have this name.
_WHOSE = Dialect.CRYPTO_ARSENAL, "/api/orders/replay"


class ReplayBody(Strict):
    """Where something is replayed, at which prices, and whether it is only to be tried.

    `price` is `scaled` unless it is said: each price that the command names is multiplied by the
    last price of now over the average at which the original filled. `original` leaves them.
    """

    account = Text()
    price = fields.Enum(ReplayPrices, by_value=True, load_default=ReplayPrices.SCALED)
    dry_run = Flag(load_default=False)


class Replays:
    """Gives commands anew.

    Args:
        wiring: of the web process, or of a dry run.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._lateness_ms = wiring.settings.max_signal_lateness_seconds * 1000

    def take_in(self, one: Aggregate, account_name: str | None, prices: ReplayPrices) -> Accepted:
        """Give the command behind something anew; see `replay` for what it raises.

        Raises:
            MalformedPayload: there is no account of this name.
            UnusableKey: the Idempotency-Key is empty or too long.
        """
        received_at_ms = self._ports.clock.now_ms()

        def attempt() -> Accepted:
            version = self._registry.version()
            account = self._account(one, account_name)
            sender = self._sender(one, account, prices, received_at_ms, version)
            return replay(one, prices, sender, self._ports)

        return with_current_registry(self._registry, self._ports.ledger, attempt)

    def _account(self, one: Aggregate, name: str | None) -> Account:
        if name is None:
            return account_for(one, self._registry.accounts(), self._ports)
        try:
            return self._registry.account_named(AccountName(name))
        except NotFound as error:
            raise refused("account", f"There is no account named {name[:64]!a}.") from error

    def _sender(
        self,
        one: Aggregate,
        account: Account,
        prices: ReplayPrices,
        received_at_ms: EpochMs,
        version: int,
    ) -> Sender:
        content = one_hash(one.id, account.id, prices)
        key = request.headers.get(HEADER)
        return Sender(
            dialect=one.dialect,
            origin=ORIGIN,
            account=account,
            received_at_ms=received_at_ms,
            entry_lateness_ms=self._lateness_ms,
            exits=getattr(one, "exits", USUAL),
            registry_version=version,
            marks=marks_of_key(key, _WHOSE, content, [account]),
            replays=one.id,
        )
