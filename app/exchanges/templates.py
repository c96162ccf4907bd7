"""ccxt's exchanges: built once for each market of a venue, and copied for each line."""

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from functools import cache
from typing import Any

import ccxt

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.identifiers import VenueName
from app.exchanges.catalog import profile_of
from app.exchanges.profiles import Profile, Sandbox

#: Whatever ccxt gives or takes; it ships no types.
Json = Any

#: What ccxt describes an exchange with, by far the most of it, and writes to only while it builds
#: one. Whatever else can be changed is each copy's own.
SHARED = frozenset({"api", "exceptions", "features", "httpExceptions"})

_CONTRACTS = {Market.USDM: "linear", Market.COINM: "inverse"}


def copied(account: Account) -> Json:
    """Return ccxt's exchange for the market of an account; any number of threads may ask at once.

    It has no keys and no session, and nothing that another one changes.
    """
    sandbox = profile_of(account.venue).sandbox_of(account)
    template = _template(account.venue, account.market, sandbox)
    fresh = copy(template)
    own = {
        name: part
        for name, part in vars(template).items()
        if name not in SHARED and isinstance(part, dict | list | set)
    }
    vars(fresh).update(deepcopy(own))  # at once: some go by two names
    return fresh


@cache
def _template(venue: VenueName, market: Market, sandbox: Sandbox | None) -> Json:
    """Build what is copied: that takes ccxt ten times as long as to copy it.

    Nobody uses a template itself, so a copy has nothing of an account in it until somebody puts it
    there.
    """
    profile = profile_of(venue)
    api = getattr(ccxt, profile.exchange_id)(
        {"enableRateLimit": True, "options": _options(market, profile)}
    )
    api.number = str
    api.has = {**api.has, "fetchCurrencies": False}
    api.session.close()
    api.session = None
    match sandbox:
        case Sandbox.TESTNET:
            api.set_sandbox_mode(True)
        case Sandbox.DEMO:
            api.enable_demo_trading(enable=True)
        case None:
            pass
    return api


def _options(market: Market, profile: Profile) -> Mapping[str, Any]:
    contract = _CONTRACTS.get(market)
    options: dict[str, Any] = {
        **profile.options,
        "defaultType": "spot" if contract is None else "swap",
    }
    if contract is not None:
        options["defaultSubType"] = contract
    types: Sequence[str] = profile.market_types.get(market, ())
    if types:
        options["fetchMarkets"] = {"types": list(types)}
    if profile.receive_window_ms:
        options["recvWindow"] = profile.receive_window_ms
    return options
