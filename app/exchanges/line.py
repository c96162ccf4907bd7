"""ccxt's exchange with the keys of one account, in the hands of one thread at a time."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3.util import Timeout

from app.domain.account import Account
from app.domain.errors import OutcomeUnknown, StoreError, VenueBusy, VenueError
from app.exchanges.account_key import AccountKey
from app.exchanges.breaker import Breaker
from app.exchanges.catalog import profile_of
from app.exchanges.credentials import credential_names
from app.exchanges.ports import VenuePorts
from app.exchanges.templates import copied
from app.exchanges.transport import (
    CONNECT_SECONDS,
    Connections,
    moved,
    on_connection,
    pause_ms_of,
    session_through,
)
from app.store.memory.venue_budget import Urgency

#: A request waits this long for the budget at most; with an order's time stamp it must arrive soon.
WAIT_MS_MAX: Mapping[Urgency, int] = {
    Urgency.CANCEL: 2_000,
    Urgency.LOOK_UP: 2_000,
    Urgency.ORDER: 1_000,
    Urgency.QUESTION: 2_000,
    Urgency.POLL: 0,
    Urgency.GUARDED: 0,
}

#: A question waits for longer after another one of the same call: else that was asked in vain. It
#: takes what questions leave to orders beyond the orders' own share, so these do not wait for it.
WAIT_ON_MS_MAX = 4_000

#: A request with less time than this before it would only leave its outcome in doubt.
_LEAST_SECONDS = 0.1

#: Before what there was no time for is tried again.
_AGAIN_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCall:
    """What a line is used for at the moment.

    Attributes:
        ends_at: the moment of the monotonic clock by which all requests must be answered.
        urgency: of the requests.
        signed_at_ms: the venue's time that they carry; None is now.
        not_after_ms: the steady time after which nothing that changes anything may leave.
        changes: whether it is to change anything.
        is_aside: a refusal is none of the key, which may be without this one right.
    """

    ends_at: float
    urgency: Urgency = Urgency.POLL
    signed_at_ms: int | None = None
    not_after_ms: int | None = None
    changes: bool = False
    is_aside: bool = False


class Line(BaseAdapter):
    """One ccxt exchange, and the way out for all its requests; it makes none by itself.

    Args:
        account: whose keys it has.
        ports: what it is built from.
        connections: those of the process.
        venue_now_ms: tells the venue's time.

    Attributes:
        account: whose keys it has.
        api: ccxt's exchange.
        breaker: what keeps requests from it.
        key: what is known of the account's key.
        status: the HTTP status of the last answer, or None if there was none.
        use: what it is used for.
        table: what is traded, as ccxt has it in `api`; None before it has.
    """

    def __init__(
        self,
        account: Account,
        ports: VenuePorts,
        connections: Connections,
        venue_now_ms: Callable[[], int],
    ) -> None:
        super().__init__()
        self.account = account
        self.breaker = Breaker(account, ports)
        self.key = AccountKey(account, ports)
        self.status: int | None = None
        self._ports = ports
        self._connections = connections
        self._venue_now_ms = venue_now_ms
        self._has_left = self._had_left = self._has_asked = False
        self.use = VenueCall(ends_at=0)
        self.table: object = None
        self.api = api = copied(account)
        secrets, profile = ports.secrets(account), profile_of(account.venue)
        # No others: any word that is set here is a switch of ccxt's, its proxy or its host.
        for name in credential_names(profile.exchange_id):
            if name in secrets:
                setattr(api, name, secrets[name])
        api.timeout = ports.timeout_ms
        api.session = session_through(self, profile.headers)
        api.nonce = self._nonce
        api.throttle = self._throttle
        self._has_credentials = api.check_required_credentials
        api.check_required_credentials = self._sign

    @property
    def left_seconds(self) -> float:
        """How much time is left for what it is used for."""
        return self.use.ends_at - time.monotonic()

    def begin(self, use: VenueCall) -> None:
        """Use it for something else from now on, within the time that there was."""
        self.use = replace(use, ends_at=min(use.ends_at, self.use.ends_at))
        self.status = None
        self._has_left = self._had_left = False

    def end(self) -> None:
        """Use it for nothing any more."""
        self._has_asked = False
        with suppress(StoreError):
            self.breaker.give_back()

    def limited(self, pause_ms: int) -> None:
        """Let nobody send anything for a while: the venue said so."""
        self._ports.budget.freeze(self._pool, pause_ms)

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        timeout: float,
        **options: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send a request, once, and note what came back."""
        self.status = None
        base_url = self._ports.urls.get(self.account.venue)
        if base_url is not None and request.url is not None:
            request.url = moved(request.url, base_url)
        proxy = self._ports.proxy_of(self.account.venue)
        options["proxies"] = {} if proxy is None else {"http": proxy, "https": proxy}
        patience = Timeout(connect=CONNECT_SECONDS, read=timeout, total=self._leave())
        has_left, answered = True, False
        on_connection.set(self._look_again)
        try:
            response = self._connections.send(request, timeout=patience, **options)  # type: ignore[arg-type]  # as documented
            self.status = response.status_code
            _ = response.content  # all of it, before it counts as an answer
            answered = response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        except VenueError:
            has_left = False  # it was refused here, with the connection open
            raise
        finally:
            if has_left:
                self.breaker.noted(answered=answered)
        pause_ms = pause_ms_of(response)
        if pause_ms is not None:
            self.status = HTTPStatus.TOO_MANY_REQUESTS
            self.limited(pause_ms)
        return response

    def close(self) -> None:
        """Do nothing: the connections are those of the process."""

    # Before each request

    def _leave(self) -> float:
        """Return the seconds that there are for a request which is about to leave.

        Raises:
            VenueBusy: there are none, or it is too late for it.
            OutcomeUnknown: so it is, and an earlier request of the same change has left.
        """
        self._had_left, left = self._has_left, self.left_seconds
        if left < _LEAST_SECONDS:
            raise self._refusal(f"{self.account.venue} was too slow for all that had to be asked")
        self._check_moment()
        self._has_left = self.use.changes
        return left

    def _look_again(self) -> None:
        """Look once more, with the connection open and nothing sent: it took its time, perhaps.

        Raises:
            VenueBusy, OutcomeUnknown: as in `_leave`; or it is to send nothing by now.
        """
        self._check_moment()
        try:
            with suppress(StoreError):  # it was looked at just now
                self._ports.budget.take(self._pool, 0.0, 1.0, self.use.urgency, 0)
        except VenueBusy as error:
            self._has_left = self._had_left
            raise self._refusal(str(error)) from error

    def _check_moment(self) -> None:
        """Refuse what is too late to be sent.

        Raises:
            VenueBusy, OutcomeUnknown: as in `_leave`.
        """
        not_after_ms = self.use.not_after_ms
        if not_after_ms is not None and self._ports.clock.steady_ms() > not_after_ms:
            self._has_left = self._had_left
            raise self._refusal("it is too late to send what was claimed so long ago")

    def _refusal(self, message: str) -> VenueError:
        return OutcomeUnknown(message) if self._had_left else VenueBusy(message, _AGAIN_MS)

    def _throttle(self, cost: float | None = None) -> None:
        """Take a request's cost out of the budget that all workers share.

        Raises:
            VenueBusy: it is used up for longer than this request can wait.
        """
        self.key.accepted()  # by the request before this one
        self.breaker.admit(changes=self.use.changes)
        cost = 1.0 if cost is None else cost
        urgency, rate = self.use.urgency, 1000 / self.api.rateLimit
        goes_on = self._has_asked and urgency is Urgency.QUESTION
        most_ms = WAIT_ON_MS_MAX if goes_on else WAIT_MS_MAX[urgency]
        patience_ms = min(most_ms, max(int(self.left_seconds * 1000), 0))
        take = self._ports.budget.take
        while wait_ms := take(self._pool, cost, rate, urgency, patience_ms):
            self._ports.clock.sleep(wait_ms)
            # It is taken; but somebody may have been told meanwhile that nobody may send anything.
            cost, patience_ms = 0.0, max(patience_ms - wait_ms, 0)
        self._has_asked = True

    def _sign(self, error: bool = True) -> bool:  # noqa: FBT001, FBT002 - as ccxt calls it
        """Tell whether there are credentials; ccxt asks so, `error` set, for each that it signs.

        Raises:
            KeyHeld, VenueBusy: nothing may be signed with them now.
        """
        has_them: bool = self._has_credentials(error)
        if error:
            self.key.admit(changes=self.use.changes, ends_at=self.use.ends_at)
        return has_them

    @property
    def _pool(self) -> str:
        """The budget that its requests are taken from."""
        return f"{self.account.hosts}:{self._ports.address}"

    def _nonce(self) -> int:
        signed_at_ms = self.use.signed_at_ms
        return self._venue_now_ms() if signed_at_ms is None else signed_at_ms
