"""Paper accounts: play money that a person sets, and the reset from which a test starts."""

from dataclasses import replace
from functools import partial

from app.admin.paper_bodies import PAPER_ACCOUNT, read
from app.admin.request_body import body_of_request, checked_name, refused
from app.bootstrap import Wiring
from app.domain.account import Account
from app.domain.enums import Mode
from app.domain.errors import NotFound
from app.domain.identifiers import AccountName
from app.paper.admin.account_update import AccountSetting
from app.services.admin.accounts import find_account, new_account, refuse_wrong
from app.services.limits import begin_results
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
            RegistryChanged: others changed accounts again and again; send it again.
        """
        setting: AccountSetting = read(PAPER_ACCOUNT, body_of_request())
        account = self._registry.change(partial(self._known_or_made, name, setting))
        after = _like(account, setting)
        if setting.reset:
            self._paper.rehearse(after, setting)
            cancel_everything(account.id, self._wiring.ports)
        self._paper.set_account(after, setting)
        if setting.reset or setting.positions:
            begin_results(after, self._wiring.ports)
        return self._paper.account(self._registry.change(partial(self._noted, account, setting)))

    def _noted(self, account: Account, setting: AccountSetting) -> Account:
        """Write down in the record, as it is by now, what the venue has set."""
        known = self.get(account.name)
        after = _like(known, setting)
        if setting.reset:
            after = replace(after, resets=known.resets + 1)
        return after if after == known else self._registry.put_account(after)

    def _known_or_made(self, name: str, setting: AccountSetting) -> Account:
        return self._existing(name) or self._created(name, setting)

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
