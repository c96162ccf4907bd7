"""Who is calling our own paths: somebody with the admin token, or a dashboard that had it."""

from typing import Final

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.admin.attempts import Attempts
from app.admin.request_body import Strict, body_of_request
from app.admin.sessions import COOKIE, LIFE_SECONDS, Sessions
from app.bootstrap import Wiring
from app.dialects.three_commas import operations as three_commas_operations
from app.domain.errors import NotAuthenticated, NotPermitted
from app.settings import Settings, derived
from app.web.fields import Text, loaded
from app.web.peer import address_of, is_https

#: Rules of the routes that are open without credentials. Every other route asks for some, be it
#: here or in the way of its dialect.
OPEN_ROUTES: Final = frozenset(
    {
        "/",  # without a session only the form that asks for the admin token
        "/login",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/static/<path:filename>",
        # The market data of Poloniex, as there.
        "/timestamp",
        "/currencies",
        "/currencies/<code>",
        "/v2/currencies",
        "/v2/currencies/<code>",
        "/v3/market/allInstruments",
        "/markets",
        "/markets/price",
        "/markets/ticker24h",
        "/markets/<symbol>",
        "/markets/<symbol>/price",
        "/markets/<symbol>/ticker24h",
        "/markets/<symbol>/orderBook",
        "/markets/<symbol>/candles",
        "/markets/<symbol>/trades",
        *three_commas_operations.OPEN,
    }
)

#: Methods that change nothing, so that nobody gains from having them called by a stranger.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class Gate:
    """Lets pass who has the admin token, or a session and, for changes, its CSRF token.

    Args:
        settings: with the admin token; another token ends every session.
    """

    def __init__(self, settings: Settings) -> None:
        self._token = settings.admin_token
        self._sessions = Sessions(derived(settings.admin_token.reveal(), "dashboard session"))

    def check(self) -> None:
        """Refuse the current request unless it may pass; for `before_request` of a blueprint.

        Raises:
            NotAuthenticated: neither token nor session.
            NotPermitted: a session, but not its CSRF token.
        """
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not self.opens(token.strip()):
                raise NotAuthenticated("the admin token is missing or wrong")
            return
        if not self.is_signed_in():
            raise NotAuthenticated("the admin token is missing or wrong")
        if request.method not in _SAFE_METHODS and not self._has_csrf_token():
            raise NotPermitted("the CSRF token of the session is missing or wrong")

    def opens(self, token: str) -> bool:
        """Tell whether this is the admin token."""
        return self._token.matches(token)

    def is_signed_in(self) -> bool:
        """Tell whether the request belongs to a session of the dashboard."""
        return self._sessions.is_valid(request.cookies.get(COOKIE, ""))

    def begin_session(self) -> str:
        """Return the cookie of a new session."""
        return self._sessions.begin()

    def csrf_token(self, cookie: str | None = None) -> str:
        """Return what changes must bring as `X-CSRF-Token` or as form field `csrf_token`.

        Args:
            cookie: of a session that has just begun; else it is the request's.
        """
        return self._sessions.csrf_token(cookie or request.cookies.get(COOKIE, ""))

    def _has_csrf_token(self) -> bool:
        said = request.headers.get("X-CSRF-Token")
        if said is None and request.mimetype in _FORMS:
            said = request.form.get("csrf_token")
        return self._sessions.is_csrf_token(request.cookies.get(COOKIE, ""), said or "")


class _Login(Strict):
    token = Text(required=True)


_LOGIN = _Login()


class _Door:
    """Begins and ends sessions."""

    def __init__(self, wiring: Wiring) -> None:
        self._gate = Gate(wiring.settings)
        self._trusted = wiring.settings.trusted_proxies
        self._attempts = Attempts() if wiring.settings.rate_limits else None

    def log_in(self) -> AnyResponse:
        """Begin a session: a form is sent on to the dashboard, a program gets the CSRF token."""
        address = address_of(request.environ, self._trusted)
        if self._attempts is not None:
            self._attempts.check(address)
        is_form = request.mimetype in _FORMS
        token = request.form.get("token", "") if is_form else _token_of_body()
        if not self._gate.opens(token):
            if self._attempts is not None:
                self._attempts.fail(address)
            raise NotAuthenticated("the admin token is wrong")
        if self._attempts is not None:
            self._attempts.succeed(address)
        cookie = self._gate.begin_session()
        answer = {"csrf_token": self._gate.csrf_token(cookie), "expires_in_seconds": LIFE_SECONDS}
        response = redirect("/", 303) if is_form else jsonify(answer)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LIFE_SECONDS,
            secure=is_https(request.environ, self._trusted),
            httponly=True,
            samesite="Strict",
        )
        return response

    def log_out(self) -> Response:
        """Let the browser forget the session."""
        self._gate.check()
        response = Response(status=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
        return response


def _token_of_body() -> str:
    token: str = loaded(_LOGIN, body_of_request())["token"]
    return token


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route by which a person signs in to the dashboard, and out."""
    routes = Blueprint("authentication", __name__)
    door = _Door(wiring)
    routes.add_url_rule("/login", "log_in", door.log_in, methods=["POST"])
    routes.add_url_rule("/login", "log_out", door.log_out, methods=["DELETE"])
    return routes
