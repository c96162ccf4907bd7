"""Identifiers: their form, and that nobody's is taken for another's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import (
    IDS_PER_MS,
    AggregateId,
    ClientOrderId,
    Symbol,
    base_of,
    client_order_id,
    id_from,
    order_id_of,
)
from app.store.core.keys import SHARD_COUNT, shard_of
from tests.support.builders import SPOT_ID, USDM_ID, an_id

IDS = st.integers(0, 2**53 - 1).map(AggregateId)
INSTALLATIONS = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=4, max_size=4)


@given(INSTALLATIONS, IDS)
def test_a_client_order_id_is_16_lower_case_letters_and_digits(
    installation: str, order_id: AggregateId
) -> None:
    text = client_order_id(installation, order_id)

    assert re.fullmatch(r"h[0-9a-z]{15}", text)


@given(INSTALLATIONS, IDS)
def test_the_order_is_found_by_its_client_order_id(
    installation: str, order_id: AggregateId
) -> None:
    assert order_id_of(client_order_id(installation, order_id), installation) == order_id


@given(IDS, IDS)
def test_two_orders_never_share_a_client_order_id(one: AggregateId, other: AggregateId) -> None:
    assert (client_order_id("test", one) == client_order_id("test", other)) is (one == other)


@pytest.mark.parametrize(
    "text",
    ["", "h", "htest", "htest0000000000", "htest000000000001", "hxxxx00000000001",
     "htest0000000000u", "htest0000000000I", "web_12345", "htest00000 00001"],
)  # fmt: skip
def test_what_is_not_ours_leads_to_no_order(text: str) -> None:
    assert order_id_of(ClientOrderId(text), "test") is None


def test_an_id_names_the_shard_of_its_account() -> None:
    for account in (SPOT_ID, USDM_ID):
        assert shard_of(an_id(3, account)) == shard_of(account)


def test_a_millisecond_has_as_many_ids_for_each_shard() -> None:
    assert IDS_PER_MS % SHARD_COUNT == 0


def test_a_symbol_is_base_and_quote() -> None:
    assert base_of(Symbol("BTC/USDT")) == "BTC"


@pytest.mark.parametrize(
    ("text", "known"),
    [("13", 13), ("x", None), ("-1", None), ("1.0", None), ("9" * 40, None), ("\uff11", None)],
)
def test_an_id_is_digits(text: str, known: int | None) -> None:
    assert id_from(text) == known
