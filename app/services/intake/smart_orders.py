"""A command becomes a smart order, which waits for its price."""

from dataclasses import replace
from decimal import Decimal

from app.domain.commands import PlaceOrder, PlaceSmartOrder, SmartOrderRules
from app.domain.enums import Direction, Kind, OrderType, Side, SmartOrderType, StopDirection
from app.domain.errors import CallerIdInUse
from app.domain.identifiers import EpochMs, FreshId
from app.domain.order import Order
from app.domain.search import Search
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.smart_order_placing import resting
from app.domain.trigger import Trigger, protective_direction
from app.ports import Ports
from app.ports.ledger import Change
from app.services.intake.accept import accept_named
from app.services.intake.orders import instrument_of, order_from
from app.services.learn import newest_quote
from app.services.limits import refuse_lasting
from app.services.repeats import first_of


def accept_smart_order(
    command: PlaceSmartOrder, rules: SmartOrderRules, sender: Sender, ports: Ports
) -> SmartOrder:
    """Store the smart order and that it is to be armed in one commit, then hurry it along.

    That its caller id is free and that there is room for one more are conditions of the commit, so
    that two at once cannot both pass. Stopped halfway, nothing is written, or all of it is and the
    sweep arms it.

    Raises:
        SymbolUnknown: the account does not trade it.
        LimitExceeded: the limits of the account will deny what it places.
        CallerIdInUse: another one holds its caller id.
        TooManyOpen: as many wait as may.
        HistoryUnavailable: nobody can tell whether its caller id has traded.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is written.
    """
    refuse_used(command.caller_id, sender, ports)
    fresh, of_order = ports.ids.latest(sender.account.id, 2)
    new = smart_order_from(command, rules, sender, fresh, ports)
    refuse_lasting(lambda: placed_by(command, sender, of_order), sender.account, ports)
    begun, along = begin(new, of_order)
    return accept_named(begun, replace(sender, waiting_max=rules.open_max), ports, along)


def placed_by(command: PlaceSmartOrder, sender: Sender, fresh: FreshId) -> Order:
    """Return the order that a smart order will place, as far as that is known.

    One at the market, or with a limit that follows the price, is priced by its stop if it has one.
    """
    spends = command.amount is not None and command.side is Side.BUY and not command.type.is_limit
    price = command.price if command.type.is_limit and command.price else command.stop
    plain = PlaceOrder(
        symbol=command.symbol,
        side=command.side,
        type=OrderType.MARKET if spends or price is None else OrderType.LIMIT,
        quantity=Decimal(0) if spends else command.quantity or Decimal(0),
        amount=command.amount if spends else None,
        price=None if spends else price,
    )
    return order_from(plain, sender, fresh)


def begin(new: SmartOrder, fresh: FreshId) -> tuple[SmartOrder, tuple[Change, ...]]:
    """Return a new one as it begins, and what is stored with it: the order that is to rest.

    Args:
        new: of which there is no order yet.
        fresh: the ids of the order.
    """
    if not new.is_resting:
        return new, ()
    begun, order = resting(new, fresh, new.created_at_ms)
    return begun, (Change(None, order),)


def refuse_used(caller_id: str | None, sender: Sender, ports: Ports) -> None:
    """Refuse the caller id of one that has triggered, as far as the history knows.

    What it does not know yet is in the store, and met by the commit, which comes after. The same
    command again is left to that as well.

    Raises:
        CallerIdInUse: it is such a one.
        HistoryUnavailable: nobody can tell.
    """
    if caller_id is None:
        return
    search = Search(
        kinds=frozenset({Kind.SMART_ORDER}),
        accounts=frozenset({sender.account.id}),
        states=frozenset({SmartOrderStatus.TRIGGERED}),
        caller_id=caller_id,
        top_level=True,
    )
    for one in ports.history.newest(search, None, None):
        if one.origin == sender.origin and first_of(sender, ports) is None:
            raise CallerIdInUse(f"smart order {one.id} has the id {caller_id}")


def smart_order_from(
    command: PlaceSmartOrder, rules: SmartOrderRules, sender: Sender, fresh: FreshId, ports: Ports
) -> SmartOrder:
    """Return the smart order that a command asks for.

    Raises:
        SymbolUnknown: the account does not trade it.
        VenueUnavailable: its rules, or a price that tells the direction, are not known yet.
    """
    side, trails, life_ms = command.side, command.type.is_trailing, rules.life_ms
    source, direction = rules.stop_price.source(side), protective_direction(side)
    if not trails:
        price = None
        if rules.direction is StopDirection.INFER:
            price = newest_quote(command.symbol, sender.account, ports).of(source)
        direction = command.stop_direction(rules.direction, price)
    trigger = Trigger(
        owner=fresh.id,
        venue=sender.account.feed,
        symbol=command.symbol,
        source=source,
        direction=direction,
        level=None if trails else command.stop,
        price_step=instrument_of(command.symbol, sender.account, ports).price_step,
        trail=command.trail if trails else None,
        activation=command.stop if trails else None,
        activates=command.activation_direction() if trails else None,
        looks_now=True,
    )
    falls = trigger.level is not None and direction is Direction.FALLING
    is_plain = command.type is SmartOrderType.STOP and command.quantity is not None
    rests = source in rules.rest_by and side is Side.SELL and falls and is_plain
    return SmartOrder(
        id=fresh.id,
        **sender.beginning(command.symbol),
        side=side,
        type=command.type,
        time_in_force=command.time_in_force,
        quantity=command.quantity,
        amount=command.amount,
        price=command.price,
        limit_offset=command.limit_offset,
        operator=command.operator,
        post_only=command.post_only,
        caller_id=command.caller_id,
        expires_at_ms=None if life_ms is None else EpochMs(sender.received_at_ms + life_ms),
        trigger=trigger,
        at_venue=rests,
        falls_back=rests,
    )
