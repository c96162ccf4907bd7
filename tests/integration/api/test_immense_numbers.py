"""A number beyond all that is kept, in a query or a path, gets a plain answer."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from flask import Flask
from marshmallow import Schema

from app.domain.enums import Dialect
from app.web.routes import Route, routes_of
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller, Worker
from tests.support.each_dialect import open_for_all, request_of, signed_by

pytestmark = pytest.mark.integration

NUMBERS = [str(2**53 + 1), str(2**63 - 1), str(2**63), str(10**20), str(-(2**64))]
ODD = ["1e30", "1e400", ".5", "9" * 5_000]

#: What has no end, is not about what is asked, or is the same under another path.
ELSEWHERE = ("/api/events", "/readyz", "/public/api/ver1/smart_trades_deprecated", "/ver1")

#: Of all routes with numbers in their queries, and of those that have no schema of theirs.
NAMES = {"limit", "offset", "depth", "startTime", "endTime", "from", "v", "cursor", "timeout_ms"}


@pytest.fixture(autouse=True)
def _traded(demo: Caller, worker: Worker) -> None:
    """Let there be something live and something finished of each dialect."""
    open_for_all(demo)
    for dialect in Dialect:
        for number in (1, 2):
            sent = request_of(dialect, number)
            answer = sent.to(demo.client)
            assert answer.status_code < HTTPStatus.BAD_REQUEST, answer.text
    worker.work()
    for account in ("demo", "demo-net"):
        one = next(row for row in demo.rows(account=account) if row["kind"] == "ORDER")
        demo.call("POST", f"/api/orders/{one['id']}/cancel")
    worker.work()
    worker.archive()


def names_of(route: Route) -> list[str]:
    if route.query is None:
        return []
    return [field.data_key or name for name, field in route.query.fields.items()]


def targets_of(route: Route, number: str) -> Iterator[str]:
    """Yield the path of a route with the number in each place of it, and in its query."""
    pieces = route.rule.split("<")
    path = pieces[0] + "".join(number + piece.partition(">")[2] for piece in pieces[1:])
    if len(pieces) > 1:
        yield path
    for name in sorted({*NAMES, *names_of(route)}):
        yield f"{path}?{name}={number}"


@pytest.mark.parametrize("number", [*NUMBERS, *ODD], ids=lambda text: text[:24])
def test_a_number_in_a_query_is_never_a_mistake_of_ours(
    number: str, app: Flask, demo: Caller
) -> None:
    demo.client.post("/login", data={"token": ADMIN_TOKEN})
    asked = 0
    for endpoint, route in routes_of(app).items():
        owner = endpoint.partition(".")[0]
        if route.method != "GET" or route.rule.startswith(ELSEWHERE):
            continue
        for target in targets_of(route, number):
            headers = dict(demo.headers)
            if owner in set(Dialect):
                headers = dict(signed_by(Dialect(owner), target, {}, method="GET").headers)
            answer = demo.client.get(target, headers=headers)
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (target, answer.text)
            assert answer.status_code != HTTPStatus.UNAUTHORIZED, target
            asked += 1
    assert asked > 200


@pytest.mark.parametrize("number", [*NUMBERS, *ODD], ids=lambda text: text[:24])
def test_so_is_one_in_the_body_of_a_question(number: str, app: Flask, demo: Caller) -> None:
    for route in routes_of(app).values():
        if not route.is_reading or not isinstance(route.body, Schema):
            continue
        for name in route.body.fields:
            sent = signed_by(Dialect.HUMMINGBOT, route.rule, {name: number})
            answer = sent.to(demo.client)
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (sent, answer.text)


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_shown_past_the_end(number: str, demo: Caller) -> None:
    path = f"/public/api/ver1/smart_trades?offset={number}"
    sent = signed_by(Dialect.THREE_COMMAS, path, {}, method="GET")

    answer = sent.to(demo.client)

    if number.startswith("-"):
        assert answer.status_code == HTTPStatus.BAD_REQUEST
    else:
        assert (answer.status_code, answer.get_json()) == (HTTPStatus.OK, [])
