"""Frozen accounts: why each is, what waits for its release, and the release (docs/backup.md)."""

from collections.abc import Mapping

from flask import Blueprint
from marshmallow import fields

from app.admin.request_body import body_of_request
from app.admin.rows import row_of
from app.admin.venue_rows import PLACED_ORDER
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.frozen import Frozen
from app.domain.identifiers import AccountName, EpochMs
from app.domain.money import plain
from app.services.admin.recover import end_waiting, release, waiting
from app.web.answers import Json
from app.web.fields import Flag, Strict, loaded
from app.web.routes import SETTING_UP, Route, blueprint_of


class ReleaseBody(Strict):
    """Which list has been seen, and whether what waits shall end rather than go on."""

    frozen_at_ms = fields.Integer(required=True, strict=True)
    cancel_pending = Flag()


_BODY = ReleaseBody()


class FrozenAccounts:
    """Tells why accounts are frozen, and releases them."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def all(self) -> list[Json]:
        """Return one row for each frozen account, by id."""
        accounts = self._wiring.registry.accounts()
        found = [(one, self._wiring.ports.freezer.of(one.id)) for one in accounts]
        return [self._row(one, frozen) for one, frozen in found if frozen is not None]

    def _row(self, account: Account, frozen: Frozen) -> Json:
        live = waiting(account, self._wiring.ports)
        return {
            "account": account.name,
            "venue": account.venue,
            "market": account.market,
            "state_before": frozen.before,
            "frozen_at_ms": frozen.at_ms,
            "why": frozen.why,
            "unknown_orders": PLACED_ORDER.dump(frozen.orders, many=True),
            "waiting": [_waiting_row(one, account) for one in live],
            "positions": self._positions(account),
        }

    def _positions(self, account: Account) -> list[Json] | None:
        """Return what a worker has seen last at the venue, or None if that is too long ago."""
        kept = self._wiring.memory.view(account.id)
        if kept is None:
            return None
        return [
            {"symbol": symbol, "side": side, "size": plain(one.size)}
            for (symbol, side), one in sorted(kept.view.positions.items())
        ]

    def list(self) -> Json:
        """Answer the frozen accounts: why each is, and what waits for its release."""
        self._wiring.registry.refresh()
        return {"data": self.all()}

    def release(self, name: str) -> Json:
        """Release a frozen account."""
        body = loaded(_BODY, body_of_request())
        self._wiring.registry.refresh()
        account = self._wiring.registry.account_named(AccountName(name))
        seen_at_ms, ports = EpochMs(body["frozen_at_ms"]), self._wiring.ports
        ended = end_waiting(account, seen_at_ms, ports) if body.get("cancel_pending") else 0
        state = release(account, seen_at_ms, ports)
        return {"account": account.name, "state": state, "ended": ended}


def _waiting_row(aggregate: Aggregate, account: Account) -> Mapping[str, object]:
    row = row_of(aggregate, account.name)
    shown = ("id", "parent_id", "kind", "symbol", "state", "due_at_ms", "trigger_price")
    return {**{name: row[name] for name in shown}, "sentence": aggregate.sentence()}


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of frozen accounts."""
    frozen = FrozenAccounts(wiring)
    released = {200: "Released.", 409: "Not frozen, or for something else by now."}
    one = "/api/accounts/<name>/recovery"
    rows = (
        Route("GET", "/api/recovery", frozen.list),
        Route("POST", one, frozen.release, body=_BODY, answers=released),
    )
    return blueprint_of("recovery", SETTING_UP, rows)
