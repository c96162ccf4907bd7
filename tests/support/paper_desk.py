"""The administration of the paper venue, in the JSON in which the admin API takes it."""

from collections.abc import Mapping
from typing import cast

from app.admin import paper_bodies as bodies
from app.domain.account import Account
from app.paper.admin.account_update import AccountSetting
from app.paper.admin.administration import PaperAdministration


class PaperDesk(PaperAdministration):
    """Reads bodies, then does what they say."""

    def set_account(self, account: Account, setting: AccountSetting | Mapping[str, object]) -> None:
        super().set_account(account, _setting(setting))

    def seed_account(
        self, account: Account, setting: AccountSetting | Mapping[str, object]
    ) -> None:
        super().seed_account(account, _setting(setting))

    def set_prices(self, quotes: object) -> int:
        return super().set_prices(bodies.read(bodies.PRICES, quotes))

    def set_instruments(self, instruments: object) -> None:
        super().set_instruments(bodies.read(bodies.INSTRUMENTS, instruments))

    def set_faults(self, account: Account, plan: object) -> None:
        super().set_faults(account, bodies.read(bodies.FAULTS, plan))


def _setting(setting: AccountSetting | Mapping[str, object]) -> AccountSetting:
    if isinstance(setting, AccountSetting):
        return setting
    return cast("AccountSetting", bodies.read(bodies.PAPER_ACCOUNT, setting))
