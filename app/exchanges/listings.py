"""What an exchange lists of an account's orders, whoever placed them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.domain.enums import Market
from app.domain.errors import NotFound, OutcomeUnknown, VenueRejected, VenueUnavailable
from app.domain.frozen import Placed
from app.domain.identifiers import ClientOrderId, EpochMs, Symbol
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.exchanges import parse
from app.exchanges.apart import are_apart, is_apart, manner_of
from app.exchanges.exchange import Exchange
from app.exchanges.look_up import found_standing
from app.exchanges.order_history import open_at_bybit, orders_placed
from app.exchanges.profiles import LookUp
from app.exchanges.templates import Json
from app.store.memory.venue_budget import Urgency


def open_orders(exchange: Exchange, symbols: Sequence[Symbol]) -> Mapping[ClientOrderId, Json]:
    """Return client order id → ccxt's order, of all that is open at the venue, stops included.

    Args:
        exchange: to ask.
        symbols: those that matter, where the venue must be asked symbol by symbol.

    Raises:
        VenueUnavailable: it could not be asked.
    """
    with exchange.reading(Urgency.POLL) as api:
        asked = symbols if exchange.profile.lists_by_symbol else None
        rows: Sequence[Json] = _open_rows(api, exchange, asked)
        if are_apart(exchange):
            rows = manner_of(exchange).with_open(api, exchange, rows)
        market, traded = exchange.account.market, api.markets
        found = [row for row in rows if not parse.is_other(market, traded.get(row.get("symbol")))]
    return _by_client_id(found)


def open_among(exchange: Exchange, orders: Sequence[Order]) -> Mapping[ClientOrderId, Json]:
    """Return client order id → ccxt's order, of those among our orders that are open, and others.

    What lists less is asked where an exchange takes it for less. Stops that rest are asked about
    after all others.

    Raises:
        VenueUnavailable: it could not be asked.
    """
    stops = sorted({one.symbol for one in orders if is_apart(one, exchange)})
    others = sorted({one.symbol for one in orders if not is_apart(one, exchange)})
    only_rest = all(one.rests for one in orders)
    rows: list[Json] = []
    with exchange.reading(Urgency.GUARDED if only_rest else Urgency.POLL) as api:
        if others:
            is_cheap = len(others) <= exchange.profile.cheap_symbols_max
            by_symbol = is_cheap or exchange.profile.lists_by_symbol
            rows += _open_rows(api, exchange, others if by_symbol else None)
        if stops:
            rows += manner_of(exchange).waiting_stops(api, exchange, stops)
    return _by_client_id(rows)


def _by_client_id(rows: Sequence[Json]) -> Mapping[ClientOrderId, Json]:
    return {ClientOrderId(str(row.get("clientOrderId") or row.get("id"))): row for row in rows}


def _open_rows(api: Json, exchange: Exchange, symbols: Sequence[Symbol] | None) -> list[Json]:
    """Return what is open of these symbols, or of all."""
    profile = exchange.profile
    if symbols is not None:
        unified = map(exchange.unified, symbols)
        return [row for one in unified for row in api.fetch_open_orders(one)]
    if profile.look_up is LookUp.BYBIT and exchange.account.market is Market.COINM:
        return open_at_bybit(api, exchange)  # the library asks for what settles in USDT
    found: list[Json] = api.fetch_open_orders(None, None, profile.list_limit)
    return found


def standing_orders(exchange: Exchange, symbols: Sequence[Symbol]) -> Sequence[VenueOrder]:
    """Return all that is open at the venue."""
    listed = open_orders(exchange, symbols).values()
    return [parse.standing_of(row, _size_of(row, exchange)) for row in listed]


def placed_orders(exchange: Exchange, symbol: Symbol, since_ms: EpochMs, now_ms: EpochMs) -> Placed:
    """Return the orders of a symbol that were placed between two server times, open or closed."""
    clock = exchange.clock
    with exchange.reading(Urgency.QUESTION) as api:
        since, now = clock.venue_ms(since_ms), clock.venue_ms(now_ms)
        rows, until = orders_placed(api, exchange, symbol, since, now)
    orders = tuple(parse.placed_of(row, _size_of(row, exchange)) for row in rows)
    until_ms = None if until is None else EpochMs(clock.server_ms(until))
    return Placed(orders=orders, until_ms=until_ms)


def standing_report(exchange: Exchange, order: VenueOrder) -> OrderReport | None:
    """Return what became of an order: its own record tells, else the list of open ones.

    Raises:
        VenueUnavailable: nobody tells.
    """
    answer = _record_of(exchange, order) or _listed(exchange, order)
    if answer is None:
        return None
    try:
        return parse.ending_of(answer, exchange.profile, _size_of(answer, exchange))
    except OutcomeUnknown as error:
        raise VenueUnavailable(str(error)) from error


def _record_of(exchange: Exchange, order: VenueOrder) -> Json | None:
    try:
        with exchange.asking(Urgency.LOOK_UP) as api:
            return found_standing(api, exchange, order)
    except (VenueRejected, NotFound):
        return None  # not every exchange tells of one order


def _listed(exchange: Exchange, order: VenueOrder) -> Json | None:
    listed = open_orders(exchange, [order.symbol]).values()
    return next((row for row in listed if _names(row, order)), None)


def _size_of(row: Json, exchange: Exchange) -> Decimal:
    with exchange.call() as line:
        return parse.contract_size(line.api.markets.get(row.get("symbol")) or {})


def _names(row: Json, order: VenueOrder) -> bool:
    """Tell whether a row of a list is about an order; ids are the exchange's own, by symbol."""
    listed = parse.standing_of(row, Decimal(1))
    named = (listed.symbol, listed.venue_order_id, listed.is_stop)
    return named == (order.symbol, order.venue_order_id, order.is_stop)
