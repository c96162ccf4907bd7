"""The dashboard: pages for people, rendered from what the API tells programs.

Every page asks for itself again while it is looked at (see `static/dashboard.js`), so a view is a
plain function of the store, and text that came by webhook is escaped in one place, the templates.
"""

import hashlib
import heapq
import json
import mimetypes
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, make_response, render_template, request
from marshmallow import validate

from app.bootstrap import WEB_STORE_SECONDS, Wiring
from app.dialects.crypto_arsenal import reading
from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import settings_of
from app.dialects.fields import Refused, Text
from app.domain.account import Account, Connector
from app.domain.aggregate import Aggregate
from app.domain.commands import Action
from app.domain.decision import Entry, EntryName
from app.domain.errors import HookfillError, MalformedPayload, NotFound
from app.domain.figures import plain
from app.domain.identifiers import AccountName, AggregateId, ClientOrderId
from app.domain.signal import Signal, SignalState
from app.domain.smart_order import SmartOrderState
from app.domain.status import OrderStatus
from app.domain.words import Kind, Market, Mode
from app.ingress.account_records import AccountRecords
from app.ingress.answers import error_answer
from app.ingress.authentication import Gate
from app.ingress.crypto_arsenal import PATH as WEBHOOK_PATH
from app.ingress.health import CANARY_AGE_MAX_MS
from app.ingress.order_list import (
    ListQuery,
    Place,
    cursor_of,
    filters_from,
    id_from,
    page_of,
    place_of,
)
from app.ingress.peer import is_https
from app.ingress.reading import query_of_request
from app.ingress.rows import Row, entry_row, row_of
from app.settings import is_loopback
from app.store.backlog import RedisBacklog
from app.store.connection import connect
from app.venues.paper.desk import PaperDesk
from app.venues.paper.writing import quote_json

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

#: Aggregates that the overview looks at to find them: it is asked for again every few seconds.
LOOKED_AT_MAX: Final = 2_000

#: What the overview lists besides one kind of aggregate. Without a kind it lists requests only,
#: unless a state is asked for, which a part of a request may be in as well.
EVERYTHING: Final = "ALL"

#: Stands where the token belongs: only its hash is known here.
TOKEN_PLACEHOLDER: Final = "YOUR_CONNECTOR_TOKEN"  # noqa: S105 - it is none

#: What a message may say besides its action, as it is named on the wire.
ALERT_FIELDS: Final = (
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

#: An alert to begin with, by hand and from TradingView; there its log varies, so that the next one
#: is no repeat of it.
_SMALL_ALERT = {"percent": "10"}
_FIRST_ALERT = {**_SMALL_ALERT, "log": "{{timenow}}"}

#: What TradingView fills in, for instance `{{timenow}}`.
_BLANK = re.compile(r"\{\{[^{}]*\}\}")
_MAY_HOLD_ANYTHING = frozenset({"clientOrderId", "delaySecondsFilter", "log"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Two things of one millisecond are told in the order of a life.
_RANKS = {name: rank for rank, name in enumerate(EntryName)}


_QUERY = ListQuery.from_dict({"kind": Text(validate=validate.OneOf([*Kind, EVERYTHING]))})()


class _Pages:
    """Renders each page from the store as it is now."""

    def __init__(self, wiring: Wiring) -> None:
        self._settings = wiring.settings
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._registry = wiring.registry
        self._paper = wiring.paper
        self._accounts = AccountRecords(wiring)
        self._desk = PaperDesk(wiring.paper)
        client = connect(wiring.settings.redis_url, WEB_STORE_SECONDS)
        self._backlog = RedisBacklog(client, client)
        self._gate = Gate(wiring.settings)

    def door(self) -> Response | None:
        """Show those without a session the form that asks for the token, and nothing else."""
        if self._gate.is_signed_in() or request.endpoint == "dashboard.file":
            return None
        response = make_response(render_template("dashboard/sign_in.html"))
        if request.path != "/":
            response.status_code = HTTPStatus.UNAUTHORIZED
        return response

    def trouble(self, error: HookfillError) -> Response:
        """Show an error as a page, with the status that the API would give it."""
        status = error_answer(error).status_code
        response = make_response(self._page("trouble", status=status, message=str(error)))
        response.status_code = status
        return response

    def overview(self) -> str:
        """Show whether all is well, the prices of the paper venue and what came in."""
        query = query_of_request(_QUERY)
        found, place = self._listed(query)
        asked = {name: request.args.get(name, "") for name in ("kind", "account", "state")}
        kept = {name: text for name, text in asked.items() if text}
        connector = next(iter(self._registry.connectors()), None)
        return self._page(
            "overview",
            health=self._health(),
            prices=self._prices(),
            price_source=self._settings.prices,
            rows=[self._row(one) for one in found],
            asked=asked,
            kinds=list(Kind),
            accounts=[account.name for account in self._registry.accounts()],
            states=list(dict.fromkeys([*SignalState, *OrderStatus, *SmartOrderState])),
            newest=f"/?{urlencode(kept)}" if query["cursor"] else None,
            older=f"/?{urlencode({**kept, 'cursor': cursor_of(place)})}" if place else None,
            alert=connector and self._alert(connector, _SMALL_ALERT),
        )

    def order(self, reference: str) -> str:
        """Show one aggregate, its family, and what happened to it and what it brought forth."""
        found = id_from(reference)
        if found is None:
            found = self._ports.ids.order_of(ClientOrderId(reference))
        if found is None:
            raise NotFound(f"there is no order {reference[:64]!a}")
        aggregate = self._load(found)
        return self._page(
            "order",
            row=self._row(aggregate),
            aggregate=aggregate,
            root=self._tree(self._root_of(aggregate)),
            timeline=self._timeline(aggregate),
            account_state=self._ports.ledger.state_of(aggregate.account),
        )

    def accounts(self) -> str:
        """Show all accounts, what they may do, and what those of the paper venue hold."""
        shown = self._accounts.all()
        views = {account.name: self._view(account) for account in self._registry.accounts()}
        return self._page("accounts", accounts=shown, views=views)

    def connectors(self) -> str:
        """Show all connectors, and the alert that the form asks for."""
        connectors = self._registry.connectors()
        name = request.args.get("connector")
        chosen = next((one for one in connectors if name in {None, one.name}), None)
        return self._page(
            "connectors",
            connectors=connectors,
            markets={one.name: self._market_of(one) for one in connectors},
            alert=chosen and self._alert(chosen, request.args),
        )

    def _page(self, name: str, **content: object) -> str:
        scheme = "https" if is_https(request.environ, self._settings.trusted_proxies) else "http"
        return render_template(
            f"dashboard/{name}.html",
            page=name,
            csrf_token=self._gate.csrf_token(),
            is_fast=self._settings.fast,
            webhook_url=f"{scheme}://{request.host}{WEBHOOK_PATH}",
            is_local=is_loopback(request.host.rsplit(":", 1)[0]),
            **content,
        )

    # The overview

    def _listed(self, query: dict[str, Any]) -> tuple[Sequence[Aggregate], Place | None]:
        kind, account = query.pop("kind", None), query.pop("account", None)
        looked_at: list[Place] = []
        candidates = _noted(self._reader.newest(query["cursor"]), looked_at)
        if kind is None and "state" not in query:
            candidates = (one for one in candidates if one.parent_id is None)
        query["kind"] = None if kind in {None, EVERYTHING} else Kind(kind)
        account_id = account and self._registry.account_named(AccountName(account)).id
        found, place = page_of(candidates, filters_from(query, account_id), ROWS)
        if place is None and len(looked_at) == LOOKED_AT_MAX:
            place = looked_at[-1]
        return found, place

    def _health(self) -> Mapping[str, object]:
        now_ms, sung_ms = self._ports.clock.server_ms(), self._ports.canary.last_ms()
        age_ms = None if sung_ms is None else max(0, now_ms - sung_ms)
        return {
            "canary_age_ms": age_ms,
            "is_ready": age_ms is not None and age_ms <= CANARY_AGE_MAX_MS,
            "backlog": self._backlog.read(now_ms),
        }

    def _prices(self) -> object:
        """Return symbol → prices; of a real exchange what was seen last, for a page asks none."""
        if self._settings.prices == "walk":
            return self._desk.prices()["prices"]
        by_hand = self._paper.prices.all()
        quotes = {**self._paper.ticks.observed().quotes, **by_hand}
        shown = {symbol: quote_json(quotes[symbol]) for symbol in sorted(quotes)}
        return {
            symbol: quote and {**quote, "is_set": symbol in by_hand}
            for symbol, quote in shown.items()
        }

    # One aggregate

    def _load(self, aggregate_id: AggregateId) -> Aggregate:
        return self._ports.ledger.load(aggregate_id).aggregate

    def _row(self, aggregate: Aggregate) -> Row:
        sentence = aggregate.sentence()
        row = row_of(aggregate, self._registry.account(aggregate.account).name)
        stage = None
        if isinstance(aggregate, Signal) and aggregate.state is SignalState.EXECUTING:
            stage = aggregate.stage
        return {**row, "sentence": sentence[:1].upper() + sentence[1:], "stage": stage}

    def _root_of(self, aggregate: Aggregate) -> Aggregate:
        while aggregate.parent_id is not None:
            aggregate = self._load(aggregate.parent_id)
        return aggregate

    def _children(self, aggregate: Aggregate) -> list[Aggregate]:
        return [self._load(child) for child in self._reader.children(aggregate.id)]

    def _tree(self, aggregate: Aggregate) -> Mapping[str, object]:
        children = [self._tree(child) for child in self._children(aggregate)]
        return {"row": self._row(aggregate), "children": children}

    def _descent(self, aggregate: Aggregate) -> Iterator[Aggregate]:
        yield aggregate
        for child in self._children(aggregate):
            yield from self._descent(child)

    def _timeline(self, aggregate: Aggregate) -> Sequence[Row]:
        """Return what happened to an aggregate and its descent as one row of lines."""
        told = [
            [(entry, process, one) for entry, process in self._reader.timeline(one.id)]
            for one in self._descent(aggregate)
        ]
        lines: list[Row] = []
        before_ms = None
        for entry, process, one in heapq.merge(*told, key=lambda line: _moment_of(line[0])):
            gap = "" if before_ms is None else f"+{span(entry.at_ms - before_ms)}"
            owner = None if one.id == aggregate.id else self._row(one)
            lines.append({**entry_row(entry, process), "gap": gap, "of": owner})
            before_ms = entry.at_ms
        return lines

    # Accounts and connectors

    def _view(self, account: Account) -> Mapping[str, object] | None:
        """Return what an account of the paper venue holds; nothing about those of other venues."""
        if account.mode is not Mode.PAPER:
            return None
        view = self._ports.venues.of(account).view()
        balances = [
            (currency, plain(one.total), plain(one.available), plain(one.total - one.available))
            for currency, one in sorted(view.balances.items())
        ]
        positions = [
            (symbol, side, plain(one.size), plain(one.available), plain(one.entry_price))
            for (symbol, side), one in sorted(view.positions.items())
            if one.size
        ]
        return {"balances": balances, "positions": positions}

    def _market_of(self, connector: Connector) -> Market:
        return self._registry.account_named(connector.account).market

    def _alert(self, connector: Connector, form: Mapping[str, str]) -> Mapping[str, object]:
        """Return the message that a form asks for, and what the dialect would say about it."""
        market, settings = self._market_of(connector), settings_of(connector.settings)
        actions = {_word(one): one for one in Action if _is_for(one, market)}
        word = form["action"] if form.get("action") in actions else next(iter(actions))
        fields = _fields_of(actions[word])
        given = form or _FIRST_ALERT
        asked = {name: given.get(name, "").strip() for name in ALERT_FIELDS}
        said = {name: asked[name] for name in fields if asked[name]}
        wrong, refused = {}, ""
        try:
            reading.command_from({"action": word, **_filled_in(said)}, market, settings)
        except MalformedPayload as error:
            wrong, refused = error.fields, str(error)
        message: dict[str, object] = {
            "connectorName": connector.name,
            "connectorToken": TOKEN_PLACEHOLDER,
            "action": word,
            **said,
        }
        if asked["delaySeconds"].isdecimal() and "delaySeconds" in said:
            message["delaySeconds"] = int(asked["delaySeconds"])
        return {
            "connector": connector,
            "actions": list(actions),
            "action": word,
            "fields": fields,
            "asked": asked,
            "wrong": wrong,
            "refused": refused,
            "line": json.dumps(message, ensure_ascii=False),
            "lines": json.dumps(message, ensure_ascii=False, indent=2),
        }


def _noted(newest: Iterator[Aggregate], places: list[Place]) -> Iterator[Aggregate]:
    """Yield as many as may be looked at, and note where each stands."""
    for one in islice(newest, LOOKED_AT_MAX):
        places.append(place_of(one))
        yield one


def _moment_of(entry: Entry) -> tuple[int, int]:
    return entry.at_ms, _RANKS[entry.name]


def _word(action: Action) -> str:
    """Return the action as it is written on the wire: `openLong`."""
    first, *rest = action.lower().split("_")
    return "".join([first, *map(str.title, rest)])


def _is_for(action: Action, market: Market) -> bool:
    try:
        reading.command_from({"action": _word(action)}, market, settings_of({}))
    except MalformedPayload as error:
        return error.code != "market_mismatch"
    return True


def _fields_of(action: Action) -> list[str]:
    """Return which fields play a part in an action, in the order of the message."""
    shape = SCHEMAS[action].fields
    named = {
        field.data_key or name for name, field in shape.items() if not isinstance(field, Refused)
    }
    return [name for name in ALERT_FIELDS if name in named]


def _filled_in(said: Mapping[str, str]) -> dict[str, str]:
    """Return a message as TradingView may send it; numbers that it fills in are left out."""
    texts = {name: said[name] for name in said if name in _MAY_HOLD_ANYTHING}
    numbers = {name: said[name] for name in said if not _BLANK.search(said[name])}
    return {**numbers, **{name: _BLANK.sub("1", text) for name, text in texts.items()}}


def iso(at_ms: int) -> str:
    """Return a time as browsers and people without them read it: `2026-11-21T08:46:12.123Z`."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def span(ms: int) -> str:
    """Return a length of time: `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`."""
    if ms < 1_000:  # noqa: PLR2004 - a second
        return f"{ms} ms"
    seconds, rest_ms = divmod(ms, 1_000)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds}.{rest_ms // 100} s"
    steps = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
    length, unit, part, part_unit = next(step for step in steps if seconds >= step[0])
    return f"{seconds // length} {unit} {seconds % length // part} {part_unit}"


class _Files:
    """The style sheet, the script and the icon, which a browser may keep until they change."""

    def __init__(self) -> None:
        self._contents = {path.name: path.read_bytes() for path in STATIC.iterdir()}
        self._versions = {
            name: hashlib.sha256(content).hexdigest()[:12]
            for name, content in self._contents.items()
        }

    def address(self, filename: str) -> str:
        """Return where a file is found, with the version that it has now."""
        return f"/static/{filename}?v={self._versions[filename]}"

    def send(self, filename: str) -> Response:
        """Answer one file."""
        if filename not in self._contents:
            abort(HTTPStatus.NOT_FOUND)
        mimetype, _ = mimetypes.guess_type(filename)
        response = Response(self._contents[filename], mimetype=mimetype)
        response.set_etag(self._versions[filename])
        is_current = request.args.get("v") == self._versions[filename]
        lasting = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = lasting if is_current else "no-cache"
        response.make_conditional(request)
        return response


def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the pages and their files."""
    routes = Blueprint("dashboard", __name__, template_folder="templates")
    pages, files = _Pages(wiring), _Files()
    routes.before_request(pages.door)
    routes.after_request(_guarded)
    routes.register_error_handler(HookfillError, pages.trouble)
    routes.context_processor(
        lambda: {
            "address_of": files.address,
            "events": list(EntryName),
            "iso": iso,
            "quote": shlex.quote,
            "span": span,
            "token_placeholder": TOKEN_PLACEHOLDER,
        }
    )
    for path, name, view in (
        ("/", "overview", pages.overview),
        ("/ui/orders/<reference>", "order", pages.order),
        ("/ui/accounts", "accounts", pages.accounts),
        ("/ui/connectors", "connectors", pages.connectors),
        ("/static/<path:filename>", "file", files.send),
    ):
        routes.add_url_rule(path, name, view, methods=["GET"])
    return routes
