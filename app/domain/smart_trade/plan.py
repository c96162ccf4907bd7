"""What is known of a trade before its terms change, and the terms as they will be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.enums import Flaw
from app.domain.errors import Complaint
from app.domain.smart_trade.enums import StepKind, TradeType
from app.domain.smart_trade.spec import (
    EntryRule,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
)
from app.domain.smart_trade.step import Step


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step of the new plan, and the one that it is so far, if there is one."""

    planned: PlannedStep
    existing: Step | None = None


@dataclass(slots=True)
class Plan:
    """The terms as they will be.

    Attributes:
        profit_steps: those that are not executed; None leaves them as they are.
        stop_condition: None where the stop keeps its level and its memory, or where there is none.
        refused: name of a field of TradeUpdate → what is wrong; then nothing of the plan counts.
    """

    entry: EntryRule | None
    basis_price: Decimal | None
    take_profit: TakeProfit | None = None
    profit_steps: Sequence[StepPlan] | None = None
    stop_loss: StopLoss | None = None
    stop_condition: PriceCondition | None = None
    refused: dict[str, list[Complaint]] = field(default_factory=dict)

    def refuse(self, name: str, flaw: Flaw) -> None:
        """Say that a field cannot be so."""
        self.refused.setdefault(name, []).append(Complaint(flaw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan must know of a trade as it is; of a new one there is its entry only."""

    type: TradeType
    entry: EntryRule | None
    basis_price: Decimal | None = None
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    steps: Sequence[Step] = ()
    waits: bool = True
    has_entered: bool = False
    is_new: bool = True

    def steps_of(self, kind: StepKind) -> list[Step]:
        """Return the steps of one kind, by id."""
        return [one for one in self.steps if one.kind is kind]
