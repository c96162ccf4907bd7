"""Rows have the keys of the contract, text for ids and values, and null for what does not apply."""

import json
from decimal import Decimal

import pytest

from app.admin.rows import KEYS, detail_of, entry_row, row_of
from app.domain.aggregate import Aggregate
from app.domain.commands import Action
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import PositionSide, ReasonCode, SmartOrderType
from app.domain.identifiers import AggregateId, Currency, EpochMs
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from tests.support.builders import NOW, a_signal, a_smart_order, an_id, an_order, client_id

#: What a row tells of an order: docs/api.md, "Reading".
AN_ORDER = {
    "id": str(an_id()),
    "parent_id": "16",
    "kind": "ORDER",
    "dialect": "crypto_arsenal",
    "account": "demo-spot",
    "symbol": "BTC/USDT",
    "market": "SPOT",
    "side": "BUY",
    "position_side": None,
    "type": "LIMIT",
    "time_in_force": "GTC",
    "reduce_only": False,
    "quantity": "0.5",
    "price": "60000",
    "trigger_price": None,
    "held_by": None,
    "state": "FILLED",
    "reason": None,
    "filled_quantity": "0.5",
    "average_price": "59999.1",
    "fees": {"BTC": "0.0000001", "USDT": "0"},
    "caller_id": "mine",
    "client_order_id": client_id(an_id()),
    "venue_order_id": None,
    "due_at_ms": NOW,
    "next_check_at_ms": None,
    "created_at_ms": NOW,
    "updated_at_ms": NOW,
}


@pytest.mark.parametrize(
    "aggregate", [an_order(), a_signal(), a_signal(Action.CANCEL_ALL), a_smart_order()]
)
def test_every_kind_has_exactly_the_keys_of_the_contract(aggregate: Aggregate) -> None:
    row = row_of(aggregate, "demo")

    assert list(row) == list(AN_ORDER) == list(KEYS)
    assert json.loads(json.dumps(row)) == row


def test_an_order() -> None:
    order = an_order(
        parent_id=AggregateId(16),
        price=Decimal("6E+4"),
        status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.5"),
        average_price=Decimal("59999.10"),
        fees={Currency("USDT"): Decimal("0E-8"), Currency("BTC"): Decimal("1E-7")},
        caller_id="mine",
        due_at_ms=NOW,
    )

    assert row_of(order, "demo-spot") == AN_ORDER


def test_only_an_unknown_order_tells_of_its_next_check() -> None:
    known = an_order(status=OrderStatus.NEW, next_action_at_ms=EpochMs(7))
    unknown = an_order(status=OrderStatus.UNKNOWN, next_action_at_ms=EpochMs(7))

    assert row_of(known, "demo")["next_check_at_ms"] is None
    assert row_of(unknown, "demo")["next_check_at_ms"] == 7


def test_a_signal_has_no_quantity_before_it_is_sized() -> None:
    row = row_of(a_signal(limit_price=Decimal("60000.0")), "demo")

    assert (row["type"], row["price"], row["quantity"]) == ("LIMIT", "60000", None)
    assert (row["filled_quantity"], row["due_at_ms"]) == ("0", NOW)
    assert row["client_order_id"] is row["venue_order_id"] is row["trigger_price"] is None


def test_a_signal_that_closes_only_reduces() -> None:
    row = row_of(a_signal(Action.CLOSE_SHORT), "demo")

    assert (row["side"], row["position_side"], row["reduce_only"]) == ("BUY", "SHORT", True)
    assert row["type"] == "MARKET"


def test_a_cancel_has_nothing_that_an_order_has() -> None:
    row = row_of(a_signal(Action.CANCEL, caller_id="mine"), "demo")

    without = {"side", "position_side", "type", "time_in_force", "reduce_only", "quantity", "fees"}
    assert all(row[key] is None for key in without)
    assert (row["kind"], row["caller_id"]) == ("SIGNAL", "mine")


def test_a_smart_order_has_its_trigger() -> None:
    stop = row_of(a_smart_order(), "demo")
    limited = row_of(a_smart_order(type=SmartOrderType.STOP_LIMIT, price=Decimal(1800)), "demo")

    assert (stop["type"], stop["trigger_price"], stop["price"]) == ("STOP", "1900", None)
    assert (limited["type"], limited["price"]) == ("STOP_LIMIT", "1800")
    assert (stop["position_side"], stop["due_at_ms"]) == (PositionSide.LONG, None)


def test_a_reason_has_a_code_and_a_sentence() -> None:
    order = an_order(
        status=OrderStatus.DENIED, reason=Reason(ReasonCode.BELOW_MINIMUM, "too little")
    )

    assert row_of(order, "demo")["reason"] == {"code": "below_minimum", "message": "too little"}


def test_the_detail_has_children_and_the_whole_timeline() -> None:
    entry = TimelineEntry(EntryName.DENIED, NOW, Reason(ReasonCode.NO_PRICE, "none"))

    detail = detail_of(a_signal(), "demo", [AggregateId(17)], [(entry, "worker-1")])

    assert detail["children"] == ["17"]
    assert detail["timeline"] == [
        {
            "event": "denied",
            "at_ms": NOW,
            "process": "worker-1",
            "reason": {"code": "no_price", "message": "none"},
        }
    ]
    assert entry_row(TimelineEntry(EntryName.SENT, NOW), "web-1")["reason"] is None
