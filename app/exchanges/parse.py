"""What an exchange answers, in our words."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

import ccxt

from app.domain.enums import Listing, Market, OrderType, PositionSide, ReasonCode, Side, TimeInForce
from app.domain.errors import OutcomeUnknown, VenueUnavailable
from app.domain.frozen import PlacedOrder
from app.domain.identifiers import (
    ClientOrderId,
    Currency,
    EpochMs,
    Symbol,
    TradeId,
    VenueOrderId,
)
from app.domain.instrument import Instrument
from app.domain.market import Balance, Position, Quote
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.reconciliation import VenueOrder
from app.domain.report import Fill, OrderReport, fees_of
from app.domain.status import CLOSED, OPEN, OrderStatus
from app.exchanges.profiles import SMART_STATE, Profile
from app.exchanges.refusals import BYBIT_WOULD_TAKE, POST_ONLY

Json = Mapping[str, Any]

#: ccxt's own words, for exchanges whose own words we do not know.
_UNIFIED = {
    "open": OrderStatus.NEW,
    "canceling": OrderStatus.NEW,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}

#: Where an exchange's own answer has the greatest quantity of one order, and of one market order,
#: for which ccxt has no place: Bybit, "Get Instruments Info" (spot, then linear), and Poloniex,
#: "Symbol Information" (changelog of 2025-04-17).
_MAX = (("lotSizeFilter", "maxLimitOrderQty"), ("symbolTradeLimit", "maxQuantity"))
_MARKET_MAX = (("lotSizeFilter", "maxMarketOrderQty"), ("lotSizeFilter", "maxMktOrderQty"))

#: Where Bybit tells what kind of contract it is: of inverse ones each is one US dollar ("Get
#: Instruments Info" has no field for that, and the library takes the least order for it).
_BYBIT_INVERSE = "InversePerpetual"

#: In a row of metadata: how its precision counts, one of ccxt's three words for that.
PRECISION_MODE = "precisionMode"

#: In ccxt's order of a stop: the id of the order that was made of it, where that is another one.
TRADED_AS = "tradedAs"

#: The finest step of prices that count by significant digits: ccxt's exchanges have eight decimals.
_FINEST = Decimal("0.00000001")

_BRIEF = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_LEGS = {"long": PositionSide.LONG, "short": PositionSide.SHORT}


def number(value: object) -> Decimal | None:
    """Return a number of an answer, or None where it has none.

    Raises:
        VenueUnavailable: it is none, whatever it is.
    """
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise VenueUnavailable(f"the answer had {value!r} for a number") from error
    if not found.is_finite():
        raise VenueUnavailable(f"the answer had {value!r} for a number")
    return found


def or_zero(value: object) -> Decimal:
    """Return a number of an answer, 0 where it has none."""
    return number(value) or Decimal(0)


def is_answer_to(order: Order, answer: Json) -> bool:
    """Tell whether the answer to an order is one: it names this order, or at least an id."""
    named = answer.get("clientOrderId")
    if named:
        return bool(named == order.client_order_id)
    return venue_id_of(answer) is not None


def report_of(
    order: Order, answer: Json, profile: Profile, size: Decimal = Decimal(1)
) -> OrderReport:
    """Return what an answer says about an order.

    Args:
        order: as we know it.
        answer: ccxt's order.
        profile: the exchange's words.
        size: how much of ours its unit of quantity is.

    Raises:
        OutcomeUnknown: it says nothing that we understand.
    """
    told = ending_of(answer, profile, size)
    is_stop = order.condition is not None and _has_waited_only(answer, profile)
    status = told.status if is_stop else _status(order, answer, told)
    reason = _reason_of_stop(status, answer) if is_stop else _reason(order, status, answer)
    fills = fills_of(answer.get("trades") or (), size, answer.get("timestamp"))
    return replace(
        told,
        status=status,
        fills=fills,
        fees=fees_of(fills),
        reason=reason,
    )


def ending_of(answer: Json, profile: Profile, size: Decimal) -> OrderReport:
    """Return what an answer says about an order of which nothing else is known here.

    Args:
        answer: ccxt's order.
        profile: the exchange's words.
        size: how much of ours its unit of quantity is.

    Raises:
        OutcomeUnknown: it says nothing that we understand.
    """
    filled = or_zero(answer.get("filled")) * size
    return OrderReport(
        status=_told_status(answer, profile),
        venue_order_id=venue_id_of(answer),
        filled_quantity=filled,
        average_price=_average(answer, filled),
    )


def _told_status(answer: Json, profile: Profile) -> OrderStatus:
    info = answer.get("info") or {}
    if profile.stop_state_field and profile.stop_state_field in info:
        own, states = info[profile.stop_state_field], profile.stop_states
    else:
        own = info.get(profile.state_field) if profile.state_field else None
        states = profile.states
    status = states.get(str(own)) if own else _UNIFIED.get(str(answer.get("status")))
    if status is None:
        raise OutcomeUnknown(f"the venue says that the order is {own or answer.get('status')!r}")
    return status


def _status(order: Order, answer: Json, told: OrderReport) -> OrderStatus:
    if told.status in OPEN:
        return OrderStatus.PARTIALLY_FILLED if told.filled_quantity > 0 else OrderStatus.NEW
    if told.status is OrderStatus.EXPIRED:
        return _expired(order, told.filled_quantity)
    if (answer.get("info") or {}).get("rejectReason") == BYBIT_WOULD_TAKE:
        return OrderStatus.REJECTED
    return told.status


def _expired(order: Order, filled: Decimal) -> OrderStatus:
    """Return what an order has come to that the venue let go by itself.

    That is how Binance ends what an IOC, a FOK or a market order leaves, and a post-only order of
    futures that would have taken.
    """
    if order.type is OrderType.LIMIT_MAKER and not filled:
        return OrderStatus.REJECTED
    if order.type is OrderType.MARKET or order.time_in_force in _BRIEF:
        return OrderStatus.CANCELED
    return OrderStatus.EXPIRED


def _reason(order: Order, status: OrderStatus, answer: Json) -> Reason | None:
    if status not in CLOSED or status is OrderStatus.FILLED:
        return None
    if order.condition is not None and _reduces_nothing(answer):
        return _POSITION_GONE
    if status is OrderStatus.REJECTED and order.type is OrderType.LIMIT_MAKER:
        return Reason(ReasonCode.WOULD_TAKE, POST_ONLY)
    if status is OrderStatus.REJECTED:
        return Reason(ReasonCode.VENUE_REJECTED, f"the venue says {answer.get('status')}")
    if order.type is OrderType.MARKET or order.time_in_force in _BRIEF:
        return Reason(ReasonCode.TIME_IN_FORCE, "the rest could not be filled at once")
    return None


#: Bybit, "Enums": a conditional order that waits, and one that was canceled while it did.
_BYBIT_WAITING = frozenset({"Untriggered", "Deactivated"})

#: "Order types" of Binance's spot market.
_BINANCE_STOPS = frozenset({"STOP_LOSS", "TAKE_PROFIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})

_POSITION_GONE = Reason(ReasonCode.POSITION_CLOSED, "the position is gone that it was to reduce")


def _has_waited_only(answer: Json, profile: Profile) -> bool:
    """Tell whether a stop waits for its price, or has ended without having become an order.

    Of spot Binance lets that be told by how it has ended: by a person ("Order status", CANCELED),
    while what a market order leaves is EXPIRED.
    """
    info = answer.get("info") or {}
    if info.get("type") in _BINANCE_STOPS:
        return str(info.get("status")) in {"CANCELED", "REJECTED"}
    return profile.stop_state_field in info or info.get("orderStatus") in _BYBIT_WAITING


def _reduces_nothing(answer: Json) -> bool:
    """Tell whether Bybit has canceled it for that ("Enums", cancelType)."""
    return (answer.get("info") or {}).get("cancelType") == "CancelByReduceOnly"


def _reason_of_stop(status: OrderStatus, answer: Json) -> Reason | None:
    """Return why a stop has ended before an order was made of it; None for any other cancel."""
    if status is OrderStatus.CANCELED and _reduces_nothing(answer):
        return _POSITION_GONE
    if status is OrderStatus.REJECTED:
        return Reason(ReasonCode.VENUE_REJECTED, "the venue refused it when its price came")
    if status is OrderStatus.EXPIRED:
        return Reason(ReasonCode.VENUE_REJECTED, "the venue has let it go; it waited for its price")
    return None


def _average(answer: Json, filled: Decimal) -> Decimal | None:
    if not filled:
        return None
    return number(answer.get("average")) or number(answer.get("price"))


def venue_id_of(answer: Json) -> VenueOrderId | None:
    """Return the exchange's own id of the order in an answer, or None."""
    found = answer.get("id")
    return None if found in {None, ""} else VenueOrderId(str(found))


def traded_id_of(answer: Json) -> VenueOrderId | None:
    """Return the id under which the trades of the order in an answer are told, or None."""
    found = answer.get(TRADED_AS)
    return venue_id_of(answer) if found is None else VenueOrderId(str(found))


def fills_of(trades: Iterable[Json], size: Decimal, at_ms: object = None) -> tuple[Fill, ...]:
    """Return the fills of ccxt's trades; one without an id cannot be told from others.

    Args:
        trades: as ccxt has them.
        size: how much of ours its unit of quantity is.
        at_ms: the time of those that do not tell theirs.
    """
    return tuple(_fill(trade, size, at_ms) for trade in trades if trade.get("id") is not None)


def _fill(trade: Json, size: Decimal, at_ms: object) -> Fill:
    fee = trade.get("fee") or {}
    return Fill(
        trade_id=TradeId(str(trade["id"])),
        quantity=or_zero(trade.get("amount")) * size,
        price=or_zero(trade.get("price")),
        fee=or_zero(fee.get("cost")),
        fee_currency=Currency(str(fee.get("currency") or "")),
        at_ms=EpochMs(int(str(trade.get("timestamp") or at_ms or 0))),
    )


def placed_of(row: Json, size: Decimal) -> PlacedOrder:
    """Return an order of a list, open or closed, whoever placed it.

    Args:
        row: ccxt's order.
        size: how much of ours its unit of quantity is.
    """
    standing = standing_of(row, size)
    return PlacedOrder(
        client_order_id=standing.client_order_id,
        venue_order_id=standing.venue_order_id,
        symbol=standing.symbol,
        side=standing.side,
        quantity=standing.quantity,
        filled_quantity=standing.filled_quantity,
        placed_at_ms=EpochMs(int(number(row.get("timestamp")) or 0)),
        is_open=row.get("status") == "open",
    )


def standing_of(row: Json, size: Decimal) -> VenueOrder:
    """Return an open order of a list, whoever placed it.

    Args:
        row: ccxt's order.
        size: how much of ours its unit of quantity is.
    """
    return VenueOrder(
        client_order_id=ClientOrderId(str(row.get("clientOrderId") or row.get("id"))),
        venue_order_id=venue_id_of(row),
        symbol=Symbol(str(row.get("symbol")).partition(":")[0]),
        side=Side.BUY if row.get("side") == "buy" else Side.SELL,
        quantity=or_zero(row.get("amount")) * size,
        filled_quantity=or_zero(row.get("filled")) * size,
        price=number(row.get("price")),
        is_stop=_is_stop(row),
    )


def _is_stop(row: Json) -> bool:
    info = row.get("info") or {}
    is_apart = TRADED_AS in row or "algoStatus" in info or SMART_STATE in info
    is_told = is_apart or info.get("type") in _BINANCE_STOPS
    return is_told or info.get("orderStatus") in _BYBIT_WAITING


def currency_names(told: Mapping[str, Json] | None) -> dict[Currency, str]:
    """Return code → name, of the currencies to which an exchange gives a name of their own."""
    return {
        Currency(code): str(row["name"])
        for code, row in (told or {}).items()
        if row.get("name") and row["name"] != code
    }


# Markets


def instrument_of(symbol: Symbol, market: Market, found: Json) -> Instrument | None:
    """Return the rules of ccxt's market, or None where it does not tell its steps."""
    limits = found.get("limits") or {}
    price_step, quantity_step = _price_step(found), _step(found, "amount")
    if not price_step or not quantity_step or _has_untold_size(found):
        return None
    size = contract_size(found)
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    greatest = _greatest(found, _MAX) or number(amount.get("max")) or None
    at_market = number((limits.get("market") or {}).get("max")) or _greatest(found, _MARKET_MAX)
    return Instrument(
        symbol=symbol,
        market=market,
        kind="inverse" if market is Market.COINM else "linear",
        price_step=price_step,
        price_digits=_price_digits(found),
        quantity_step=quantity_step * size,
        min_quantity=or_zero(amount.get("min")) * size,
        max_quantity=None if greatest is None else greatest * size,
        max_market_quantity=None if at_market is None else at_market * size,
        min_notional=or_zero(cost.get("min")),
        contract_size=_dollars(found) if found.get("inverse") else Decimal(1),
    )


def _precision(found: Json, name: str) -> Decimal | None:
    return number((found.get("precision") or {}).get(name))


def _step(found: Json, name: str) -> Decimal | None:
    """Return the step of a precision that counts by steps or by decimals.

    Where prices count by significant digits, amounts count by decimals all the same: ccxt cuts them
    off so at each such exchange.
    """
    precision = _precision(found, name)
    if precision is None or found.get(PRECISION_MODE, ccxt.TICK_SIZE) == ccxt.TICK_SIZE:
        return precision
    return Decimal(1).scaleb(-int(precision))


def _price_step(found: Json) -> Decimal | None:
    """Return the step of prices; of those that count by significant digits the finest there is."""
    return _step(found, "price") if _price_digits(found) is None else _FINEST


def _price_digits(found: Json) -> int | None:
    """Return how many significant digits a price may have, or None where that is not how."""
    if found.get(PRECISION_MODE) != ccxt.SIGNIFICANT_DIGITS:
        return None
    precision = _precision(found, "price")
    return None if precision is None else int(precision)


def cost_step(found: Json) -> Decimal:
    """Return the step in which a market counts its quote currency: that of its prices."""
    return _price_step(found) or Decimal("0.01")


def market_of(found: Json) -> Market | None:
    """Return which of our markets ccxt's market belongs to, or None for dated futures and such."""
    if found.get("spot"):
        return Market.SPOT
    if not found.get("swap"):
        return None
    if found.get("linear"):
        return Market.USDM
    return Market.COINM if found.get("inverse") else None


def is_other(market: Market, found: Json | None) -> bool:
    """Tell whether a row is of something else that a market's questions are answered with, too.

    A dated future has the same base and quote as the perpetual that is traded here.

    Args:
        market: of the account.
        found: ccxt's market of the row; None where it has none, and then nobody knows.
    """
    return found is not None and market_of(found) is not market


#: Exchanges in whose documents it stands that a contract in this status is over for good: Binance,
#: "Public Endpoints Info" (contractStatus), and Bybit, "Enums" (status).
_OVER = {"binance": frozenset({"CLOSE", "DELIVERED"}), "bybit": frozenset({"Closed"})}


def listing_of(found: Json, exchange_id: str) -> Listing:
    """Return whether ccxt's market is traded now; what exchanges list is gone if they say so."""
    own = found.get("info") or {}
    if own.get("status", own.get("contractStatus")) in _OVER.get(exchange_id, ()):
        return Listing.GONE
    return Listing.HALTED if found.get("active") is False else Listing.TRADED


def _greatest(found: Json, places: Iterable[tuple[str, str]]) -> Decimal | None:
    """Return a limit that ccxt leaves out; exchanges write 0 where they have none."""
    own = found.get("info") or {}
    told = (number((own.get(group) or {}).get(name)) for group, name in places)
    return next((one for one in told if one), None)


def contract_size(found: Json) -> Decimal:
    """Return how much of ours the exchange's unit of quantity is.

    We count linear contracts in base currency, and inverse ones as the exchange does.
    """
    if found.get("contract") is not True or found.get("inverse"):
        return Decimal(1)
    return number(found.get("contractSize")) or Decimal(1)


def _has_untold_size(found: Json) -> bool:
    """Tell whether nobody knows what quantities of a linear contract mean."""
    is_linear = found.get("contract") is True and not found.get("inverse")
    return is_linear and not number(found.get("contractSize"))


def _dollars(found: Json) -> Decimal | None:
    """Return how much quote currency an inverse contract is, in the exchange's own words, or None.

    The library takes something else where it is not told.
    """
    own = found.get("info") or {}
    if own.get("contractType") == _BYBIT_INVERSE:
        return Decimal(1)
    return number(own.get("contractSize")) or None


def quote_of(ticker: Json, book: Json | None = None) -> Quote | None:
    """Return the prices of a ticker, with the touch of an order book where the ticker has none."""
    last = number(ticker.get("last"))
    bid, ask = number(ticker.get("bid")), number(ticker.get("ask"))
    if book is not None:
        bid = number(book["bids"][0][0]) if book.get("bids") else bid
        ask = number(book["asks"][0][0]) if book.get("asks") else ask
    known = last or bid or ask
    if known is None:
        return None
    return Quote(bid=bid or known, ask=ask or known, last=known)


def moment_of(ticker: Json) -> int | None:
    """Return the venue's time of a ticker in ms, or None where it tells none."""
    found = number(ticker.get("timestamp"))
    return None if found is None else int(found)


# Accounts


def balances_of(answer: Json) -> dict[Currency, Balance]:
    """Return currency → balance."""
    totals, free = answer.get("total") or {}, answer.get("free") or {}
    return {
        Currency(name): Balance(total=or_zero(total), available=or_zero(free.get(name)))
        for name, total in totals.items()
        if or_zero(total) or or_zero(free.get(name))
    }


def positions_of(
    rows: Iterable[Json], markets: Mapping[str, Json], market: Market
) -> dict[tuple[Symbol, PositionSide], Position]:
    """Return (symbol, leg) → position.

    Args:
        rows: ccxt's positions.
        markets: ccxt's symbol → its market.
        market: of the account.

    Raises:
        VenueUnavailable: a position is told, and not which leg it is.
    """
    positions = {}
    for row in rows:
        unified = str(row.get("symbol"))
        found = markets.get(unified)
        held = abs(or_zero(row.get("contracts"))) * contract_size(found or {})
        if not held or is_other(market, found):
            continue
        symbol = Symbol(unified.partition(":")[0])
        positions[symbol, _leg_of(row)] = Position(
            size=held, available=held, entry_price=or_zero(row.get("entryPrice"))
        )
    return positions


def _leg_of(row: Json) -> PositionSide:
    """Return the leg of a position.

    The library tells it by the sign of the notional, which Binance does not tell of inverse
    contracts ("Position Information", COIN-M); the signed amount it does.
    """
    leg = _LEGS.get(str(row.get("side")))
    if leg is not None:
        return leg
    amount = number((row.get("info") or {}).get("positionAmt"))
    if not amount:
        raise VenueUnavailable(f"the answer had a position in {row.get('symbol')} without a side")
    return PositionSide.LONG if amount > 0 else PositionSide.SHORT


def spent(quantity: Decimal, touch: Decimal, step: Decimal) -> Decimal:
    """Return what a quantity costs at the touch, rounded down to the quote currency's step."""
    return (quantity * touch / step).to_integral_value(rounding=ROUND_DOWN) * step
