"""What a person says to the paper venue, from parsed JSON to values (docs/api.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.enums import Market, PositionMode
from app.domain.identifiers import Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.paper.admin.body import Body, is_symbol_text, number_from
from app.paper.domain.account import Fees
from app.paper.domain.fault import FaultPlan, FaultWord, FaultyCall

#: The greatest leverage that any venue we know offers.
LEVERAGE_MAX = 500

#: Milliseconds. An answer later than this outlives every lease.
DELAY_MAX_MS = 600_000

_FIND_WORDS = frozenset({FaultWord.OK, FaultWord.NOT_FOUND})

_ACCOUNT_FIELDS = frozenset(
    {"market", "balances", "positions", "leverage", "position_mode", "fees", "reset"}
)
_POSITION_FIELDS = frozenset({"long", "short", "entry_price"})
_QUOTE_FIELDS = frozenset({"bid", "ask", "last", "bids", "asks"})
_INSTRUMENT_FIELDS = frozenset(
    {
        "symbol",
        "market",
        "kind",
        "price_step",
        "quantity_step",
        "quote_step",
        "min_quantity",
        "max_quantity",
        "min_notional",
    }
)

Levels = tuple[tuple[Decimal, Decimal], ...]


class _Kind(StrEnum):
    """How a contract is margined."""

    LINEAR = "linear"
    INVERSE = "inverse"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSetting:
    """Both legs of a position; one entry price for them, or None to take the market's."""

    long: Decimal
    short: Decimal
    entry_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetting:
    """What is to be replaced in an account; what is None or not named stays as it is."""

    market: Market | None
    balances: Mapping[Currency, Decimal]
    positions: Mapping[Symbol, PositionSetting]
    leverage: Mapping[Symbol, int]
    position_mode: PositionMode | None
    fees: Fees | None
    reset: bool


def account_setting_from(content: object) -> AccountSetting:
    """Read the body of `PUT /paper/accounts/<name>`.

    Raises:
        MalformedPayload: with the messages by field.
    """
    body = Body(content, _ACCOUNT_FIELDS)
    balances = body.child("balances")
    leverage = body.child("leverage")
    setting = AccountSetting(
        market=body.word("market", Market, Market.SPOT) if "market" in body else None,
        balances={
            Currency(name): balances.number(name)
            for name in balances.names()
            if balances.is_currency(name)
        },
        positions=_positions(body.child("positions")),
        leverage={
            Symbol(name): leverage.integer(name, 1, LEVERAGE_MAX)
            for name in leverage.names()
            if leverage.is_symbol(name)
        },
        position_mode=(
            body.word("position_mode", PositionMode, PositionMode.HEDGE)
            if "position_mode" in body
            else None
        ),
        fees=_fees(body) if "fees" in body else None,
        reset=body.flag("reset"),
    )
    body.check()
    return setting


def quotes_from(content: object) -> Mapping[Symbol, Quote | None]:
    """Read the body of `PUT /paper/prices`; None where no price shall be known.

    Raises:
        MalformedPayload: with the messages by field.
    """
    body = Body(content, frozenset({"prices"}))
    prices = body.child("prices")
    if not prices.names():
        body.complain("prices", "must name at least one symbol")
    quotes = {
        Symbol(name): None if prices.value(name) is None else _quote(prices, name)
        for name in prices.names()
        if prices.is_symbol(name)
    }
    body.check()
    return quotes


def instruments_from(content: object) -> tuple[Instrument, ...]:
    """Read the body of `PUT /paper/instruments`.

    Raises:
        MalformedPayload: with the messages by field.
    """
    body = Body(content, frozenset({"instruments"}))
    instruments = [_instrument(one) for one in body.children("instruments", _INSTRUMENT_FIELDS)]
    if not instruments:
        body.complain("instruments", "must list at least one")
    body.check()
    return tuple(instruments)


def fault_plan_from(content: object) -> FaultPlan:
    """Read the body of `PUT /paper/faults/<account>`.

    Raises:
        MalformedPayload: with the messages by field.
    """
    body = Body(content, frozenset({*FaultyCall, "delay_ms"}))
    plan = FaultPlan(
        place=_words(body, FaultyCall.PLACE, frozenset(FaultWord)),
        cancel=_words(body, FaultyCall.CANCEL, frozenset(FaultWord)),
        find=_words(body, FaultyCall.FIND, _FIND_WORDS),
        delay_ms=body.integer("delay_ms", 0, DELAY_MAX_MS),
    )
    body.check()
    return plan


def _positions(positions: Body) -> Mapping[Symbol, PositionSetting]:
    settings = {}
    for name in positions.names():
        if positions.is_symbol(name):
            legs = positions.child(name, _POSITION_FIELDS)
            given = legs.value("entry_price") is not None
            settings[Symbol(name)] = PositionSetting(
                long=legs.number("long"),
                short=legs.number("short"),
                entry_price=legs.number("entry_price") if given else None,
            )
    return settings


def _fees(body: Body) -> Fees:
    fees = body.child("fees", frozenset({"maker", "taker"}))
    rates = Fees(maker=fees.number("maker"), taker=fees.number("taker"))
    for name, rate in (("maker", rates.maker), ("taker", rates.taker)):
        if rate >= 1:
            fees.complain(name, "must be a share below 1")
    return rates


def _quote(prices: Body, name: str) -> Quote:
    """Read one symbol: `last` alone sets all, depth stands in for a touch that is not given."""
    body = prices.child(name, _QUOTE_FIELDS)
    bids, asks = _levels(body, "bids"), _levels(body, "asks")
    last = body.positive("last") if "last" in body else None
    bid = _touch(body, "bid", bids) or last
    ask = _touch(body, "ask", asks) or last
    if bid is None or ask is None:
        bid = ask = bid or ask
    if bid is None or ask is None:
        body.complain("", "needs a bid, an ask or a last price")
        bid = ask = Decimal(1)
    if bid > ask:
        body.complain("bid", "must not be above the ask")
    _check_depth(body, (bid, bids), (ask, asks))
    return Quote(bid=bid, ask=ask, last=bid if last is None else last, bids=bids, asks=asks)


def _touch(body: Body, name: str, levels: Levels) -> Decimal | None:
    if name in body:
        return body.positive(name)
    return levels[0][0] if levels else None


def _levels(body: Body, name: str) -> Levels:
    levels = []
    for index, level in enumerate(body.sequence(name)):
        pair = [number_from(one) for one in level] if isinstance(level, list) else []
        match pair:
            case [Decimal() as price, Decimal() as quantity] if price > 0 and quantity > 0:
                levels.append((price, quantity))
            case _:
                body.complain(f"{name}.{index}", "must be [price, quantity], both above 0")
    return tuple(levels)


def _check_depth(body: Body, bid: tuple[Decimal, Levels], ask: tuple[Decimal, Levels]) -> None:
    for name, (touch, levels), falls in (("bids", bid, True), ("asks", ask, False)):
        prices = [price for price, _ in levels]
        if prices != sorted(set(prices), reverse=falls):
            body.complain(name, "must be best first, each price once")
        elif prices and prices[0] != touch:
            body.complain(name, "must begin with the touch")


def _instrument(body: Body) -> Instrument:
    symbol = body.value("symbol")
    if not isinstance(symbol, str) or not is_symbol_text(symbol):
        body.complain("symbol", "must be a symbol like BTC/USDT")
    if "market" not in body:
        body.complain("market", f"must be one of {', '.join(Market)}")
    most = body.value("max_quantity") is not None
    market = body.word("market", Market, Market.SPOT)
    kind = _Kind.INVERSE if market is Market.COINM else _Kind.LINEAR
    if body.word("kind", _Kind, kind) is not kind:
        body.complain("kind", f"must be {kind} in the {market} market")
    return Instrument(
        symbol=Symbol(str(symbol)),
        market=market,
        kind=kind.value,
        price_step=body.positive("price_step"),
        quantity_step=body.positive("quantity_step"),
        quote_step=body.positive("quote_step", Decimal("0.00000001")),
        min_quantity=body.number("min_quantity"),
        max_quantity=body.positive("max_quantity") if most else None,
        min_notional=body.number("min_notional"),
    )


def _words(body: Body, call: FaultyCall, known: frozenset[FaultWord]) -> tuple[FaultWord, ...]:
    words = []
    for index, word in enumerate(body.sequence(call)):
        if isinstance(word, str) and word in known:
            words.append(FaultWord(word))
        else:
            body.complain(f"{call}.{index}", f"must be one of {', '.join(sorted(known))}")
    return tuple(words)
