"""An account is made, changed or switched off."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.domain.account import PAPER, Account
from app.domain.enums import AccountState, Mode
from app.domain.errors import MarketNotTraded, NotFound, invalid_fields
from app.domain.frozen import refuse_if_frozen
from app.domain.identifiers import AccountId, AccountName
from app.ports import Ports
from app.services.admin.records import Records
from app.services.keeping.resume import wake_account


def find_account(name: str, records: Records) -> Account | None:
    """Return an account as it is now, or None if there is none with this name."""
    records.registry.refresh()
    try:
        return records.registry.account_named(AccountName(name))
    except NotFound:
        return None


def new_account(name: AccountName) -> Account:
    """Return an account that was not stored yet: play money, in a group of its own."""
    return Account(id=AccountId(0), name=name, group=name)


def put_account(account: Account, changes: Mapping[str, Any], records: Records) -> Account:
    """Store a new account (id 0), or change what is named of a known one; within a `change`.

    Args:
        account: as it is.
        changes: fields of the record, their values checked; `credentials` are sealed here, and
            `state` is the risk state.
        records: what it is kept by.

    Raises:
        MalformedPayload: with the messages by field; nothing has changed.
        WrongState: a state is named, and the account is frozen.
    """
    named = dict(changes)
    state = named.pop("state", None)
    known = account if account.id else None
    if known is not None and state is not None:
        refuse_if_frozen(records.ports.ledger.state_of(known.id))
    credentials = named.get("credentials") or {}
    if credentials:
        named["credentials"] = records.vault.encrypt(account.name, credentials)
    after = replace(account, **named)
    refuse_wrong(after, known, records, credentials)
    if known is not None and after.mode is Mode.PAPER:
        _tell_paper(known, after, records)
    if after != known:
        after = records.registry.put_account(after)
    if state is not None:
        records.registry.set_state(after.id, state)
        if state is not AccountState.HALT:
            wake_account(after.id, records.ports)
    return after


def disable_account(name: str, records: Records) -> Account:
    """Switch an account off: nothing new comes in for it.

    Raises:
        NotFound: there is none with this name.
    """
    registry = records.registry

    def disable() -> Account:
        account = registry.account_named(AccountName(name))
        return registry.put_account(replace(account, enabled=False))

    return registry.change(disable)


def _tell_paper(known: Account, after: Account, records: Records) -> None:
    changed = {
        name: getattr(after, name)
        for name in ("market", "position_mode")
        if getattr(after, name) is not getattr(known, name)
    }
    if changed:
        records.set_paper(after, changed)


# What an account must be like


def refuse_wrong(
    account: Account, known: Account | None, records: Records, credentials: Collection[str] = ()
) -> None:
    """Refuse an account that cannot be so.

    Args:
        account: as it shall be.
        known: as it is, or None for a new one; what does not change is not complained about.
        records: who else is there, and which venues there are.
        credentials: the names of those that it shall have from now on.

    Raises:
        MalformedPayload: with the messages by field.
    """
    complaints: dict[str, list[str]] = {}
    told = *_complaints(account, known, records), *_about_credentials(account, credentials, records)
    for field, message in told:
        complaints.setdefault(field, []).append(message)
    if complaints:
        raise invalid_fields(complaints)


def _complaints(
    account: Account, known: Account | None, records: Records
) -> Iterator[tuple[str, str]]:
    if known is None or _trading(account) != _trading(known):
        yield from _about_venue(account, records)
    if account.enabled and (known is None or _claim(account) != _claim(known)):
        yield from _about_group(account, records)
    if known is not None and _trading(account) != _trading(known):
        yield from _about_live(account, known, records.ports)


def _about_venue(account: Account, records: Records) -> Iterator[tuple[str, str]]:
    if account.venue == PAPER:
        if account.mode is not Mode.PAPER:
            yield "mode", "Must be paper at the paper venue."
        return
    if account.mode is Mode.PAPER:
        yield "mode", f"Must be testnet or live at {account.venue}."
    try:
        records.ports.venues.of(account)
    except MarketNotTraded as error:
        yield "market", f"{error}."
    except NotFound:
        yield "venue", f"There is no venue {account.venue}."
    if not records.is_allowed(account.venue):
        yield "venue", "The test profile allows paper, and venues at a loopback URL, only."


def _about_credentials(
    account: Account, names: Collection[str], records: Records
) -> Iterator[tuple[str, str]]:
    """Refuse what the venue does not ask for: ccxt would take it for a switch of its own."""
    with suppress(NotFound):  # a venue that nobody knows is complained about as such
        wanted = records.credentials_of(account.venue)
        if not set(names) <= set(wanted):
            asked = " and ".join(wanted) or "none"
            yield "credentials", f"{account.venue} asks for {asked}, and takes no others."


def _about_group(account: Account, records: Records) -> Iterator[tuple[str, str]]:
    for other in records.registry.accounts():
        if other.id != account.id and _claim(other) == _claim(account):
            yield "group", f"{other.name} is the {account.market} account there at {account.venue}."


def _about_live(account: Account, known: Account, ports: Ports) -> Iterator[tuple[str, str]]:
    live = len(ports.live.of_account(known.id))
    if live:
        for field in ("venue", "market", "mode"):
            if getattr(account, field) != getattr(known, field):
                yield field, f"Cannot change while {live} things of the account are live."


def _claim(account: Account) -> tuple[str, str, str, bool]:
    """Return the place that at most one enabled account may have."""
    return account.group, account.venue, account.market, account.enabled


def _trading(account: Account) -> tuple[str, str, str]:
    return account.venue, account.market, account.mode
