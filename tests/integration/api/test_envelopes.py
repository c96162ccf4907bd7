"""What stands around a message, or how it is packed, keeps it from nobody."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from itertools import count
from urllib.parse import quote, quote_plus

import pytest
from werkzeug.test import TestResponse

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.factory import create_app
from app.web.raw_body import BODY_BYTES_MAX
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import WEBHOOK, Caller
from tests.support.each_dialect import (
    KEY,
    Sent,
    open_for_all,
    order,
    request_of,
    signed_by,
    with_body,
)
from tests.support.three_commas import FORM_TYPE

pytestmark = pytest.mark.integration

WEBHOOKS = (Dialect.CRYPTO_ARSENAL, Dialect.APISIFY)
OTHERS = tuple(one for one in Dialect if one not in WEBHOOKS)

#: Dialect → status of what is no JSON.
NO_JSON = dict.fromkeys(Dialect, 400) | {Dialect.HUMMINGBOT: 422}

_numbers = count(1)


@pytest.fixture(autouse=True)
def _callers(demo: Caller) -> None:
    open_for_all(demo)


def sent(demo: Caller, one: Sent, body: bytes | None = None, **headers: str) -> TestResponse:
    named = {**one.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
    return demo.client.post(one.path, data=one.body if body is None else body, headers=named)


def made(dialect: Dialect, written: Callable[[str], str] = str) -> Sent:
    one = request_of(dialect, next(_numbers))
    return with_body(dialect, one, written(one.body.decode()))


@pytest.mark.parametrize("dialect", Dialect)
def test_gzip_is_unpacked(dialect: Dialect, demo: Caller) -> None:
    for word in ("gzip", " GZip ", "x-gzip"):
        one = made(dialect)
        answer = sent(demo, one, gzip.compress(one.body), Content_Encoding=word)
        assert answer.status_code in {200, 201}, answer.text
    assert sent(demo, made(dialect), Content_Encoding="identity").status_code in {200, 201}

    assert len(demo.rows()) == 4


@pytest.mark.parametrize("dialect", Dialect)
def test_what_is_too_large_unpacked_is_too_large(dialect: Dialect, demo: Caller) -> None:
    one = made(dialect, lambda text: text + " " * BODY_BYTES_MAX)
    bomb = gzip.compress(b" " * 10_000_000)

    for packed in (gzip.compress(one.body), bomb, bomb + bomb):
        assert len(packed) < BODY_BYTES_MAX
        answer = sent(demo, one, packed, Content_Encoding="gzip")
        assert answer.status_code == 413, answer.text

    assert demo.rows() == []


@pytest.mark.parametrize("dialect", Dialect)
def test_half_of_gzip_is_nothing(dialect: Dialect, demo: Caller) -> None:
    one = made(dialect)
    packed = gzip.compress(one.body)
    spoiled = packed[:-8] + bytes(4) + packed[-4:]

    for wrong in (packed[:-1], packed[:20], spoiled, one.body, b"x"):
        answer = sent(demo, one, wrong, Content_Encoding="gzip")
        assert answer.status_code in {400, 422}, answer.text

    assert demo.rows() == []


@pytest.mark.parametrize("dialect", Dialect)
def test_any_other_encoding_is_named(dialect: Dialect, demo: Caller) -> None:
    for word in ("br", "deflate", "gzip, gzip", "zstd"):
        answer = sent(demo, made(dialect), Content_Encoding=word)
        assert answer.status_code == 415, answer.text
        assert word in answer.text
        assert answer.is_json

    assert demo.rows() == []


def test_our_own_routes_unpack_as_well(demo: Caller) -> None:
    body = gzip.compress(b'{"prices": {"BTC/USDT": {"last": "51000"}}}')
    headers = {**demo.headers, "Content-Encoding": "gzip"}
    put = demo.client.put("/paper/prices", data=body, headers=headers)
    form = gzip.compress(f"token={ADMIN_TOKEN}".encode())
    named = {"Content-Type": FORM_TYPE, "Content-Encoding": "gzip"}

    assert put.status_code == 200, put.text
    assert demo.client.post("/login", data=form, headers=named).status_code == 303
    assert (
        demo.client.put(
            "/paper/prices", data=b"x", headers={**headers, "Content-Encoding": "br"}
        ).get_json()["error"]["code"]
        == "unsupported_encoding"
    )


@pytest.mark.parametrize("dialect", Dialect)
def test_a_byte_order_mark_and_blanks_around_are_no_part_of_it(
    dialect: Dialect, demo: Caller
) -> None:
    for before, after in (("\ufeff", ""), ("\ufeff \r\n", "\n\n"), ("\n\t ", " \r\n")):
        one = made(dialect, lambda text, a=before, b=after: a + text + b)  # type: ignore[misc]
        assert sent(demo, one).status_code in {200, 201}, (before, after)


def test_nor_are_they_where_json_is_called_a_form(demo: Caller) -> None:
    one = made(Dialect.THREE_COMMAS, lambda text: f"\ufeff{text}")

    assert sent(demo, one, Content_Type=FORM_TYPE).status_code == 201


@pytest.mark.parametrize("dialect", Dialect)
def test_line_breaks_in_texts_are_taken_where_templates_are_sent(
    dialect: Dialect, demo: Caller
) -> None:
    field = {Dialect.CRYPTO_ARSENAL: "log", Dialect.APISIFY: "memo"}.get(dialect, "note")
    broken = f'{{"{field}": "one\n\ttwo\r\nthree", '
    answer = sent(demo, made(dialect, lambda text: text.replace("{", broken, 1)))

    if dialect in WEBHOOKS:
        assert answer.status_code == 200, answer.text
        assert len(demo.rows()) == 1
    else:
        assert answer.status_code == NO_JSON[dialect]
        assert demo.rows() == []


@pytest.mark.parametrize("dialect", WEBHOOKS)
@pytest.mark.parametrize("form", [quote, quote_plus])
def test_an_object_may_be_the_one_key_of_a_form(
    dialect: Dialect, form: Callable[[str], str], demo: Caller
) -> None:
    answers = [
        sent(demo, made(dialect, lambda text, end=end: form(text) + end), Content_Type=FORM_TYPE)  # type: ignore[misc]
        for end in ("=", "", "=\n")
    ]
    two = sent(demo, made(dialect, lambda text: f"{form(text)}=&a=b"), Content_Type=FORM_TYPE)

    assert [one.status_code for one in answers] == [200, 200, 200]
    assert two.status_code == 400


@pytest.mark.parametrize("path", [f"{WEBHOOK}/", "/v1/order/"])
def test_a_slash_behind_a_webhook_is_the_same_path(path: str, demo: Caller) -> None:
    for called in (path, path.removesuffix("/")):
        if path.startswith(WEBHOOK):
            one = signed_by(Dialect.CRYPTO_ARSENAL, called, {"action": "buy", "fixed": "0.001"})
        else:
            fields = order(order_type="Market", qty=len(called))
            one = signed_by(Dialect.APISIFY, called, fields)
        assert sent(demo, replace(one, path=path)).status_code == 200
        assert sent(demo, replace(one, path=path.removesuffix("/"))).status_code == 200
    assert len(demo.rows()) == 2 - path.startswith(WEBHOOK)

    refused = demo.client.get(path)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert demo.client.post(f"{path}/").status_code == 404


@pytest.mark.parametrize("said", ["52.89.214.238:5555", " 52.89.214.238:55 , 127.0.0.1:1 "])
def test_a_proxy_may_name_the_port_of_whom_it_speaks_for(
    said: str, demo: Caller, wiring: Wiring
) -> None:
    demo.call("PUT", "/api/connectors/demo", {"allowed_ips": ["52.89.214.238"]})
    demo.call("PUT", f"/api/clients/apisify/{KEY}", {"allow_tradingview_ip": True})
    settings = replace(wiring.settings, trusted_proxies=(ip_network("127.0.0.1"),))
    client = create_app(replace(wiring, settings=settings)).test_client()
    signal = request_of(Dialect.CRYPTO_ARSENAL, 1)
    unsigned = {**order(order_type="Market", qty=1), "strategy": "s", "apikey": KEY}

    for path, body in ((signal.path, signal.body), ("/v1/order", None)):
        content = {"data": body} if body else {"json": unsigned}
        answer = client.post(path, headers={"X-Forwarded-For": said}, **content)
        assert answer.status_code == 200, answer.text
