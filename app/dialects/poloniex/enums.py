"""The words of orders: sides, types and times in force, by all the names that are taken."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from marshmallow import ValidationError

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.payload import Payload
from app.domain.enums import Direction, OrderType, Side, SmartOrderType, TimeInForce
from app.domain.trigger import PERCENT_PLACES, Offset
from app.web.fields import number_from

SIDES: Final[Mapping[str, Side]] = {one.value: one for one in Side}
TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {one.value: one for one in TimeInForce}
ORDER_TYPES: Final[Mapping[str, OrderType]] = {one.value: one for one in OrderType}
OPERATORS: Final[Mapping[str, Direction]] = {"GTE": Direction.RISING, "LTE": Direction.FALLING}

#: The other way round, as it is shown.
OPERATOR_OF: Final[Mapping[Direction, str]] = {way: word for word, way in OPERATORS.items()}


class SmartType(NamedTuple):
    """A type of smart order as its caller means it."""

    type: SmartOrderType
    post_only: bool = False


#: The SDK's README creates smart orders with the types of plain ones.
SMART_TYPES: Final[Mapping[str, SmartType]] = {
    **{one.value: SmartType(one) for one in SmartOrderType},
    "MARKET": SmartType(SmartOrderType.STOP),
    "LIMIT": SmartType(SmartOrderType.STOP_LIMIT),
    "LIMIT_MAKER": SmartType(SmartOrderType.STOP_LIMIT, post_only=True),
}

_CALLER_ID_CHARACTERS_MAX: Final = 64
_CALLER_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def is_caller_id(text: str) -> bool:
    """Tell whether a text may be a client order id."""
    return len(text) <= _CALLER_ID_CHARACTERS_MAX and bool(_CALLER_ID.fullmatch(text))


def caller_id_from(payload: Payload) -> str | None:
    """Return the client order id; None if it is absent or empty. A whole number counts as text.

    Raises:
        Problem: it is too long, or has another character than letters, digits, `_` and `-`.
    """
    found = payload.value("clientOrderId")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        raise Problem(Code.INVALID_VALUE, "clientOrderId")
    if len(found) > _CALLER_ID_CHARACTERS_MAX:
        raise Problem(Code.CLIENT_ORDER_ID_TOO_LONG)
    if not _CALLER_ID.fullmatch(found):
        raise Problem(Code.INVALID_VALUE, "clientOrderId")
    return found


def offset_from(payload: Payload, name: str, *, may_be_zero: bool = False) -> Offset | None:
    """Return a distance, `N` in quote currency or `N%`; None if it is absent.

    Raises:
        Problem: it is none, not above 0, or 100 percent or more.
    """
    found = payload.value(name)
    if found is None or found == "":
        return None
    is_percent = isinstance(found, str) and found.strip().endswith("%")
    try:
        number = number_from(found.strip()[:-1] if isinstance(found, str) and is_percent else found)
    except ValidationError as error:
        raise Problem(Code.INVALID_VALUE, name) from error
    is_small = number < 0 or (number == 0 and not may_be_zero)
    if is_small or (is_percent and not _is_percentage(number)):
        raise Problem(Code.INVALID_VALUE, name)
    return Offset(number, is_percent)


def _is_percentage(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return number < 100 and isinstance(exponent, int) and exponent >= -PERCENT_PLACES  # noqa: PLR2004 - percent
