"""The dashboard: pages for people, rendered from what the API tells programs.

Every page asks for itself again while it is looked at (see `static/dashboard.js`), so a view is a
plain function of the store, and text that came by webhook is escaped in one place, the templates.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request, send_from_directory
from marshmallow import validate

from app.bootstrap import Wiring
from app.dialects.crypto_arsenal import reading
from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import settings_of
from app.dialects.fields import Refused, Text
from app.domain.account import Connector
from app.domain.aggregate import Aggregate
from app.domain.commands import Action
from app.domain.decision import EntryName
from app.domain.errors import HookfillError, MalformedPayload, NotFound
from app.domain.figures import plain
from app.domain.identifiers import AccountId, AccountName, AggregateId, ClientOrderId
from app.domain.market import AccountView
from app.domain.signal import SignalState
from app.domain.smart_order import SmartOrderState
from app.domain.status import OrderStatus
from app.domain.words import Kind, Market, Mode
from app.ingress.account_records import AccountRecords
from app.ingress.answers import error_answer
from app.ingress.authentication import Gate
from app.ingress.crypto_arsenal import PATH as WEBHOOK_PATH
from app.ingress.order_list import ListQuery, cursor_of, filters_from, id_from, page_of
from app.ingress.peer import is_https
from app.ingress.reading import query_of_request
from app.ingress.rows import Row, entry_row, row_of
from app.settings import is_loopback
from app.venues.paper.desk import PaperDesk

Json = dict[str, object]

STATIC: Final = Path(__file__).with_name("static")

#: Nothing but our own files is loaded or run, nothing inline, and nobody may frame a page.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

#: Rows of the overview.
ROWS: Final = 50

#: Besides the kinds of aggregate: everything. Without a kind only requests are listed, unless a
#: state is asked for, which a part of a request may be in as well.
EVERYTHING: Final = "ALL"

#: Stands where the token belongs: we keep only its hash.
TOKEN_PLACEHOLDER: Final = "YOUR_CONNECTOR_TOKEN"  # noqa: S105  it is none

#: A canary older than this is late: beat sends one every few seconds.
CANARY_LATE_MS: Final = 30_000

#: What TradingView fills in, for instance `{{timenow}}`.
_BLANK = re.compile(r"\{\{[^{}]*\}\}")

#: What may be written into a message besides its size and action, in the order of the message.
_FIELDS = (
    "percent",
    "fixed",
    "notional",
    "limit",
    "profit",
    "loss",
    "clientOrderId",
    "delaySeconds",
    "delaySecondsFilter",
    "log",
)
_TEXTS = frozenset({"clientOrderId", "delaySecondsFilter", "log"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _OverviewQuery(ListQuery):
    kind = Text(validate=validate.OneOf([*Kind, EVERYTHING]))


_QUERY = _OverviewQuery()


class _Pages:
    """Renders each page from the store as it is now."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._registry = wiring.registry
        self._accounts = AccountRecords(wiring)
        self._desk = PaperDesk(wiring.paper)
        self.gate = Gate(wiring.settings)

    def overview(self) -> str:
        """Show whether all is well, the prices of the paper venue and what came in."""
        query = query_of_request(_QUERY)
        rows, place = self._listed(query)
        asked = {name: request.args.get(name, "") for name in ("kind", "account", "state")}
        older = urlencode({**_given(asked), "cursor": cursor_of(place)}) if place else ""
        return self._page(
            "overview.html",
            health=self._health(),
            prices=self._prices(),
            rows=rows,
            asked=asked,
            kinds=list(Kind),
            accounts=[account.name for account in self._registry.accounts()],
            states=list(dict.fromkeys([*SignalState, *OrderStatus, *SmartOrderState])),
            older=older,
            newest=urlencode(_given(asked)) if query["cursor"] else None,
            is_waiting=not rows and not request.args,
            connector=next(iter(self._registry.connectors()), None),
        )

    def order(self, reference: str) -> str:
        """Show one aggregate, its family and what happened to it and to what it brought forth."""
        aggregate = self._aggregate(reference)
        members = list(self._descent(aggregate))
        return self._page(
            "order.html",
            row=self._row(aggregate),
            aggregate=aggregate,
            root=self._tree(self._root_of(aggregate)),
            timeline=self._timeline(members),
            account_state=self._ports.ledger.state_of(aggregate.account),
        )

    def accounts(self) -> str:
        """Show all accounts, what they may do, and what those of the paper venue hold."""
        return self._page(
            "accounts.html",
            accounts=[{**one, "view": self._view(one)} for one in self._accounts.all()],
        )

    def connectors(self) -> str:
        """Show all connectors, and the alert that the form asks for."""
        connectors = self._registry.connectors()
        name = request.args.get("connector", "")
        chosen = next((one for one in connectors if one.name == name), None)
        chosen = chosen or next(iter(connectors), None)
        return self._page(
            "connectors.html",
            connectors=[{"record": one, "market": self._market(one)} for one in connectors],
            chosen=chosen,
            alert=None if chosen is None else _alert(chosen, self._market(chosen), request.args),
            url=self._webhook_url(),
            is_local=is_loopback(request.host.rpartition(":")[0] or request.host),
        )

    def door(self) -> Response | None:
        """Answer those without a session with the form that asks for the token, and no more."""
        if self.gate.is_signed_in() or request.endpoint == "dashboard.file":
            return None
        response = make_response(render_template("dashboard/sign_in.html"))
        if request.path != "/":
            response.status_code = HTTPStatus.UNAUTHORIZED
        return response

    def trouble(self, error: HookfillError) -> Response:
        """Answer an error as a page, with the status that the API would give."""
        status = error_answer(error).status_code
        response = make_response(self._page("trouble.html", status=status, message=str(error)))
        response.status_code = status
        return response

    def _page(self, template: str, **content: object) -> str:
        return render_template(
            f"dashboard/{template}",
            csrf_token=self.gate.csrf_token(),
            is_fast=self._wiring.settings.fast,
            url=content.pop("url", None) or self._webhook_url(),
            **content,
        )

    # The overview

    def _listed(self, query: Mapping[str, object]) -> tuple[list[Row], object]:
        raise NotImplementedError
