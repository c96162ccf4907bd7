"""What tests send in each dialect is signed as its callers sign it."""

import json

from app.domain.enums import Dialect
from tests.support.each_dialect import request_of


def test_no_two_requests_of_apisify_are_signed_alike() -> None:
    sent = [request_of(Dialect.APISIFY, number) for number in range(1, 200)]

    assert len({json.loads(one.body)["sign"] for one in sent}) == len(sent)
