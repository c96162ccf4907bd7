"""Records: what is read back equals what was written, and a newer record is left alone."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.account import Account, ApiClient, Connector
from app.domain.commands import (
    Action,
    LateExits,
    NetAction,
    OnOpposite,
    OnSameSide,
    SignalRules,
    Size,
    SizeKind,
)
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import (
    Dialect,
    Direction,
    Market,
    Mode,
    OrderType,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
    SmartOrderType,
    TimeInForce,
)
from app.domain.errors import StoreError
from app.domain.exits import Filled
from app.domain.identifiers import (
    AccountId,
    AccountName,
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    OrderId,
    Symbol,
    TradeId,
    VenueName,
    VenueOrderId,
)
from app.domain.order import Condition, Order
from app.domain.reason import Reason
from app.domain.report import Fill
from app.domain.request.netting import Legs
from app.domain.request.reversal import Reversal
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from app.domain.trigger import Offset, Trigger
from app.store.core.codec import SHORT, decoder, encoder
from app.store.core.records import SCHEMA, aggregate_from, entry_from, entry_text, record_of
from tests.support.builders import NOW, REFUSED, a_signal, a_smart_order, a_stop, an_order

IDS = st.integers(0, 2**53 - 1)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**20)
SOME = st.decimals(min_value="0.00000001", max_value=10**12, allow_nan=False, places=8)
TEXTS = st.text(max_size=20)
SYMBOLS = st.sampled_from([Symbol("BTC/USDT"), Symbol("ETH/BTC")])
REASONS = st.builds(Reason, st.sampled_from(ReasonCode), TEXTS)
FEES = st.dictionaries(st.sampled_from([Currency("USDT"), Currency("BNB")]), NUMBERS)
SETS_OF_IDS = st.frozensets(IDS.map(AggregateId), max_size=4)

#: Types that hypothesis cannot make up by itself, since a name says too little.
for kind, strategy in {
    AggregateId: IDS,
    OrderId: IDS,
    AccountId: st.integers(1, 1_000),
    EpochMs: st.integers(0, 2**42),
    ClientOrderId: TEXTS,
    Currency: st.sampled_from(["USDT", "BTC"]),
    VenueName: TEXTS,
    VenueOrderId: TEXTS,
    TradeId: TEXTS,
    AccountName: TEXTS,
    Decimal: NUMBERS,
}.items():
    st.register_type_strategy(kind, strategy)

FILLED_BY = st.dictionaries(
    IDS.map(AggregateId).map(OrderId), st.builds(Filled, quantity=NUMBERS), max_size=3
)
FILLS = st.lists(st.builds(Fill), max_size=3).map(tuple)
ORDERS = st.builds(
    Order,
    dialect=st.sampled_from(Dialect),
    origin=TEXTS,
    symbol=SYMBOLS,
    market=st.sampled_from(Market),
    side=st.sampled_from(Side),
    type=st.just(OrderType.LIMIT),
    price=SOME,
    quantity=SOME,
    position_side=st.none() | st.sampled_from(PositionSide),
    time_in_force=st.sampled_from(TimeInForce),
    reduce_only=st.booleans(),
    parent_id=st.none() | IDS.map(AggregateId),
    request_id=st.none() | IDS.map(AggregateId),
    leverage=st.none() | st.integers(1, 125),
    caller_id=st.none() | TEXTS,
    not_after_ms=st.none() | IDS.map(EpochMs),
    status=st.sampled_from(OrderStatus),
    reason=st.none() | REASONS,
    cancel_requested=st.booleans(),
    attempts=st.integers(0, 9),
    unknown_since_ms=st.none() | IDS.map(EpochMs),
    average_price=st.none() | NUMBERS,
    fees=FEES,
    fills=FILLS,
    position_after=st.none() | NUMBERS,
)
RULES = st.builds(
    SignalRules,
    leverage=st.integers(1, 125),
    balance_reserve=NUMBERS,
    percent_is_notional=st.booleans(),
    on_opposite=st.sampled_from(OnOpposite),
    late_exits=st.sampled_from(LateExits),
    entry_lateness_ms=st.integers(0, 10**6),
)
SIGNALS = st.builds(
    Signal,
    dialect=st.sampled_from(Dialect),
    origin=TEXTS,
    symbol=SYMBOLS,
    market=st.sampled_from(Market),
    action=st.sampled_from(Action),
    rules=RULES,
    size=st.none() | st.builds(Size, st.sampled_from(SizeKind), NUMBERS),
    limit_price=st.none() | NUMBERS,
    take_profit=st.none() | NUMBERS,
    caller_id=st.none() | TEXTS,
    note=st.none() | TEXTS,
    targets=st.none() | st.lists(IDS.map(AggregateId), max_size=3).map(tuple),
    status=st.sampled_from(RequestStatus),
    stage=st.sampled_from(Stage),
    reason=st.none() | REASONS,
    order_id=st.none() | IDS.map(AggregateId).map(OrderId),
    working=SETS_OF_IDS,
    withdrawing=SETS_OF_IDS,
    price_step=st.none() | SOME,
    quantity=st.none() | NUMBERS,
    closed_by=FILLED_BY,
    filled_by=FILLED_BY,
    fees=FEES,
)
REVERSALS = st.builds(
    Reversal,
    dialect=st.sampled_from(Dialect),
    origin=TEXTS,
    symbol=SYMBOLS,
    market=st.sampled_from(Market),
    action=st.sampled_from(NetAction),
    wanted=NUMBERS,
    on_same_side=st.sampled_from(OnSameSide),
    limit_price=st.none() | NUMBERS,
    price=st.none() | NUMBERS,
    strategy=st.none() | TEXTS,
    note=st.none() | TEXTS,
    legs=st.none()
    | st.builds(
        Legs,
        side=st.sampled_from(Side),
        closing=NUMBERS,
        opening=NUMBERS,
        is_one_order=st.booleans(),
        is_together=st.booleans(),
    ),
    mode=st.sampled_from(PositionMode),
    order_status=st.none() | st.sampled_from(OrderStatus),
    status=st.sampled_from(RequestStatus),
    stage=st.sampled_from(Stage),
    reason=st.none() | REASONS,
    closing_order_id=st.none() | IDS.map(AggregateId).map(OrderId),
    working=SETS_OF_IDS,
    quantity=st.none() | NUMBERS,
    fees=FEES,
)
TRIGGERS = st.builds(
    Trigger,
    symbol=SYMBOLS,
    source=st.sampled_from(PriceSource),
    direction=st.sampled_from(Direction),
    level=NUMBERS,
    price_step=SOME,
)
OFFSETS = st.one_of(
    st.builds(Offset, SOME),
    SOME.map(lambda value: Offset(min(value, Decimal("99.9")), is_percent=True)),
)
TRAILING_TRIGGERS = st.builds(
    Trigger,
    symbol=SYMBOLS,
    source=st.sampled_from(PriceSource),
    direction=st.sampled_from(Direction),
    trail=OFFSETS,
    price_step=SOME,
    activation=SOME,
    activates=st.sampled_from(Direction),
    looks_now=st.booleans(),
    slot=TEXTS,
)
SMART_ORDER_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "dialect": st.sampled_from(Dialect),
    "origin": TEXTS,
    "symbol": SYMBOLS,
    "market": st.sampled_from(Market),
    "side": st.sampled_from(Side),
    "quantity": SOME,
    "amount": st.none() | SOME,
    "status": st.sampled_from(SmartOrderStatus),
    "order_status": st.none() | st.sampled_from(OrderStatus),
    "armed": st.booleans(),
    "reason": st.none() | REASONS,
    "filled_by": FILLED_BY,
}
SMART_ORDERS = st.one_of(
    st.builds(SmartOrder, trigger=TRIGGERS, price=st.none() | NUMBERS, **SMART_ORDER_FIELDS),
    st.builds(
        SmartOrder,
        type=st.just(SmartOrderType.TRAILING_STOP_LIMIT),
        trigger=TRAILING_TRIGGERS,
        limit_offset=OFFSETS,
        operator=st.none() | st.sampled_from(Direction),
        post_only=st.booleans(),
        **SMART_ORDER_FIELDS,
    ),
)


@given(st.one_of(ORDERS, SIGNALS, REVERSALS, SMART_ORDERS))
def test_an_aggregate_is_read_as_it_was_written(aggregate: Order | Signal | SmartOrder) -> None:
    assert aggregate_from(record_of(aggregate)) == aggregate


@given(ORDERS)
def test_figures_keep_their_digits(order: Order) -> None:
    found = aggregate_from(record_of(order))

    assert isinstance(found, Order)
    assert str(found.price) == str(order.price)
    assert str(found.quantity) == str(order.quantity)


@given(
    st.builds(
        Account,
        market=st.sampled_from(Market),
        mode=st.sampled_from(Mode),
        position_mode=st.sampled_from(PositionMode),
        limits=st.dictionaries(TEXTS, TEXTS),
        group=TEXTS,
    )
)
def test_an_account_is_read_as_it_was_written(account: Account) -> None:
    assert decoder(Account)(json.loads(json.dumps(encoder(Account)(account)))) == account


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        (
            Connector,
            Connector(
                name="c1",
                token_hash="abc",  # noqa: S106 - a hash
                account=AccountName("one"),
                symbol=Symbol("BTC/USDT"),
                settings={"leverage": 5, "allow": ["1.2.3.4"]},
            ),
        ),
        (
            ApiClient,
            ApiClient(
                dialect=Dialect.POLONIEX,
                key="k1",
                secret="sealed",  # noqa: S106 - sealed
                accounts=(AccountName("one"), AccountName("two")),
                permissions=("trade",),
                enabled=False,
            ),
        ),
    ],
)
def test_a_caller_is_read_as_it_was_written(kind: type, record: object) -> None:
    assert decoder(kind)(json.loads(json.dumps(encoder(kind)(record)))) == record


def test_all_permissions_are_written_as_releases_before_wrote_them() -> None:
    """They had an empty tuple for all of them, left it out, and wrote nothing for it ever."""
    every = ApiClient(dialect=Dialect.POLONIEX, key="k1", secret="sealed")  # noqa: S106 - sealed
    nothing = replace(every, permissions=())

    written = encoder(ApiClient)(every)

    assert "permissions" not in written
    assert decoder(ApiClient)(written).may("TRADE")
    assert decoder(ApiClient)(encoder(ApiClient)(nothing)).may_nothing


def test_a_record_is_plain_json_without_what_is_as_usual() -> None:
    record = json.loads(record_of(an_order()))

    assert record["s"] == 1
    assert record["k"] == "ORDER"
    assert record["quantity"] == "0.5"
    assert "fills" not in record
    assert "status" not in record


@pytest.mark.parametrize(
    "aggregate",
    [a_signal(status=RequestStatus.DONE), a_smart_order(status=SmartOrderStatus.CANCELED)],
)
def test_a_status_has_the_name_in_records_that_it_always_had(
    aggregate: Signal | SmartOrder,
) -> None:
    record = json.loads(record_of(aggregate))

    assert record["state"] == aggregate.status
    assert "status" not in record


@pytest.mark.parametrize("aggregate", [an_order(), a_signal(), a_smart_order()])
def test_a_record_of_a_newer_schema_is_refused(aggregate: Order | Signal | SmartOrder) -> None:
    record = json.loads(record_of(aggregate))
    record["s"] = SCHEMA + 1

    with pytest.raises(StoreError, match=f"schema {SCHEMA + 1}, this release reads up to {SCHEMA}"):
        aggregate_from(json.dumps(record))


def test_who_does_not_know_of_stops_at_the_venue_cannot_read_one() -> None:
    """It would send the order to the market at once."""
    condition = Condition(level=Decimal(1_843), direction=Direction.FALLING)
    order = an_order(side=Side.SELL, reduces=True, condition=condition)
    guard = a_smart_order(reduce_only=True, at_venue=True, order_id=order.id)

    for one in (order, guard):
        assert json.loads(record_of(one))["s"] == 2
        assert aggregate_from(record_of(one)) == one
    assert json.loads(record_of(replace(order, condition=None)))["s"] == 1


def test_a_field_that_is_not_known_is_left_out() -> None:
    record = json.loads(record_of(an_order()))
    record["from_the_future"] = 1

    assert aggregate_from(json.dumps(record)) == an_order()


def test_a_field_that_an_older_release_did_not_write_has_its_default() -> None:
    record = json.loads(record_of(replace(an_order(), cancel_requested=True)))
    del record["cancel_requested"]

    assert aggregate_from(json.dumps(record)) == an_order()


@given(st.sampled_from(EntryName), st.none() | REASONS, TEXTS)
def test_a_timeline_entry_is_read_as_it_was_written(
    name: EntryName, reason: Reason | None, process: str
) -> None:
    entry = TimelineEntry(name, NOW, reason)

    assert entry_from(entry_text(entry, process)) == (entry, process)


def test_a_timeline_entry_is_short() -> None:
    text = entry_text(TimelineEntry(EntryName.DENIED, NOW, REFUSED), "web-1")

    assert json.loads(text) == ["denied", NOW, "web-1", "venue_rejected", "the venue said no"]


def test_a_record_of_an_armed_order_is_short() -> None:
    assert len(record_of(replace(a_stop(), armed=True))) < 330


def test_nothing_stands_twice_in_a_record() -> None:
    record = json.loads(record_of(a_stop()))

    assert "ua" not in record
    assert {"owner", "sy"}.isdisjoint(record["tr"])


def test_a_record_in_full_is_read_as_well() -> None:
    stop = replace(a_stop(), updated_at_ms=EpochMs(NOW + 1))
    trigger = {
        "owner": stop.id,
        "venue": "paper",
        "symbol": "BTC/USDT",
        "source": "last",
        "direction": "RISING",
        "level": "60000",
        "price_step": "0.01",
        "looks_now": True,
    }
    record = {
        "s": 1,
        "k": "SMART_ORDER",
        "id": stop.id,
        "dialect": "poloniex",
        "origin": "key",
        "account": stop.account,
        "symbol": "BTC/USDT",
        "market": "SPOT",
        "side": "BUY",
        "quantity": "0.5",
        "caller_id": "mine",
        "trigger": trigger,
        "created_at_ms": NOW,
        "updated_at_ms": NOW + 1,
    }

    assert aggregate_from(json.dumps(record)) == stop


def test_no_two_names_are_shortened_to_the_same() -> None:
    assert len(set(SHORT.values())) == len(SHORT)
    assert set(SHORT.values()).isdisjoint(SHORT)


def test_the_word_of_older_records_for_a_refused_key_is_understood() -> None:
    assert ReasonCode("key_refused") is ReasonCode.CREDENTIALS_REFUSED
