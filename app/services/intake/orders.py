"""A command becomes one order, placed at once."""

from dataclasses import replace
from decimal import Decimal

from app.domain.account import Account
from app.domain.commands import PlaceOrder
from app.domain.enums import Listing, OrderType, Side
from app.domain.errors import (
    CallerIdInUse,
    InsufficientFunds,
    LimitExceeded,
    MarketHalted,
    NotionalTooSmall,
    PriceMissing,
    QuantityTooSmall,
    SymbolUnknown,
    TypeUnsupported,
)
from app.domain.identifiers import (
    Currency,
    FreshId,
    OrderId,
    Symbol,
    base_of,
    quote_of,
)
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.position_effect import reach_of
from app.domain.sender import Sender
from app.domain.status import OPEN
from app.ports import Ports
from app.services.intake.accept import Accepted, accept, accept_named
from app.services.learn import known_quote, known_rules, known_view, newest_view
from app.services.limits import refuse_by_limits
from app.services.repeats import first_of


def accept_order(command: PlaceOrder, sender: Sender, ports: Ports) -> Accepted:
    """Bring the figures onto the symbol's steps, check them, and take the order in.

    One that was sent before is told so, however the market has moved since; what is refused binds
    no key.

    Raises:
        OrderDenied: no venue would take it; the subclass says why.
        KeyReused: its key belongs to another request.
        VenueUnavailable: the venue's rules or prices are not known yet.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is queued.
    """
    first = first_of(sender, ports)
    if first is not None:
        return Accepted(first, is_duplicate=True)
    fitted = _on_steps(command, sender.account, ports)
    order = order_from(fitted, sender, _fresh(sender, ports))
    if command.type is OrderType.MARKET:
        order = replace(order, alert_price=command.price)
    refuse_by_limits(order, sender.account, ports)
    return accept(order, sender, ports)


def accept_exact_order(command: PlaceOrder, sender: Sender, ports: Ports) -> Order:
    """Take in a spot order whose figures fit the symbol: its dialect has checked them.

    Raises:
        InsufficientFunds: the account cannot pay for it now.
        LimitExceeded: the limits of the account deny it.
        CallerIdInUse: a live order has its caller id.
        VenueUnavailable: the account cannot be read.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is written.
    """
    refuse_unpaid(command, sender.account, ports)
    order = order_from(command, sender, _fresh(sender, ports))
    try:
        refuse_by_limits(order, sender.account, ports)
    except LimitExceeded:
        # Whoever sends it again shall hear that it is there, and may be what has used up a limit.
        scope, caller_id = order.caller_id_scope, order.caller_id or ""
        if scope is not None and ports.live.holds_caller_id(order.account, scope, caller_id):
            raise CallerIdInUse(f"a live order has the id {caller_id}") from None
        raise
    return accept_named(order, sender, ports)


def order_from(command: PlaceOrder, sender: Sender, fresh: FreshId) -> Order:
    """Return the order that a command asks for; its figures fit the symbol."""
    account = sender.account
    reach = reach_of(command.side, command.action, account.market, account.position_mode)
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        request_id=fresh.id,
        **sender.beginning(command.symbol),
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        quantity=command.quantity,
        amount=command.amount,
        price=command.price,
        position_side=reach.position_side,
        reduce_only=reach.reduce_only,
        reduces=reach.reduces,
        # What it may take depends on the orders before it, and on what the venue has then.
        awaits_turn=reach.reduce_only,
        fits_held=reach.reduce_only,
        caller_id=command.caller_id,
        not_after_ms=None if reach.reduces else sender.entry_not_after_ms,
        due_at_ms=sender.received_at_ms,
    )


def instrument_of(symbol: Symbol, account: Account, ports: Ports) -> Instrument:
    """Return the rules of a symbol that an account trades.

    Raises:
        SymbolUnknown: it does not trade it; MarketHalted, one of these, nobody does just now.
        VenueUnavailable: the rules of its venue are not known yet.
    """
    venue = ports.venues.of(account)
    found = venue.instrument(symbol)
    if found is not None:
        return found
    traded = {one.symbol: one for one in known_rules(account, ports)}
    found = traded.get(symbol)
    if found is not None:
        return found
    if venue.listing(symbol) is Listing.HALTED:
        raise MarketHalted(symbol, list(traded))
    raise SymbolUnknown(symbol, list(traded))


def may_be_traded(symbol: Symbol, account: Account, ports: Ports) -> bool:
    """Tell whether an account trades a symbol, or nobody here knows yet; no worker is asked."""
    if ports.venues.of(account).instrument(symbol) is not None:
        return True
    return not ports.venues.trading_rules(account).instruments()


def rules_of(symbol: Symbol, account: Account, ports: Ports) -> Instrument | None:
    """Return the rules of a symbol, or None if the account does not trade it.

    Raises:
        MarketHalted: nobody does just now.
        VenueUnavailable: the rules of its venue are not known yet.
    """
    try:
        return instrument_of(symbol, account, ports)
    except MarketHalted:
        raise
    except SymbolUnknown:
        return None


def refuse_unpaid(
    command: PlaceOrder, account: Account, ports: Ports, old: Order | None = None
) -> None:
    """Refuse a spot order that cannot be paid for, not even with what an old one sets free.

    Raises:
        InsufficientFunds: it cannot.
        VenueUnavailable: the account cannot be read.
    """
    ask = Decimal(0)
    if command.side is Side.BUY and command.amount is None and command.price is None:
        ask = known_quote(command.symbol, account, ports).touch(Side.BUY)
    currency, needed = command.cost(ask)
    free = Decimal(0) if old is None else _set_free(old, currency)
    available = known_view(account, ports).available(currency) + free
    if needed > available:
        available = newest_view(account, ports).available(currency) + free
    if needed > available:
        raise InsufficientFunds(f"{needed:f} {currency} is needed, {available:f} is available")


def _set_free(old: Order, currency: Currency) -> Decimal:
    """Return how much of a currency the venue holds back for an order that rests there."""
    if old.status not in OPEN or old.price is None:
        return Decimal(0)
    if old.side is Side.SELL:
        return old.remaining_quantity if base_of(old.symbol) == currency else Decimal(0)
    cost = old.remaining_quantity * old.price
    return cost if quote_of(old.symbol) == currency else Decimal(0)


def _fresh(sender: Sender, ports: Ports) -> FreshId:
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    return fresh


def _on_steps(command: PlaceOrder, account: Account, ports: Ports) -> PlaceOrder:
    """Return the order with its figures on lot and tick, if a venue would take it then.

    Whether the account can pay for it, or holds what it closes, is known only when it is sent.
    Source: Hummingbot spec 2.3, steps 5 to 10, in their order.

    Raises:
        OrderDenied: no venue would take it; the subclass says why.
        VenueUnavailable: the venue's rules or prices are not known yet.
    """
    symbol, is_market = command.symbol, command.type is OrderType.MARKET
    given = None if is_market else command.price
    if given is None and not is_market:
        raise PriceMissing(symbol)
    instrument = instrument_of(symbol, account, ports)
    reach = reach_of(command.side, command.action, account.market, account.position_mode)
    rules = instrument.reducing() if reach.reduce_only else instrument
    supported = ports.venues.trading_rules(account).order_types()
    if command.type not in supported:
        raise TypeUnsupported(symbol, command.type, supported)
    quantity = instrument.quantity(command.quantity)
    if quantity < rules.least_quantity:
        raise QuantityTooSmall(symbol, command.quantity, rules.least_quantity)
    limit = None if given is None else instrument.price(given, command.side)
    if limit is not None or not reach.reduce_only:  # else no price says that it is too small
        price = limit
        if price is None:
            price = known_quote(symbol, account, ports).touch(command.side)
        notional = instrument.notional(quantity, price)
        if price <= 0 or notional < rules.min_notional:
            raise NotionalTooSmall(symbol, notional, instrument.min_notional)
    return replace(command, quantity=quantity, price=limit)
