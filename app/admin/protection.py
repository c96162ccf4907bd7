"""What protects each position that a signal has opened: at which price, and who waits for it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from flask import Blueprint
from marshmallow import fields

from app.admin.request_body import query_of_request
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.identifiers import AccountName
from app.domain.money import plain
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.services.find_anywhere import readable
from app.services.following.guards import guarding_among
from app.web.answers import Json
from app.web.fields import Strict, Text, WholeNumber, between
from app.web.routes import OPERATION, Route, blueprint_of

#: As many as one answer has.
LIMIT_MAX: Final = 500

#: Of an account's, so many at a time: most who ask want the first few.
LOADED: Final = 50


class _Query(Strict):
    """Of which account, and how many."""

    account = Text()
    limit = WholeNumber(validate=between(1, LIMIT_MAX), load_default=100)


class _Guard(Strict):
    id = Text()
    purpose = Text()
    price = Text()
    quantity = Text()
    held_by = Text()
    state = Text()


class _Position(Strict):
    account = Text()
    symbol = Text()
    position_side = Text()
    quantity = Text()
    entry = Text()
    guards = fields.List(fields.Nested(_Guard))


class _Protection(Strict):
    data = fields.List(fields.Nested(_Position))


_QUERY = _Query()


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route that lists what protects positions."""

    def protection() -> Json:
        """List the positions that signals have opened, with what protects each of them."""
        query = query_of_request(_QUERY)
        name = query.get("account")
        accounts = (
            wiring.registry.accounts()
            if name is None
            else [wiring.registry.account_named(AccountName(name))]
        )
        return {"data": list(islice(protected(accounts, wiring), query["limit"]))}

    row = Route("GET", "/api/protection", protection, query=_QUERY, answer=_Protection())
    return blueprint_of("protection", OPERATION, (row,))


def protected(accounts: Sequence[Account], wiring: Wiring) -> Iterator[Json]:
    """Yield what is guarded in these accounts, by account and age.

    Raises:
        StoreUnavailable: the store does not say.
    """
    ports = wiring.ports
    guarded = ports.live.with_guards([one.id for one in accounts])
    for account in accounts:
        ids = ports.live.guards(account.id) if account.id in guarded else ()
        for some in ports.ledger.in_groups(ids, LOADED):
            signals = guarding_among(some, ports)
            loaded = readable([guard for one in signals for guard in one.guards], ports)
            live = {one.id: one for one in loaded if isinstance(one, SmartOrder) and one.is_live}
            for signal in signals:
                guards = [live[one] for one in sorted(signal.guards) if one in live]
                yield _position(signal, account, guards)


def _position(signal: Signal, account: Account, guards: Sequence[SmartOrder]) -> Json:
    return {
        "account": account.name,
        "symbol": signal.symbol,
        "position_side": signal.position_side,
        "quantity": plain(signal.left),
        "entry": str(signal.id),
        "guards": [_guard(one) for one in guards],
    }


def _guard(guard: SmartOrder) -> Json:
    level = guard.trigger.level
    return {
        "id": str(guard.id),
        "purpose": "stop_loss" if guard.is_stop_loss else "take_profit",
        "price": None if level is None else plain(level),
        "quantity": None if guard.quantity is None else plain(guard.quantity),
        "held_by": "venue" if guard.at_venue else "here",
        "state": guard.status,
    }
