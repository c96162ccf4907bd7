"""The demo accounts of a fresh install: play money, and a caller of each dialect."""

from decimal import Decimal

from app.bootstrap import Wiring, web_wiring
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect, Market, Mode, PositionMode
from app.domain.errors import NotPermitted
from app.domain.identifiers import AccountName, Currency
from app.paper.admin.account_update import AccountSetting
from app.services.admin.accounts import find_account, new_account, put_account
from app.services.admin.clients import put_client
from app.services.admin.connectors import put_connector
from app.settings import Settings, derived

GROUP = "demo"
SPOT = AccountName("demo-spot")
USDM = AccountName("demo-usdm")
NET = AccountName("demo-net")
COINM = AccountName("demo-coinm")

#: Ids by which 3Commas clients name them; the last came later, when others may have had the id.
_ACCOUNTS = (
    (1, SPOT, Market.SPOT, PositionMode.HEDGE),
    (2, USDM, Market.USDM, PositionMode.HEDGE),
    (3, NET, Market.USDM, PositionMode.ONEWAY),
    (None, COINM, Market.COINM, PositionMode.ONEWAY),
)

_BALANCES = {
    SPOT: {
        Currency("USDT"): Decimal(10000),
        Currency("BTC"): Decimal("0.5"),
        Currency("ETH"): Decimal(5),
    },
    USDM: {Currency("USDT"): Decimal(10000)},
    NET: {Currency("USDT"): Decimal(10000)},
    COINM: {Currency("BTC"): Decimal(1), Currency("ETH"): Decimal(10)},
}

#: Dialect → the demo accounts that its client covers.
_CLIENTS = {
    Dialect.APISIFY: (NET, COINM),
    Dialect.POLONIEX: (SPOT,),
    Dialect.THREE_COMMAS: (SPOT,),
    Dialect.HUMMINGBOT: (SPOT, USDM),
}

_Demo = dict[str, object]


def seed(settings: Settings) -> _Demo:
    """Make what is not there yet, and return what a caller of each dialect needs.

    Secrets are derived from the installation's key, so they are the same at every start and kept
    nowhere in the clear. Run twice, or by two at once, it changes nothing that is there.
    """
    wiring = web_wiring(settings)
    _refuse_real_money(wiring)
    desk = wiring.paper
    desk.seed_instruments()
    for number, name, market, mode in _ACCOUNTS:
        account = _account(wiring, number, name, market, mode)
        desk.seed_account(account, AccountSetting(balances=_BALANCES[name], position_mode=mode))
    return {
        "crypto_arsenal": {
            "spot": _connector(wiring, "demo-spot", SPOT, "BTC/USDT"),
            "usdm": _connector(wiring, "demo-usdm", USDM, "ETH/USDT"),
        },
        **{dialect.value: _client(wiring, dialect) for dialect in _CLIENTS},
    }


def _refuse_real_money(wiring: Wiring) -> None:
    """Refuse the test profile where an account could reach a real venue."""
    for account in wiring.registry.accounts():
        if account.mode is not Mode.PAPER and not wiring.settings.may_trade_at(account.venue):
            raise NotPermitted(
                f"The test profile (--fast) does not run with account {account.name}, which "
                f"trades at {account.venue}. Start without --fast."
            )


def _account(
    wiring: Wiring, number: int | None, name: AccountName, market: Market, mode: PositionMode
) -> Account:
    known = find_account(name, wiring.records)
    if known is not None:
        return known
    group = name if name == NET else GROUP  # a group has one account a venue and market
    facts = {"group": group, "market": market, "position_mode": mode}
    made = put_account(new_account(name), facts, wiring.records)
    is_known = number in {None, made.id}
    assert is_known, f"{name} became account {made.id}, not {number}"  # noqa: S101
    return made


def _connector(wiring: Wiring, name: str, account: AccountName, symbol: str) -> dict[str, str]:
    token = _secret(wiring, f"connector {name}")
    if wiring.registry.connector(name) is None:
        facts = {"token": token, "account": account, "symbol": symbol}
        put_connector(name, facts, wiring.records)
    return {"connectorName": name, "connectorToken": token}


def _client(wiring: Wiring, dialect: Dialect) -> _Demo:
    key = f"demo-{dialect.value.replace('_', '-')}"
    secret = _secret(wiring, f"client {key}")
    if wiring.registry.client(dialect, key) is None:
        client = ApiClient(dialect=dialect, key=key, secret="", accounts=_CLIENTS[dialect])
        put_client(client, {}, secret, lambda *_: None, wiring.records)
    match dialect:
        case Dialect.APISIFY:
            return {"apikey": key, "secret": secret}
        case Dialect.THREE_COMMAS:
            return {"key": key, "secret": secret, "account_id": 1}
        case Dialect.HUMMINGBOT:
            names = {"account_name": GROUP, "connector_name": "paper"}
            return {"username": key, "password": secret, **names}
        case _:
            return {"key": key, "secret": secret}


def _secret(wiring: Wiring, purpose: str) -> str:
    return derived(wiring.settings.secret_keys[-1].reveal(), f"demo {purpose}")
