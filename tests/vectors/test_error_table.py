"""Each row of the error table (Crypto Arsenal spec, section 2), and what no message may do."""

import json
import random
import socket
from typing import Any

import pytest
import requests

from tests.support.stack import Installation
from tests.support.users.crypto_arsenal import SPOT, SPOT1

BUY = {**SPOT1, "action": "buy", "fixed": "0.01"}


def refused(
    stack: Installation, answer: requests.Response, status: int, code: str
) -> dict[str, Any]:
    """See that an answer is this refusal, and that nothing is queued."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    stack.settle()
    assert stack.rows() == []
    error: dict[str, Any] = answer.json()["error"]
    return error


@pytest.mark.parametrize(
    "text", ["", "Buy now", "[]", "null", '"buy"', '{"action":', '{"a":NaN}', b"\xff\xfe", "{}x"]
)
def test_what_is_no_json_object(stack: Installation, text: str | bytes) -> None:
    refused(stack, stack.send(text), 400, "invalid_json")


def test_a_field_that_is_wrong_is_named(stack: Installation) -> None:
    answer = stack.send({**BUY, "fixed": "-1", "limit": "1,000"})

    error = refused(stack, answer, 400, "validation_failed")

    assert set(error["fields"]) == {"fixed", "limit"}


def test_an_action_that_does_not_exist(stack: Installation) -> None:
    refused(stack, stack.send({**SPOT1, "action": "update"}), 400, "unsupported_action")


def test_other_methods(stack: Installation) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = requests.request(method, stack.url("/trading-signal/webhook"), timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), method


def test_a_connector_that_is_switched_off(stack: Installation) -> None:
    stack.call("PUT", "/api/connectors/spot1", {"enabled": False})

    refused(stack, stack.send(BUY), 409, "connector_inactive")


def test_a_body_that_is_too_large(stack: Installation) -> None:
    refused(stack, stack.send({**BUY, "log": "x" * 65_536}), 413, "too_large")


def test_a_body_that_is_too_large_and_does_not_say_so(stack: Installation) -> None:
    def chunks() -> Any:  # noqa: ANN401
        yield json.dumps({**BUY, "log": "x" * 65_536}).encode()

    answer = requests.post(stack.url("/trading-signal/webhook"), data=chunks(), timeout=30)

    refused(stack, answer, 413, "too_large")


def test_a_path_that_does_not_exist(stack: Installation) -> None:
    answer = requests.post(stack.url("/trading-signal/other"), json=BUY, timeout=30)

    assert answer.status_code == 404


def test_an_address_that_may_not_send(stack: Installation) -> None:
    stack.call("PUT", "/api/connectors/spot1", {"allowed_ips": ["52.89.214.238"]})
    try:
        refused(stack, stack.send(BUY), 401, "unauthorized")
        forged = stack.send(BUY, **{"X-Forwarded-For": "52.89.214.238"})
        refused(stack, forged, 401, "unauthorized")
    finally:
        stack.call("PUT", "/api/connectors/spot1", {"allowed_ips": []})


def test_a_new_token_counts_from_the_next_request_on(stack: Installation) -> None:
    for number in range(8):  # several web processes, each with a copy of the registry
        stack.call("PUT", "/api/connectors/spot1", {"token": f"T{number}"})
        old = {**BUY, "connectorToken": f"T{number - 1}", "log": f"old {number}"}
        assert stack.send(old).status_code == 401
        new = {**BUY, "connectorToken": f"T{number}", "log": f"new {number}"}
        assert stack.send(new).text == "ok"


def test_no_message_brings_about_a_5xx(stack: Installation) -> None:
    seeded = random.Random(20240101)  # noqa: S311 - the same messages each time
    keys = [
        "action",
        "fixed",
        "percent",
        "limit",
        "profit",
        "loss",
        "delaySeconds",
        "notional",
        "clientOrderId",
        "log",
        "delaySecondsFilter",
        "connectorName",
        "connectorToken",
    ]
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1e308,
        10**40,
        "",
        " ",
        "1e999",
        "NaN",
        "\uff11",
        "buy",
        "sell",
        "cancel",
        "x" * 5000,
        [],
        {},
        [[[[]]]],
        {"a": {"b": 1}},
        "\u0000",
        "\ud83d\ude00",
        "0.00000001",
        "99999999999999999999",
        "cancelAll",
        "1_000",
        "+5",
        "0x10",
        "50%",
        0.1,
        86400,
        86401,
    ]
    for _ in range(300):
        chosen = seeded.sample(keys, seeded.randint(0, 6))
        payload = {**SPOT1, **{key: seeded.choice(values) for key in chosen}}

        answer = stack.send(payload)

        assert answer.status_code < 500, (payload, answer.text)


def test_a_request_that_is_cut_short_does_no_harm(stack: Installation) -> None:
    host, port = stack.run["base_url"].removeprefix("http://").split(":")
    head = b"POST /trading-signal/webhook HTTP/1.1\r\nContent-Length: 500\r\n\r\n{"
    for text in (head, b"\x00" * 9):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(text)

    assert stack.send(BUY).text == "ok"


def test_the_test_profile_has_no_rate_limits(stack: Installation) -> None:
    for number in range(70):
        assert stack.send({**BUY, "fixed": "0.0002", "log": f"{number}"}).text == "ok"

    stack.settle()

    assert len(stack.account(SPOT)["ledger"]) == 70
