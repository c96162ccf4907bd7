"""Whether an order is fit to be sent: what the exchange would refuse or, worse, round by itself."""

import re
from decimal import Decimal

from app.domain.enums import Market, ReasonCode, Side
from app.domain.errors import VenueRejected
from app.domain.instrument import Instrument
from app.domain.order import Condition, Order
from app.domain.trigger import protective_direction
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.templates import Json


def check_kind(order: Order, exchange: Exchange) -> None:
    """Refuse an order whose id or type the exchange does not take, or for which it cannot wait.

    Raises:
        VenueRejected: it does not.
    """
    if not re.fullmatch(exchange.profile.id_pattern, order.client_order_id):
        raise VenueRejected(f"{exchange.venue} takes no id like {order.client_order_id}")
    if order.type not in exchange.capabilities.order_types:
        raise VenueRejected(f"{exchange.venue} takes no {order.type} orders")
    if order.condition is not None:
        _check_condition(order.market, order.side, order.condition, exchange)


def _check_condition(market: Market, side: Side, condition: Condition, exchange: Exchange) -> None:
    profile = exchange.profile
    is_held = condition.source in profile.holds.get(market, ())
    if profile.stops_protect_only and condition.direction is not protective_direction(side):
        is_held = False
    if not is_held:
        raise VenueRejected(
            f"{exchange.venue} holds no order in {market} until {condition.sentence()}"
        )


def check_figures(order: Order, found: Json | None, exchange: Exchange) -> None:
    """Refuse an order whose figures do not fit the rules of ccxt's market.

    Raises:
        VenueRejected: they do not, or there is no such market.
    """
    if found is None or order.market is not exchange.account.market:
        # Some exchanges do not list what is halted. For an exit that may pass: what is held is
        # still there.
        gone = ReasonCode.AGAINST_RULES if order.reduces else ReasonCode.UNKNOWN_INSTRUMENT
        raise VenueRejected(f"{exchange.venue} has no {order.symbol} in {order.market}", gone)
    instrument = parse.instrument_of(order.symbol, order.market, found)
    if order.amount is not None:
        _check_amount(order, instrument, exchange)
    elif instrument is not None:
        _check_quantity(order, instrument)


def _check_quantity(order: Order, instrument: Instrument) -> None:
    if order.quantity != instrument.quantity(order.quantity):
        raise VenueRejected(
            f"quantity was {order.quantity:f}, lots are {instrument.quantity_step:f}",
            ReasonCode.AGAINST_RULES,
        )
    if order.condition is not None:
        _check_level(order.condition.level, order.side, instrument)
    if order.price is None:
        greatest = instrument.at_market().max_quantity
        if greatest is not None and order.quantity > greatest:
            raise VenueRejected(
                f"quantity was {order.quantity:f}, market orders go up to {greatest:f}",
                ReasonCode.ABOVE_MAXIMUM,
            )
        return
    if order.price != instrument.price(order.price, order.side):
        raise VenueRejected(
            f"price was {order.price:f}, ticks are {instrument.price_step:f}",
            ReasonCode.AGAINST_RULES,
        )
    rules = instrument.reducing() if order.reduce_only else instrument
    refusal = rules.refusal(order.quantity, order.price)
    if refusal is not None:
        raise VenueRejected(refusal.message, refusal.code)


def _check_level(level: Decimal, side: Side, instrument: Instrument) -> None:
    if level <= 0 or level != instrument.price(level, side):
        raise VenueRejected(
            f"a stop at {level:f}, ticks are {instrument.price_step:f}", ReasonCode.AGAINST_RULES
        )


def _check_amount(order: Order, instrument: Instrument | None, exchange: Exchange) -> None:
    """Refuse an amount to be spent where none can be, or that is too small."""
    if not exchange.capabilities.spends_amounts:
        raise VenueRejected(f"{exchange.venue} buys quantities only, not for an amount")
    least = None if instrument is None else instrument.min_notional
    if least is not None and order.amount is not None and order.amount < least:
        raise VenueRejected(
            f"amount was {order.amount:f}, minimum is {least:f}", ReasonCode.BELOW_MINIMUM
        )
