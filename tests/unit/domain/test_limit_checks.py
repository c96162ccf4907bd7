"""Whether limits let an order go, by what is known."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.enums import Market, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import AccountName, AggregateId, Currency, EpochMs, OrderId, Symbol
from app.domain.limit_checks import Known, Sent, lasting_refusal, opens, refusal
from app.domain.limits import LIMIT_NAMES, limits_from
from app.domain.market import AccountView
from app.domain.order import Order, Succession
from app.domain.reason import Reason
from app.domain.results import Results, day_of
from app.domain.status import OrderStatus
from tests.support.builders import (
    BTC_SPOT,
    ETH,
    ETH_USDM,
    NOW,
    USDM_ID,
    a_quote,
    a_view,
    an_id,
    an_order,
    an_order_in,
)

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
LOST = Results(realised={(day_of(NOW), Currency("USDT")): Decimal(-100)})
KNOWN = Known(
    account=AccountName("spot"),
    now_ms=NOW,
    quote=a_quote("50000", "50010"),
    instrument=BTC_SPOT,
    view=a_view({"USDT": "10000", "BTC": "0.1"}),
    orders=(),
    sent=(),
    results=LOST,
)

#: Each with a value that denies the usual order, one that lets it just go, and what is said.
EDGES = [
    (
        "max_order_value",
        "25004.99",
        "25005",
        "order value 25005 USDT is above the limit of 25004.99",
    ),
    (
        "max_position_value",
        "30005",
        "30006",
        "position value 30006 USDT is above the limit of 30005",
    ),
    (
        "max_daily_loss",
        "100",
        "100.01",
        "100 USDT were lost today, as much as the limit of 100 USDT",
    ),
    (
        "allowed_symbols",
        "ETH/USDT",
        "BTC/USDT",
        "BTC/USDT is not among the allowed symbols ETH/USDT",
    ),
    ("trading_hours", "mon 00:00-24:00 UTC", "tue 00:00-24:00 UTC", "tue 07:06 is outside"),
    ("max_open_orders", "1", "2", "open orders were 1, as many as the limit of 1"),
    ("max_orders_per_minute", "1", "2", "orders of the last minute were 1, as many"),
    ("cooldown_seconds", "31", "30", "the last entry of BTC/USDT was sent 30 s ago"),
    ("price_collar_percent", "1.9", "2.1", "% off the alert's 49000"),
]
BUSY = replace(
    KNOWN,
    orders=(an_order_in(OrderStatus.NEW, id=OrderId(an_id(9)), price=Decimal(1), symbol=ETH),),
    sent=(Sent(OrderId(an_id(9)), an_order().symbol, EpochMs(NOW - 30_000)),),
)


def denied(order: Order, known: Known = KNOWN, **texts: str) -> Reason | None:
    return refusal(limits_from(texts), order, known)


def code(order: Order, known: Known = KNOWN, **texts: str) -> ReasonCode | None:
    reason = denied(order, known, **texts)
    return None if reason is None else reason.code


def usual(**odd: object) -> Order:
    return an_order(**{"alert_price": Decimal(49_000), **odd})


@pytest.mark.parametrize(("name", "denying", "allowing", "said"), EDGES)
def test_each_limit_denies_up_to_its_edge(
    name: str, denying: str, allowing: str, said: str
) -> None:
    reason = denied(usual(), BUSY, **{name: denying})

    assert reason is not None
    assert reason.code == name
    assert said in reason.message
    assert reason.message.endswith("of account spot")
    assert denied(usual(), BUSY, **{name: allowing}) is None


def test_what_is_above_a_limit_is_never_told_to_be_as_much() -> None:
    reason = denied(
        usual(quantity=Decimal("1.00000000000001"), price=Decimal(50_000)),
        max_order_value="50000",
    )

    assert reason is not None
    assert "order value 50000.0000001 USDT is above the limit of 50000 USDT" in reason.message


def test_every_limit_has_an_edge_above() -> None:
    assert {one[0] for one in EDGES} == set(LIMIT_NAMES)


@pytest.mark.parametrize(("name", "denying"), [one[:2] for one in EDGES])
def test_what_reduces_is_never_denied(name: str, denying: str) -> None:
    sale = usual(side=Side.SELL, reduces=True)

    assert denied(sale, BUSY, **{name: denying}) is None
    assert denied(sale, Known(account=KNOWN.account, now_ms=NOW)) is None


@pytest.mark.parametrize(
    ("name", "text", "missing"),
    [
        ("max_order_value", "99999999", {"quote": None}),
        ("max_order_value", "99999999", {"instrument": None}),
        ("max_position_value", "99999999", {"quote": None}),
        ("max_position_value", "99999999", {"view": None}),
        ("max_position_value", "99999999", {"orders": None}),
        ("max_daily_loss", "99999999", {"results": None}),
        ("max_open_orders", "9999", {"orders": None}),
        ("max_orders_per_minute", "9999", {"sent": None}),
        ("cooldown_seconds", "1", {"sent": None}),
        ("price_collar_percent", "99", {"quote": None}),
    ],
)
def test_what_cannot_be_known_is_not_guessed(
    name: str, text: str, missing: dict[str, None]
) -> None:
    reason = denied(usual(), replace(KNOWN, **missing), **{name: text})  # type: ignore[arg-type]

    assert reason is not None
    assert reason.code is ReasonCode.LIMITS_UNCHECKED
    assert f"{name} of account spot cannot be checked" in reason.message


def test_what_is_certain_is_told_rather_than_what_is_not() -> None:
    blind = replace(KNOWN, quote=None)

    assert code(usual(), blind, max_order_value="1", max_daily_loss="1") == "max_daily_loss"


# Order value


@pytest.mark.parametrize(
    ("odd", "value"),
    [
        ({"price": Decimal(40_000), "alert_price": None}, "20000"),
        ({"quantity": Decimal(0), "amount": Decimal(123)}, "123"),
        ({"quantity": Decimal(2)}, "100020"),
    ],
)
def test_the_value_is_by_the_limit_the_amount_or_the_touch(odd: dict[str, Any], value: str) -> None:
    below = str(Decimal(value) - Decimal("0.01"))

    assert code(usual(**odd), max_order_value=below) == "max_order_value"
    assert code(usual(**odd), max_order_value=value) is None


def test_inverse_contracts_are_worth_what_they_say() -> None:
    contracts = replace(ETH_USDM, market=Market.COINM, contract_size=Decimal(10))
    order = usual(market=Market.COINM, symbol=Symbol("ETH/USD"), quantity=Decimal(7))
    known = replace(KNOWN, instrument=contracts)

    assert code(order, known, max_order_value="69") == "max_order_value"
    assert code(order, known, max_order_value="70") is None


# Position


def position(order: Order, view: AccountView, *orders: Order) -> Decimal:
    """What the position is worth, in whole USDT: the least limit that lets the order go."""
    known = replace(KNOWN, instrument=ETH_USDM, quote=a_quote("2000"), view=view, orders=orders)
    low, high = 0, 1_000_000
    while low < high:
        middle = (low + high + 1) // 2
        is_denied = code(order, known, max_position_value=str(middle)) is not None
        low, high = (middle, high) if is_denied else (low, middle - 1)
    return Decimal(low + 1)


def eth(side: Side, quantity: str, leg: PositionSide | None, **odd: object) -> Order:
    return an_order(
        symbol=ETH,
        market=Market.USDM,
        account=USDM_ID,
        side=side,
        quantity=Decimal(quantity),
        position_side=leg,
        **odd,
    )


def beside(
    status: OrderStatus, side: Side, quantity: str, leg: PositionSide | None, **odd: object
) -> Order:
    other = eth(side, quantity, leg)
    facts = {"status": status, "id": OrderId(AggregateId(an_id(7))), **odd}
    return replace(other, **facts)  # type: ignore[arg-type]


HEDGE = a_view(positions={LONG: "3", SHORT: "5"})
NET_LONG = a_view(positions={LONG: "3"}, mode=PositionMode.ONEWAY)


@pytest.mark.parametrize(
    ("order", "view", "size"),
    [
        (eth(Side.BUY, "1", LONG), HEDGE, 4),
        (eth(Side.SELL, "1", SHORT), HEDGE, 6),
        (eth(Side.BUY, "1", None), NET_LONG, 4),
        # Through zero: what is left on the other side.
        (eth(Side.SELL, "5", None), NET_LONG, 2),
    ],
)
def test_a_leg_or_one_net_position(order: Order, view: AccountView, size: int) -> None:
    assert position(order, view) == size * 2_000


def test_coins_are_a_position() -> None:
    # 0.1 are held, and 0.5 more are bought at 50,010.
    assert code(usual(), max_position_value="30005.99") == "max_position_value"
    assert code(usual(), max_position_value="30006") is None


@pytest.mark.parametrize(
    "status",
    [OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED],
)
def test_what_is_under_way_counts_as_if_it_was_filled(status: OrderStatus) -> None:
    filled = Decimal("0.5") if status is OrderStatus.PARTIALLY_FILLED else Decimal(0)
    other = beside(status, Side.BUY, "2", LONG, filled_quantity=filled)

    assert position(eth(Side.BUY, "1", LONG), HEDGE, other) == (6 - filled) * 2_000


@pytest.mark.parametrize(
    ("status", "denied_with"),
    [
        (OrderStatus.PLACING, ReasonCode.LIMITS_UNCHECKED),
        (OrderStatus.UNKNOWN, ReasonCode.MAX_POSITION_VALUE),
        (OrderStatus.NEW, ReasonCode.MAX_POSITION_VALUE),
    ],
)
def test_what_is_being_sent_is_waited_for(status: OrderStatus, denied_with: ReasonCode) -> None:
    other = beside(status, Side.BUY, "2", LONG)
    known = replace(KNOWN, instrument=ETH_USDM, quote=a_quote("2000"), view=HEDGE, orders=(other,))

    found = code(eth(Side.BUY, "1", LONG), known, max_position_value="11999")

    assert found is denied_with


@pytest.mark.parametrize(
    "other",
    [
        beside(OrderStatus.PENDING_NEW, Side.BUY, "2", LONG),
        beside(OrderStatus.FILLED, Side.BUY, "2", LONG),
        beside(OrderStatus.NEW, Side.SELL, "2", SHORT),
        beside(OrderStatus.NEW, Side.SELL, "2", LONG, reduces=True),
        beside(OrderStatus.NEW, Side.BUY, "2", LONG, symbol=Symbol("BTC/USDT")),
    ],
)
def test_other_orders_do_not_count(other: Order) -> None:
    assert position(eth(Side.BUY, "1", LONG), HEDGE, other) == 8_000


def test_an_order_does_not_count_beside_itself_nor_the_one_that_it_replaces() -> None:
    order = eth(Side.BUY, "1", LONG)
    old = beside(OrderStatus.NEW, Side.BUY, "2", LONG)

    itself = replace(order, status=OrderStatus.PLACING)
    instead = replace(order, succeeds=Succession(order_id=old.id))

    assert position(order, HEDGE, itself) == 8_000
    assert position(instead, HEDGE, old) == 8_000


def test_a_limit_that_rests_is_worth_its_own_price_if_that_is_more() -> None:
    short = eth(Side.SELL, "1", SHORT, price=Decimal(2_500))
    long = eth(Side.BUY, "1", LONG, price=Decimal(1))

    assert position(short, HEDGE) == 6 * 2_500
    assert position(long, HEDGE) == 4 * 2_000


def test_what_a_venue_may_not_show_yet_is_waited_for() -> None:
    order = eth(Side.BUY, "1", LONG)
    just = beside(OrderStatus.FILLED, Side.BUY, "2", LONG, filled_quantity=Decimal(2))
    known = replace(
        KNOWN,
        instrument=ETH_USDM,
        quote=a_quote("2000"),
        view=HEDGE,
        orders=(just,),
        shown_late_ms=2_000,
    )

    assert code(order, known, max_position_value="12000") is None
    assert code(order, known, max_position_value="11999") is ReasonCode.LIMITS_UNCHECKED
    assert code(order, known, max_position_value="7999") == "max_position_value"
    later = replace(known, now_ms=EpochMs(NOW + 2_000))
    assert code(order, later, max_position_value="11999") is None


# What an order of one net position opens


def net(status: OrderStatus, side: Side, quantity: str, **odd: object) -> Order:
    return beside(status, side, quantity, None, **odd)


def filled(side: Side, quantity: str, ago_ms: int = 1_000, **odd: object) -> Order:
    """One of which so much was filled just now."""
    facts = {"filled_quantity": Decimal(quantity), "updated_at_ms": EpochMs(NOW - ago_ms), **odd}
    return net(OrderStatus.FILLED, side, quantity, **facts)


@pytest.mark.parametrize(
    ("quantity", "others", "is_opening"),
    [
        ("3", (), False),
        ("3.001", (), True),
        # What rests may never fill.
        ("2", (net(OrderStatus.NEW, Side.SELL, "3"),), False),
        ("4", (net(OrderStatus.NEW, Side.BUY, "3"),), True),
        # It may have been closed by then, by exits too.
        ("2", (net(OrderStatus.UNKNOWN, Side.SELL, "1"),), False),
        ("2", (net(OrderStatus.UNKNOWN, Side.SELL, "1.1"),), None),
        ("2", (net(OrderStatus.PLACING, Side.SELL, "2", reduces=True),), None),
        ("2", (filled(Side.SELL, "1"),), False),
        ("2", (filled(Side.SELL, "2"),), None),
        ("2", (filled(Side.SELL, "2", reduces=True),), None),
        ("2", (filled(Side.SELL, "2", ago_ms=2_000),), False),
        ("4", (filled(Side.SELL, "2"),), True),
        # More may be held than is shown.
        ("4", (net(OrderStatus.PLACING, Side.BUY, "1"),), None),
        ("4", (filled(Side.BUY, "1"),), None),
        ("4", (filled(Side.BUY, "0.5"),), True),
        # A clock that was set back an hour.
        ("2", (filled(Side.SELL, "2", ago_ms=-3_600_000),), False),
    ],
)
def test_whether_an_order_opens_anything_is_certain_or_not(
    quantity: str, others: tuple[Order, ...], *, is_opening: bool | None
) -> None:
    known = replace(KNOWN, view=NET_LONG, orders=others, shown_late_ms=2_000)

    assert opens(eth(Side.SELL, quantity, None), known) is is_opening


def test_what_a_plain_order_opens_is_not_certain_while_the_position_is_not_known() -> None:
    sale = eth(Side.SELL, "1", None)

    assert opens(sale, replace(KNOWN, view=None)) is None
    assert opens(sale, replace(KNOWN, view=NET_LONG, orders=None)) is None
    assert opens(eth(Side.SELL, "1", SHORT), replace(KNOWN, view=HEDGE)) is True
    assert opens(eth(Side.SELL, "1", LONG, reduces=True), KNOWN) is False


def test_an_exit_that_has_filled_in_part_leaves_the_rest_to_the_next_one() -> None:
    """Of 2 a half was sold by an order that rests still; 1.5 are shown, and the last half goes."""
    first = net(OrderStatus.PARTIALLY_FILLED, Side.SELL, "1.5", filled_quantity=Decimal("0.5"))
    view = a_view(positions={LONG: "1.5"}, mode=PositionMode.ONEWAY)
    known = replace(KNOWN, view=view, orders=(first,), shown_late_ms=2_000)

    assert opens(eth(Side.SELL, "0.5", None), known) is False


def test_a_clock_that_was_set_back_shows_no_fill_late_for_as_long() -> None:
    ahead = EpochMs(NOW + 3_600_000)
    bought = net(OrderStatus.FILLED, Side.BUY, "1", filled_quantity=Decimal(1), updated_at_ms=ahead)
    known = replace(
        KNOWN,
        instrument=ETH_USDM,
        quote=a_quote("2000", "2000"),
        view=a_view(positions={LONG: "1"}, mode=PositionMode.ONEWAY),
        orders=(bought,),
        shown_late_ms=2_000,
    )

    assert code(eth(Side.BUY, "1", None), known, max_position_value="5000") is None


# Counts, and how long ago


@pytest.mark.parametrize("status", list(OrderStatus))
def test_orders_that_may_still_trade_are_open(status: OrderStatus) -> None:
    other = replace(an_order(), status=status, id=OrderId(an_id(7)))
    is_open = status in {"PLACING", "UNKNOWN", "NEW", "PARTIALLY_FILLED"}

    found = code(usual(), replace(KNOWN, orders=(other,)), max_open_orders="1")

    assert (found == "max_open_orders") is is_open


@pytest.mark.parametrize(
    ("age_ms", "counts"),
    [(0, True), (59_999, True), (60_000, False), (-999, True), (-90_000, False)],
)
def test_a_minute_is_sixty_seconds(age_ms: int, *, counts: bool) -> None:
    sent = (Sent(OrderId(an_id(7)), ETH, EpochMs(NOW - age_ms)),)

    found = code(usual(), replace(KNOWN, sent=sent), max_orders_per_minute="1")

    assert (found == "max_orders_per_minute") is counts


def test_a_cooldown_is_of_one_symbol_and_not_of_the_order_itself() -> None:
    order = usual()
    sent = (Sent(OrderId(an_id(7)), ETH, NOW), Sent(order.id, order.symbol, NOW))
    known = replace(KNOWN, sent=sent)

    assert code(order, known, cooldown_seconds="60", max_orders_per_minute="2") is None
    assert code(order, known, max_orders_per_minute="1") == "max_orders_per_minute"
    assert code(replace(order, symbol=ETH), known, cooldown_seconds="60") == "cooldown_seconds"


# Prices


@pytest.mark.parametrize(
    ("odd", "is_denied"),
    [
        ({"price": Decimal("50510.1")}, False),
        ({"price": Decimal("50510.2")}, True),
        ({"price": Decimal("49509.9")}, False),
        ({"price": Decimal("49509.8")}, True),
        ({"alert_price": Decimal(49515)}, False),
        ({"alert_price": Decimal(49514)}, True),
        ({"alert_price": Decimal(50515)}, False),
        ({"alert_price": Decimal(50516)}, True),
        ({"alert_price": None}, False),
    ],
)
def test_a_price_is_off_by_the_touch_or_by_the_alert(
    odd: dict[str, Any], *, is_denied: bool
) -> None:
    order = an_order(**odd)

    assert (code(order, price_collar_percent="1") == "price_collar_percent") is is_denied


def test_a_loss_of_yesterday_or_of_another_currency_is_none_of_today() -> None:
    tomorrow = replace(KNOWN, now_ms=EpochMs(NOW + 86_400_000))
    order = usual(symbol=Symbol("ETH/BTC"))

    assert code(usual(), max_daily_loss="50") == "max_daily_loss"
    assert code(usual(), tomorrow, max_daily_loss="50") is None
    assert code(order, max_daily_loss="50") is None


def test_of_what_waits_only_what_lasts_is_told() -> None:
    order = an_order(price=Decimal(50_000), type=OrderType.LIMIT)

    def lasts(known: Known = BUSY, **texts: str) -> ReasonCode | None:
        reason = lasting_refusal(limits_from(texts), order, known)
        return None if reason is None else reason.code

    assert lasts(allowed_symbols="ETH/USDT") == "allowed_symbols"
    assert lasts(max_order_value="24999") == "max_order_value"
    assert lasts(trading_hours="mon 00:00-24:00 UTC", max_open_orders="1") is None
    assert lasts(max_daily_loss="1", max_orders_per_minute="1", cooldown_seconds="60") is None
    assert lasts(replace(BUSY, instrument=None), max_order_value="1") is None
