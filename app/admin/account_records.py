"""Accounts, as the admin API sets and shows them (docs/api.md)."""

from collections.abc import Mapping
from typing import Final

from flask import request
from marshmallow import ValidationError, fields, validate

from app.admin.key_rows import REFUSED_KEY
from app.admin.request_body import body_of_request, checked_name
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.enums import STATES_BY_HAND, AccountState, Market, Mode, PositionMode, Protection
from app.domain.identifiers import AccountName
from app.domain.limits import LIMIT_NAMES, WrongLimits, limits_from, texts_of
from app.domain.money import plain
from app.services.admin.accounts import disable_account, find_account, new_account, put_account
from app.web.answers import Json
from app.web.fields import Flag, Name, Strict, Text, ValueField, loaded, number_from, printable

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
#: Private keys have several lines.
_CREDENTIAL = Text(validate=printable(4096, r"[ -~\r\n]"))


class _Limits(ValueField[Mapping[str, str]]):
    """The risk limits, name → value; what is not named is not limited, and null is not named."""

    def read(self, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object: name of a limit → value.")
        texts: dict[str, str] = {}
        wrong: dict[str, list[str]] = {}
        for name, given in value.items():
            if given is None:
                continue
            try:
                texts[str(name)] = _limit_text(given)
            except ValidationError as error:
                wrong[str(name)] = [str(one) for one in error.messages]
        try:
            canonical = texts_of(limits_from(texts))
        except WrongLimits as error:
            canonical = {}
            wrong |= {name: [text] for name, text in error.messages.items()}
        if wrong:
            raise ValidationError({_shown_name(name): said for name, said in wrong.items()})
        return canonical


def _limit_text(given: object) -> str:
    """Return the value of a limit as a text: a number by its digits, a list by its parts."""
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return ",".join(given)
    if isinstance(given, str):
        return given
    return plain(number_from(given))


def _shown_name(name: str) -> str:
    return name if name in LIMIT_NAMES else ascii(name[:64])[1:-1]


#: For the documentation.
_MAP: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_LIMITS: Final = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in LIMIT_NAMES},
    "additionalProperties": False,
    "description": "Risk limits; what is not named is not limited. Numbers may be JSON numbers, "
    "`allowed_symbols` a list.",
}


class AccountBody(Strict):
    """What can be set of an account."""

    group = Name()
    venue = Name()
    market = fields.Enum(Market, by_value=True)
    mode = fields.Enum(Mode, by_value=True)
    position_mode = fields.Enum(PositionMode, by_value=True)
    credentials = _Credentials(allow_none=True, metadata=_MAP)
    limits = _Limits(metadata=_LIMITS)
    state = fields.Enum(AccountState, by_value=True, validate=validate.OneOf(STATES_BY_HAND))
    enabled = Flag()
    protection = fields.Enum(Protection, by_value=True)


class _Disabling(Strict):
    """Whether what is live ends."""

    force = Text(validate=validate.OneOf(("true", "false")))


ACCOUNT = AccountBody()
DISABLING = _Disabling()
_NAME = Name()


class AccountRecords:
    """Creates, changes, shows and disables accounts."""

    def __init__(self, wiring: Wiring) -> None:
        self._records = wiring.records
        self._ledger = wiring.ports.ledger
        self._keys = wiring.keys

    def all(self) -> Json:
        """Return all accounts, by id."""
        self._records.registry.refresh()
        return {"data": [self._shown(account) for account in self._records.registry.accounts()]}

    def show(self, name: str) -> Json:
        """Return one account without its credentials.

        Raises:
            NotFound: there is none with this name.
        """
        self._records.registry.refresh()
        return self._shown(self._records.registry.account_named(AccountName(name)))

    def put(self, name: str) -> Json:
        """Create an account, or change what the body names.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
            WrongState: it names a state, and the account is frozen.
        """
        named = loaded(ACCOUNT, body_of_request())

        def put() -> Account:
            account = find_account(name, self._records)
            if account is None:
                account = new_account(AccountName(checked_name(name, _NAME)))
            return put_account(account, named, self._records)

        return self._shown(self._records.registry.change(put))

    def disable(self, name: str) -> Json:
        """Switch an account off: nothing of it is sent any more. Nothing is deleted.

        Raises:
            MalformedPayload: `force` is neither true nor false.
            NotFound: there is none with this name.
            WrongState: something of it is live, and `force` is not true.
        """
        by_force = loaded(DISABLING, request.args.to_dict()).get("force") == "true"
        return self._shown(disable_account(name, self._records, by_force=by_force))

    def _shown(self, account: Account) -> Json:
        refused = self._keys.refused(account)
        return {
            "id": account.id,
            "name": account.name,
            "group": account.group,
            "venue": account.venue,
            "market": account.market,
            "mode": account.mode,
            "position_mode": account.position_mode,
            "has_credentials": account.credentials is not None,
            "credentials_refused": REFUSED_KEY.dump(refused) if refused else None,
            "limits": dict(account.limits),
            "state": self._ledger.state_of(account.id),
            "enabled": account.enabled,
            "protection": account.protection,
        }
