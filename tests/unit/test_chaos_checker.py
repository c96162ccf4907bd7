"""The checker of the chaos trial sees what must not happen, also what the venue has prevented."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.support.chaos.checker import Evidence, violations
from tests.support.chaos.load import BTC, PRICE, USDT, Message, Sort

Row = dict[str, Any]

AT_MS = 1_000


def a_message(sort: Sort = Sort.MARKET, *answers: int | None) -> Message:
    body = {"fixed": "0.1", "clientOrderId": "one"}
    name = "off" if sort is Sort.CANCEL else "one"
    return Message(name, "one", sort, body, AT_MS, answers=[*answers] or [200], ids={"1"})


def a_ledger_row(**odd: object) -> Row:
    row = {
        "client_order_id": "hone",
        "side": "BUY",
        "quantity": "0.1",
        "filled_quantity": "0.1",
        "outcome": "FILLED",
        "received_at_ms": AT_MS,
    }
    return {**row, **odd}


def evidence(*ledger: Row, log: Sequence[Message] = ()) -> Evidence:
    """What there is to know of the one order that the ledger tells of."""
    filled = Decimal(ledger[0]["filled_quantity"])
    state = {"state": ledger[0]["outcome"], "filled_quantity": ledger[0]["filled_quantity"]}
    common = {"caller_id": "one", "side": "BUY"}
    rows = [
        {**common, **state, "kind": "ORDER", "id": "2", "parent_id": "1",
         "client_order_id": "hone"},
        {**common, "kind": "SIGNAL", "id": "1", "parent_id": None, "client_order_id": None,
         "state": "DONE"},
    ]  # fmt: skip
    fill = {"client_order_id": "hone", "quantity": str(filled), "price": PRICE}
    usdt = {"total": Decimal(USDT) - filled * Decimal(PRICE), "hold": "0"}
    balances = {"BTC": {"total": Decimal(BTC) + filled}, "USDT": usdt}
    account = {"ledger": list(ledger), "fills": [fill] if filled else [], "balances": balances}
    return Evidence(log or [a_message()], {"one": account}, rows)


def test_an_order_that_is_placed_once_violates_nothing() -> None:
    assert violations(evidence(a_ledger_row())) == []


def test_an_order_that_is_sent_again_is_seen_though_the_venue_refuses_it() -> None:
    repeat = a_ledger_row(outcome="DUPLICATE", filled_quantity="0")

    assert violations(evidence(a_ledger_row(), repeat)) == ["one: order hone was sent again"]


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ((None,), []),
        ((200,), []),
        ((400,), ["resting one [200]: is CANCELED at the venue, not NEW"]),
    ],
)
def test_a_cancel_in_doubt_may_have_come_and_a_refused_one_may_not(
    answers: tuple[int | None, ...], complaint: list[str]
) -> None:
    log = [a_message(Sort.RESTING), a_message(Sort.CANCEL, *answers)]
    off = a_ledger_row(outcome="CANCELED", filled_quantity="0")

    assert violations(evidence(off, log=log)) == complaint
