"""What an exchange that ccxt alone knows has, and what it lacks to be traded at. Nobody is asked.

ccxt tells of each method whether it is there. The rest is tried: orders are made for a market that
is made up, with keys that are, and held where they would leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import ccxt

from app.domain.enums import Market, PositionMode

#: What is called of ccxt, by market; the first that an order needs come first.
_METHODS = (
    "fetchMarkets",
    "fetchTicker",
    "createOrder",
    "cancelOrder",
    "fetchOrder",
    "fetchOpenOrders",
    "fetchBalance",
)
_OF_FUTURES = ("fetchPositions", "setLeverage")

#: What an account in HEDGE mode lacks where there is none.
HEDGE_MODE = "positions in HEDGE mode; set position_mode to ONEWAY"

#: ccxt's ways to say how a precision counts.
PRECISIONS = frozenset({ccxt.TICK_SIZE, ccxt.DECIMAL_PLACES, ccxt.SIGNIFICANT_DIGITS})

_ID = "habcd00000000001"

#: That are asked before an order leaves, at most.
_QUESTIONS_MAX = 5

#: Of nobody. Exchanges that derive addresses or signatures from keys take no others.
_KEYS = {
    "apiKey": "k" * 32,
    "secret": "c2VjcmV0" * 4,
    "password": "p",
    "uid": "1",
    "login": "l",
    "walletAddress": "0x" + "1" * 40,
    "privateKey": "0x" + "1" * 64,
    "accountId": "7",
    "token": "t",
    "twofa": "1",
}


class Buys(StrEnum):
    """How a market buy on spot says how much."""

    BY_QUANTITY = "quantity"
    BY_COST = "cost"
    AT_TOUCH = "touch"  # a quantity and a price, of which the library makes a cost


class _Left(BaseException):
    """A request would have left; nothing of ccxt's catches this."""


class _AsksFirst(Exception):
    """What the exchange answers decides whether an order leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suitability:
    """What one market of an exchange has.

    Attributes:
        is_there: whether the exchange has this market at all.
        lacks: what is needed and is not there, in words.
        untold: why no order could be tried, in the library's words; empty where one could.
        buys: how a market buy says how much.
        is_hedged: whether long and short may be held apart.
    """

    is_there: bool
    lacks: tuple[str, ...] = ()
    untold: str = ""
    buys: Buys = Buys.BY_QUANTITY
    is_hedged: bool = False

    def lacks_for(self, mode: PositionMode, market: Market) -> tuple[str, ...]:
        """Return what an account lacks that holds its positions so."""
        if market is Market.SPOT or mode is PositionMode.ONEWAY or self.is_hedged:
            return self.lacks
        return (*self.lacks, HEDGE_MODE)


@cache
def suitability_of(exchange_id: str, market: Market) -> Suitability:
    """Return what an exchange has, and lacks.

    Args:
        exchange_id: its name in ccxt.
        market: SPOT or USDM.
    """
    api = _api(exchange_id, market)
    section = _section(api, market)
    has_it = api.has.get("spot" if market is Market.SPOT else "swap")
    if not has_it or section is None or _is_inverse_only(api):
        return Suitability(is_there=False)
    methods = (*_METHODS, *(() if market is Market.SPOT else _OF_FUTURES))
    lacks = [one for one in methods if not api.has.get(one)]
    if api.precisionMode not in PRECISIONS:
        lacks.append("a way to tell how its precision counts")
    hedged = bool((section.get("createOrder") or {}).get("hedged"))
    told = Suitability(is_there=True)
    if "createOrder" not in lacks:
        told = _tried(exchange_id, market)
    return replace(told, lacks=(*lacks, *told.lacks), is_hedged=hedged)


def _api(exchange_id: str, market: Market) -> Any:  # noqa: ANN401 - ccxt ships no types
    kind = "spot" if market is Market.SPOT else "swap"
    options = {"defaultType": kind, "leverageBrackets": {}}
    api = getattr(ccxt, exchange_id)({"enableRateLimit": False, "options": options})
    api.session.close()
    api.number = str
    for name, text in _KEYS.items():
        if api.requiredCredentials.get(name):
            setattr(api, name, text)
    return api


def _section(api: Any, market: Market) -> Mapping[str, Any] | None:  # noqa: ANN401
    """Return what ccxt tells of a market's orders; where it tells nothing at all, nothing."""
    features = api.features or {}
    if not features:
        return {}
    if market is Market.SPOT:
        return features.get("spot") or {}
    swap = features.get("swap") or {}
    if swap.get("inverse") and swap.get("linear", {}) is None:
        return None
    return swap.get("linear") or {}


def _is_inverse_only(api: Any) -> bool:  # noqa: ANN401
    types = api.options.get("fetchMarkets")
    return isinstance(types, dict) and types.get("types") == ["inverse"]


def _tried(exchange_id: str, market: Market) -> Suitability:
    """Try orders where what is asked before them fails, and if that decides, where it is empty."""
    failing = _Trial(_api(exchange_id, market), market, answers=False).all()
    if not failing.untold:
        return failing
    answered = _Trial(_api(exchange_id, market), market, answers=True).all()
    return failing if answered.untold else answered


class _Trial:
    """Orders of an exchange that never leave.

    Args:
        api: ccxt's exchange, of nobody.
        market: where they are for.
        answers: what is asked before an order has an answer, though one that says nothing.
    """

    def __init__(self, api: Any, market: Market, *, answers: bool) -> None:  # noqa: ANN401
        self._api, self._market, self._answers = api, market, answers
        self._sent: list[str] = []
        api.fetch = self._hold
        row = _made_up(api.precisionMode, market)
        self._symbol = row["symbol"]
        api.set_markets([row])

    def all(self) -> Suitability:
        """Try what an account needs, and return what of it cannot be."""
        there = Suitability(is_there=True)
        lacks: list[str] = []
        for name, order in (
            ("limit orders", ("limit", "buy", "0.5", "20000")),
            ("market orders", ("market", "sell", "0.5", None)),
        ):
            try:
                if not self._carries_id(*order):
                    lacks.append(self._without_id())
                    break
            except ccxt.AuthenticationError as error:
                return replace(there, untold=_words(error))
            except ccxt.BaseError as error:
                lacks.append(f"{name} ({_words(error)})")
            except Exception as error:  # noqa: BLE001 - of whatever an exchange wants of its markets
                return replace(there, lacks=tuple(lacks), untold=_words(error))
        if lacks or self._market is not Market.SPOT:
            return replace(there, lacks=tuple(lacks))
        buys = self._buys()
        return replace(there, lacks=("market buys",)) if buys is None else replace(there, buys=buys)

    def _without_id(self) -> str:
        method, url, _ = self._sent[-1].split(" ", 2)
        if "order" in url.lower():
            return "a client order id"
        return f"orders before which nothing else is sent ({method} {urlsplit(url).path})"

    def _buys(self) -> Buys | None:
        """Return the first way in which a market buy would leave, or None if there is none."""
        ways: tuple[tuple[Buys, str | None, Mapping[str, str]], ...] = (
            (Buys.BY_QUANTITY, None, {}),
            (Buys.BY_COST, None, {"cost": "10000"}),
            (Buys.AT_TOUCH, "20000", {}),
        )
        for way, price, params in ways:
            try:
                self._carries_id("market", "buy", "0.5", price, params)
            except Exception:  # noqa: BLE001, S112 - as above; the next way is tried
                continue
            return way
        return None

    def _carries_id(
        self,
        kind: str,
        side: str,
        amount: str,
        price: str | None,
        params: Mapping[str, str] | None = None,
    ) -> bool:
        """Return whether an order would leave with the client order id.

        Raises:
            Exception: no order would leave, for the library refuses it.
        """
        self._sent.clear()
        named = {"clientOrderId": _ID, **(params or {})}
        try:
            self._api.create_order(self._symbol, kind, side, amount, price, named)
        except _Left:
            pass
        except Exception:
            # What is asked first, and has no answer here, is no refusal of the order.
            if not self._sent:
                raise
            raise _AsksFirst from None
        return any(_ID in one for one in self._sent)

    def _hold(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> Mapping[str, Any]:
        """Hold what would leave; what is asked before an order has no answer, or an empty one."""
        del headers
        text = body.decode() if isinstance(body, bytes) else str(body)
        self._sent.append(f"{method} {url} {text}")
        if method == "GET" and _ID not in self._sent[-1] and len(self._sent) < _QUESTIONS_MAX:
            if self._answers:
                return {}
            raise ccxt.NetworkError("nobody is asked")
        raise _Left


def _made_up(precision_mode: int, market: Market) -> dict[str, Any]:
    is_spot = market is Market.SPOT
    price, amount = {ccxt.TICK_SIZE: ("0.01", "0.0001")}.get(precision_mode, (2, 4))
    return {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT" if is_spot else "BTC/USDT:USDT",
        "base": "BTC",
        "quote": "USDT",
        "settle": None if is_spot else "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "settleId": None if is_spot else "USDT",
        "type": "spot" if is_spot else "swap",
        "spot": is_spot,
        "swap": not is_spot,
        "future": False,
        "option": False,
        "margin": False,
        "active": True,
        "contract": not is_spot,
        "linear": None if is_spot else True,
        "inverse": None if is_spot else False,
        "contractSize": None if is_spot else "0.0001",
        "taker": "0.001",
        "maker": "0.001",
        "uppercaseId": "BTC_USDT",
        "numericId": 1,
        "precision": {"price": price, "amount": amount},
        "limits": {"amount": {}, "price": {}, "cost": {}, "leverage": {}},
        "info": {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "type": 1, "symbolType": 1},
    }


def _words(error: Exception) -> str:
    if isinstance(error, _AsksFirst):
        return "it asks the exchange first"
    text = " ".join(str(error).split())[:100]
    return f"{type(error).__name__}: {text}"
