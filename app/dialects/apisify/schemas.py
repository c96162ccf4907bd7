"""The shape of an order (apisify spec, section 2)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from app.domain.commands import NetAction
from app.web.fields import POSITIVE, Message, Number, Text, ValueField, number_from

EXCHANGES = ("bybit", "bybit_testnet", "binance", "binance_testnet", "paper")

#: Canonical name of each side (section 3.2).
SIDES: Mapping[NetAction, str] = {
    NetAction.BUY: "Buy",
    NetAction.SELL: "Sell",
    NetAction.CLOSE: "Close",
    NetAction.REVERSE_BUY: "Sarbuy",
    NetAction.REVERSE_SELL: "Sarsell",
}

#: In lower case. The last is what TradingView fills in for a position that is none.
_WORDS = {
    **{name.lower(): action for action, name in SIDES.items()},
    "long": NetAction.BUY,
    "short": NetAction.SELL,
    "flat": NetAction.CLOSE,
}

#: The page lists all five and maps the middle three; 2 and -2 mirror them (decision A1).
_NUMBERS = {
    Decimal(2): NetAction.REVERSE_BUY,
    Decimal(1): NetAction.BUY,
    Decimal(0): NetAction.CLOSE,
    Decimal(-1): NetAction.SELL,
    Decimal(-2): NetAction.REVERSE_SELL,
}
_DIGITS = {
    **{str(number): action for number, action in _NUMBERS.items()},
    "+1": NetAction.BUY,
    "+2": NetAction.REVERSE_BUY,
}

_LABEL_CHARACTERS_MAX = 64
_MEMO_CHARACTERS_MAX = 256
_SYMBOL_CHARACTERS_MAX = 32

MARKET, LIMIT = "Market", "Limit"


class Side(ValueField[NetAction]):
    """A word in any case, or a number."""

    def read(self, value: object) -> NetAction:
        """Return what is to become of the position."""
        if isinstance(value, str):
            word = value.strip().lower()
            action = _WORDS.get(word) or _DIGITS.get(word)
        else:
            action = _NUMBERS.get(number_from(value))
        if action is None:
            known = ", ".join([*SIDES.values(), "Long", "Short", "2, 1, 0, -1, -2"])
            raise ValidationError(f"Must be one of: {known}.")
        return action


class OneOf(Text):
    """One of a few words, in any case.

    Args:
        words: as they are stored and shown.
    """

    def __init__(self, *words: str, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(**options)
        self._words = {word.lower(): word for word in words}

    def read(self, value: object) -> str:
        """Return the word as it is shown."""
        word = self._words.get(super().read(value).strip().lower())
        if word is None:
            raise ValidationError(f"Must be one of: {', '.join(self._words.values())}.")
        return word


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _check_label(text: str) -> None:
    """Let pass a name that a person gave: something besides blanks."""
    if not 0 < len(text) <= _LABEL_CHARACTERS_MAX:
        raise ValidationError(f"Must be 1 to {_LABEL_CHARACTERS_MAX} characters.")


class Order(Message):
    """What is wanted; who wants it is read before, from `apikey`, `timestamp` and `sign`.

    A market order may bring a `price`, as the page's sample does; it bounds nothing by itself.
    """

    strategy = Text(required=True, pre_load=_stripped, validate=_check_label)
    exchange = OneOf(*EXCHANGES, required=True)
    order_type = OneOf(MARKET, LIMIT, required=True)
    qty = Number(required=True)
    side = Side(required=True, metadata={"type": ["string", "integer"]})
    symbol = Text(
        required=True,
        pre_load=_stripped,
        validate=validate.Regexp(
            rf"[A-Za-z0-9._/:-]{{1,{_SYMBOL_CHARACTERS_MAX}}}\Z",
            error=f"Must be 1 to {_SYMBOL_CHARACTERS_MAX} letters, digits or any of ._/:-.",
        ),
    )
    memo = Text(
        validate=validate.Length(
            max=_MEMO_CHARACTERS_MAX, error=f"Must be at most {_MEMO_CHARACTERS_MAX} characters."
        ),
        load_default="",
    )

    @validates_schema(skip_on_field_errors=False)
    def _refuse_quantity(self, data: Mapping[str, Any], **_: object) -> None:
        quantity = data.get("qty")
        if quantity is None or quantity > 0:
            return
        if quantity < 0 or data.get("side", NetAction.CLOSE) is not NetAction.CLOSE:
            raise ValidationError("Must be above 0; 0 is everything, for Close only.", "qty")


class LimitOrder(Order):
    """An order with a price."""

    price = Number(
        required=True,
        validate=POSITIVE,
        error_messages={"required": "required when order_type is Limit"},
    )


ORDER = Order()
LIMIT_ORDER = LimitOrder()
