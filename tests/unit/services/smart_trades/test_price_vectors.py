"""The price vectors of the 3Commas spec, 8.1: each tick by tick over the paper venue."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.smart_trade.enums import StepKind
from app.domain.smart_trade.profit import (
    average_buy_price,
    average_entry_price,
    average_sell_price,
    profit_percentage,
)
from app.domain.smart_trade.trade import SmartTrade
from app.services.smart_trades.acting import add_funds, cancel_trade, panic_sell, panic_sell_step
from tests.support.price_vectors import VECTORS, Vector
from tests.support.trade_rig import INSTRUMENT, TradeRig


@pytest.mark.parametrize("name", VECTORS)
def test_a_price_vector(name: str) -> None:
    vector = VECTORS[name]
    rig, trade, fills = played(vector)

    assert rig.statuses[trade.id] == list(vector.statuses)
    assert fills == list(vector.fills)
    if vector.steps is not None:
        exits = (*trade.steps_of(StepKind.TAKE_PROFIT), *trade.steps_of(StepKind.STOP_LOSS))
        assert " ".join(one.status for one in exits) == vector.steps
    for figure, wanted in vector.figures.items():
        assert _figure(trade, figure) == wanted, figure
    if vector.type is not None:
        assert trade.type == vector.type
    assert trade.closed_at_ms is not None
    assert rig.held(trade.id) == []
    assert rig.resting() == []
    assert not rig._owes_anything()  # noqa: SLF001 - a question, no more


def played(vector: Vector) -> tuple[TradeRig, SmartTrade, list[str]]:
    """Play a vector; return the trade as it ended, and its fills with the tick of each."""
    lot = Decimal(vector.lot) if vector.lot else INSTRUMENT.quantity_step
    rig = TradeRig(replace(INSTRUMENT, quantity_step=lot))
    begun = rig.clock.now_ms()
    rig.set_price(vector.first)
    rig.follow()
    trade = rig.open(vector.command)
    number, seen = 0, [0] * len(rig.fills())
    for tick in vector.ticks:
        if tick.startswith("!"):
            _act(rig, rig.trade(trade.id), *tick[1:].split())
        else:
            number += 1
            at, _, price = tick.rpartition(" ")
            if at:
                rig.wait(begun + int(at[1:]) * 1000 - rig.clock.now_ms())
            rig.tick(price)
        seen += [number] * (len(rig.fills()) - len(seen))
    fills = [
        f"T{tick} {side} {kind} {quantity.normalize():f} @{price.normalize():f}"
        for tick, (side, kind, quantity, price) in zip(seen, rig.fills(), strict=True)
    ]
    return rig, rig.trade(trade.id), fills


def _act(rig: TradeRig, trade: SmartTrade, what: str, *figures: str) -> None:
    """Let a caller do something, with all that follows."""
    match what, figures:
        case "cancel", ():
            cancel_trade(trade.id, rig.ports)
        case "panic", ():
            panic_sell(trade.id, rig.ports)
        case "panic", (position,):
            step = next(one for one in trade.steps if one.position == int(position))
            panic_sell_step(trade.id, step.id, rig.ports)
        case "funds", (quantity, *price):
            limit = Decimal(price[0]) if price else None
            add_funds(trade.id, Decimal(quantity), limit, rig.ports)
        case _:
            raise AssertionError(f"nobody can {what} {figures}")
    rig.drain()


def _figure(trade: SmartTrade, name: str) -> str | None:
    match name:
        case "profit":
            value: Decimal | None = profit_percentage(trade, None)
        case "sell":
            value = average_sell_price(trade)
        case "buy":
            value = average_buy_price(trade)
        case "entry":
            value = average_entry_price(trade)
        case "profit_prices":
            prices = [one.price or Decimal(0) for one in trade.steps_of(StepKind.TAKE_PROFIT)]
            return " ".join(f"{price.normalize():f}" for price in prices)
        case _:
            kind, what = name.split("_")
            kinds = {"profit": StepKind.TAKE_PROFIT, "stop": StepKind.STOP_LOSS}
            (step,) = trade.steps_of(kinds.get(kind, StepKind.ENTRY))
            names = {"order": "order_price", "percent": "trailing_percent"}
            value = getattr(step, names.get(what, what))
    return None if value is None else f"{value.normalize():f}"
