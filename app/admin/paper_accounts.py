"""Paper accounts: play money that a person sets, and the reset from which a test starts."""

from dataclasses import replace

from app.admin.paper_bodies import PAPER_ACCOUNT, read
from app.admin.request_body import body_of_request, checked_name, refused
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.enums import Mode
from app.domain.errors import NotFound
from app.domain.identifiers import AccountName
from app.paper.admin.account_update import AccountSetting
from app.services.admin.accounts import find_account, new_account, refuse_wrong
from app.services.reset import cancel_everything
from app.web.answers import Json
from app.web.fields import Name

_NAME = Name()


class PaperAccounts:
    """Creates, sets, resets and shows the accounts of the paper venue."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._registry = wiring.registry
        self._paper = wiring.paper

    def show(self, name: str) -> Json:
        """Return an account with its ledger and its fills.

        Raises:
            NotFound: there is no paper account with this name.
        """
        return self._paper.account(self.get(name))

    def get(self, name: str) -> Account:
        """Return the record of a paper account.

        Raises:
            NotFound: there is none with this name.
        """
        self._registry.refresh()
        account = self._registry.account_named(AccountName(name))
        if account.mode is not Mode.PAPER:
            raise NotFound(f"{account.name} is no paper account")
        return account

    def set(self, name: str) -> Json:
        """Replace what the body names; create the account if it is new, or reset it.

        Stopped halfway through a reset, the same request again finishes it.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
            Conflict: things came in faster than a reset could end them.
        """
        setting: AccountSetting = read(PAPER_ACCOUNT, body_of_request())
        account = self._existing(name)
        if account is None:
            account = self._created(name, setting)
        after = _like(account, setting)
        if setting.reset:
            self._paper.rehearse(after, setting)
            cancel_everything(account.id, self._wiring.ports)
            after = replace(after, resets=account.resets + 1)
        self._paper.set_account(after, setting)
        if after != account:
            self._registry.put_account(after)
        return self._paper.account(after)

    def _existing(self, name: str) -> Account | None:
        account = find_account(name, self._wiring.records)
        if account is not None and account.mode is not Mode.PAPER:
            raise refused("name", f"{account.name} is no paper account.")
        return account

    def _created(self, name: str, setting: AccountSetting) -> Account:
        account = _like(new_account(AccountName(checked_name(name, _NAME))), setting)
        refuse_wrong(account, None, self._wiring.records)
        self._paper.rehearse(account, setting)
        return self._registry.put_account(account)


def _like(account: Account, setting: AccountSetting) -> Account:
    """Return the record with what the setting says about it."""
    return replace(
        account,
        market=setting.market or account.market,
        position_mode=setting.position_mode or account.position_mode,
    )
