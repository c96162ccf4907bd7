"""The paper venue: its accounts, instruments and prices, and a place to wait for what follows."""

from collections.abc import Collection
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, request

from app.admin.paper_accounts import PaperAccounts
from app.admin.paper_bodies import INSTRUMENTS, PAPER_ACCOUNT, PRICES, read
from app.admin.paper_controls import control_rows
from app.admin.request_body import body_of_request, query_of_request, refused
from app.admin.waiting import PATIENCE, SETTLED, WAIT, settled
from app.bootstrap import Wiring
from app.dispatch.routes import TaskName
from app.domain.account import PAPER
from app.domain.errors import StoreError
from app.domain.identifiers import Symbol
from app.web.answers import Json
from app.web.routes import Route, blueprint_of


class _Paper:
    """What a person may set and see of the paper venue, besides its accounts."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._messages = wiring.messages
        self._paper = wiring.paper

    def put_instruments(self) -> Json:
        """Add or replace instruments; answer all of them."""
        self._paper.set_instruments(read(INSTRUMENTS, body_of_request()))
        return self._paper.instruments()

    def show_prices(self) -> Json:
        """Answer the prices as they are now."""
        return self._paper.prices()

    def put_prices(self) -> Json:
        """Set prices, as one tick, which is evaluated at once; wait for that if asked to."""
        query = query_of_request(WAIT)
        quotes = read(PRICES, body_of_request())
        self._refuse_unknown(quotes)
        number = self._paper.set_prices(quotes)
        self._messages.send(TaskName.POLL_PRICES, [PAPER], about="prices were set")
        if query["wait"]:
            return {"settled": settled(self._ports, query["timeout_ms"])}
        return {"tick": number}

    def _refuse_unknown(self, quotes: Collection[Symbol]) -> None:
        """Let pass what some instrument trades: nobody would ever see another price.

        Raises:
            MalformedPayload: something else is among it; the nearest is named.
        """
        known = {one.symbol for one in self._paper.traded.all()}
        for symbol in sorted(set(quotes) - known):
            near = get_close_matches(symbol, sorted(known), n=1, cutoff=0)
            hint = f"; the nearest is {near[0]}" if near else ""
            raise refused(f"prices.{symbol}", f"No instrument has this symbol{hint}.")

    def clear_prices(self) -> Json:
        """Leave all prices to the walk again."""
        self._paper.clear_prices()
        return self._paper.prices()

    def settle(self) -> Json:
        """Wait until everything that can happen now has happened."""
        return {"settled": settled(self._ports, query_of_request(PATIENCE)["timeout_ms"])}


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of the paper venue; those that control tests exist in the test profile."""
    paper, accounts = _Paper(wiring), PaperAccounts(wiring)
    one, prices = "/paper/accounts/<name>", "/paper/prices"
    instruments = {"allOf": [INSTRUMENTS], "required": ["instruments"]}
    quotes = {"allOf": [PRICES], "required": ["prices"]}
    rows = (
        Route("GET", one, accounts.show),
        Route("PUT", one, accounts.set, body=PAPER_ACCOUNT),
        Route("PUT", "/paper/instruments", paper.put_instruments, body=instruments),
        Route("GET", prices, paper.show_prices),
        Route("PUT", prices, paper.put_prices, query=WAIT, body=quotes),
        Route("DELETE", prices, paper.clear_prices),
        Route("POST", "/paper/settle", paper.settle, query=PATIENCE, answer=SETTLED),
    )
    controls = control_rows(wiring) if wiring.settings.fast else ()
    routes = blueprint_of("paper", "Paper venue", (*rows, *controls))
    routes.after_request(partial(_noted, wiring))
    return routes


def _noted(wiring: Wiring, response: Response) -> Response:
    """Let market data that any web process remembers be looked up anew after a change.

    Where the store does not take the note, that is remembered for a second at most. What was
    refused has changed nothing, so strangers cause no notes.
    """
    is_refused = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    if request.method != "GET" and not is_refused:
        with suppress(StoreError):
            wiring.paper.note_change()
    return response
