"""A command becomes an order, durably, before anybody is told its id."""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain import checks
from app.domain.account import Account
from app.domain.commands import OrderCommand
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Dialect
from app.domain.errors import KeyReused, SymbolUnknown, VenueUnavailable
from app.domain.identifiers import AggregateId, ClientOrderId, EpochMs, OrderId
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.position_effect import reach_of
from app.ports import Ports
from app.ports.ledger import Admission, Change
from app.ports.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSender:
    """Who sends an order, and for which account.

    Attributes:
        origin: what a "cancel many" of its dialect reaches.
        lateness_ms: an entry later than this is not sent; 0 is never too late.
    """

    dialect: Dialect
    origin: str
    account: Account
    lateness_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """Makes a request safe to send again: it is one order, whichever account it names.

    Attributes:
        name: hash of whose key it is and what it says, hexadecimal.
        bound_as: the same, until one of the sender's accounts is reset, or there are others.
        content: hash of the request, hexadecimal; as long as that, the key is good for no other.
        until_ms: business time from which on the key means nothing.
    """

    name: str
    bound_as: str
    content: str
    until_ms: EpochMs

    def dedupe_key(self, account: Account) -> str:
        """Return what is stored with the order; it does not outlive a reset of the account."""
        digest = hashlib.sha256(f"{self.name}\n{self.content}".encode()).hexdigest()
        return f"{account.resets}:{digest}"


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """The order that will be placed, or the one that this request repeats."""

    id: OrderId
    client_order_id: ClientOrderId
    is_duplicate: bool


def accept_order(
    command: OrderCommand,
    sender: OrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
    key: IdempotencyKey | None = None,
) -> AcceptedOrder:
    """Check the order, store it with the wake-up that it owes in one commit, and hurry it along.

    The same key twice, or at once in two processes, is one order: the commit checks it. Accounts
    live in different shards, of which a commit knows one, so the key is bound to its request
    first. Stopped between the two, nothing is queued, and the same request may come again; what is
    refused binds nothing.

    Raises:
        OrderDenied: no venue would take it; the subclass says why.
        KeyReused: the key belongs to another request.
        VenueUnavailable: the venue's rules or prices are not known yet.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is queued.
    """
    if key is None:
        order = _checked(command, sender, received_at_ms, ports)
        return _admitted(order, admission, received_at_ms, ports)
    first = _first(key, sender, ports)
    if first is not None:
        return _repeated(first, ports)
    order = _checked(command, sender, received_at_ms, ports)
    if not ports.used_keys.use(key.bound_as, key.content, ports.clock.now_ms(), key.until_ms):
        raise _reused()
    admission = replace(
        admission,
        dedupe_key=key.dedupe_key(sender.account),
        dedupe_until_ms=key.until_ms,
    )
    return _admitted(order, admission, received_at_ms, ports)


def _admitted(
    order: Order, admission: Admission, received_at_ms: EpochMs, ports: Ports
) -> AcceptedOrder:
    now_ms = ports.clock.now_ms()
    entries = (
        TimelineEntry(EntryName.RECEIVED, received_at_ms),
        TimelineEntry(EntryName.VALIDATED, now_ms),
        TimelineEntry(EntryName.QUEUED, now_ms),
    )
    repeated = ports.ledger.admit([Change(None, order, entries)], admission)
    if repeated is not None:
        return _repeated(repeated, ports)
    ports.publisher.publish(order.owed())
    return AcceptedOrder(order.id, order.client_order_id, is_duplicate=False)


def _repeated(first: AggregateId, ports: Ports) -> AcceptedOrder:
    """Return the order that came first. It may have left the store since: its id says all."""
    return AcceptedOrder(OrderId(first), ports.ids.client_order_id(first), is_duplicate=True)


def _first(key: IdempotencyKey, sender: OrderSender, ports: Ports) -> AggregateId | None:
    """Return the order that came with this key before, however the market has moved since.

    Raises:
        KeyReused: another request came with it.
    """
    now_ms = ports.clock.now_ms()
    if ports.used_keys.content(key.bound_as, now_ms) not in {None, key.content}:
        raise _reused()
    return ports.ledger.repeated(sender.account.id, key.dedupe_key(sender.account), now_ms)


def _reused() -> KeyReused:
    return KeyReused("this key was used for another request")


def _checked(
    command: OrderCommand, sender: OrderSender, received_at_ms: EpochMs, ports: Ports
) -> Order:
    checks.refuse_missing_price(command)
    venue = ports.venues.of(sender.account)
    instrument = _instrument(command, sender.account, ports)
    checks.refuse_type(command, ports.venues.trading_rules(sender.account).order_types())
    quantity = checks.quantity_of(command, instrument)
    limit = checks.limit_of(command, instrument)
    price = _current_price(command, venue) if limit is None else limit
    checks.refuse_small_notional(quantity, price, instrument)
    return _made(command, sender, (quantity, limit), received_at_ms, ports)


def _instrument(command: OrderCommand, account: Account, ports: Ports) -> Instrument:
    found = ports.venues.of(account).instrument(command.symbol)
    if found is not None:
        return found
    traded = ports.venues.trading_rules(account).instruments()
    if not traded:
        raise VenueUnavailable(f"the trading rules of {account.venue} are not loaded yet")
    raise SymbolUnknown(command.symbol, [one.symbol for one in traded])


def _current_price(command: OrderCommand, venue: Venue) -> Decimal:
    quote = venue.quote(command.symbol)
    if quote is None:
        raise VenueUnavailable(f"no price of {command.symbol} is known yet")
    return quote.touch(command.side)


def _made(
    command: OrderCommand,
    sender: OrderSender,
    sized: tuple[Decimal, Decimal | None],
    received_at_ms: EpochMs,
    ports: Ports,
) -> Order:
    account, (quantity, limit) = sender.account, sized
    reach = reach_of(command.side, command.action, account.market, account.position_mode)
    bounded = not reach.reduces and sender.lateness_ms > 0
    (fresh,) = ports.ids.fresh(account.id, 1)
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        request_id=fresh.id,
        dialect=sender.dialect,
        origin=sender.origin,
        account=account.id,
        symbol=command.symbol,
        market=account.market,
        side=command.side,
        type=command.type,
        quantity=quantity,
        price=limit,
        position_side=reach.position_side,
        reduce_only=reach.reduce_only,
        reduces=reach.reduces,
        awaits_turn=reach.reduce_only,  # what it may take depends on the orders before it
        not_after_ms=EpochMs(received_at_ms + sender.lateness_ms) if bounded else None,
        due_at_ms=received_at_ms,
        created_at_ms=received_at_ms,
        updated_at_ms=received_at_ms,
    )
