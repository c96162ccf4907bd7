"""The sample that the apisify page prints buys what it says, from the account of the demo."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.stack import Installation

#: As it is printed, save for its indentation: there its last block stands outside of any function.
SAMPLE = Path(__file__).with_name("apisify_sample.py.txt")

#: SHA-256 of its lines without the blanks around them, taken from the page.
PRINTED = "78c9a1a960dc720ce3ea72219a377b579c2ff86596b3963ec900291df4b86816"


def sample_for(stack: Installation) -> str:
    """Return the sample with its three blanks filled in."""
    demo = stack.run["demo"]["apisify"]
    blanks = {
        "< YOUR APISIFY APIKEY >": demo["apikey"],
        "< YOUR APISIFY SECRETKEY >": demo["secret"],
        "< YOUR SERVER URL >": stack.run["base_url"],
    }
    text = SAMPLE.read_text()
    for blank, value in blanks.items():
        assert text.count(blank) == 1
        text = text.replace(blank, value)
    return text


def test_the_sample_of_the_page_buys_an_inverse_contract(shared_stack: Installation) -> None:
    stack = shared_stack
    stack.thaw()  # it is signed as it is, now
    printed: list[Any] = []
    names = {"__name__": "__main__", "print": printed.append}
    exec(compile(sample_for(stack), str(SAMPLE), "exec"), names)  # noqa: S102
    (answer,) = printed
    assert (answer["result"], answer["side"], answer["symbol"]) == ("success", "Buy", "BTCUSD")
    stack.settle()
    account = stack.account("demo-coinm")
    assert account["positions"]["BTC/USD"]["long"] == "1"
    assert Decimal(account["balances"]["BTC"]["hold"]) > 0
    row = stack.call("GET", f"/api/orders/{answer['order_id']}")
    assert (row["account"], row["market"], row["memo"]) == ("demo-coinm", "COINM", "memo")


def test_the_sample_is_the_printed_one_but_for_its_indentation() -> None:
    lines = [line.strip() for line in SAMPLE.read_text().splitlines() if line.strip()]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == PRINTED
