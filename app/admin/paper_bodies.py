"""What a person says to the paper venue (docs/api.md). Numbers are JSON numbers or text."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from app.domain.enums import Market, PositionMode
from app.domain.errors import MalformedPayload
from app.domain.identifiers import Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.paper.admin.account_update import LEVERAGE_MAX, AccountSetting, PositionSetting
from app.paper.domain.account import Fees
from app.paper.domain.fault import FaultPlan, FaultWord, FaultyCall
from app.web.fields import Strict, ValueField, messages_by_name

Levels = tuple[tuple[Decimal, Decimal], ...]

#: Milliseconds. An answer later than this outlives every lease.
DELAY_MAX_MS = 600_000

#: ASCII only, since `Decimal` also reads other scripts' digits and underscores.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS_MAX = 40
_EXPONENT_MAX = 30

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)

_AN_OBJECT, _A_LIST = "must be an object", "must be a list"
_NO_PRICES, _NO_INSTRUMENTS = "must name at least one symbol", "must list at least one"


def number_from(value: object) -> Decimal | None:
    """Return the number that a JSON number or text stands for, or None if it stands for none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    text = str(value).strip(" ")
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    too_long = len(digits) > _DIGITS_MAX or abs(int(exponent)) > _EXPONENT_MAX
    return None if too_long or len(plain(number)) > 2 * _DIGITS_MAX else number


# Fields: each has one message, whatever is wrong with it


class Checked(ValueField[Any]):
    """A value that is one of its kind.

    Args:
        message: what it must be.
        meaning: value → what it means, or None if it means nothing here.
        options: of marshmallow.
    """

    def __init__(
        self,
        message: str,
        meaning: Callable[[object], object | None],
        **options: Any,  # noqa: ANN401
    ) -> None:
        self._message, self._meaning = message, meaning
        super().__init__(error_messages=dict.fromkeys(("null", "required"), message), **options)

    def read(self, value: object) -> Any:  # noqa: ANN401
        """Return what the value means."""
        found = self._meaning(value)
        if found is None:
            raise ValidationError(self._message)
        return found


def _amount(value: object) -> Decimal | None:
    number = number_from(value)
    return None if number is None or number < 0 else number


def _positive(value: object) -> Decimal | None:
    return _amount(value) or None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _symbol(value: object) -> Symbol | None:
    return Symbol(value) if isinstance(value, str) and _SYMBOL.fullmatch(value) else None


def _currency(value: object) -> Currency | None:
    return Currency(value) if isinstance(value, str) and _CURRENCY.fullmatch(value) else None


def _level(value: object) -> tuple[Decimal, Decimal] | None:
    pair = [_positive(one) for one in value] if isinstance(value, list) else []
    match pair:
        case [Decimal() as price, Decimal() as quantity]:
            return price, quantity
        case _:
            return None


#: For the documentation.
_NUMERIC = {"type": ["string", "number"]}
_TEXT = {"type": "string"}
_BY_SYMBOL = "By symbol."
_LEVEL = {"type": "array", "items": _NUMERIC}

Amount = partial(Checked, "must be a number of at least 0", _amount, metadata=_NUMERIC)
Positive = partial(Checked, "must be a number above 0", _positive, metadata=_NUMERIC)
Truth = partial(Checked, "must be true or false", _truth, metadata={"type": "boolean"})
CurrencyName = partial(Checked, "must be a currency like USDT", _currency)
SymbolName = partial(Checked, "must be a symbol like BTC/USDT", _symbol, metadata=_TEXT)
Level = partial(Checked, "must be [price, quantity], both above 0", _level, metadata=_LEVEL)


def whole(least: int, most: int, **options: Any) -> Checked:  # noqa: ANN401
    """Return the field of a whole number within bounds."""

    def meaning(value: object) -> int | None:
        number = number_from(value)
        if number is None or number != number.to_integral_value() or not least <= number <= most:
            return None
        return int(number)

    told = {"type": "integer", "minimum": least, "maximum": most}
    message = f"must be a whole number from {least} to {most}"
    return Checked(message, meaning, metadata=told, **options)


def one_of(words: Sequence[StrEnum] | type[StrEnum], **options: Any) -> Checked:  # noqa: ANN401
    """Return the field of one of these words."""
    by_text: Mapping[object, StrEnum] = {str(word): word for word in words}

    def meaning(value: object) -> StrEnum | None:
        return by_text.get(value) if isinstance(value, str) else None

    told = {"type": "string", "enum": list(map(str, words))}
    return Checked(f"must be one of {', '.join(words)}", meaning, metadata=told, **options)


class _Table(fields.Dict):
    """An object with a value of one kind for each name; what is wrong is told by name alone."""

    def deserialize(self, value: object, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return name → value."""
        try:
            return super().deserialize(value, *args, **options)
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            wrong = {name: one.get("key") or one["value"] for name, one in error.messages.items()}
            raise ValidationError(wrong) from error


def _table_of(name: fields.Field[Any], inner: fields.Field[Any], told: str) -> _Table:
    return _Table(
        name,
        inner,
        error_messages={"null": _AN_OBJECT, "invalid": _AN_OBJECT},
        metadata={"description": told},
    )


def _list_of(inner: fields.Field[Any], **options: Any) -> fields.List[Any]:  # noqa: ANN401
    return fields.List(inner, error_messages={"null": _A_LIST, "invalid": _A_LIST}, **options)


def _within(schema: type[Schema], **options: Any) -> fields.Nested:  # noqa: ANN401
    return fields.Nested(schema, error_messages={"null": _AN_OBJECT}, **options)


class _Body(Strict):
    error_messages = {"unknown": "unknown field", "type": _AN_OBJECT}  # noqa: RUF012 - as marshmallow has it


# Accounts


class PositionBody(_Body):
    """Both legs of a position; without an entry price it is the market's."""

    long = Amount(load_default=Decimal(0))
    short = Amount(load_default=Decimal(0))
    entry_price = Amount(allow_none=True, load_default=None)

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> PositionSetting:
        return PositionSetting(**data)


class FeesBody(_Body):
    """Shares of the notional."""

    maker = Amount(load_default=Decimal(0))
    taker = Amount(load_default=Decimal(0))

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> Fees:
        wrong = {name: ["must be a share below 1"] for name, rate in data.items() if rate >= 1}
        if wrong:
            raise ValidationError(wrong)
        return Fees(**data)


class PaperAccountBody(_Body):
    """What is to be replaced in an account."""

    market = one_of(Market)
    balances = _table_of(CurrencyName(), Amount(), "By currency.")
    positions = _table_of(SymbolName(), _within(PositionBody), _BY_SYMBOL)
    leverage = _table_of(SymbolName(), whole(1, LEVERAGE_MAX), _BY_SYMBOL)
    position_mode = one_of(PositionMode)
    fees = _within(FeesBody)
    reset = Truth()

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> AccountSetting:
        return AccountSetting(**data)


# Prices


class QuoteBody(_Body):
    """Prices of one symbol: `last` alone sets all, depth stands in for a touch that is absent."""

    bid, ask, last = Positive(), Positive(), Positive()
    bids = _list_of(Level(), load_default=())
    asks = _list_of(Level(), load_default=())

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> Quote:
        bids, asks, last = tuple(data["bids"]), tuple(data["asks"]), data.get("last")
        bid = data.get("bid") or (bids[0][0] if bids else last)
        ask = data.get("ask") or (asks[0][0] if asks else last)
        bid, ask = bid or ask, ask or bid
        if bid is None or ask is None:
            raise ValidationError("needs a bid, an ask or a last price")
        wrong = {**_depth("bids", bid, bids), **_depth("asks", ask, asks)}
        if bid > ask:
            wrong["bid"] = ["must not be above the ask"]
        if wrong:
            raise ValidationError(wrong)
        return Quote(bid=bid, ask=ask, last=bid if last is None else last, bids=bids, asks=asks)


def _depth(name: str, touch: Decimal, levels: Levels) -> dict[str, list[str]]:
    prices = [price for price, _ in levels]
    if prices != sorted(set(prices), reverse=name == "bids"):
        return {name: ["must be best first, each price once"]}
    return {name: ["must begin with the touch"]} if prices and prices[0] != touch else {}


class PricesBody(_Body):
    """Symbol → prices; null where none shall be known."""

    prices = _table_of(SymbolName(), _within(QuoteBody, allow_none=True), _BY_SYMBOL)

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> Mapping[Symbol, Quote | None]:
        if not data.get("prices"):
            raise ValidationError({"prices": [_NO_PRICES]})
        return dict(data["prices"])


# Instruments


class _Kind(StrEnum):
    """How a contract is margined."""

    LINEAR = "linear"
    INVERSE = "inverse"


class InstrumentBody(_Body):
    """The rules of one symbol in one market."""

    symbol = SymbolName(required=True)
    market = one_of(Market, required=True)
    kind = one_of(_Kind)
    price_step = Positive(required=True)
    quantity_step = Positive(required=True)
    quote_step = Positive(load_default=Decimal("0.00000001"))
    min_quantity = Amount(load_default=Decimal(0))
    max_quantity = Positive(allow_none=True, load_default=None)
    max_market_quantity = Positive(allow_none=True, load_default=None)
    min_notional = Amount(load_default=Decimal(0))
    multiplier_up = Positive(allow_none=True, load_default=None)
    multiplier_down = Positive(allow_none=True, load_default=None)

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> Instrument:
        market = data["market"]
        kind = _Kind.INVERSE if market is Market.COINM else _Kind.LINEAR
        if data.setdefault("kind", kind) is not kind:
            raise ValidationError({"kind": [f"must be {kind} in the {market} market"]})
        return Instrument(**{**data, "kind": kind.value})


class InstrumentsBody(_Body):
    """Instruments to add or replace."""

    instruments = _list_of(_within(InstrumentBody), load_default=())

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> tuple[Instrument, ...]:
        if not data["instruments"]:
            raise ValidationError({"instruments": [_NO_INSTRUMENTS]})
        return tuple(data["instruments"])


# Faults


#: A question is not refused, and brings nothing about whose answer could be lost.
_OF_A_QUESTION = [FaultWord.ERROR, FaultWord.NOT_FOUND, FaultWord.OK, FaultWord.TIMEOUT]


class FaultsBody(_Body):
    """What an account's next calls meet."""

    place = _list_of(one_of(sorted(FaultWord)), load_default=())
    cancel = _list_of(one_of(sorted(FaultWord)), load_default=())
    find = _list_of(one_of(_OF_A_QUESTION), load_default=())
    delay_ms = whole(0, DELAY_MAX_MS, load_default=0)

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> FaultPlan:
        words = {str(call): tuple(data[call]) for call in FaultyCall}
        return FaultPlan(**words, delay_ms=data["delay_ms"])


PAPER_ACCOUNT, PRICES = PaperAccountBody(), PricesBody()
INSTRUMENTS, FAULTS = InstrumentsBody(), FaultsBody()


def read(schema: Schema, content: object) -> Any:  # noqa: ANN401 - each caller knows the schema
    """Return what a body means.

    Raises:
        MalformedPayload: with the messages by field.
    """
    try:
        return schema.load(content)  # type: ignore[arg-type]  # anything but an object is refused
    except ValidationError as error:
        found = messages_by_name(error.messages_dict)
        wrong: dict[str, list[str]] = {}
        for name, messages in found.items():
            where = name.removesuffix("_schema").rstrip(".") or "body"
            wrong.setdefault(where, []).extend(messages)
        message = f"wrong: {', '.join(sorted(wrong))}"
        raise MalformedPayload("validation_failed", message, wrong) from error
