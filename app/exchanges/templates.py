"""ccxt's exchanges: built once for each market of a venue, and copied for each line."""

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from typing import Any

import ccxt

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.identifiers import VenueName
from app.exchanges.profiles import Profile, Sandbox

#: Whatever ccxt gives or takes; it ships no types.
Json = Any

#: What ccxt describes an exchange with, by far the most of it, and writes to only while it builds
#: one. Whatever else can be changed is each copy's own.
SHARED = frozenset({"api", "exceptions", "features", "httpExceptions"})

_CONTRACTS = {Market.USDM: "linear", Market.COINM: "inverse"}

_Key = tuple[VenueName, Market, Sandbox | None]


class Templates:
    """Copies exchanges without keys; any number of threads may ask at once.

    To build one takes ccxt ten times as long as to copy it. Nobody uses a template itself, so a
    copy has nothing of an account in it until somebody puts it there.
    """

    def __init__(self) -> None:
        self._known: dict[_Key, Json] = {}

    def copied(self, account: Account, profile: Profile) -> Json:
        """Return ccxt's exchange for the market of an account.

        It has no keys and no session, and nothing that another one changes.
        """
        key = account.venue, account.market, profile.sandbox_of(account)
        template = self._known.get(key)
        if template is None:
            # Of two that are built at once one stays.
            template = self._known.setdefault(key, _built(account, profile))
        return _copied(template)


def _copied(template: Json) -> Json:
    fresh = copy(template)
    own = {
        name: part
        for name, part in vars(template).items()
        if name not in SHARED and isinstance(part, dict | list | set)
    }
    vars(fresh).update(deepcopy(own))  # at once: some go by two names
    return fresh


def _built(account: Account, profile: Profile) -> Json:
    api = getattr(ccxt, profile.exchange_id)(
        {"enableRateLimit": True, "options": _options(account, profile)}
    )
    api.number = str
    api.has = {**api.has, "fetchCurrencies": False}
    api.session.close()
    api.session = None
    match profile.sandbox_of(account):
        case Sandbox.TESTNET:
            api.set_sandbox_mode(True)
        case Sandbox.DEMO:
            api.enable_demo_trading(enable=True)
        case None:
            pass
    return api


def _options(account: Account, profile: Profile) -> Mapping[str, Any]:
    contract = _CONTRACTS.get(account.market)
    options: dict[str, Any] = {
        **profile.options,
        "defaultType": "spot" if contract is None else "swap",
    }
    if contract is not None:
        options["defaultSubType"] = contract
    types: Sequence[str] = profile.market_types.get(account.market, ())
    if types:
        options["fetchMarkets"] = {"types": list(types)}
    if profile.receive_window_ms:
        options["recvWindow"] = profile.receive_window_ms
    return options
