"""How a trade is to enter (SmartTrades Api, the create calls)."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.names import symbol_of
from app.domain.identifiers import Symbol
from app.domain.smart_trade.enums import EntryMethod, TradeType
from app.domain.smart_trade.spec import TRAILING_PERCENT, EntryRule, NewTrade

Parameters = Mapping[str, object]


class Call(StrEnum):
    """The calls that create a trade."""

    SIMPLE_BUY = "create_simple_buy"
    SIMPLE_SELL = "create_simple_sell"
    SMART_SELL = "create_smart_sell"
    SMART_COVER = "create_smart_cover"
    SMART_TRADE = "create_smart_trade"

    @property
    def has_exits(self) -> bool:
        """Whether the trade goes on when it has entered."""
        return self not in {Call.SIMPLE_BUY, Call.SIMPLE_SELL}

    def type_by(self, method: EntryMethod) -> TradeType:
        """Return the type of the trade that enters in this way."""
        at_once, conditional = _TYPES[self]
        return conditional if method is EntryMethod.CONDITIONAL else at_once


#: Call → the type that enters at once, the type that waits for a price.
_TYPES: Mapping[Call, tuple[TradeType, TradeType]] = {
    Call.SIMPLE_BUY: (TradeType.SIMPLE_BUY, TradeType.CONDITIONAL_SIMPLE_BUY),
    Call.SIMPLE_SELL: (TradeType.SIMPLE_SELL, TradeType.CONDITIONAL_SIMPLE_SELL),
    Call.SMART_SELL: (TradeType.SMART_SALE, TradeType.SMART_SALE),
    Call.SMART_COVER: (TradeType.SELL_BUY_BACK, TradeType.CONDITIONAL_SELL),
    Call.SMART_TRADE: (TradeType.CLASSIC, TradeType.CONDITIONAL_BUY),
}


def opening_from(
    call: Call, parameters: Parameters, is_traded: Callable[[Symbol], bool] | None, found: Findings
) -> NewTrade:
    """Return a trade with nothing but its beginning, and note what is wrong.

    Where something is wrong, values stand for what is missing.

    Args:
        call: which one.
        parameters: of the request.
        is_traded: whether its account trades a symbol; None where that is told otherwise.
        found: takes the messages.
    """
    shape = found.shape(schemas.OPENED, parameters)
    symbol = symbol_of(shape.get("pair", ""))
    if "pair" in shape and (symbol is None or (is_traded is not None and not is_traded(symbol))):
        found.add("pair", findings.NOT_LISTED)
    basis, entry = None, None
    if call is Call.SMART_SELL:
        basis = found.shape(schemas.HELD, parameters).get("average_buy_price")
    else:
        entry = _entry(call, parameters, found)
    method = EntryMethod.LIMIT if entry is None else entry.method
    return NewTrade(
        type=call.type_by(method),
        symbol=symbol or Symbol(""),
        quantity=shape.get("units_to_buy", Decimal(0)),
        entry=entry,
        basis_price=basis,
    )


def _entry(call: Call, parameters: Parameters, found: Findings) -> EntryRule:
    method: EntryMethod = found.shape(schemas.ENTERED, parameters).get(
        "buy_method", EntryMethod.MARKET
    )
    trailing = _trailing(method, parameters, found) if call.has_exits else None
    limit = None
    if method is EntryMethod.CONDITIONAL:
        limit = found.shape(schemas.CONDITIONAL, parameters).get("conditional_limit_price")
        if limit is not None and trailing is not None:
            found.add("conditional_limit_price", findings.INVALID)
    price = _price(method, parameters, found)
    if trailing is not None:
        method = EntryMethod.CONDITIONAL  # if it could not be read: no other one trails
    return EntryRule(method=method, price=price, limit_price=limit, trailing_percent=trailing)


def _price(method: EntryMethod, parameters: Parameters, found: Findings) -> Decimal | None:
    if method is not EntryMethod.MARKET:
        price: Decimal | None = found.shape(schemas.PRICED, parameters).get("buy_price")
        return price
    shown: Decimal | None = found.shape(schemas.INFORMED, parameters).get("buy_price")
    return shown if shown is not None and shown > 0 else None


def _trailing(method: EntryMethod, parameters: Parameters, found: Findings) -> Decimal | None:
    """Return by how much the entry trails, in percent; None if it does not."""
    if not found.shape(schemas.TRAILED, parameters).get("trailing_buy_enabled", False):
        return None
    if method is not EntryMethod.CONDITIONAL and not found.about("buy_method"):
        found.add("trailing_buy_enabled", findings.INVALID)
        return None
    percent = found.shape(schemas.TRAILING_ENTRY, parameters).get("trailing_buy_step")
    return TRAILING_PERCENT if percent is None else percent
