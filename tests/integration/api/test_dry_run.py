"""Dry runs of all dialects: they say what the real request then does, and store nothing."""

import json

import pytest
import redis

from app.domain.enums import Dialect
from app.settings import Settings
from tests.support.caller import Caller, Worker
from tests.support.each_dialect import open_for_all, request_of


def contents(url: str) -> dict[str, object]:
    """Return every key of the store with its bytes, save when it expires."""
    with redis.Redis.from_url(url) as client:
        return {key.decode(): client.dump(key) for key in sorted(client.keys())}


@pytest.mark.parametrize("dialect", Dialect)
def test_a_dry_run_stores_nothing(dialect: Dialect, demo: Caller, settings: Settings) -> None:
    open_for_all(demo)
    sent = request_of(dialect, 1)
    before = contents(
        settings.redis_url.reveal() if hasattr(settings.redis_url, "reveal") else settings.redis_url
    )

    answer = demo.client.open(
        sent.path, method=sent.method, data=sent.body, headers={**sent.headers, "X-Dry-Run": "true"}
    )
    print(json.dumps(answer.get_json(), indent=1))

    assert answer.status_code == 200, answer.text
    assert answer.get_json()["dry_run"] is True
    after = contents(
        settings.redis_url.reveal() if hasattr(settings.redis_url, "reveal") else settings.redis_url
    )
    assert after == before
