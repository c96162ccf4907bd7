"""The demo accounts of a fresh install: play money, and a caller of each dialect."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial

from app.bootstrap import Wiring, web_wiring
from app.dialects.surfaces import SURFACES
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect, Market, Mode, PositionMode
from app.domain.errors import NotPermitted, StoreError
from app.domain.identifiers import AccountName, Currency
from app.paper.admin.account_update import AccountSetting
from app.services.admin.accounts import find_account, new_account
from app.services.admin.clients import put_client
from app.services.admin.connectors import put_connector
from app.settings import Settings, derived
from app.web.surface import DemoAccount

GROUP = "demo"

_USDT = {Currency("USDT"): Decimal(10000)}
_SPOT = {**_USDT, Currency("BTC"): Decimal("0.5"), Currency("ETH"): Decimal(5)}
_COINS = {Currency("BTC"): Decimal(1), Currency("ETH"): Decimal(10)}

#: Ids by which 3Commas clients name them; the last came later, when others may have had the id.
_ACCOUNTS = (
    (1, DemoAccount.SPOT, Market.SPOT, PositionMode.HEDGE, _SPOT),
    (2, DemoAccount.USDM, Market.USDM, PositionMode.HEDGE, _USDT),
    (3, DemoAccount.NET, Market.USDM, PositionMode.ONEWAY, _USDT),
    (None, DemoAccount.COINM, Market.COINM, PositionMode.ONEWAY, _COINS),
)

_Demo = dict[str, object]


def seed(settings: Settings) -> _Demo:
    """Make what is not there yet, and return what a caller of each dialect needs.

    Secrets are the same at every start, and kept nowhere in the clear. Run twice, or by two at
    once, it changes nothing that is there.
    """
    wiring = web_wiring(settings)
    _refuse_real_money(wiring)
    desk = wiring.paper
    desk.seed_instruments()
    for number, name, market, mode, balances in _ACCOUNTS:
        account = wiring.registry.change(partial(_account, wiring, number, name, market, mode))
        desk.seed_account(account, AccountSetting(balances=balances, position_mode=mode))
    maker = _Maker(wiring)
    return {surface.dialect.value: surface.demo(maker) for surface in SURFACES.values()}


def _refuse_real_money(wiring: Wiring) -> None:
    """Refuse the test profile where an account could reach a real venue."""
    for account in wiring.registry.accounts():
        if account.mode is not Mode.PAPER and not wiring.settings.may_trade_at(account.venue):
            raise NotPermitted(
                f"The test profile (--fast) does not run with account {account.name}, which "
                f"trades at {account.venue}. Start without --fast."
            )


def _account(
    wiring: Wiring, number: int | None, demo: DemoAccount, market: Market, mode: PositionMode
) -> Account:
    name = AccountName(demo)
    known = find_account(name, wiring.records)
    if known is not None:
        return known
    # A group has one account a venue and market.
    group = name if demo is DemoAccount.NET else GROUP
    # Not by `put_account`: whoever gave its place in the group to another account before this one
    # was among the demo's must be able to start.
    account = replace(new_account(name), group=group, market=market, position_mode=mode)
    made = wiring.registry.put_account(account)
    is_known = number in {None, made.id}
    assert is_known, f"{name} became account {made.id}, not {number}"  # noqa: S101
    return made


class _Maker:
    """Makes callers, with secrets that can be shown again."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def client(self, dialect: Dialect, *accounts: DemoAccount) -> tuple[str, str]:
        """Return key and secret of an API client that covers these accounts."""
        wiring, kind = self._wiring, SURFACES[dialect].clients
        assert kind is not None, f"{dialect} has no clients"  # noqa: S101
        key = f"demo-{dialect.value.replace('_', '-')}"
        if kind.is_key_secret:
            key = f"{key}-{self._secret(f'key {key}')}"
        secret = self._secret(f"client {key}")

        def make() -> None:
            if wiring.registry.client(dialect, key) is None:
                names = tuple(map(AccountName, accounts))
                client = ApiClient(dialect=dialect, key=key, secret="", accounts=names)
                put_client(
                    client,
                    {},
                    secret,
                    lambda *_: None,
                    wiring.records,
                    is_compared=kind.is_compared,
                )

        wiring.registry.change(make)
        return key, secret

    def connector(self, account: DemoAccount, symbol: str) -> Mapping[str, str]:
        """Return name and token of a connector, which has the name of its account."""
        wiring, name = self._wiring, str(account)
        token = self._secret(f"connector {name}")
        facts = {"token": token, "account": AccountName(account), "symbol": symbol}

        def make() -> None:
            if wiring.registry.connector(name) is None:
                put_connector(name, facts, wiring.records)

        wiring.registry.change(make)
        return {"connectorName": name, "connectorToken": token}

    def _secret(self, purpose: str) -> str:
        """Return what a caller was given at the first start, whatever the key is by now."""
        # Earlier releases kept none, and made them anew of the oldest key at each start.
        oldest, vault = self._wiring.settings.secret_keys[-1].reveal(), self._wiring.vault
        secret = derived(oldest, f"demo {purpose}")
        kept = self._wiring.demo_secrets.keep(purpose, vault.encrypt(purpose, {"secret": secret}))
        try:
            return vault.decrypt(purpose, kept)["secret"]
        except StoreError:
            # Its key is not among ours. It may come back; until then Hookfill must start.
            return secret
