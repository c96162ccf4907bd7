"""One valid thing of each kind, with only the odd detail named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from app.dialects.hummingbot.errors import InvalidBody, Problem
from app.dialects.poloniex import errors as poloniex
from app.domain.account import Account
from app.domain.commands import Action, SignalCommand, SignalRules, Size, SizeKind
from app.domain.enums import (
    Dialect,
    Direction,
    Flaw,
    Market,
    Mode,
    OrderType,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
    SmartOrderType,
)
from app.domain.errors import (
    Complaint,
    HookfillError,
    LimitExceeded,
    MalformedPayload,
    NotionalTooSmall,
    OrderDenied,
    PriceMissing,
    QuantityTooSmall,
    RateLimited,
    StaleTimestamp,
    SymbolUnknown,
    TermsRefused,
    TypeUnsupported,
)
from app.domain.events import Executed
from app.domain.exits import MISSES_TOLD
from app.domain.identifiers import (
    ID_EPOCH_MS,
    IDS_PER_MS,
    AccountId,
    AccountName,
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    FreshId,
    OrderId,
    Symbol,
    TradeId,
    VenueName,
    VenueOrderId,
    client_order_id,
)
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Balance, Position, Quote, Tick
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import Fill, OrderReport
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from app.domain.trigger import Offset, Trigger, protective_direction

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Made = TypeVar("Made", bound=DataclassInstance)

T = TypeVar("T")

#: 2024-11-19T07:06:40Z.
NOW = EpochMs(1_732_000_000_000)
LATER = EpochMs(NOW + 1_000)

BTC = Symbol("BTC/USDT")
ETH = Symbol("ETH/USDT")
PAPER = VenueName("paper")
SPOT_ID = AccountId(1)
USDM_ID = AccountId(2)
INSTALLATION = "test"
ORIGIN = "crypto_arsenal:one"

SPOT = Account(id=SPOT_ID, name=AccountName("spot"), group="demo")
USDM = Account(id=USDM_ID, name=AccountName("usdm"), group="demo", market=Market.USDM)

BTC_SPOT = Instrument(
    symbol=BTC,
    market=Market.SPOT,
    price_step=Decimal("0.01"),
    quantity_step=Decimal("0.00001"),
    min_notional=Decimal(5),
)
ETH_USDM = Instrument(
    symbol=ETH,
    market=Market.USDM,
    price_step=Decimal("0.01"),
    quantity_step=Decimal("0.001"),
    min_notional=Decimal(5),
)

REQUESTED = Reason(ReasonCode.REQUESTED, "somebody asked for it")
NO_ANSWER = Reason(ReasonCode.OUTCOME_UNKNOWN, "nobody answered")
NOT_REACHED = Reason(ReasonCode.VENUE_UNAVAILABLE, "nobody was there")
REFUSED = Reason(ReasonCode.VENUE_REJECTED, "the venue said no")


#: Price and quantity of each level of a book, the best first.
Levels = tuple[tuple[str, str], ...]


def _with(made: Made, odd: Mapping[str, Any]) -> Made:
    return replace(made, **odd)


def a_live_account(name: str = "real", **odd: object) -> Account:
    """A spot account with real money at Binance, alone in its group, that no store knows yet."""
    made = Account(
        id=AccountId(0),
        name=AccountName(name),
        group=name,
        venue=VenueName("binance"),
        mode=Mode.LIVE,
    )
    return _with(made, odd)


def an_id(number: int = 1, account: AccountId = SPOT_ID) -> AggregateId:
    """An id in the shard of the account, as it is handed out today; a greater number is later."""
    return AggregateId((NOW - ID_EPOCH_MS + number) * IDS_PER_MS + account)


def a_fresh_id(number: int = 500, account: AccountId = SPOT_ID) -> FreshId:
    """An id that nobody has used."""
    value = an_id(number, account)
    return FreshId(value, client_order_id(INSTALLATION, value))


def fresh_ids(
    first: int = 500, account: AccountId = SPOT_ID, count: int = 2
) -> tuple[FreshId, ...]:
    """So many of them."""
    return tuple(a_fresh_id(first + number, account) for number in range(count))


def an_order(**odd: object) -> Order:
    """A market buy of 0.5 BTC that nobody has sent yet; with a price it is a limit order."""
    made = Order(
        id=OrderId(an_id()),
        client_order_id=client_order_id(INSTALLATION, an_id()),
        dialect=Dialect.CRYPTO_ARSENAL,
        origin=ORIGIN,
        account=SPOT_ID,
        symbol=BTC,
        market=Market.SPOT,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal("0.5"),
        due_at_ms=NOW,
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )
    if odd.get("price") is not None and "type" not in odd:
        odd = {"type": OrderType.LIMIT, **odd}
    return _with(made, odd)


def an_order_in(status: OrderStatus, **odd: object) -> Order:
    """An order as it is when it has come to this status by the usual way."""
    facts: dict[str, object] = {"status": status}
    if status not in {OrderStatus.PENDING_NEW, OrderStatus.DENIED}:
        facts |= {"token": 1, "attempts": 1, "lease_until_ms": EpochMs(NOW + 30_000)}
    if status is OrderStatus.UNKNOWN:
        facts |= {"reason": NO_ANSWER, "unknown_since_ms": NOW, "next_action_at_ms": LATER}
    if status in {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}:
        facts |= {"venue_order_id": VenueOrderId("v1")}
    if status is OrderStatus.PARTIALLY_FILLED:
        facts |= {"filled_quantity": Decimal("0.2"), "average_price": Decimal(50_000)}
    if status is OrderStatus.FILLED:
        facts |= {"filled_quantity": Decimal("0.5"), "average_price": Decimal(50_000)}
    return an_order(**{**facts, **odd})


def a_fill(**odd: object) -> Fill:
    """Half a BTC at 50,000 USDT, without a fee."""
    made = Fill(
        trade_id=TradeId("t1"),
        quantity=Decimal("0.5"),
        price=Decimal(50_000),
        fee=Decimal(0),
        fee_currency=Currency("USDT"),
        at_ms=NOW,
    )
    return _with(made, odd)


def a_report(status: OrderStatus = OrderStatus.FILLED, **odd: object) -> OrderReport:
    """What a venue says of an order of 0.5: by default that it is filled at 50,000."""
    filled = {OrderStatus.FILLED: Decimal("0.5"), OrderStatus.PARTIALLY_FILLED: Decimal("0.2")}
    done = filled.get(status, Decimal(0))
    made = OrderReport(
        status=status,
        venue_order_id=VenueOrderId("v1"),
        filled_quantity=done,
        average_price=Decimal(50_000) if done else None,
    )
    return _with(made, odd)


def a_signal(action: Action = Action.BUY, **odd: object) -> Signal:
    """A signal of this action, due now: in BTC on spot, in ETH where a leg is meant."""
    futures = action.position_side is not None
    account = USDM_ID if futures else SPOT_ID
    made = Signal(
        id=an_id(1, account),
        dialect=Dialect.CRYPTO_ARSENAL,
        origin=ORIGIN,
        account=account,
        venue=PAPER,
        symbol=ETH if futures else BTC,
        market=Market.USDM if futures else Market.SPOT,
        action=action,
        rules=SignalRules(leverage=5 if futures else 1),
        due_at_ms=NOW,
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )
    return _with(made, odd)


def a_command(action: Action = Action.BUY, **odd: object) -> SignalCommand:
    """A command of this action, with no size."""
    return _with(SignalCommand(action=action), odd)


def fixed(quantity: str) -> Size:
    """A size in base currency."""
    return Size(SizeKind.FIXED, Decimal(quantity))


def percent(share: str) -> Size:
    """A size in percent."""
    return Size(SizeKind.PERCENT, Decimal(share))


def notional(amount: str) -> Size:
    """A size in quote currency."""
    return Size(SizeKind.NOTIONAL, Decimal(amount))


def a_trigger(**odd: object) -> Trigger:
    """A stop at 1,900 under a long in ETH."""
    made = Trigger(
        owner=an_id(7, USDM_ID),
        venue=PAPER,
        symbol=ETH,
        source=PriceSource.LAST,
        direction=Direction.FALLING,
        level=Decimal(1_900),
        price_step=Decimal("0.01"),
    )
    return _with(made, odd)


def a_smart_order(**odd: object) -> SmartOrder:
    """The stop-loss of a long of half an ETH, not armed yet."""
    owner = an_id(7, USDM_ID)
    made = SmartOrder(
        id=owner,
        dialect=Dialect.CRYPTO_ARSENAL,
        origin=ORIGIN,
        account=USDM_ID,
        symbol=ETH,
        market=Market.USDM,
        side=Side.SELL,
        position_side=PositionSide.LONG,
        reduce_only=True,
        quantity=Decimal("0.5"),
        trigger=a_trigger(owner=owner),
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )
    return _with(made, odd)


def a_failing_exit(account: AccountId, message: str) -> SmartOrder:
    """One that does not get through: its venue has refused it as often as a person is told of."""
    return a_smart_order(
        account=account,
        id=an_id(900, account),
        status=SmartOrderStatus.TRIGGERED,
        goes_on_at_ms=EpochMs(1 << 42),
        misses=MISSES_TOLD,
        reason=Reason(ReasonCode.VENUE_REJECTED, message),
    )


def a_refused_stop(account: AccountId, message: str) -> SmartOrder:
    """One that its venue was to hold, and has refused as often as a person is told of."""
    return replace(
        a_failing_exit(account, message), status=SmartOrderStatus.PENDING_NEW, at_venue=True
    )


def a_stop(**odd: object) -> SmartOrder:
    """A buy of half a BTC at the market when it reaches 60,000, which stands alone."""
    owner = an_id(7)
    rising = {"direction": Direction.RISING, "level": Decimal(60_000), "looks_now": True}
    trigger = a_trigger(owner=owner, symbol=BTC, **rising)
    made = SmartOrder(
        id=owner,
        dialect=Dialect.POLONIEX,
        origin="key",
        account=SPOT_ID,
        symbol=BTC,
        market=Market.SPOT,
        side=Side.BUY,
        quantity=Decimal("0.5"),
        caller_id="mine",
        trigger=trigger,
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )
    return _with(made, odd)


def a_trailing_limit(side: Side, limit_offset: str) -> SmartOrder:
    """It trails by 500, and places a limit order that lies off the price by this much."""
    stop = a_stop()
    trigger = replace(
        stop.trigger, level=None, trail=Offset(Decimal(500)), direction=protective_direction(side)
    )
    offset = Offset(Decimal(limit_offset.rstrip("%")), is_percent=limit_offset.endswith("%"))
    return replace(
        stop,
        side=side,
        type=SmartOrderType.TRAILING_STOP_LIMIT,
        trigger=trigger,
        limit_offset=offset,
    )


def a_quote(
    bid: str = "50000",
    ask: str | None = None,
    last: str | None = None,
    *,
    bids: Levels = (),
    asks: Levels = (),
) -> Quote:
    """Bid and ask, the same unless both are given; last is the bid unless it is given."""
    return Quote(
        bid=Decimal(bid),
        ask=Decimal(ask or bid),
        last=Decimal(last or bid),
        bids=tuple((Decimal(price), Decimal(quantity)) for price, quantity in bids),
        asks=tuple((Decimal(price), Decimal(quantity)) for price, quantity in asks),
    )


def a_tick(number: int = 1, symbol: Symbol = ETH, last: str = "2000") -> Tick:
    """A tick in which one symbol stands at one price."""
    return Tick(number=number, at_ms=NOW, quotes={symbol: a_quote(last)})


def a_view(
    balances: Mapping[str, str] | None = None,
    positions: Mapping[PositionSide, str] | None = None,
    reserved: str = "0",
    mode: PositionMode = PositionMode.HEDGE,
) -> AccountView:
    """Balances by currency, and positions in ETH by side, of which `reserved` is not available."""
    return AccountView(
        position_mode=mode,
        balances={
            Currency(name): Balance(total=Decimal(total), available=Decimal(total))
            for name, total in (balances or {"USDT": "10000", "BTC": "0.5"}).items()
        },
        positions={
            (ETH, side): Position(
                size=Decimal(size),
                available=Decimal(size) - Decimal(reserved),
                entry_price=Decimal(2_000),
            )
            for side, size in (positions or {}).items()
        },
    )


def a_turn(signal: Signal, **odd: object) -> Executed:
    """The turn of a signal: the figures of the Crypto Arsenal spec, section 3.1."""
    spot = signal.market is Market.SPOT
    made = Executed(
        at_ms=NOW,
        account=a_view() if spot else a_view({"USDT": "1000"}),
        quote=a_quote("50000") if spot else a_quote("2000"),
        instrument=BTC_SPOT if spot else ETH_USDM,
        new_ids=fresh_ids(account=signal.account),
    )
    return _with(made, odd)


def client_id(order_id: AggregateId) -> ClientOrderId:
    """What the venue sees of an order."""
    return client_order_id(INSTALLATION, order_id)


def an_error(kind: type[HookfillError], says: str = "so it is") -> HookfillError:
    """An error of this class; what it says for itself is `says`, where it can be told."""
    made: dict[type[HookfillError], tuple[object, ...]] = {
        StaleTimestamp: (says, EpochMs(1)),
        RateLimited: (says, 1_000),
        PriceMissing: (BTC,),
        SymbolUnknown: (BTC, [ETH]),
        TypeUnsupported: (BTC, OrderType.LIMIT_MAKER, [OrderType.MARKET]),
        QuantityTooSmall: (BTC, Decimal(0), Decimal(1)),
        NotionalTooSmall: (BTC, Decimal(4), Decimal(5)),
        LimitExceeded: (BTC, Reason(ReasonCode.MAX_ORDER_VALUE, says)),
        OrderDenied: (BTC, says),
        MalformedPayload: ("validation_failed", says),
        TermsRefused: ({"quantity": [Complaint(Flaw.MISSING)]},),
        poloniex.Problem: (poloniex.Code.INVALID_PARAMETER, says),
        InvalidBody: ([Problem("missing", says)],),
    }
    arguments = next((made[one] for one in kind.__mro__ if one in made), (says,))
    return kind(*arguments)


def must(found: T | None) -> T:
    """Return what has to be there."""
    assert found is not None
    return found
