"""What differs between exchanges: one small table each. All else is the same for all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from app.domain.account import Account
from app.domain.enums import Market, Mode, PriceSource, ReasonCode
from app.domain.errors import MarketNotTraded
from app.domain.identifiers import VenueName
from app.domain.status import OrderStatus
from app.domain.venue_traits import AdapterClass, VenueTraits
from app.exchanges import refusals
from app.ports.policy import RECEIVE_WINDOW_MS

#: In what is told of a smart order of Poloniex: its state (`smart_orders.py`).
SMART_STATE = "smartState"

#: Of exchanges that are known to ccxt alone. Inverse contracts (COINM) are traded where it is known
#: how the exchange tells what one is worth: that differs (100 USD at Binance, 1 USD at Bybit).
UNKNOWN_MARKETS = frozenset({Market.SPOT, Market.USDM})


class Sandbox(StrEnum):
    """What kind of play money an exchange has; the keys of one are no good for the other."""

    TESTNET = "testnet"
    DEMO = "demo"


class LookUp(StrEnum):
    """How an order is looked up by its client order id."""

    ORIGINAL_ID = "origClientOrderId"
    BYBIT = "orderLinkId"
    POLONIEX = "cid"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One exchange.

    Attributes:
        exchange_id: its name in ccxt.
        look_up: how an order is found by its client order id; `NONE` makes the adapter MANUAL.
        receive_window_ms: how long after its time stamp a request is still taken; 0 is no limit.
        states: the exchange's own word for the state of an order → ours.
        state_field: where that word stands in its answers.
        duplicates: what it says to a client order id that it has seen before.
        refusals: its codes that say no for certain → why.
        refused_unread: HTTP statuses of requests that were refused for their time stamp.
        market_types: the markets that there are → what ccxt is to load for them; of exchanges that
            are not in the table below it is empty, and what is there is left to ccxt.
        options: of ccxt.
        headers: sent with each request.
        buys_with_quote: a market buy names the quote amount.
        answers_in_full: the answer to an order tells its state; else it is looked up.
        sandboxes: the play money that there is, by market.
        unchanged: what it says to a setting that is so already.
        cancel_field: by what a cancel names its order: ccxt's parameter for the client order id.
        cancel_prefix: what stands before the id there.
        preparation: ccxt's method that must be called before the first order.
        list_limit: the most open orders that one answer lists, if that must be asked for.
        lists_by_symbol: open orders are asked for symbol by symbol.
        cheap_symbols_max: for so many symbols that weighs less than to ask for all at once.
        id_pattern: what a client order id may look like.
        native_stops: where the exchange keeps stop orders, for people.
        holds: the markets in which an order can rest there until its price comes → which prices.
        stops_apart: the markets whose stops it keeps apart from orders (`apart.py`).
        stop_state_field: where its word for the state of such a stop stands.
        stop_states: that word → ours, of a stop of which no order has been made.
        stops_protect_only: which way the price must go is told by the side: down for a sale.
        one_way: the markets in which long and short cannot be held apart.
        look_ms: what one look at an account's positions, and at the stops of a symbol that rest,
            takes of the time in which one address is answered: its weight by what an address may
            ask for in a millisecond.
    """

    exchange_id: str
    look_up: LookUp = LookUp.NONE
    receive_window_ms: int = 0
    states: Mapping[str, OrderStatus] = field(default_factory=dict)
    state_field: str = ""
    duplicates: tuple[str, ...] = ()
    refusals: Mapping[str, ReasonCode] = field(default_factory=dict)
    refused_unread: tuple[int, ...] = ()
    market_types: Mapping[Market, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    buys_with_quote: bool = False
    answers_in_full: bool = False
    sandboxes: Mapping[Market, Sandbox] = field(default_factory=dict)
    unchanged: tuple[str, ...] = ()
    cancel_field: str = "clientOrderId"
    cancel_prefix: str = ""
    preparation: str = ""
    list_limit: int | None = None
    lists_by_symbol: bool = False
    cheap_symbols_max: int = 0
    id_pattern: str = r"[A-Za-z0-9]{1,32}"
    native_stops: str = ""
    holds: Mapping[Market, frozenset[PriceSource]] = field(default_factory=dict)
    stops_apart: frozenset[Market] = frozenset()
    stop_state_field: str = ""
    stop_states: Mapping[str, OrderStatus] = field(default_factory=dict)
    stops_protect_only: bool = False
    one_way: frozenset[Market] = frozenset()
    look_ms: int = 1_000
    is_sandbox: bool = False

    @property
    def adapter_class(self) -> AdapterClass:
        """Whether the venue can be asked, and stops taking a request after a while."""
        asks = self.look_up is not LookUp.NONE and self.receive_window_ms > 0
        return AdapterClass.FULL if asks else AdapterClass.MANUAL

    def traits(self, name: VenueName) -> VenueTraits:
        """Return what people are told of it, under the name that accounts give."""
        return VenueTraits(
            name=name,
            adapter=self.adapter_class,
            markets=tuple(self.market_types),
            play_money=self.sandboxes,
            lists_all_symbols=not self.lists_by_symbol,
            native_stops=self.native_stops,
            holds=self.holds,
            look_ms=self.look_ms,
        )

    def sandbox_of(self, account: Account) -> Sandbox | None:
        """Return which play money an account trades with, or None for real money.

        Raises:
            MarketNotTraded: it is of a market that is not traded there, or it is to be play money,
                and the exchange has none.
        """
        if account.market not in (self.market_types or UNKNOWN_MARKETS):
            raise MarketNotTraded(self._why_not(account.market))
        if not self.is_sandbox and account.mode is not Mode.TESTNET:
            return None
        found = self.sandboxes.get(account.market)
        if found is None:
            raise MarketNotTraded(f"{self.exchange_id} has no testnet for {account.market}")
        return found

    def _why_not(self, market: Market) -> str:
        if market is Market.COINM:
            there = dict.fromkeys(
                one.exchange_id for one in PROFILES.values() if market in one.market_types
            )
            return f"COINM is traded at {', '.join(there)} and on paper, not at {self.exchange_id}"
        return f"{self.exchange_id} has no {market}"


_S = OrderStatus

_LAST_OR_MARK = frozenset({PriceSource.LAST, PriceSource.MARK})

#: Binance: "Spot REST API", "USDⓈ-M Futures REST API" (developers.binance.com). A client order id
#: is unique among open orders only. -1006 and -1007 leave it open whether an order was executed.
_BINANCE = Profile(
    exchange_id="binance",
    look_up=LookUp.ORIGINAL_ID,
    receive_window_ms=RECEIVE_WINDOW_MS,
    state_field="status",
    states={
        "NEW": _S.NEW,
        "PENDING_NEW": _S.NEW,
        "PARTIALLY_FILLED": _S.PARTIALLY_FILLED,
        "FILLED": _S.FILLED,
        "PENDING_CANCEL": _S.NEW,
        "CANCELED": _S.CANCELED,
        "REJECTED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
        "EXPIRED_IN_MATCH": _S.EXPIRED,
    },
    duplicates=("Duplicate order sent", '"code": -4116', '"code":-4116', "20132"),
    refusals=refusals.BINANCE,
    market_types={
        Market.SPOT: ("spot",),
        Market.USDM: ("linear",),
        Market.COINM: ("inverse",),
    },
    options={
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        "fetchMargins": False,
        # Else positions ask for brackets first, which nothing here needs.
        "leverageBrackets": {},
    },
    answers_in_full=True,
    # "Current open orders": 6 for each and 80 for all on spot, 1 and 40 for futures.
    cheap_symbols_max=4,
    unchanged=("-4046", "-4059"),
    cancel_field="origClientOrderId",
    # The futures testnet is gone; its place was taken by demo trading, with keys of its own.
    sandboxes={
        Market.SPOT: Sandbox.TESTNET,
        Market.USDM: Sandbox.DEMO,
        Market.COINM: Sandbox.DEMO,
    },
    id_pattern=r"[.A-Z:/a-z0-9_-]{1,36}",
    native_stops="orders on spot; of futures a service of its own since December 2025",
    holds={Market.SPOT: frozenset({PriceSource.LAST}), Market.USDM: _LAST_OR_MARK},
    # "Event: Algo Order Update". FINISHED is not among these: the order that was made of it is
    # filled or canceled, and that order tells which.
    stops_apart=frozenset({Market.USDM}),
    stop_state_field="algoStatus",
    stop_states={
        "NEW": _S.NEW,
        "TRIGGERING": _S.NEW,
        "TRIGGERED": _S.NEW,
        "CANCELED": _S.CANCELED,
        "REJECTED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
    },
    # "Position Information V3" and "Current All Algo Open Orders": 5 and 1, of 2,400 a minute for
    # an address.
    look_ms=150,
)

#: Bybit: "V5 API" (bybit-exchange.github.io/docs/v5). Its answer to an order is the id alone.
_BYBIT = Profile(
    exchange_id="bybit",
    look_up=LookUp.BYBIT,
    receive_window_ms=RECEIVE_WINDOW_MS,
    state_field="orderStatus",
    states={
        "New": _S.NEW,
        "Created": _S.NEW,
        "Untriggered": _S.NEW,
        "Triggered": _S.NEW,
        "Active": _S.NEW,
        "PendingCancel": _S.NEW,
        "PartiallyFilled": _S.PARTIALLY_FILLED,
        "PartiallyFilledCanceled": _S.CANCELED,
        "Filled": _S.FILLED,
        "Cancelled": _S.CANCELED,
        "Deactivated": _S.CANCELED,
        "Rejected": _S.REJECTED,
    },
    duplicates=("110072", "170141", "12141", "10014"),
    refusals=refusals.BYBIT,
    market_types={
        Market.SPOT: ("spot",),
        Market.USDM: ("linear",),
        Market.COINM: ("inverse",),
    },
    unchanged=("110043", "110025"),
    options={"createMarketBuyOrderRequiresPrice": False},
    # An order is made differently for each kind of account, so ccxt asks which kind it is.
    preparation="is_unified_enabled",
    cancel_field="orderLinkId",
    list_limit=50,
    sandboxes=dict.fromkeys(Market, Sandbox.TESTNET),
    id_pattern=r"[A-Za-z0-9_-]{1,36}",
    native_stops="conditional orders",
    holds={Market.USDM: _LAST_OR_MARK, Market.COINM: _LAST_OR_MARK},
    # "Switch Position Mode": unified accounts hold inverse contracts one way.
    one_way=frozenset({Market.COINM}),
    # ccxt's figures, twice a cost of 5 at 20 ms; Bybit itself allows more.
    look_ms=200,
)

#: Poloniex: "Spot API" (api-docs.poloniex.com/spot). Stops are smart orders there.
_POLONIEX = Profile(
    exchange_id="poloniex",
    look_up=LookUp.POLONIEX,
    receive_window_ms=RECEIVE_WINDOW_MS,
    state_field="state",
    states={
        "NEW": _S.NEW,
        "PENDING_NEW": _S.NEW,
        "PARTIALLY_FILLED": _S.PARTIALLY_FILLED,
        "FILLED": _S.FILLED,
        "PENDING_CANCEL": _S.NEW,
        "PARTIALLY_CANCELED": _S.CANCELED,
        "CANCELED": _S.CANCELED,
        "EXPIRED": _S.EXPIRED,
        "REJECTED": _S.REJECTED,
        "FAILED": _S.REJECTED,
    },
    duplicates=("21312", "25004", "25006"),
    refusals=refusals.POLONIEX,
    refused_unread=(HTTPStatus.REQUEST_TIMEOUT,),
    market_types={Market.SPOT: ()},
    headers={"recvWindow": str(RECEIVE_WINDOW_MS)},
    buys_with_quote=True,
    cancel_prefix="cid:",
    id_pattern=r"[A-Za-z0-9_-]{1,64}",
    native_stops="smart orders",
    # "Smart Orders". Which price is compared is not said there; users see the last one.
    holds={Market.SPOT: frozenset({PriceSource.LAST})},
    stops_apart=frozenset({Market.SPOT}),
    # ccxt's figures: to list smart orders costs 20 at 5 ms.
    look_ms=100,
    stop_state_field=SMART_STATE,
    # TRIGGERED is not among these: the order that was made of it tells how it stands.
    stop_states={
        "PENDING_NEW": _S.NEW,
        "PENDING_CANCEL": _S.NEW,
        "CANCELED": _S.CANCELED,
        "REJECTED": _S.REJECTED,
        "FAILED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
    },
    stops_protect_only=True,
)

#: By the name that an account gives as its venue.
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "binance": _BINANCE,
        "binance_testnet": replace(_BINANCE, is_sandbox=True),
        "bybit": _BYBIT,
        "bybit_testnet": replace(_BYBIT, is_sandbox=True),
        "bybit_demo": replace(
            _BYBIT,
            sandboxes=dict.fromkeys(Market, Sandbox.DEMO),
            is_sandbox=True,
        ),
        "poloniex": _POLONIEX,
    }
)
