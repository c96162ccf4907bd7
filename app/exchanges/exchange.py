"""An exchange as one account sees it: its questions, its commands, and how long they may take."""

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import ccxt

from app.domain.account import Account
from app.domain.enums import Listing, Market, OrderType, PositionMode
from app.domain.errors import (
    HookfillError,
    KeyRefused,
    NotFound,
    OutcomeUnknown,
    RightMissing,
    VenueBusy,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import Symbol, VenueName
from app.domain.instrument import Instrument
from app.exchanges import parse
from app.exchanges.capabilities import Capabilities, capabilities_of
from app.exchanges.catalog import profile_of
from app.exchanges.errors import translated, translated_reading
from app.exchanges.known_markets import KnownMarkets
from app.exchanges.line import Line, VenueCall
from app.exchanges.lines import Lines
from app.exchanges.market_tables import MarketTables
from app.exchanges.one_asks import OneAsks
from app.exchanges.ports import VenuePorts
from app.exchanges.suitability import Buys, suitability_of
from app.exchanges.templates import Json
from app.exchanges.transport import TOO_MANY, Connections
from app.exchanges.venue_clock import VenueClock
from app.store.memory.venue_budget import Urgency

#: What one call may take in all, whatever the exchange does: it holds a thread of a worker.
CALL_SECONDS = 20.0

#: What currencies are called seldom changes.
CURRENCIES_AGE_MS = 3_600_000

#: Before a key's rights are asked for again that could not be asked for: it takes time from orders.
RIGHTS_AGAIN_MS = 60_000


def _binance_withdraws(api: Json) -> bool:
    """Binance: "Get API Key Permission"."""
    return bool(api.sapiGetAccountApiRestrictions()["enableWithdrawals"])


def _bybit_withdraws(api: Json) -> bool:
    """Bybit: "Get API Key Information"."""
    rights = api.privateGetV5UserQueryApi()["result"].get("permissions") or {}
    return "Withdraw" in (rights.get("Wallet") or ())


#: Of the exchanges that tell what a key may do.
_RIGHTS: Mapping[str, Callable[[Json], bool]] = {
    "binance": _binance_withdraws,
    "bybit": _bybit_withdraws,
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all accounts of a process share; any number of threads may use each part at once.

    Attributes:
        tables: market metadata.
        known: the same, as far as any worker has learned it.
        one_asks: lets one ask what many want to know.
        lines: ccxt's exchanges that wait for their next use.
        connections: those that are kept open.
    """

    tables: MarketTables
    known: KnownMarkets
    one_asks: OneAsks
    lines: Lines = field(default_factory=Lines)
    connections: Connections = field(default_factory=Connections)


class KeyMayWithdraw(KeyRefused):
    """The account's key can take money away, and none like it is traded with."""


def _not_told(error: VenueRejected | NotFound) -> VenueUnavailable:
    """Return that nothing was told, and whether it is the key that is refused."""
    if isinstance(error, KeyRefused):
        return VenueUnavailable(str(error), error.code)
    return VenueUnavailable(str(error))


def _refuses_key(error: HookfillError) -> bool:
    """Tell whether the key is not taken at all; one that lacks a right may do other things."""
    return isinstance(error, KeyRefused) and not isinstance(error, RightMissing)


def _note_key(error: VenueRejected | NotFound, line: Line) -> None:
    """Note what a definite no says of the key: refused for another reason, it is a good one."""
    if not _refuses_key(error):
        line.key.accepted()
    elif not line.use.is_aside:
        line.key.refused(str(error))


class Exchange:
    """An exchange for one account; any number of threads may use it at once.

    Each call has a line for itself, so that one which hangs holds up no other.

    Args:
        account: whose keys are used.
        ports: what it is built from.
        shared: with all others in this process.

    Attributes:
        account: whose keys are used.
        profile: what is known of the exchange.
        clock: the exchange's.
        one_asks: lets one ask what many want to know.
    """

    def __init__(self, account: Account, ports: VenuePorts, shared: Shared) -> None:
        self.account = account
        self.profile = profile_of(account.venue)
        self.one_asks = shared.one_asks
        self.clock = VenueClock(account.hosts, ports, shared.one_asks)
        self._ports = ports
        self._shared = shared
        self._calls = threading.local()
        self._prepared: Mapping[str, Any] | None = None
        self._may_withdraw: bool | None = None
        self._ask_rights_at_ms = 0

    @property
    def venue(self) -> VenueName:
        """The venue's name."""
        return self.account.venue

    # Questions and commands

    @contextmanager
    def call(self, seconds: float = CALL_SECONDS) -> Iterator[Line]:
        """Lend a line to this thread for a row of questions and commands, with a time for all.

        Within another call of the same thread it is that one's line, and that one's time.

        Args:
            seconds: after which no request is begun, and none is waited for.
        """
        line: Line | None = getattr(self._calls, "line", None)
        if line is not None:
            yield line
            return
        with self._shared.lines.lent(self.account, self._new_line) as line:
            line.use = VenueCall(ends_at=time.monotonic() + seconds)
            self._calls.line = line
            try:
                yield line
            finally:
                self._calls.line = None
                line.end()

    @contextmanager
    def asking(self, urgency: Urgency, *, is_public: bool = False) -> Iterator[Json]:
        """Yield ccxt's exchange for calls that only read.

        Args:
            urgency: of the requests.
            is_public: nothing is asked that needs a key.

        Raises:
            NotFound: there is no such order.
            VenueRejected: the question was refused.
            VenueUnavailable: it could not be asked.
        """
        with self.call() as line, self._on(line, urgency=urgency), self._reading(line):
            if not is_public:
                line.key.look(changes=False)
            self._make_ready(line, is_public=is_public)
            yield line.api

    @contextmanager
    def reading(self, urgency: Urgency) -> Iterator[Json]:
        """Yield ccxt's exchange for what every venue tells; see `asking`.

        Raises:
            VenueUnavailable: it could not be asked, or refused to tell.
        """
        try:
            with self.asking(urgency) as api:
                yield api
        except (VenueRejected, NotFound) as error:
            raise _not_told(error) from error

    @contextmanager
    def changing(
        self,
        urgency: Urgency,
        signed_at_ms: int | None = None,
        not_after_ms: int | None = None,
    ) -> Iterator[Json]:
        """Yield ccxt's exchange for one call that changes something.

        Args:
            urgency: of the request.
            signed_at_ms: the venue's time that the request carries; None is now. It is that of the
                intent, so that a request which was held up for long is refused by the venue.
            not_after_ms: the steady time after which it may not leave; None is any time.

        Raises:
            VenueRejected, VenueUnavailable: nothing has happened.
            OutcomeUnknown: in every other case.
        """
        with self.call() as line:
            self._make_ready_for_change(line, urgency)
            asked = {"signed_at_ms": signed_at_ms, "not_after_ms": not_after_ms, "changes": True}
            words = self.profile.duplicates, self.profile.refusals
            with (
                self._on(line, urgency=urgency, **asked),
                translated(lambda: self._status(line), *words),
            ):
                yield line.api

    def _make_ready_for_change(self, line: Line, urgency: Urgency) -> None:
        """Ask what must be known before a change; that changes nothing."""
        is_cancel = urgency is Urgency.CANCEL
        asked = urgency if is_cancel else Urgency.QUESTION
        try:
            with self._on(line, urgency=asked), self._reading(line):
                line.key.look(changes=True)
                self._make_ready(line)
                if line.breaker.is_open:
                    self._probe(line.api)
                if not is_cancel:
                    self._check_rights()
        except KeyMayWithdraw:
            raise
        except (NotFound, VenueRejected) as error:
            raise _not_told(error) from error

    @staticmethod
    def _probe(api: Json) -> None:
        """Ask something, so that whoever changes something next finds the breaker closed."""
        if api.has.get("fetchTime"):
            api.fetch_time()
        else:
            api.fetch_balance()

    def _check_rights(self) -> None:
        """Refuse to trade with a key that can withdraw, where the venue tells; it is told once.

        No exit waits for that: what could not be asked is asked again later.

        Raises:
            KeyMayWithdraw: it can.
            KeyRefused: it is not taken at all.
        """
        now_ms = self._ports.clock.steady_ms()
        if self._may_withdraw is None and now_ms >= self._ask_rights_at_ms:
            try:
                self._may_withdraw = bool(self.can_withdraw())
            except VenueUnavailable:
                self._ask_rights_at_ms = now_ms + RIGHTS_AGAIN_MS
            except HookfillError as error:
                if _refuses_key(error):
                    raise  # any key may ask that
                self._may_withdraw = False  # it does not tell this key
        if self._may_withdraw:
            raise KeyMayWithdraw("the key can withdraw; make one that can trade and read only")

    def _reading(self, line: Line) -> AbstractContextManager[None]:
        return translated_reading(lambda: self._status(line), self.profile.refusals)

    def _status(self, line: Line) -> int | None:
        refused = line.status in self.profile.refused_unread
        return HTTPStatus.TOO_MANY_REQUESTS if refused else line.status

    @contextmanager
    def _on(self, line: Line, **use: Any) -> Iterator[None]:  # noqa: ANN401 - fields by name
        """Use a line for one thing, and learn from what the exchange says to it."""
        before = line.use
        line.begin(VenueCall(ends_at=before.ends_at, **use))
        try:
            yield
            line.key.accepted()
        except VenueBusy:
            raise
        except (VenueRejected, NotFound) as error:
            if isinstance(error.__cause__, ccxt.BaseError):  # else it is our own word
                _note_key(error, line)
            raise
        except (VenueUnavailable, OutcomeUnknown) as error:
            if isinstance(error.__cause__, ccxt.InvalidNonce):
                self.clock.forget()
            told = line.status == HTTPStatus.TOO_MANY_REQUESTS  # it has said for how long
            wants_fewer = isinstance(error.__cause__, ccxt.RateLimitExceeded | ccxt.DDoSProtection)
            if wants_fewer and not told:
                line.limited(TOO_MANY[HTTPStatus.TOO_MANY_REQUESTS])
            raise
        finally:
            line.key.given_up()
            line.use = before

    def _make_ready(self, line: Line, *, is_public: bool = False) -> None:
        """Put clock offset and market metadata in place."""
        self.clock.prepare(line)
        self._shared.tables.furnish(line)
        if not is_public and self.profile.preparation and line.api.apiKey:
            known = self._prepared
            line.api.options.update(self._prepare(line) if known is None else known)

    def _prepare(self, line: Line) -> Mapping[str, Any]:
        """Ask what must be known before an order, and return the options in which ccxt has it."""

        def ask() -> Mapping[str, Any]:
            options = line.api.options
            before = dict(options)
            getattr(line.api, self.profile.preparation)()
            told = {name: options[name] for name in options if options[name] != before.get(name)}
            self._prepared = told
            return told

        name = f"prepared:{self.account.id}"
        return self.one_asks.known(name, line, lambda: self._prepared, ask)

    def _new_line(self) -> Line:
        return Line(self.account, self._ports, self._shared.connections, self.clock.now_ms)

    # Symbols and markets

    def market(self, api: Json, symbol: Symbol) -> Json | None:
        """Return ccxt's market of a symbol in the account's market, or None."""
        return api.markets.get(self.unified(symbol))

    def rules(self, symbol: Symbol) -> Json | None:
        """Return ccxt's market of a symbol by the newest rules, or None; raises as `reading`."""
        with self.reading(Urgency.QUESTION) as api, self.call() as line:
            self._shared.tables.renew(line)
            return self.market(api, symbol)

    def listing(self, symbol: Symbol) -> Listing:
        """Return whether a symbol is traded, by the newest rules; raises as `reading`."""
        with self.reading(Urgency.QUESTION) as api, self.call() as line:
            self._shared.tables.renew(line)
            return self._shared.tables.listing(line, symbol, self.market(api, symbol))

    def doubt_rules(self) -> None:
        """Let the rules be read anew before the next order; see `MarketTables.doubt`."""
        self._shared.tables.doubt(self.account)

    def contract_size(self, api: Json, symbol: Symbol) -> Decimal:
        """Return how much of ours the exchange's unit of quantity of a symbol is."""
        return parse.contract_size(self.market(api, symbol) or {})

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange can do in the market of the account."""
        return capabilities_of(self.profile.exchange_id, self.account.market)

    @property
    def buys(self) -> Buys:
        """How a market buy says how much."""
        if self.profile.buys_with_quote:
            return Buys.BY_COST
        if self.profile.market_types or self.account.market is not Market.SPOT:
            return Buys.BY_QUANTITY
        return suitability_of(self.profile.exchange_id, self.account.market).buys

    def unified(self, symbol: Symbol) -> str:
        """Return ccxt's spelling of a symbol: `BTC/USDT:USDT` in USDM, `BTC/USD:BTC` in COINM."""
        base, _, quote = symbol.partition("/")
        match self.account.market:
            case Market.SPOT:
                return str(symbol)
            case Market.USDM:
                return f"{symbol}:{quote}"
            case Market.COINM:
                return f"{symbol}:{base}"

    # What is traded, and how: read from what workers have learned, and changed by workers only

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""
        return self._shared.known.instruments(self.account.hosts, self.account.market)

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""
        return self.capabilities.order_types

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage that was set from here last; 1 where none was."""
        return self._ports.memory.leverage(self.account.id, symbol) or 1

    def learn_currencies(self) -> None:
        """Ask what the exchange calls its currencies, and keep it; once an hour for all accounts.

        Exchanges that tell nobody, or not this key, are left alone until then.
        """
        hosts = self.account.hosts
        if self._ports.locks.acquire(f"currencies:{hosts}", CURRENCIES_AGE_MS) is None:
            return
        with suppress(VenueError, NotFound), self.call() as line:
            use = {"urgency": Urgency.POLL, "is_aside": True}
            with self._on(line, **use), self._reading(line):
                self._make_ready(line, is_public=True)
                names = parse.currency_names(line.api.fetch_currencies())
            if names:
                self._ports.memory.keep_currencies(hosts, names)

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on. Twice is once.

        Raises:
            VenueRejected: the exchange does not allow it.
            VenueBusy: somebody else sets it just now.
            VenueUnavailable: it was not reached.
        """
        unified, trader = self.unified(symbol), self._trader()
        name = f"leverage:{trader}:{symbol}"
        token = self._ports.locks.acquire(name, int(CALL_SECONDS * 1000))
        if token is None:
            raise VenueBusy(f"the leverage of {symbol} is being set")
        try:
            # Without an answer nobody knows which one it is.
            self._ports.memory.forget_leverage_just_set(trader, symbol)
            self._set(lambda api: api.set_leverage(leverage, unified))
            self._ports.memory.keep_leverage(self.account.id, trader, symbol, leverage)
        finally:
            self._ports.locks.release(name, token)

    def see_to_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Set a leverage unless that was done just now; raises as `set_leverage`.

        An attempt to place an order that comes to nothing is followed by others, which must not
        use up the budget for what is so already.
        """
        if self._ports.memory.leverage_just_set(self._trader(), symbol) != leverage:
            self.set_leverage(symbol, leverage)

    def _trader(self) -> str:
        """Return a name of whoever the exchange takes us for: two accounts may have one key."""
        with self.call() as line:
            words = f"{self.account.hosts} {self.account.market} {line.api.apiKey}"
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position; raises likewise. Twice is once."""
        self._set(lambda api: api.set_position_mode(mode is PositionMode.HEDGE))

    def _set(self, change: Callable[[Json], object]) -> None:
        try:
            with self.changing(Urgency.QUESTION) as api:
                change(api)
        except (OutcomeUnknown, NotFound) as error:
            raise VenueUnavailable(str(error)) from error  # it may be set again
        except VenueRejected as error:
            # What an exchange says when a thing is already as it should be.
            if not any(word in str(error) for word in self.profile.unchanged):
                raise

    def can_withdraw(self) -> bool | None:
        """Return whether the key may take money away, or None where the venue does not tell.

        Raises:
            VenueRejected, VenueUnavailable: it would, and could not be asked.
        """
        question = _RIGHTS.get(self.profile.exchange_id)
        if question is None or self.profile.sandbox_of(self.account) is not None:
            return None
        with self.asking(Urgency.LOOK_UP) as api:
            return question(api)

    def measure_clock(self) -> tuple[int, int]:
        """Measure the venue's clock anew; see `VenueClock.measure`.

        Raises:
            VenueRejected, VenueUnavailable: it could not be asked.
        """
        with self.asking(Urgency.QUESTION, is_public=True), self.call() as line:
            return self.clock.measure(line)

    def reload_markets(self) -> int:
        """Ask for the market metadata anew, and return how many markets there are."""
        with self.asking(Urgency.QUESTION, is_public=True) as api, self.call() as line:
            self._shared.tables.ask(line)
            return len(api.markets)
