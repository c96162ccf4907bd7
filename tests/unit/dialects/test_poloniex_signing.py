"""Signatures of Poloniex requests: S1 to S8, and how clients encode the same thing differently."""

import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.signing import (
    Credentials,
    Wire,
    check_signature,
    check_window,
    credentials_from,
)
from app.domain.identifiers import EpochMs

SECRET = "my-secret"  # noqa: S105 - of the vectors
STAMP = "1700000000000"
NOW = EpochMs(1_700_000_000_000)

FOK = (
    b'{"quantity": "10", "side": "BUY", "price": "60100.00", "symbol": "BTC_USDT", "type": '
    b'"STOP_LIMIT", "timeInForce": "FOK", "clientOrderId": "999999910", "stopPrice": "60000.00"}'
)
COMPACT = (
    b'{"symbol":"BTC_USDT","side":"BUY","stopPrice":55.0,"type":"STOP_LIMIT","quantity":"0.1",'
    b'"price":"50"}'
)
HISTORY = "/smartorders/history?symbol=BTC_USDT&from=0&hideCancel=True&states=FAILED%2CCANCELED"

VECTORS = [
    ("POST", "/smartorders", FOK, "E8O1YkmlHVxQce1wbt939zWwg0bQL4wxWvHaNh3Y2h0="),  # S1
    ("GET", "/smartorders?limit=5", b"", "LO7436gMwLE0xHzhGEWpGiL8/+NDHxbQvpOeswhY+gQ="),
    ("GET", "/smartorders/cid:123Abc", b"", "Te7jYGm7xKUfnBtT25qbfUj8EwlEO32JUNCTzRGlSY8="),
    ("DELETE", "/smartorders/cid:123Abc", b"", "6iK1Gj/3x0Jyy5kdO5yd1GVIuCa9X1oHQ/5Xt0vwjFM="),
    (
        "DELETE",
        "/smartorders",
        b'{"symbol": "BTC_USDT"}',
        "9WrO3P4yUvLP7DRPxNNXCl3S+OQeAA07y3bAdWBhCgs=",
    ),
    ("GET", HISTORY, b"", "lyBw0lhxaCRbd/9CimtYdexZoZ6ZA3i+jM0gcke8sTk="),
    ("PUT", "/smartorders/cid:myId-1", b"", "QP+I6rAjvpPApsHODqCwWAdHyFYq4y6alcBkigYGm9c="),
    ("POST", "/smartorders", COMPACT, "J4UkL+UEB0mB5awSOzqHVpVVPsLAflOzsJnay+pMzWA="),  # S8
]


def credentials(signature: str, **odd: str) -> Credentials:
    return Credentials(**{"key": "k", "timestamp": STAMP, "signature": signature, **odd})


def of(text: str) -> str:
    digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(("method", "target", "body", "signature"), VECTORS)
def test_the_published_signatures_are_good(
    method: str, target: str, body: bytes, signature: str
) -> None:
    wire = Wire(method=method, target=target, body=body)

    check_signature(credentials(signature), wire, SECRET)
    check_signature(credentials(quote(signature, safe="")), wire, SECRET)
    with pytest.raises(Problem) as caught:
        check_signature(credentials(signature), wire, "another secret")
    assert (caught.value.code, caught.value.text) == (Code.UNAUTHORIZED, "Invalid signature")


@pytest.mark.parametrize(
    ("wire", "signed"),
    [
        ("symbol=A%2FB+C", "symbol=A%2FB%20C"),  # the SDK
        ("symbol=A/B+C", "symbol=A/B%20C"),  # ccxt
        ("note=it%27s%21", "note=it's!"),  # the SDK keeps what JavaScript keeps
        ("note=it%27s%21", "note=it%27s%21"),
        ("note=a+b", "note=a+b"),  # as it is on the wire
        ("a=&b=1", "a=&b=1"),
    ],
)
def test_queries_are_encoded_in_several_ways(wire: str, signed: str) -> None:
    pairs = sorted([*signed.split("&"), f"signTimestamp={STAMP}"])
    text = "GET\n/orders\n" + "&".join(pairs)

    check_signature(credentials(of(text)), Wire(method="GET", target=f"/orders?{wire}"), SECRET)


@pytest.mark.parametrize(
    ("target", "prefix", "path"),
    [
        ("/polo/v1/smartorders", "/polo/v1", "/smartorders"),
        ("/polo/v1/smartorders", "/polo/v1", "/polo/v1/smartorders"),
        ("/smartorders/cid%3Ax", "", "/smartorders/cid:x"),
        ("/smartorders/cid%3Ax", "", "/smartorders/cid%3Ax"),
        ("http://host:1/smartorders", "", "/smartorders"),
        ("/trades/", "", "/trades/"),
    ],
)
def test_paths_are_signed_as_they_are_or_without_a_prefix(
    target: str, prefix: str, path: str
) -> None:
    signature = of(f"GET\n{path}\nsignTimestamp={STAMP}")

    check_signature(
        credentials(signature), Wire(method="GET", target=target, prefix=prefix), SECRET
    )


def test_a_body_is_signed_as_it_was_sent() -> None:
    text = 'POST\n/orders\nrequestBody={"note": "é"}&signTimestamp=' + STAMP
    body = '{"note": "é"}'.encode()

    check_signature(
        credentials(of(text)), Wire(method="POST", target="/orders?x=1", body=body), SECRET
    )
    with pytest.raises(Problem):
        check_signature(
            credentials(of(text)),
            Wire(method="POST", target="/orders", body=body.replace(b": ", b":")),
            SECRET,
        )


@pytest.mark.parametrize("method", ["hmacSHA256", "HMACSHA256"])
def test_one_method_is_known(method: str) -> None:
    wire = Wire(method="GET", target="/orders")
    signature = of(f"GET\n/orders\nsignTimestamp={STAMP}")

    check_signature(credentials(signature, method=method), wire, SECRET)
    with pytest.raises(Problem):
        check_signature(credentials(signature, method="md5"), wire, SECRET)


@pytest.mark.parametrize("signature", ["", "é", "%", "%ff", "=" * 5_000])
def test_any_text_may_stand_for_a_signature(signature: str) -> None:
    with pytest.raises(Problem):
        check_signature(credentials(signature), Wire(method="GET", target="/orders"), SECRET)


HEADERS = {"key": "k", "signature": "s", "signTimestamp": STAMP}


@pytest.mark.parametrize("name", HEADERS)
def test_three_headers_are_needed(name: str) -> None:
    given = {**HEADERS, name: ""}

    with pytest.raises(Problem) as caught:
        credentials_from(given.get)
    assert (caught.value.code, caught.value.text) == (401, "Missing authentication headers")


@pytest.mark.parametrize("stamp", ["soon", "1.5", "1e3", "1_000", "\u0661", "9" * 19])
def test_a_time_stamp_is_a_whole_number(stamp: str) -> None:
    with pytest.raises(Problem) as caught:
        credentials_from({**HEADERS, "signTimestamp": stamp}.get)
    assert (caught.value.code, caught.value.text) == (400, "Invalid signTimestamp")


@pytest.mark.parametrize(
    ("age_ms", "window", "code"),
    [
        (0, None, None),
        (1_000, None, None),
        (-1_000, None, None),
        (1_001, None, 400),
        (-1_001, None, 400),
        (800, "800", None),
        (800, "799", 408),
        (-900, "1", None),
        (1_001, "60000", 400),  # it never widens
        (0, "0", 601),
        (0, "-5", 601),
        (0, "x", 601),
    ],
)
def test_the_window(age_ms: int, window: str | None, code: int | None) -> None:
    signed = Credentials(key="k", timestamp=str(NOW - age_ms), signature="s", window=window)

    if code is None:
        check_window(signed, NOW, 1_000)
        return
    with pytest.raises(Problem) as caught:
        check_window(signed, NOW, 1_000)
    assert caught.value.code == code
