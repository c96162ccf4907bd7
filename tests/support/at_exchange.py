"""An installation whose accounts are at a simulated exchange, driven as one that is on paper.

What sets play money, prices and faults over the paper routes is carried out at the exchange, so
whoever drives an installation by them need not know which of the two it is.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import redis

from app.domain.enums import Market
from app.domain.errors import HookfillError
from app.domain.identifiers import AccountName
from app.ports import Ports
from app.services.following.follow import look_at_account, poll_stops
from app.services.reset import cancel_everything
from app.services.watching.watch import watch_prices
from tests.support.exchange_desk import ExchangeDesk
from tests.support.exchanges.books import Account as Holder
from tests.support.exchanges.books import Market as Listed
from tests.support.exchanges.server import served
from tests.support.places import Place
from tests.support.stack import Installation, Json
from tests.support.stand_in import Standing, standing
from tests.support.venue_world import QUICK, wire_of
from workers.maintenance import DUTIES

#: Rounds in which something may still happen.
_ROUNDS_MAX: Final = 100

#: Nothing has happened in so many rounds: nothing will.
_QUIET_ROUNDS: Final = 2

#: What is to be placed is not in so many: its account is halted, or nobody knows of it.
_HELD_ROUNDS: Final = 20

#: What is held, or has asked an exchange too much, is tried again so soon.
_PAUSE_SECONDS: Final = 0.05

#: What is known of prices and accounts was true until somebody has set them.
_KEPT: Final = ("hookfill:quote:*", "hookfill:view:*", "hookfill:leverage*")

#: A venue is asked no sooner again, and no more often; nobody here waits so long.
_PAUSES: Final = ("hookfill:lock:tick:*", "hookfill:budget:*")


class AtExchange(Installation):
    """An installation whose accounts are at an exchange.

    Args:
        stands: the installation.
        desk: whoever has the exchange in hand.

    Attributes:
        wire: the exchange's manners; `wire.plan` are its faults.
    """

    def __init__(self, stands: Standing, desk: ExchangeDesk) -> None:
        super().__init__(stands.run)
        self.place, self.wire = desk.place, desk.wire
        self._desk = desk
        self._stands = stands
        self._store = redis.Redis.from_url(stands.worker.wiring.settings.redis_url)

    def holder(self, name: str) -> Holder:
        """Return an account as the exchange has it."""
        return self._desk.holder(name)

    def call(self, method: str, path: str, body: object = None, status: int = 200) -> Json:
        """Call the admin API; what is about play money goes to the exchange instead."""
        route = path.partition("?")[0]
        setting: Json = body if isinstance(body, dict) else {}
        for pattern, act in self._acts.items():
            found = re.fullmatch(pattern, f"{method} {route}")
            if found is not None:
                return act(self, setting, *found.groups())
        answer = super().call(method, path, body, status)
        if "advance_ms" in setting:
            self.settle()
        return answer

    def settle(self) -> None:
        """Look at the exchange, and work, until nothing happens any more."""
        ports, quiet = self._stands.worker.wiring.ports, 0
        for _ in range(_ROUNDS_MAX):
            before = ports.ledger.revision()
            has_seen = self._round()
            is_quiet = has_seen and ports.ledger.revision() == before
            quiet = quiet + 1 if is_quiet else 0
            is_held = bool(ports.live.placing())
            if quiet >= (_HELD_ROUNDS if is_held else _QUIET_ROUNDS):
                return
            time.sleep(_PAUSE_SECONDS if is_held else 0)
        raise AssertionError("the installation does not settle")

    def _round(self) -> bool:
        """Look and work once; return whether the exchange has told all that was asked."""
        ports = self._stands.worker.wiring.ports
        accounts = [one for one in ports.accounts.accounts() if self._desk.is_open(one.name)]
        self._stands.work()
        self._forget(_PAUSES)
        looks: list[Callable[[Ports], object]]
        looks = [partial(look_at_account, one.id) for one in accounts]
        looks += [partial(poll_stops, one.id) for one in accounts]
        looks += [partial(watch_prices, feed) for feed in sorted({one.feed for one in accounts})]
        told = [self._has_looked(look) for look in looks]
        for duty in DUTIES:
            with suppress(HookfillError):
                duty(ports)
        self._stands.work()
        return all(told)

    def _has_looked(self, look: Callable[[Ports], object]) -> bool:
        try:
            look(self._stands.worker.wiring.ports)
        except HookfillError:
            time.sleep(_PAUSE_SECONDS)
            return False
        return True

    # What the paper routes do

    def _set_account(self, setting: Json, name: str) -> Json:
        if not self._can_be_there(name, setting):
            return {}
        if setting.get("reset") and self._desk.is_open(name):
            self._begin_anew(name)
        self._desk.set_account(name, setting)
        self._forget(_KEPT)
        answer = super().call("PUT", f"/api/accounts/{name}", self._desk.record(name))
        self._stands.worker.wiring.registry.refresh()  # else the worker does so within a second
        return answer

    def _begin_anew(self, name: str) -> None:
        """End what lives, and let no message count as a repeat, as a reset on paper does."""
        wiring = self._stands.worker.wiring

        def anew() -> None:
            known = wiring.registry.account_named(AccountName(name))
            wiring.registry.put_account(replace(known, resets=known.resets + 1))

        account = wiring.registry.account_named(AccountName(name))
        cancel_everything(account.id, wiring.ports)
        self.settle()
        wiring.registry.change(anew)

    def _shown(self, _: Json, name: str) -> Json:
        return self._desk.shown(name)

    def _put_account(self, setting: Json, name: str) -> Json:
        """Let an account be made by its first setting; what else it is told goes to the API."""
        if not self._can_be_there(name, setting):
            return {}
        if not self._desk.is_open(name):
            self._desk.set_account(name, setting)
        return super().call("PUT", f"/api/accounts/{name}", {**self._desk.record(name), **setting})

    def _can_be_there(self, name: str, setting: Json) -> bool:
        market = Market(setting.get("market", Market.SPOT))
        return self._desk.is_open(name) or self._desk.place.has(market)

    def _put_client(self, setting: Json, name: str) -> Json:
        """Let a caller have those of its accounts that can be there."""
        if "accounts" in setting:
            there = [one for one in setting["accounts"] if self._desk.is_open(one)]
            setting = {**setting, "accounts": there}
        return super().call("PUT", f"/api/clients/{name}", setting)

    def _put_connector(self, setting: Json, name: str) -> Json:
        account = setting.get("account")
        if account is not None and not self._desk.is_open(account):
            return {}  # whoever names it is told that there is none
        return super().call("PUT", f"/api/connectors/{name}", setting)

    def _set_prices(self, setting: Json) -> Json:
        self._desk.set_prices(setting["prices"])
        self._forget(_KEPT)
        self.settle()
        return {"settled": True}

    def _set_instruments(self, setting: Json) -> Json:
        for one in setting["instruments"]:
            assert self._desk.has_market(one), f"{self.place} trades otherwise: {one}"
        return {}

    def _plan(self, setting: Json, name: str) -> Json:
        del name
        self._desk.plan(setting)
        return {}

    def _forget_plans(self, _: Json, name: str) -> Json:
        del name
        self._desk.forget_plans()
        return {}

    def _settled(self, _: Json) -> Json:
        self.settle()
        return {"settled": True}

    def _forget(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            for key in self._store.scan_iter(pattern):
                self._store.delete(key)

    _acts: Final[Mapping[str, Callable[..., Json]]] = {
        "PUT /paper/accounts/(.+)": _set_account,
        "GET /paper/accounts/(.+)": _shown,
        "PUT /api/accounts/(.+)": _put_account,
        "PUT /api/connectors/(.+)": _put_connector,
        "PUT /api/clients/(.+)": _put_client,
        "PUT /paper/prices": _set_prices,
        "PUT /paper/instruments": _set_instruments,
        "PUT /paper/faults/(.+)": _plan,
        "DELETE /paper/faults/(.+)": _forget_plans,
        "POST /paper/settle": _settled,
    }


@contextmanager
def at_exchange(
    place: Place, data_dir: Path, environment: Mapping[str, str], listed: Sequence[Listed]
) -> Iterator[AtExchange]:
    """Serve an installation beside a simulated exchange; no account is there yet.

    Args:
        place: which exchange it is.
        data_dir: of the installation's files.
        environment: its settings.
        listed: what is traded at the exchange.
    """
    wire = wire_of(place.venue, Market.SPOT)
    wire.exchange.markets = {(one.symbol, one.kind): one for one in listed}
    with served(wire) as (url, _):
        own = {**QUICK, "HOOKFILL_VENUE_URLS": json.dumps({place.venue: url})}
        own |= {"HOOKFILL_VENUE_POLL_MS": "50", "POLO_PUBLIC_VENUE": place.venue}
        with standing(data_dir, {**own, **environment}) as stands:
            yield AtExchange(stands, ExchangeDesk(place, wire))
