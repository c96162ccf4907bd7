"""Every route that is no page, as the documentation tells of it.

A test compares this table with the routes that there are, so that none is undocumented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from marshmallow import Schema

from app.admin.order_list import ListQuery
from app.admin.symbols import SymbolQuery, VenueQuery
from app.admin.waiting import Patience, Wait
from app.dialects.hummingbot import operations as hummingbot_operations
from app.dialects.poloniex import operations as poloniex_operations
from app.dialects.three_commas import operations as three_commas_operations
from app.openapi import operation_bodies as bodies
from app.web.json_schema import Json

#: Status → what it means, where nothing more particular is to be said.
_DONE: Final = {200: "As asked."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route.

    Attributes:
        path: the rule, as Flask writes it.
        tag: the chapter that it stands in.
        query: what it takes in its query.
        body: the JSON schema of its body.
        answer: the JSON schema of its good answer; None says nothing about it.
        answers: status → what it means, besides the errors that are everywhere.
        is_open: whether it asks for nothing in a header.
        scheme: what it asks for else, `admin` (our own token) or `basic` (user and password).
    """

    method: str
    path: str
    tag: str
    summary: str
    query: Schema | None = None
    body: Json | None = None
    answer: Json | None = None
    answers: Mapping[int, str] = field(default_factory=lambda: _DONE)
    is_open: bool = False
    scheme: str = "admin"


def _operations(tag: str, *rows: tuple[str, str, str, Mapping[str, object]]) -> list[Operation]:
    return [
        Operation(method=method, path=path, tag=tag, summary=summary, **details)  # type: ignore[arg-type]  # each row names fields
        for method, path, summary, details in rows
    ]


_NOTHING: Final[Mapping[str, object]] = {}
_OPEN: Final[Mapping[str, object]] = {"is_open": True}
_RECORD: Final = "Create it, or change what the body names. A secret that was made is shown once."
_OFF: Final = "Switch it off; nothing is deleted."
_SETTLED: Final = {"query": Patience(), "answer": bodies.SETTLED}

OPERATIONS: Final[Sequence[Operation]] = (
    *_operations(
        "Signals",
        (
            "POST",
            "/trading-signal/webhook",
            "Take in a Crypto Arsenal signal; its token is in the body.",
            {
                "body": bodies.WEBHOOK,
                "is_open": True,
                "answers": {200: "`ok`: stored durably.", 409: "The connector is switched off."},
            },
        ),
        (
            "POST",
            "/v1/order",
            "Take in an apisify order; key and signature are in the body.",
            {
                "body": bodies.APISIFY_ORDER,
                "answer": bodies.APISIFY_ACCEPTED,
                "is_open": True,
                "answers": {200: "Stored durably.", 401: "Key, time or signature."},
            },
        ),
    ),
    *_operations("Hummingbot", *hummingbot_operations.ROWS),
    *_operations("Poloniex", *poloniex_operations.ROWS),
    *_operations("3Commas", *three_commas_operations.ROWS),
    *_operations(
        "Orders",
        (
            "GET",
            "/api/orders",
            "What came in and what became of it, newest first.",
            {"query": ListQuery(), "answer": bodies.ROWS},
        ),
        (
            "GET",
            "/api/orders/<reference>",
            "One row by id or client order id, with children and timeline.",
            {"answer": bodies.DETAIL},
        ),
        ("POST", "/api/orders/<reference>/cancel", "Ask it to end.", {"answer": bodies.CANCELED}),
        (
            "POST",
            "/api/orders/<reference>/resolve",
            "Say what became of an UNKNOWN order whose venue cannot be asked.",
            {"body": bodies.OUTCOME, "answer": bodies.DETAIL},
        ),
        ("GET", "/api/events", "Timeline entries as they happen, as server-sent events.", _NOTHING),
    ),
    *_operations(
        "Setting up",
        ("GET", "/api/accounts", "All accounts.", _NOTHING),
        ("GET", "/api/accounts/<name>", "One account, without credentials.", _NOTHING),
        ("PUT", "/api/accounts/<name>", _RECORD, {"body": bodies.ACCOUNT}),
        ("DELETE", "/api/accounts/<name>", _OFF, _NOTHING),
        (
            "POST",
            "/api/accounts/<name>/test",
            "Look whether the account can be traded with; nothing changes at its venue.",
            {"answer": bodies.FINDINGS},
        ),
        (
            "GET",
            "/api/accounts/<name>/reconciliation",
            "How the account compared with its venue last, and what waits for a person.",
            {"answer": bodies.RECONCILIATION},
        ),
        (
            "POST",
            "/api/accounts/<name>/reconciliation",
            "Compare the account with its venue now.",
            {
                "answer": bodies.RECONCILED,
                "answers": {200: "Compared.", 202: "It takes longer.", 409: "A paper account."},
            },
        ),
        (
            "DELETE",
            "/api/accounts/<name>/orphaned-fills/<client_order_id>",
            "Say that you have seen a fill whose order is not known here any more.",
            {"answer": bodies.RECONCILIATION},
        ),
        (
            "POST",
            "/api/accounts/<name>/venue-cancels",
            "Cancel an order that is open at the venue and that nobody here follows.",
            {
                "body": bodies.VENUE_CANCEL,
                "answer": bodies.VENUE_CANCELED,
                "answers": {
                    200: "Its outcome is known; `state` names it.",
                    202: "Its outcome is not known yet; it is looked up again.",
                },
            },
        ),
        ("GET", "/api/recovery", "Frozen accounts: why, and what waits for release.", _NOTHING),
        (
            "POST",
            "/api/accounts/<name>/recovery",
            "Release a frozen account.",
            {
                "body": bodies.RELEASE,
                "answers": {200: "Released.", 409: "Not frozen, or for something else by now."},
            },
        ),
        ("GET", "/api/venues", "Venues, and whether each can be asked by our ids.", _NOTHING),
        (
            "GET",
            "/api/symbols/resolve",
            "What a spelling of a symbol means at a venue.",
            {"query": SymbolQuery()},
        ),
        ("GET", "/api/symbols", "Spellings that were set for a venue.", {"query": VenueQuery()}),
        (
            "PUT",
            "/api/symbols",
            "Set what a spelling means at a venue; null takes it away.",
            {"body": bodies.SPELLING},
        ),
        ("GET", "/api/connectors", "All connectors.", _NOTHING),
        ("GET", "/api/connectors/<name>", "One connector, without its token.", _NOTHING),
        ("PUT", "/api/connectors/<name>", _RECORD, {"body": bodies.CONNECTOR}),
        ("DELETE", "/api/connectors/<name>", _OFF, _NOTHING),
        ("GET", "/api/clients", "All API clients.", _NOTHING),
        ("GET", "/api/clients/<dialect>/<key>", "One client, without its secret.", _NOTHING),
        ("PUT", "/api/clients/<dialect>/<key>", _RECORD, {"body": bodies.CLIENT}),
        ("DELETE", "/api/clients/<dialect>/<key>", _OFF, _NOTHING),
    ),
    *_operations(
        "Paper venue",
        ("GET", "/paper/accounts/<name>", "One account with its ledger and fills.", _NOTHING),
        (
            "PUT",
            "/paper/accounts/<name>",
            "Set what the body names; create or reset the account.",
            {"body": bodies.PAPER_ACCOUNT},
        ),
        ("PUT", "/paper/instruments", "Add or replace instruments.", {"body": bodies.INSTRUMENTS}),
        ("GET", "/paper/prices", "Prices as they are now.", _NOTHING),
        (
            "PUT",
            "/paper/prices",
            "Set prices, as one tick.",
            {"query": Wait(), "body": bodies.PRICES},
        ),
        ("DELETE", "/paper/prices", "Leave all prices to the walk again.", _NOTHING),
        ("POST", "/paper/settle", "Wait until what can happen now has happened.", _SETTLED),
    ),
    *_operations(
        "Test controls",
        ("GET", "/paper/clock", "The business time.", _NOTHING),
        ("POST", "/paper/clock", "Move the business time.", {"body": bodies.CLOCK, **_SETTLED}),
        ("PUT", "/paper/faults/<account>", "Plan faults.", {"body": bodies.FAULTS}),
        ("DELETE", "/paper/faults/<account>", "Plan no faults.", _NOTHING),
    ),
    *_operations(
        "Operation",
        ("GET", "/healthz", "Whether the process runs.", _OPEN),
        (
            "GET",
            "/readyz",
            "Whether the store answers and the queue carries messages.",
            {"is_open": True, "answers": {200: "Ready.", 503: "Not ready; `problems` says why."}},
        ),
        (
            "POST",
            "/api/doctor",
            "Look whether store, queue and the venues of all accounts are as they should be.",
            {"answer": bodies.FINDINGS},
        ),
        (
            "GET",
            "/api/quarantine",
            "Records that this release cannot read, each with why and since when.",
            _NOTHING,
        ),
        ("GET", "/metrics", "Metrics for Prometheus.", _OPEN),
        ("GET", "/openapi.json", "This document.", _OPEN),
        ("GET", "/docs", "This document as a page.", _OPEN),
        ("POST", "/login", "Begin a session.", {"body": bodies.LOGIN, "is_open": True}),
        ("DELETE", "/login", "End the session.", {"answers": {204: "Ended."}}),
    ),
)
