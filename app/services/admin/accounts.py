"""An account is made, changed or switched off."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.domain.account import PAPER, Account
from app.domain.enums import AccountState, Mode
from app.domain.errors import MarketNotTraded, NotFound, WrongState, invalid_fields
from app.domain.frozen import refuse_if_frozen
from app.domain.identifiers import AccountId, AccountName, AggregateId
from app.ports import Ports
from app.services.admin.records import Records
from app.services.find_anywhere import readable
from app.services.keeping.resume import wake_account
from app.services.limits import see_to_results
from app.services.placing.switched_off import end_all_of

#: Live things that a refusal names.
LISTED_MAX = 20


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
        see_to_results(after, known, records.ports)
    if state is not None:
        records.registry.set_state(after.id, state)
        if state is not AccountState.HALT:
            wake_account(after.id, records.ports)
    return after


def disable_account(name: str, records: Records, *, by_force: bool = False) -> Account:
    """Switch an account off: nothing new comes in for it, and nothing of it is sent any more.

    Args:
        name: of the account.
        records: what it is kept by.
        by_force: what is live ends; else there must be nothing.

    Raises:
        NotFound: there is none with this name.
        WrongState: something of it is live, and is named.
    """
    registry, ports = records.registry, records.ports

    def disable() -> Account:
        account = registry.account_named(AccountName(name))
        live = [] if by_force else sorted(ports.live.of_account(account.id))
        if live:
            raise WrongState(f"{name} has something live: {_listed(live, ports)}")
        return registry.put_account(replace(account, enabled=False))

    disabled = registry.change(disable)
    end_all_of(disabled.id, ports)
    return disabled


def _listed(live: Sequence[AggregateId], ports: Ports) -> str:
    """Return what is live, for people: the first few by what they are."""
    shown = [f"{one.id} ({one.sentence()})" for one in readable(live[:LISTED_MAX], ports)]
    more = len(live) - len(shown)
    return "; ".join([*shown, f"{more} more"] if more else shown)


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
    if known is None or _needs(account) != _needs(known):
        yield from _about_venue(account, records)
    if account.enabled and (known is None or _claim(account) != _claim(known)):
        yield from _about_group(account, records)
    if known is not None and not _lets_live(account, known):
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
        for lack in records.lacks_of(account):
            yield "venue", f"Cannot trade {account.market}: it lacks {lack}."
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
        if known.enabled and not account.enabled:
            yield "enabled", f"{live} things of it are live; DELETE with force=true ends them."


def _lets_live(account: Account, known: Account) -> bool:
    """Tell whether what is live of an account can go on when it is changed so."""
    return _trading(account) == _trading(known) and account.enabled >= known.enabled


def _claim(account: Account) -> tuple[str, str, str, bool]:
    """Return the place that at most one enabled account may have."""
    return account.group, account.venue, account.market, account.enabled


def _trading(account: Account) -> tuple[str, str, str]:
    return account.venue, account.market, account.mode


def _needs(account: Account) -> tuple[str, ...]:
    """Return all by which a venue may not have what the account needs."""
    return (*_trading(account), account.position_mode)
