"""Whether everything is as it should be: the store, the queue, and the venues of the accounts."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict

from flask import Blueprint
from marshmallow import fields

from app.admin import reach
from app.admin.exits import FIX, FIX_ONLY_HERE, failing_exits, only_here
from app.admin.request_body import refuse_body
from app.admin.room import Room
from app.admin.weaknesses import weaknesses_of
from app.bootstrap import Wiring, store_warnings
from app.domain.account import PAPER, Account, ApiClient, Connector
from app.domain.errors import StoreUnavailable, UnsafeStore
from app.domain.finding import Finding, Grade
from app.domain.identifiers import AccountName
from app.lateness import late_of, lateness
from app.services.admin.inspect import findings_of
from app.services.keeping.epoch import is_history_behind
from app.web.answers import Json
from app.web.fields import Flag, Strict, Text
from app.web.routes import OPERATION, SETTING_UP, Route, blueprint_of

#: Records that cannot be read, of which each is a finding; `/api/quarantine` names all.
SHOWN_MAX = 20


class _FindingRow(Strict):
    account = Text(allow_none=True)
    check = Text()
    message = Text()
    grade = fields.Enum(Grade, by_value=True)
    fix = Text()


class _Findings(Strict):
    ok = Flag()
    findings = fields.List(fields.Nested(_FindingRow))


class _OfAccount(_Findings):
    account = Text()
    venue = Text()


class _Doctor:
    """Asks the workers, for the web process never talks to a venue."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._room = Room(wiring)

    def all(self) -> Json:
        """Look whether store, queue and the venues of all accounts are as they should be."""
        refuse_body()
        self._wiring.registry.refresh()
        accounts = [
            one for one in self._wiring.registry.accounts() if one.enabled and one.venue != PAPER
        ]
        rows = [_row(one) for one in self._about_ourselves()]
        rows += [_row(_FROZEN, one) for one in accounts if self._is_frozen(one)]
        found = self._asked(accounts)
        for account in accounts:
            rows += [_row(one, account) for one in found[account.name]]
        return {"ok": _is_well(rows), "findings": rows}

    def account(self, name: str) -> Json:
        """Look whether an account can be traded with; nothing changes at its venue."""
        refuse_body()
        self._wiring.registry.refresh()
        account = self._wiring.registry.account_named(AccountName(name))
        self._wiring.keys.try_again(account)
        rows = [_row(one, account) for one in self._asked([account])[account.name]]
        about = {"account": account.name, "venue": account.venue}
        return {"ok": _is_well(rows), **about, "findings": rows}

    def _is_frozen(self, account: Account) -> bool:
        return self._wiring.ports.freezer.of(account.id) is not None

    def _asked(self, accounts: Sequence[Account]) -> dict[str, Sequence[Finding]]:
        """Have workers look at these accounts, all at once."""
        ports = self._wiring.ports
        found = findings_of([one.id for one in accounts], ports)
        nobody = (_nobody(ports.policy.inspect_wait_ms),)
        return {one.name: found.get(one.id, nobody) for one in accounts}

    def quarantine(self) -> Json:
        """Answer the records that this release cannot read, each with why and since when."""
        rows = [
            {
                "id": str(one.id),
                "account_id": one.account,
                "why": one.why,
                "since_ms": one.since_ms,
            }
            for one in self._wiring.ports.quarantine.all()
        ]
        return {"data": rows}

    def _about_ourselves(self) -> Iterator[Finding]:
        yield from self._about_store()
        yield from self._about_room()
        yield from self._about_broker()
        yield from self._about_queues()
        yield from self._about_history()
        yield from self._about_credentials()
        yield from self._about_channels()
        yield from reach.findings(self._wiring.settings.public_url)
        for check, found, grade, fix in (
            ("exits", failing_exits(self._wiring), Grade.ERROR, FIX),
            ("protection", only_here(self._wiring), Grade.WARNING, FIX_ONLY_HERE),
        ):
            for one in found:
                message = f"{one.id} of {one.account}: {one.message}"
                yield Finding(check=check, message=message, grade=grade, fix=fix)
        for record in self._wiring.ports.quarantine.all()[:SHOWN_MAX]:
            yield Finding(
                check="records",
                message=f"record {record.id} cannot be read: {record.why}",
                grade=Grade.ERROR,
                fix="Update all processes to the newest release that ran here. "
                "Until then it stands still, and all others go on.",
            )

    def _about_store(self) -> Iterator[Finding]:
        try:
            warnings = store_warnings(self._wiring.settings)
        except (UnsafeStore, StoreUnavailable) as error:
            yield Finding(check="store", message=str(error), grade=Grade.ERROR)
            return
        for one in warnings:
            yield Finding(check="store", message=one, grade=Grade.WARNING)
        if not warnings:
            yield Finding(check="store", message="the store's settings are safe")

    def _about_broker(self) -> Iterator[Finding]:
        settings = self._wiring.settings
        if settings.broker_url.shares_server_with(settings.redis_url):
            yield Finding(
                check="broker",
                message="the broker is on the store's server, and takes of its memory and its disk",
                grade=Grade.WARNING,
                fix="Give it a server of its own with BROKER_URL (docs/operations.md, The broker).",
            )

    def _about_room(self) -> Iterator[Finding]:
        with suppress(StoreUnavailable):  # the store's own finding says so
            for one in self._room.shortages():
                grade = Grade.ERROR if one.refuses else Grade.WARNING
                yield Finding(check=one.of, message=one.message, grade=grade, fix=_FIXES[one.of])

    def _about_queues(self) -> Iterator[Finding]:
        late = late_of(self._wiring.settings, self._wiring.ports)
        for name, age_ms in late.items():
            yield Finding(
                check=name.partition(":")[0],
                message=f"the last round of {name} is late. {lateness(age_ms)}",
                grade=Grade.ERROR,
                fix="See whether beat, the broker and the workers run, and what their logs say.",
            )
        if not late:
            yield Finding(
                check="queue", message="canaries come through all queues, and nothing is late"
            )

    def _about_credentials(self) -> Iterator[Finding]:
        registry = self._wiring.registry
        for client in registry.clients():
            # Its key is not told: it may be all that one needs.
            whose = f"{client.dialect} client of {', '.join(client.accounts)}"
            yield from _about_weakness("clients", whose, client)
        for connector in registry.connectors():
            yield from _about_weakness("connectors", f"connector {connector.name}", connector)

    def _about_channels(self) -> Iterator[Finding]:
        for channel in self._wiring.registry.channels():
            delivery = self._wiring.notices.delivery(channel.name)
            if channel.enabled and delivery.error:
                message = f"messages do not get to channel {channel.name}: {delivery.error}"
                yield Finding(
                    check="channels", message=message, grade=Grade.WARNING, fix=_CHANNEL_FIX
                )

    def _about_history(self) -> Iterator[Finding]:
        try:
            if is_history_behind(self._wiring.ports):
                yield _HISTORY_BEHIND
        except StoreUnavailable as error:
            yield Finding(check="history", message=str(error), grade=Grade.WARNING)


_FIXES = {
    "memory": "Raise maxmemory (HOOKFILL_REDIS_MAXMEMORY of the server that `hookfill up` starts), "
    "keep less in the store (HOOKFILL_HISTORY_AFTER_SECONDS), or see why the history is behind.",
    "disk": "Make room, or move the data folder to a larger disk.",
}

_CHANNEL_FIX = "Set its address anew with `hookfill channel add`, and try it with `channel test`."

_HISTORY_BEHIND = Finding(
    check="history",
    message="the history is older than the store: it was restored alone, or is another one",
    grade=Grade.WARNING,
    fix="Orders that had left the store since are known to the venue only.",
)

_FROZEN = Finding(
    check="frozen",
    message="nothing is sent: the venue has orders of ours that are not known here",
    grade=Grade.ERROR,
    fix="Look at them, and release the account, with `hookfill recover`.",
)


def _about_weakness(check: str, whose: str, record: ApiClient | Connector) -> Iterator[Finding]:
    if record.enabled:
        for one in weaknesses_of(record):
            message = f"{whose}: {one.message}"
            yield Finding(check=check, message=message, grade=Grade.WARNING, fix=one.fix)


def _nobody(wait_ms: int) -> Finding:
    return Finding(
        check="worker",
        message=f"no worker has answered within {wait_ms / 1000:.0f} s",
        grade=Grade.ERROR,
        fix="See whether the broker and the workers of the queue `poll` run.",
    )


def _row(finding: Finding, account: Account | None = None) -> Json:
    return {"account": None if account is None else account.name, **asdict(finding)}


def _is_well(rows: Sequence[Json]) -> bool:
    return not any(row["grade"] == Grade.ERROR for row in rows)


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that look whether all is well."""
    doctor, one = _Doctor(wiring), "/api/accounts/<name>/test"
    rows = (
        Route("GET", "/api/quarantine", doctor.quarantine),
        Route("POST", "/api/doctor", doctor.all, answer=_Findings()),
        Route("POST", one, doctor.account, tag=SETTING_UP, answer=_OfAccount()),
    )
    return blueprint_of("doctor", OPERATION, rows)
