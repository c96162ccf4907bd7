"""Accounts, as the admin API sets and shows them (docs/api.md)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.admin.account_rules import complaints_about
from app.admin.request_body import Name, SecretText, Strict, checked_name
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.enums import STATES_BY_HAND, AccountState, Market, Mode, PositionMode
from app.domain.errors import NotFound
from app.domain.frozen import refuse_if_frozen
from app.domain.identifiers import AccountId, AccountName
from app.services.keeping.resume import wake_account
from app.web.fields import Flag, ValueField, invalid_fields, loaded

Json = dict[str, object]

#: Names that the credentials of one venue may have together.
CREDENTIALS_MAX = 12


class _Credentials(ValueField[Mapping[str, str] | None]):
    """What a venue asks for: `{"apiKey": ..., "secret": ...}`; null takes it away."""

    def read(self, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict) or not 0 < len(value) <= CREDENTIALS_MAX:
            raise ValidationError(f"Must be an object of 1 to {CREDENTIALS_MAX} names.")
        return {
            str(_CREDENTIAL_NAME.deserialize(name)): str(_CREDENTIAL.deserialize(text))
            for name, text in value.items()
        }


_CREDENTIAL_NAME = Name()
_CREDENTIAL = SecretText(lines=True)  # private keys have several


class _Limits(ValueField[Mapping[str, str]]):
    """Risk limits by name. One that nothing enforces must not look as if it protected anybody."""

    def read(self, value: object) -> Mapping[str, str]:
        if value != {}:
            raise ValidationError("Must be an empty object: this release enforces no limits.")
        return {}


class AccountBody(Strict):
    """What can be set of an account."""

    group = Name()
    venue = Name()
    market = fields.Enum(Market, by_value=True)
    mode = fields.Enum(Mode, by_value=True)
    position_mode = fields.Enum(PositionMode, by_value=True)
    credentials = _Credentials(allow_none=True)
    limits = _Limits()
    state = fields.Enum(AccountState, by_value=True, validate=validate.OneOf(STATES_BY_HAND))
    enabled = Flag()


_BODY = AccountBody()
_NAME = Name()


class AccountRecords:
    """Creates, changes, shows and disables accounts."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._registry = wiring.registry
        self._paper = wiring.paper

    def all(self) -> list[Json]:
        """Return all accounts, by id."""
        self._registry.refresh()
        return [self._shown(account) for account in self._registry.accounts()]

    def show(self, name: str) -> Json:
        """Return one account without its credentials.

        Raises:
            NotFound: there is none with this name.
        """
        self._registry.refresh()
        return self._shown(self._registry.account_named(AccountName(name)))

    def put(self, name: str, content: Mapping[str, object]) -> Json:
        """Create an account, or change what the body names.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
            WrongState: it names a state, and the account is frozen.
        """
        named = loaded(_BODY, content)
        state = named.pop("state", None)
        known = self._find(name)
        if known is not None and state is not None:
            refuse_if_frozen(self._wiring.ports.ledger.state_of(known.id))
        account = self._with(known or _new(name), named)
        self._check(known, account)
        if known is None or account != known:
            account = self._registry.put_account(account)
        if state is not None:
            self._set_state(account.id, state)
        return self._shown(account)

    def disable(self, name: str) -> Json:
        """Switch an account off: nothing new comes in for it.

        Raises:
            NotFound: there is none with this name.
        """
        self._registry.refresh()
        account = self._registry.account_named(AccountName(name))
        return self._shown(self._registry.put_account(replace(account, enabled=False)))

    def _find(self, name: str) -> Account | None:
        self._registry.refresh()
        try:
            return self._registry.account_named(AccountName(name))
        except NotFound:
            return None

    def _with(self, account: Account, named: dict[str, Any]) -> Account:
        if named.get("credentials") is not None:
            sealed = self._wiring.vault.encrypt(account.name, named["credentials"])
            named = {**named, "credentials": sealed}
        return replace(account, **named)

    def _check(self, known: Account | None, account: Account) -> None:
        complaints = complaints_about(account, known, self._wiring)
        if complaints:
            raise invalid_fields(complaints)
        if known is None or account.mode is not Mode.PAPER:
            return
        changed = {
            name: getattr(account, name)
            for name in ("market", "position_mode")
            if getattr(account, name) is not getattr(known, name)
        }
        if changed:
            self._paper.set_account(account, changed)  # the paper venue has its own word on it

    def _set_state(self, account_id: AccountId, state: AccountState) -> None:
        self._registry.set_state(account_id, state)
        if state is not AccountState.HALT:
            wake_account(account_id, self._wiring.ports)

    def _shown(self, account: Account) -> Json:
        return {
            "id": account.id,
            "name": account.name,
            "group": account.group,
            "venue": account.venue,
            "market": account.market,
            "mode": account.mode,
            "position_mode": account.position_mode,
            "has_credentials": account.credentials is not None,
            "limits": dict(account.limits),
            "state": self._wiring.ports.ledger.state_of(account.id),
            "enabled": account.enabled,
        }


def _new(name: str) -> Account:
    checked = AccountName(checked_name(name, _NAME))
    return Account(id=AccountId(0), name=checked, group=checked)
