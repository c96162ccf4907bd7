"""A trade with the levels that its trailing steps have reached since it was last stored."""

from collections.abc import Mapping
from dataclasses import replace

from app.domain.identifiers import AggregateId
from app.domain.smart_trade.enums import StepKind
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.services.smart_trades.trailing import TrailingPrice


def with_trails(trade: SmartTrade, trails: Mapping[AggregateId, TrailingPrice]) -> SmartTrade:
    """Return the trade with these: a trailing stop-loss shows its level as its price."""
    steps = tuple(
        step if step.id not in trails else _moved(step, trails[step.id]) for step in trade.steps
    )
    return replace(trade, steps=steps)


def _moved(step: Step, trail: TrailingPrice) -> Step:
    price = trail.level if step.kind is StepKind.STOP_LOSS else step.price
    return replace(
        step,
        price=price,
        extreme=trail.extreme,
        extreme_at_ms=trail.at_ms or step.extreme_at_ms or step.updated_at_ms,
    )
