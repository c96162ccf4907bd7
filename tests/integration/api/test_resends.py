"""A request that is sent again and again."""

import pytest
from flask import Flask

from app.domain.enums import Dialect
from app.store.core.ledger import REPEATS_TOLD_MAX
from tests.support.caller import Caller
from tests.support.each_dialect import open_for_all, request_of

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("dialect", [Dialect.CRYPTO_ARSENAL, Dialect.APISIFY])
def test_it_is_answered_each_time_and_told_a_few_times(
    app: Flask, demo: Caller, dialect: Dialect
) -> None:
    open_for_all(demo)
    one = request_of(dialect, 1)
    client = app.test_client()

    answers = [one.to(client) for _ in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers[1:]}) == 1
    (row,) = demo.rows()
    told = [entry["event"] for entry in demo.call("GET", f"/api/orders/{row['id']}")["timeline"]]
    assert told.count("duplicate") == REPEATS_TOLD_MAX
