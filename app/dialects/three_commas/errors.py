"""What is wrong with parameters, gathered so that all of it is told at once.

The messages are those of 3Commas itself (docs repository: errors.mdx, smart-trade pages, issue 34),
since callers look for their exact words; what is wrong with a command is told by the names that the
parameters have.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from marshmallow import Schema

from app.dialects.three_commas.parameters import STEPS
from app.domain.enums import Flaw, ReasonCode
from app.domain.errors import (
    Complaint,
    LimitExceeded,
    MalformedPayload,
    RuleBroken,
    TermsRefused,
)
from app.domain.money import plain
from app.web.fields import loaded_in_part

MISSING = "is missing"
INVALID = "is invalid"
NOT_LISTED = "is not included in the list"
NOT_ABOVE_ZERO = "must be greater than 0"
NOT_POSITIVE = "must be positive"
NOT_NEGATIVE = "must be negative"
NOT_EDITABLE = "Can't be edit"
NOT_UNIQUE = "must be unique"
NOT_WHOLE = "sum of percents must be equal to 100"
TOO_MANY_STEPS = "is too long (maximum is 4 steps)"

Shape = dict[str, Any]

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
FUNDS_NAMES: Final[Mapping[str, str]] = {"price": "rate"}

_STEP_NAMES: Final = {"percentage": "price_percentage", "source": "price_method"}

_STEP = re.compile(r"take_profit_steps(?:\[(\d+)\])?(?:\.condition)?(?:\.(\w+))?", re.ASCII)


#: With the figure in its place, where there is one.
_WORDS: Final[Mapping[Flaw, str]] = {
    Flaw.MISSING: MISSING,
    Flaw.NOT_TRADED: NOT_LISTED,
    Flaw.CONTRADICTED: INVALID,
    Flaw.FIXED: NOT_EDITABLE,
    Flaw.REPEATED: NOT_UNIQUE,
    Flaw.NOT_ABOVE_ZERO: NOT_ABOVE_ZERO,
    Flaw.NOT_POSITIVE: NOT_POSITIVE,
    Flaw.NOT_NEGATIVE: NOT_NEGATIVE,
    Flaw.NO_PRICE: INVALID,
    Flaw.NOT_WHOLE: NOT_WHOLE,
    Flaw.TOO_MANY: TOO_MANY_STEPS,
    Flaw.OFF_STEP: "Should change with step {}",
    Flaw.BELOW_LEAST: "must be greater than or equal to {}",
    Flaw.ABOVE_MOST: "must be less than or equal to {}",
}


class InvalidParameters(MalformedPayload):
    """Something is missing, of a wrong type, not in its list or of a wrong sign."""


class RulesBroken(InvalidParameters):
    """The market's rules do not allow a figure."""


def invalid_parameters(fields: Mapping[str, Sequence[str]]) -> InvalidParameters:
    """Return the error with these messages: parameter → messages."""
    message = f"invalid parameters: {', '.join(fields)}"
    return InvalidParameters("record_invalid", message, fields)


class Findings(dict[str, list[str]]):
    """Messages by field, in the order in which they were found."""

    def add(self, name: str, message: str) -> None:
        """Note what is wrong with a field; only the first thing counts."""
        self.setdefault(name, [message])

    def shape(self, schema: Schema, parameters: Mapping[str, object], path: str = "") -> Shape:
        """Return what is good of the parameters that a schema knows, and note the rest.

        Args:
            schema: which parameters.
            parameters: those of the request, or an object within them.
            path: where that object is.
        """
        shape, wrong = loaded_in_part(schema, parameters)
        for name, messages in wrong.items():
            self.add(f"{path}[{name}]" if path else str(name), str(messages[0]))
        return shape

    def refuse(self) -> None:
        """Let pass if nothing is wrong.

        Raises:
            InvalidParameters: something is.
        """
        if self:
            raise invalid_parameters(self)


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


def limit_exceeded(error: LimitExceeded, names: Mapping[str, str] = NAMES) -> InvalidParameters:
    """Return what the limits of an account deny, by the parameter that it is about."""
    field = "symbol" if error.code is ReasonCode.ALLOWED_SYMBOLS else "quantity"
    return invalid_parameters({parameter_of(field, names): [f"{error.code}: {error}"]})


def parameter_of(field: str, names: Mapping[str, str] = NAMES) -> str:
    """Return which parameter gives a field of a command."""
    match = _STEP.fullmatch(field)
    if match is None:
        return names.get(field, field)
    index, key = match.groups()
    name = STEPS if index is None else f"{STEPS}[{index}]"
    return name if key is None else f"{name}[{_STEP_NAMES.get(key, key)}]"
