"""What was refused is shown: few, short, without secrets, and a request never waits for it."""

import threading
import time
from dataclasses import replace
from unittest.mock import Mock

import pytest
import redis

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.domain.errors import StoreUnavailable
from app.factory import create_app
from app.store.coordination.refusals import KEPT_MAX, NOTED_MAX, RedisRefusals
from app.store.core import keys
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller, Json
from tests.support.each_dialect import open_for_all, request_of, signed_by

pytestmark = pytest.mark.integration

#: Dialect → a request that is wrong in one field, and what that is called.
WRONG: dict[Dialect, tuple[str, Json, str]] = {
    Dialect.CRYPTO_ARSENAL: ("/trading-signal/webhook", {"action": "buy", "fixed": "-1"}, "fixed"),
    Dialect.APISIFY: ("/v1/order", {"side": "Buy", "qty": -1}, "qty"),
    Dialect.POLONIEX: ("/orders", {"symbol": "BTC_USDT", "side": "BUY", "price": "x"}, "amount"),
    Dialect.THREE_COMMAS: ("/ver1/smart_trades/create_simple_buy", {"pair": "x"}, "units_to_buy"),
    Dialect.HUMMINGBOT: ("/trading/orders", {"amount": -1}, "body.amount"),
}


def listed(demo: Caller) -> list[Json]:
    rows: list[Json] = demo.call("GET", "/api/refusals")["data"]
    return rows


@pytest.mark.parametrize("dialect", Dialect)
def test_a_refusal_tells_what_was_wrong_and_who_has_sent_it(dialect: Dialect, demo: Caller) -> None:
    open_for_all(demo)
    path, fields, field = WRONG[dialect]
    sent = signed_by(dialect, path, fields)

    answer = sent.to(demo.client, REMOTE_ADDR="192.0.2.7")

    [row] = [one for one in listed(demo) if one["peer"] == "192.0.2.7"]
    assert 400 <= answer.status_code < 500
    assert (row["dialect"], row["status"]) == (dialect, answer.status_code)
    assert (row["peer"], row["times"]) == ("192.0.2.7", 1)
    assert abs(row["at_ms"] - time.time() * 1000) < 60_000
    if dialect is Dialect.POLONIEX:
        assert row["reason"]
    else:
        assert field in row["fields"]
        assert field in row["reason"]


def test_what_is_wrong_with_credentials_is_told_as_little(demo: Caller) -> None:
    demo.client.post("/trading-signal/webhook", json={"connectorName": "demo", "action": "buy"})
    demo.client.post("/trading-signal/webhook", data=b"Buy now")

    newest, first = listed(demo)
    assert (first["status"], first["fields"]) == (401, [])
    assert first["reason"] == "unknown connector or bad token"
    assert newest["status"] == 400
    assert "not JSON" in newest["reason"]


def test_the_same_again_is_counted(demo: Caller) -> None:
    for _ in range(5):
        demo.signal(action="buy", fixed="-1")

    assert sum(row["times"] for row in listed(demo)) == 5


def test_what_is_taken_in_is_not_among_them(demo: Caller) -> None:
    assert demo.signal(action="buy", fixed="0.001").status_code == 200

    assert listed(demo) == []
    assert demo.refusal("GET", "/api/refusals?limit=0")[0] == 400
    assert demo.client.get("/api/refusals").status_code == 401


def test_the_overview_shows_them(demo: Caller) -> None:
    demo.signal(action="buy", fixed="-1", log="<b>x")
    demo.signal(action="<script>1</script>")
    demo.client.post("/login", data={"token": ADMIN_TOKEN})

    page = demo.client.get("/").text

    assert "Refused lately" in page
    assert "Must be above 0, was -1." in page
    assert "<script>1" not in page


def test_another_process_shows_them_as_well(
    demo: Caller, wiring: Wiring, redis_server: str
) -> None:
    demo.signal(action="buy", fixed="-1")
    listed(demo)  # or a second later

    with redis.Redis.from_url(redis_server, decode_responses=True) as client:
        [row] = RedisRefusals(client).newest(KEPT_MAX)
    assert row["fields"] == ["fixed"]
    assert wiring.refusals.newest(KEPT_MAX) == [row]


def test_they_are_written_by_themselves(demo: Caller, redis_server: str) -> None:
    demo.signal(action="buy", fixed="-1")

    with redis.Redis.from_url(redis_server) as client:
        deadline = time.monotonic() + 20
        while not client.llen(keys.REFUSALS):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def kept(client: Mock | redis.Redis, **clocks: object) -> RedisRefusals:
    return RedisRefusals(client, **clocks)  # type: ignore[arg-type] # as the tests say


def test_of_a_flood_few_are_looked_at() -> None:
    second = 5.0
    refusals = kept(Mock(redis.Redis), seconds=lambda: second)

    assert sum(refusals.has_room() for _ in range(10_000)) == NOTED_MAX
    second = 6.0
    assert refusals.has_room()


def test_a_thousand_are_kept(demo: Caller, redis_server: str) -> None:
    with redis.Redis.from_url(redis_server, decode_responses=True) as client:
        refusals = kept(client)
        for number in range(KEPT_MAX + 30):
            refusals.note("apisify", 400, ["f" * 999] * 99, f"{number} " + "x" * 9_999, "192.0.2.1")
            if number == 500:
                refusals.newest(1)
        rows = refusals.newest(KEPT_MAX)

        assert len(rows) == client.llen(keys.REFUSALS) == KEPT_MAX
        assert rows[0]["reason"].startswith(str(KEPT_MAX + 29))
        assert max(len(text) for text in client.lrange(keys.REFUSALS, 0, -1)) < 1_500
    assert len(listed(demo)) == KEPT_MAX


def writers() -> int:
    """Count the threads that write refusals, those of tests before as well."""
    return sum(one.name == "refusals" for one in threading.enumerate())


def test_while_the_store_is_away_they_wait_in_memory_within_bounds(
    redis_server: str, demo: Caller
) -> None:
    away, before = Mock(redis.Redis), writers()
    away.pipeline.side_effect = away.lrange.side_effect = StoreUnavailable("away")
    refusals = kept(away)
    for number in range(KEPT_MAX + 30):
        refusals.note("apisify", 503, [], str(number), "192.0.2.1")
        refusals.note("apisify", 503, [], "the same", "192.0.2.1")

    rows = refusals.newest(2 * KEPT_MAX)
    assert len(rows) == KEPT_MAX
    assert {row["times"] for row in rows if row["reason"] == "the same"} == {KEPT_MAX + 30}
    assert writers() <= before + 1

    assert demo.rows() == []
    with redis.Redis.from_url(redis_server, decode_responses=True) as client:
        refusals._client = client  # noqa: SLF001 - it is back
        assert len(refusals.newest(KEPT_MAX)) == KEPT_MAX
        assert client.llen(keys.REFUSALS) == KEPT_MAX


def test_a_refusal_of_a_full_or_absent_store_is_shown_too(
    demo: Caller, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the store is away")

    client = create_app(replace(wiring)).test_client()
    sent = request_of(Dialect.CRYPTO_ARSENAL, 1)
    with monkeypatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", away)
        patch.setattr(redis.client.Pipeline, "execute", away)
        answer = client.post(sent.path, data=sent.body)
        shown = client.get("/api/refusals", headers=demo.headers).get_json()["data"]

    assert answer.status_code == 503
    assert [row["status"] for row in shown] == [503]
