"""What an answer about an order leaves out: its fills, their fees, and the position after them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from app.domain.enums import Market, PositionSide
from app.domain.errors import VenueError
from app.domain.identifiers import Symbol, VenueOrderId
from app.domain.market import Position
from app.domain.order import Order
from app.domain.report import OrderReport, fees_of, is_all_told, merged
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.look_up import trades_of
from app.exchanges.templates import Json
from app.store.memory.venue_budget import Urgency


def completed(
    order: Order, report: OrderReport, exchange: Exchange, traded_id: VenueOrderId | None
) -> OrderReport:
    """Return the report with what the venue tells of now; what it does not tell stays open.

    Args:
        order: as it is known here.
        report: about it.
        exchange: to ask.
        traded_id: the venue's id under which its trades are told; None if nobody knows it.
    """
    if not report.filled_quantity:
        return report
    report = replace(report, lists_fills=exchange.capabilities.lists_trades)
    has_grown = report.filled_quantity > order.filled_quantity
    if has_grown or not is_all_told(order.fills, report.filled_quantity):
        with suppress(VenueError):
            report = _with_fills(order, report, exchange, traded_id)
    if has_grown:
        with suppress(VenueError):
            report = _with_position(order, report, exchange)
    return report


def positions_in(api: Json, exchange: Exchange) -> Mapping[tuple[Symbol, PositionSide], Position]:
    """Return (symbol, leg) → position, of what the account holds in futures now."""
    if exchange.account.market is Market.SPOT:
        return {}
    return parse.positions_of(api.fetch_positions(), api.markets, exchange.account.market)


def _with_fills(
    order: Order, report: OrderReport, exchange: Exchange, traded_id: VenueOrderId | None
) -> OrderReport:
    if is_all_told(report.fills, report.filled_quantity) or traded_id is None:
        return report
    with exchange.asking(Urgency.QUESTION) as api:
        rows = trades_of(api, exchange, order, traded_id)
        told = parse.fills_of(rows, exchange.contract_size(api, order.symbol))
    fills = merged(report.fills, told)
    return replace(report, fills=fills, fees=fees_of(fills))


def _with_position(order: Order, report: OrderReport, exchange: Exchange) -> OrderReport:
    if order.market is Market.SPOT:
        return report
    with exchange.asking(Urgency.LOOK_UP) as api:
        positions = positions_in(api, exchange)
    leg = order.position_side or order.side.works_on(reduces=order.reduce_only)
    size = positions.get((order.symbol, leg), Position()).size
    return replace(report, position_after=size)
