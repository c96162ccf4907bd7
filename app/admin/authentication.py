"""Who is calling our own paths: somebody with the admin token, or a dashboard that had it."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.admin.request_body import body_of_request, form_of_request
from app.admin.sessions import COOKIE, LIFE_SECONDS, Sessions
from app.bootstrap import Wiring
from app.domain.errors import NotAuthenticated, NotPermitted
from app.settings import derived
from app.web.fields import Strict, Text, loaded
from app.web.guesses import Guesses
from app.web.peer import is_https
from app.web.routes import OPERATION, Access, Route, blueprint_of, route_of_request
from app.web.strangers import Strangers

#: Methods that change nothing, so that nobody gains from having them called by a stranger.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class _Login(Strict):
    token = Text(required=True)


_LOGIN = _Login()


class Gate:
    """Lets pass who has the admin token, or a session and, for changes, its CSRF token.

    Args:
        wiring: of a web process, with the admin token; another token ends every session.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._settings = wiring.settings
        self._guesses = Guesses(wiring, "admin")
        self._strangers = Strangers(wiring)
        key = derived(wiring.settings.admin_token.reveal(), "dashboard session")
        self._sessions = Sessions(key, wiring.ports.used_keys)

    def admit(self) -> AnyResponse | None:
        """Let pass whom the row of the route lets pass; for `before_request` of the app.

        What no row names is for the admin alone, so a route that somebody forgot is not open.

        Returns:
            The form that asks for the admin token, in the place of a page.

        Raises:
            NotAuthenticated, TooManyGuesses, NotPermitted, StoreUnavailable: as `check`.
            RateLimited: this address asks too often for what needs no credentials.
        """
        if request.url_rule is None:
            return None  # nothing answers here, and that may be said to everybody
        route = route_of_request()
        match Access.ADMIN if route is None else route.access:
            case Access.ADMIN:
                self.check()
            case Access.SESSION if not self._is_signed_in():
                self._strangers.admit(request.environ)
                status = HTTPStatus.OK if request.path == "/" else HTTPStatus.UNAUTHORIZED
                return make_response(render_template("dashboard/sign_in.html"), status)
            case Access.OPEN if route is not None and not route.is_light:
                self._strangers.admit(request.environ)
            case _:
                pass
        return None

    def check(self) -> None:
        """Refuse the current request unless it comes from the admin.

        Raises:
            NotAuthenticated: neither token nor session.
            TooManyGuesses: a wrong token, and too many before it.
            NotPermitted: a session, but not its CSRF token.
            StoreUnavailable: a session, and whether it was ended cannot be told.
        """
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            self._refuse_wrong(token.strip() if scheme.lower() == "bearer" else "")
            return
        if not self._is_signed_in():
            raise NotAuthenticated("the admin token is missing or wrong")
        if request.method not in _SAFE_METHODS and not self._has_csrf_token():
            raise NotPermitted("the CSRF token of the session is missing or wrong")

    def csrf_token(self) -> str:
        """Return what changes must bring as `X-CSRF-Token` or as form field `csrf_token`."""
        return self._sessions.csrf_token(request.cookies.get(COOKIE, ""))

    def admission(self) -> Callable[[], bool]:
        """Return what tells later whether whoever sends this request is let in still."""
        if "Authorization" in request.headers:
            return lambda: True
        return partial(self._sessions.is_valid, request.cookies.get(COOKIE, ""))

    def log_in(self) -> AnyResponse:
        """Begin a session: a form is sent on to the dashboard, a program gets the CSRF token."""
        is_form = request.mimetype in _FORMS
        said = form_of_request() if is_form else loaded(_LOGIN, body_of_request())
        self._refuse_wrong(said.get("token", ""))
        cookie = self._sessions.begin()
        answer = {
            "csrf_token": self._sessions.csrf_token(cookie),
            "expires_in_seconds": LIFE_SECONDS,
        }
        response = redirect("/", 303) if is_form else jsonify(answer)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LIFE_SECONDS,
            secure=is_https(request.environ, self._settings.trusted_proxies),
            httponly=True,
            samesite="Strict",
        )
        return response

    def log_out(self) -> Response:
        """End the session, also for whoever has a copy of its cookie."""
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response = Response(status=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
        return response

    def _refuse_wrong(self, token: str) -> None:
        def check() -> None:
            if not self._settings.admin_token.matches(token):
                raise NotAuthenticated("the admin token is missing or wrong")

        self._guesses.judge(request.environ, "", check, check)

    def _is_signed_in(self) -> bool:
        return self._sessions.is_valid(request.cookies.get(COOKIE, ""))

    def _has_csrf_token(self) -> bool:
        said = request.headers.get("X-CSRF-Token")
        if said is None and request.mimetype in _FORMS:
            said = form_of_request().get("csrf_token")
        return self._sessions.is_csrf_token(request.cookies.get(COOKIE, ""), said or "")


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route by which a person signs in to the dashboard, and out."""
    gate = Gate(wiring)
    rows = (
        Route("POST", "/login", gate.log_in, access=Access.OPEN, body=_LOGIN),
        Route("DELETE", "/login", gate.log_out, answers={204: "Ended."}),
    )
    return blueprint_of("authentication", OPERATION, rows)
