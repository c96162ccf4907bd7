"""No route is open without being limited, and nothing that only reads keeps alerts waiting."""

import re
from io import BytesIO
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.errors import TooBusy
from app.store.memory.visits import VISITS_MAX
from app.web.routes import Access, Route, routes_of
from app.web.turns import Turns
from tests.unit.conftest import MakeApp

#: Costs nothing, so that supervisors always have an answer.
LIGHT = {"/healthz", "/readyz"}

#: Whose method says that they change something, though they do not.
READING = {
    f"/trading/{one}"
    for one in ("orders/active", "orders/search", "trades", "positions", "funding-payments")
} | {"/portfolio/state"}


def _path(route: Route) -> str:
    return re.sub(r"<[^>]+>", "x", route.rule)


def _rows(app: Flask) -> list[Route]:
    return list(routes_of(app).values())


@pytest.fixture
def worn(make_app: MakeApp) -> FlaskClient:
    """A stranger who has asked as often as anybody may."""
    client = make_app().test_client()
    for _ in range(VISITS_MAX):
        assert client.get("/static/none").status_code == 404
    return client


def test_every_open_route_is_limited_by_address_in_its_own_shape(worn: FlaskClient) -> None:
    limited = [one for one in _rows(worn.application) if one.access is Access.OPEN]
    limited = [one for one in limited if one.rule not in LIGHT]
    assert len(limited) > 20

    for route in limited:
        answer = worn.open(_path(route), method=route.method)
        assert answer.status_code == 429, route.rule
        assert 0 < int(answer.headers["Retry-After"]) <= 10, route.rule
        assert _is_shaped(route, answer.text), f"{route.rule}: {answer.text}"


def _is_shaped(route: Route, text: str) -> bool:
    if route.rule.startswith("/static"):
        return "<html" in text
    if "ver1" in route.rule:
        return '"error":"too_many_requests"' in text
    is_poloniex = route.rule.split("/")[1] in {"markets", "currencies", "v2", "v3", "timestamp"}
    return '"code":429' in text if is_poloniex else '"code":"rate_limited"' in text


def test_the_form_that_asks_for_the_token_is_limited_as_well(worn: FlaskClient) -> None:
    assert worn.get("/").status_code == 429


def test_supervisors_and_other_addresses_are_answered_all_the_same(worn: FlaskClient) -> None:
    assert {worn.get(path).status_code for path in LIGHT} == {200, 503}
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert worn.get("/docs", environ_base=elsewhere).status_code == 200


def test_only_what_costs_nothing_is_without_a_limit(make_app: MakeApp) -> None:
    assert {one.rule for one in _rows(make_app()) if one.is_light} == LIGHT


def test_the_test_profile_limits_nobody(make_app: MakeApp) -> None:
    client = make_app(HOOKFILL_FAST="1").test_client()

    assert {client.get("/static/none").status_code for _ in range(VISITS_MAX + 1)} == {404}


def test_all_that_only_reads_takes_turns(make_app: MakeApp) -> None:
    rows = _rows(make_app(HOOKFILL_FAST="1"))

    for route in rows:
        reads = route.method == "GET" or route.rule in READING
        assert route.takes_turns is (reads and route.rule not in LIGHT), route.rule
    assert {one.rule for one in rows} >= READING | LIGHT


class _Crowd(Turns):
    """Nobody's turn ends, and who wants one is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.came = 0

    def turn(self) -> NoReturn:
        self.came += 1
        raise TooBusy("too much is asked at once")


@pytest.fixture
def crowd() -> _Crowd:
    return _Crowd()


@pytest.fixture
def crowded(make_app: MakeApp, crowd: _Crowd) -> FlaskClient:
    """Somebody before an app that is busy with others."""
    app = make_app()
    app.extensions["hookfill_turns"] = dict.fromkeys(Access, crowd)
    return app.test_client()


def test_who_gets_no_turn_is_told_to_come_again_in_the_shape_of_the_dialect(
    crowded: FlaskClient, crowd: _Crowd
) -> None:
    rows = [one for one in _rows(crowded.application) if one.takes_turns]
    rows = [one for one in rows if one.access in {Access.OPEN, Access.CALLER}]

    for number, route in enumerate(rows, 1):
        answer = crowded.open(_path(route), method=route.method)
        assert (answer.status_code, crowd.came) == (503, number), route.rule
        assert answer.headers["Retry-After"] == "1", route.rule
        assert answer.is_json or route.rule.startswith("/static"), route.rule


class _SlowBody(BytesIO):
    """Notes how many had wanted a turn when this was read."""

    def __init__(self, crowd: _Crowd) -> None:
        super().__init__(b"{}")
        self.came_when_read: list[int] = []
        self._crowd = crowd

    def read(self, size: int | None = -1) -> bytes:
        self.came_when_read.append(self._crowd.came)
        return super().read(size)


def test_who_sends_a_body_slowly_holds_no_turn(crowded: FlaskClient, crowd: _Crowd) -> None:
    for number, (method, path) in enumerate(
        (("GET", "/orders"), ("GET", "/public/api/ver1/accounts"), ("POST", "/trading/trades"))
    ):
        body = _SlowBody(crowd)

        answer = crowded.open(path, method=method, input_stream=body, content_length=2)

        assert answer.status_code == 503, path
        assert body.came_when_read == [number], path


def test_alerts_orders_and_cancels_wait_for_nobody(crowded: FlaskClient, crowd: _Crowd) -> None:
    for method, path in (
        ("POST", "/trading-signal/webhook"),
        ("POST", "/v1/order"),
        ("POST", "/orders"),
        ("DELETE", "/orders/1"),
        ("POST", "/trading/orders"),
        ("POST", "/public/api/ver1/smart_trades/1/cancel"),
        ("POST", "/api/orders/1/cancel"),
    ):
        assert crowded.open(path, method=method, json={}).status_code != 404, path
    assert crowd.came == 0
