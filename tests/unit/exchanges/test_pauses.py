"""For how long an exchange wants silence, by what it answers."""

from __future__ import annotations

import pytest
import requests

from app.exchanges.transport import pause_ms_of

NOW_MS = 1_700_000_000_000
UNTIL = "X-Bapi-Limit-Reset-Timestamp"


def answer(status: int, body: str = "{}", **headers: str) -> requests.Response:
    """An answer as it came; `Retry_After` stands for `Retry-After`."""
    found = requests.Response()
    found.status_code = status
    found._content = body.encode()  # noqa: SLF001 - as the library itself sets it
    found.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return found


def bybit(code: int, until_ms: object) -> requests.Response:
    body = f'{{"retCode":{code},"retMsg":"Too many visits!","result":{{}},"time":{NOW_MS}}}'
    return answer(200, body, **{UNTIL: str(until_ms)})


@pytest.mark.parametrize(
    ("said", "pause_ms"),
    [
        (answer(200), None),
        (answer(400), None),
        (answer(429, Retry_After="7"), 7_000),
        (answer(418, Retry_After="180"), 180_000),
        (answer(429, Retry_After="0"), 1_000),
        (answer(429), 10_000),
        (answer(429, Retry_After="soon"), 10_000),
        (answer(418), 120_000),
        (answer(403), None),
        (answer(403, "access too frequent"), 600_000),
        (bybit(10006, NOW_MS + 4_200), 4_200),
        (bybit(10018, NOW_MS + 4_200), 4_200),
        (bybit(10006, NOW_MS), 1_000),
        (bybit(10006, "soon"), 10_000),
        (bybit(10006, ""), 10_000),
        (bybit(0, NOW_MS + 4_200), None),
        (bybit(100060, NOW_MS + 4_200), None),
        (answer(200, '{"result":{"retCode":10006}}'), None),
    ],
)
def test_the_pause_is_as_told(said: requests.Response, pause_ms: int | None) -> None:
    assert pause_ms_of(said) == pause_ms
