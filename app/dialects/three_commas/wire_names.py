"""What is wrong with a command, told by the names that the parameters have."""

import re
from collections.abc import Mapping
from typing import Final

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas.errors import InvalidParameters, RulesBroken, invalid_parameters
from app.dialects.three_commas.parameters import STEPS
from app.domain.enums import Flaw
from app.domain.errors import Complaint, RuleBroken, TermsRefused
from app.domain.money import plain

#: Field of a command → parameter, where they differ.
NAMES: Final[Mapping[str, str]] = {
    # A new trade
    "symbol": "pair",
    "quantity": "units_to_buy",
    "entry": "buy_price",
    "entry.price": "buy_price",
    "entry.limit_price": "conditional_limit_price",
    "take_profit.order_price": "take_profit_sell_order_price",
    "stop_loss.order_price": "stop_loss_sell_order_price",
    # An update
    "entry_price": "buy_price",
    "entry_limit_price": "conditional_limit_price",
    "entry_is_trailing": "trailing_buy_enabled",
    "entry_trailing_percent": "trailing_buy_step",
    "basis_price": "average_buy_price",
    "take_profit_price": "take_profit_price_condition",
    "take_profit_percentage": "take_profit_percentage_condition",
    "take_profit_source": "take_profit_price_method",
    "take_profit_order_type": "take_profit_sell_method",
    "take_profit_order_price": "take_profit_sell_order_price",
    "take_profit_is_trailing": "trailing_take_profit",
    "take_profit_trailing_percent": "trailing_take_profit_step",
    "stop_loss_price": "stop_loss_price_condition",
    "stop_loss_percentage": "stop_loss_percentage_condition",
    "stop_loss_source": "stop_loss_price_method",
    "stop_loss_order_type": "stop_loss_sell_method",
    "stop_loss_order_price": "stop_loss_sell_order_price",
    "stop_loss_is_trailing": "trailing_stop_loss",
}

#: What is added to a trade has names of its own.
FUNDS_NAMES: Final[Mapping[str, str]] = {"quantity": "quantity", "price": "rate"}

_STEP_NAMES: Final = {"percentage": "price_percentage", "source": "price_method"}

_STEP = re.compile(r"take_profit_steps(?:\[(\d+)\])?(?:\.condition)?(?:\.(\w+))?", re.ASCII)


#: With the figure in its place, where there is one.
_WORDS: Final[Mapping[Flaw, str]] = {
    Flaw.MISSING: findings.MISSING,
    Flaw.NOT_TRADED: findings.NOT_LISTED,
    Flaw.CONTRADICTED: findings.INVALID,
    Flaw.FIXED: findings.NOT_EDITABLE,
    Flaw.REPEATED: findings.NOT_UNIQUE,
    Flaw.NOT_ABOVE_ZERO: findings.NOT_ABOVE_ZERO,
    Flaw.NOT_POSITIVE: findings.NOT_POSITIVE,
    Flaw.NOT_NEGATIVE: findings.NOT_NEGATIVE,
    Flaw.NO_PRICE: findings.INVALID,
    Flaw.NOT_WHOLE: findings.NOT_WHOLE,
    Flaw.TOO_MANY: findings.TOO_MANY_STEPS,
    Flaw.OFF_STEP: "Should change with step {}",
    Flaw.BELOW_LEAST: "must be greater than or equal to {}",
}


def words_for(complaint: Complaint) -> str:
    """Return what 3Commas says of a term that is wrong in this way."""
    figure = complaint.figure
    return _WORDS[complaint.flaw].format("" if figure is None else plain(figure))


def in_wire_words(error: TermsRefused, names: Mapping[str, str] = NAMES) -> InvalidParameters:
    """Return the error with the names of parameters and the messages of 3Commas."""
    fields = {
        parameter_of(field, names): [words_for(one) for one in complaints]
        for field, complaints in error.fields.items()
    }
    if isinstance(error, RuleBroken):
        return RulesBroken("record_invalid", str(error), fields)
    return invalid_parameters(fields)


def parameter_of(field: str, names: Mapping[str, str] = NAMES) -> str:
    """Return which parameter gives a field of a command."""
    match = _STEP.fullmatch(field)
    if match is None:
        return names.get(field, field)
    index, key = match.groups()
    name = STEPS if index is None else f"{STEPS}[{index}]"
    return name if key is None else f"{name}[{_STEP_NAMES.get(key, key)}]"
