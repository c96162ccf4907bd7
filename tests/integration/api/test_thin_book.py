"""A step that is carried out in pieces tells what it was to trade in all, and what it has."""

import pytest

from app.domain.enums import Dialect
from tests.support import three_commas as wire
from tests.support.caller import Caller, Json, Worker
from tests.support.each_dialect import open_for_all, signed_by

pytestmark = pytest.mark.integration


def told(demo: Caller, method: str, path: str, fields: Json) -> Json:
    sent = signed_by(Dialect.THREE_COMMAS, f"{wire.TRADES}/{path}", fields, method=method)
    answer = sent.to(demo.client)
    assert answer.status_code in {200, 201}, answer.text
    shown: Json = answer.get_json()
    return shown


def test_the_amounts_of_a_stop_in_a_thin_book(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    account = demo.call("GET", "/api/accounts/demo")["id"]
    sale = wire.sale(
        account,
        pair="USDT_BTC",
        units_to_buy="0.5",
        average_buy_price=49_000,
        take_profit_price_condition=60_000,
        stop_loss_price_condition=40_000,
    )
    trade = told(demo, "POST", "create_smart_sell", sale)
    assert trade["stop_loss_steps"][0]["initial_amount"] in {None, "0.5"}

    for number, bid in enumerate(("0.1", "0.15", "1"), 1):
        price = str(40_000 - number)
        quote = {"bid": price, "ask": "41000", "bids": [[price, bid]]}
        demo.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": quote}})
        for _ in range(3):
            worker.work()
            demo.call("POST", "/paper/clock", {"advance_ms": 60_000})
        [step] = told(demo, "GET", f"{trade['id']}/show", {})["stop_loss_steps"]
        assert step["initial_amount"] == "0.5"
        assert step["actual_amount"] in {"0.1", "0.25", "0.5"}

    ended = told(demo, "GET", f"{trade['id']}/show", {})
    [step] = ended["stop_loss_steps"]
    assert ended["status"] == "stop_loss_finished"
    assert (step["initial_amount"], step["actual_amount"]) == ("0.5", "0.5")
