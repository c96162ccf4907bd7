"""One warm ccxt exchange for one account: its clock, its budget, its way out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from http import HTTPStatus
from typing import Any

import ccxt

from app.domain.account import Account
from app.domain.errors import (
    HookfillError,
    NotFound,
    OutcomeUnknown,
    VenueBusy,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import Symbol, VenueName
from app.domain.words import Market
from app.venue_ports import Urgency
from app.venues.ccxt.capabilities import Capabilities, capabilities_of
from app.venues.ccxt.ports import VenuePorts
from app.venues.ccxt.profiles import Profile, Sandbox
from app.venues.ccxt.transport import Gateway, never_connected, session_through
from app.venues.errors import translated, translated_reading

#: Whatever ccxt gives or takes; it ships no types.
Json = Any

#: Requests in a row without an answer after which no order goes before a question was answered.
FAILURES_MAX = 5

#: Exchanges list and delist, and change their steps; an hour late is early enough.
MARKETS_AGE_MS = 3_600_000

#: Before what could not be had is asked for again.
MARKETS_PATIENCE_MS = 60_000

#: A request waits this long for the budget at most; with an order's time stamp it must arrive soon.
WAIT_MS_MAX: Mapping[Urgency, int] = {
    Urgency.CANCEL: 2_000,
    Urgency.LOOK_UP: 2_000,
    Urgency.ORDER: 1_000,
    Urgency.POLL: 0,
}


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

_CONTRACTS = {Market.USDM: "linear", Market.COINM: "inverse"}


class KeyMayWithdraw(VenueRejected):
    """The account's key can take money away, and none like it is traded with."""


class Exchange:
    """ccxt's exchange, as one account sees it; built at the first question.

    Args:
        account: whose keys are used.
        profile: what is known of the exchange.
        ports: what it is built from.
    """

    def __init__(self, account: Account, profile: Profile, ports: VenuePorts) -> None:
        self.account = account
        self.profile = profile
        self._ports = ports
        self._gateway = Gateway(ports.urls.get(account.venue), self._limited)
        self._urgency = Urgency.POLL
        self._signed_at_ms: int | None = None
        self._offset_ms = 0
        self._is_prepared = False
        self._markets_at_ms = -MARKETS_AGE_MS
        self._may_withdraw: bool | None = None

    @property
    def venue(self) -> VenueName:
        """The venue's name."""
        return self.account.venue

    @property
    def pool(self) -> str:
        """The budget that its requests are taken from."""
        return f"{self.venue}:{self._ports.address}"

    def close(self) -> None:
        """Give up the connections that are kept for later; the next question opens a new one."""
        self._gateway.close()

    # Questions and commands

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
        with self._minding(urgency), translated_reading():
            yield self._ready(is_public=is_public)

    @contextmanager
    def changing(self, urgency: Urgency, signed_at_ms: int | None = None) -> Iterator[Json]:
        """Yield ccxt's exchange for one call that changes something.

        Args:
            urgency: of the request.
            signed_at_ms: the venue's time that the request carries; None is now. It is that of the
                intent, so that a request which was held up for long is refused by the venue.

        Raises:
            VenueRejected, VenueUnavailable: nothing has happened.
            OutcomeUnknown: in every other case.
        """
        api = self._api_for_change(urgency)
        self._gateway.status = None
        self._signed_at_ms = signed_at_ms
        try:
            with self._minding(urgency), self._translated():
                yield api
        finally:
            self._signed_at_ms = None

    def _api_for_change(self, urgency: Urgency) -> Json:
        """Return ccxt's exchange, made ready by questions alone: they change nothing."""
        try:
            with self._minding(urgency), translated_reading():
                api = self._ready()
                if self._ports.budget.failures(self._breaker) >= FAILURES_MAX:
                    api.fetch_time()
                if urgency is Urgency.ORDER:
                    self._check_rights()
                return api
        except KeyMayWithdraw:
            raise
        except VenueBusy:
            raise
        except (NotFound, VenueRejected) as error:
            raise VenueUnavailable(str(error)) from error

    def _translated(self) -> Any:  # noqa: ANN401 - a context manager of the library's
        return translated(
            self._status,
            self.profile.duplicates,
            self.profile.refusals,
            never_connected,
        )

    @contextmanager
    def unchanged_is_fine(self) -> Iterator[None]:
        """Let pass what an exchange says when a thing is already as it should be."""
        try:
            yield
        except VenueRejected as error:
            if not any(word in str(error) for word in self.profile.unchanged):
                raise

    def _check_rights(self) -> None:
        """Refuse to trade with a key that can withdraw, where the venue tells; asked once.

        Raises:
            KeyMayWithdraw: it can.
        """
        if self._may_withdraw is None:
            with suppress(HookfillError):
                self._may_withdraw = self.can_withdraw()
            self._may_withdraw = bool(self._may_withdraw)
        if self._may_withdraw:
            raise KeyMayWithdraw("the key can withdraw; make one that can trade and read only")

    def _status(self) -> int | None:
        status = self._gateway.status
        refused = status in self.profile.refused_unread
        return HTTPStatus.TOO_MANY_REQUESTS if refused else status

    @contextmanager
    def _minding(self, urgency: Urgency) -> Iterator[None]:
        """Set whose budget is used, and count rows of failures."""
        before, self._urgency = self._urgency, urgency
        try:
            yield
        except VenueBusy:
            raise
        except (VenueUnavailable, OutcomeUnknown) as error:
            self._ports.budget.failed(self._breaker)
            if isinstance(error.__cause__, ccxt.InvalidNonce):
                self._ports.memory.forget_clock_offset(self.venue)
            if isinstance(error.__cause__, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
                self._limited(0, 1_000)
            raise
        except HookfillError:
            self._ports.budget.answered(self._breaker)
            raise
        else:
            self._ports.budget.answered(self._breaker)
        finally:
            self._urgency = before

    @property
    def _breaker(self) -> str:
        return f"{self.venue}:{self.account.id}"

    # Symbols and markets

    def market(self, api: Json, symbol: Symbol) -> Json | None:
        """Return ccxt's market of a symbol in the account's market, or None."""
        return api.markets.get(self.unified(symbol))

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange can do in the market of the account."""
        return capabilities_of(self.profile.exchange_id, self.account.market)

    def unified(self, symbol: Symbol) -> str:
        """Return ccxt's spelling of a symbol: `BTC/USDT:USDT` for USDⓈ-M futures."""
        base, _, quote = symbol.partition("/")
        match self.account.market:
            case Market.SPOT:
                return str(symbol)
            case Market.USDM:
                return f"{symbol}:{quote}"
            case Market.COINM:
                return f"{symbol}:{base}"

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

    # Building

    def _ready(self, *, is_public: bool = False) -> Json:
        """Return ccxt's exchange with market metadata and clock offset in place."""
        api = self.api
        if self._ports.memory.clock_offset_ms(self.venue) is None:
            self.measure_clock()
        if self._ports.clock.server_ms() - self._markets_at_ms > MARKETS_AGE_MS:
            self._refresh_markets(api)
        if not is_public and self.profile.preparation and not self._is_prepared and api.apiKey:
            getattr(api, self.profile.preparation)()
            self._is_prepared = True
        return api

    def measure_clock(self) -> tuple[int, int]:
        """Measure how far the venue's clock is ahead of the server's, and keep that.

        Returns:
            The offset and how long the answer took, in ms.
        """
        before = self._ports.clock.server_ms()
        told = int(self.api.fetch_time())
        after = self._ports.clock.server_ms()
        offset = told - (before + after) // 2
        self._ports.memory.keep_clock_offset(self.venue, offset)
        self._offset_ms = offset
        return offset, after - before

    def venue_ms(self, server_ms: int) -> int:
        """Return the venue's time at a server time."""
        known = self._ports.memory.clock_offset_ms(self.venue)
        if known is not None:
            self._offset_ms = known
        return server_ms + self._offset_ms

    def server_ms(self, venue_ms: int) -> int:
        """Return the server's time at a time of the venue."""
        return venue_ms - (self.venue_ms(0))

    def _refresh_markets(self, api: Json) -> None:
        """Load what is traded; what is known already serves on where it cannot be had anew."""
        try:
            self._load_markets(api)
        except (ccxt.BaseError, VenueBusy):
            if not api.markets:
                raise
            self._markets_at_ms += MARKETS_PATIENCE_MS

    def _load_markets(self, api: Json) -> None:
        """Take over what another worker has asked for lately, or ask, and keep it for the others.

        Raises:
            VenueUnavailable, VenueRejected: nothing is known, and the venue cannot be asked.
        """
        kept = self._ports.memory.markets(self.venue, str(self.account.market))
        if kept is None or kept.age_ms > MARKETS_AGE_MS:
            self._ask_for_markets(api)
        else:
            api.set_markets(json.loads(kept.text))
        self._markets_at_ms = self._ports.clock.server_ms()

    def _ask_for_markets(self, api: Json) -> None:
        text = json.dumps(api.fetch_markets(), default=str)
        self._ports.memory.keep_markets(self.venue, str(self.account.market), text)
        api.set_markets(json.loads(text))

    def reload_markets(self) -> int:
        """Ask for the market metadata anew, and return how many markets there are."""
        with self.asking(Urgency.LOOK_UP, is_public=True) as api:
            self._ask_for_markets(api)
            return len(api.markets)

    @cached_property
    def api(self) -> Json:
        """The exchange of ccxt; it makes no request by itself."""
        profile, account = self.profile, self.account
        api = getattr(ccxt, profile.exchange_id)(
            {
                **self._credentials(),
                "enableRateLimit": True,
                "timeout": self._ports.timeout_ms,
                "options": self._options(),
            }
        )
        api.number = str
        api.has = {**api.has, "fetchCurrencies": False}
        api.session.close()
        api.session = session_through(self._gateway, profile.headers)
        api.nonce = self._nonce
        api.throttle = self._throttle
        match profile.sandbox_of(account):
            case Sandbox.TESTNET:
                api.set_sandbox_mode(True)
            case Sandbox.DEMO:
                api.enable_demo_trading(enable=True)
            case None:
                pass
        return api

    def _credentials(self) -> Mapping[str, str]:
        return dict(self._ports.secrets(self.account))

    def _options(self) -> dict[str, Any]:
        contract = _CONTRACTS.get(self.account.market)
        options: dict[str, Any] = {
            **self.profile.options,
            "defaultType": "spot" if contract is None else "swap",
        }
        if contract is not None:
            options["defaultSubType"] = contract
        types: Sequence[str] = self.profile.market_types.get(self.account.market, ())
        if types:
            options["fetchMarkets"] = {"types": list(types)}
        if self.profile.receive_window_ms:
            options["recvWindow"] = self.profile.receive_window_ms
        return options

    def _nonce(self) -> int:
        if self._signed_at_ms is not None:
            return self._signed_at_ms
        return self.venue_ms(self._ports.clock.server_ms())

    # The budget

    def _throttle(self, cost: float | None = None) -> None:
        """Take a request's cost out of the budget that all workers share.

        Raises:
            VenueBusy: it is used up for longer than this request can wait.
        """
        cost = 1.0 if cost is None else cost
        per_second = 1000 / self.api.rateLimit
        left_ms = WAIT_MS_MAX[self._urgency]
        while True:
            wait_ms = self._ports.budget.take(self.pool, cost, per_second, self._urgency)
            if not wait_ms:
                return
            if wait_ms > left_ms:
                raise VenueBusy(f"{self.venue} wants no request for {wait_ms} ms", wait_ms)
            self._ports.pause_ms(wait_ms)
            left_ms -= wait_ms

    def _limited(self, status: int, pause_ms: int) -> None:
        del status
        self._ports.budget.freeze(self.pool, pause_ms)
