"""What Poloniex callers are told: orders, smart orders, market data, errors."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.dialects.poloniex import render_markets as market_writing
from app.dialects.poloniex import render_orders as order_writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.candles import INTERVALS, Bar, bars_of, spans, turnover_of
from app.dialects.poloniex.errors import Code, Problem, error_for, internal, refused
from app.dialects.poloniex.fields import Reading
from app.dialects.poloniex.notation import number_of, quotient, shown
from app.dialects.poloniex.queries import (
    DAY_MS,
    WEEK_MS,
    filter_from,
    page_of,
    span_from,
    times_from,
)
from app.dialects.poloniex.smart_orders import wants_list
from app.domain import errors
from app.domain.enums import Dialect, Direction, OrderType, ReasonCode, Side
from app.domain.identifiers import Currency, EpochMs
from app.domain.market_data import PublicTrade
from app.domain.money import places_of
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import CLOSED, OrderStatus
from app.domain.trigger import Offset
from tests.support.builders import (
    BTC_SPOT,
    NOW,
    a_fill,
    a_quote,
    a_smart_order,
    a_stop,
    a_trailing_limit,
    an_id,
    an_order,
    an_order_in,
)


def test_numbers() -> None:
    assert [shown(one) for one in (None, Decimal(0), Decimal("1E+3"), Decimal("0.10"))] == [
        "0.00",
        "0.00",
        "1000",
        "0.1",
    ]
    assert quotient(Decimal(1) / 3) == "0.333333333333333333"
    assert quotient(Decimal(10) ** 20) == "1" + "0" * 20
    assert [places_of(Decimal(one)) for one in ("0.01", "1", "10", "0.5")] == [2, 0, 0, 1]


STATES = {
    OrderStatus.PENDING_NEW: "PENDING_NEW",
    OrderStatus.PLACING: "PENDING_NEW",
    OrderStatus.UNKNOWN: "PENDING_NEW",
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.DENIED: "FAILED",
}


@pytest.mark.parametrize("status", OrderStatus)
def test_states(status: OrderStatus) -> None:
    order = an_order_in(status)

    assert order_writing.state_of(replace(order, filled_quantity=Decimal(0))) == STATES[status]
    asked = replace(order, cancel_requested=True, filled_quantity=Decimal(0))
    expected = STATES[status] if status in CLOSED else "PENDING_CANCEL"
    assert order_writing.state_of(asked) == expected


def test_a_canceled_order_may_be_filled_in_part() -> None:
    order = an_order_in(OrderStatus.CANCELED)

    state = order_writing.state_of(replace(order, filled_quantity=Decimal("0.1")))
    assert state == "PARTIALLY_CANCELED"


def filled() -> Order:
    fills = (
        a_fill(quantity=Decimal("0.1"), price=Decimal(50_000)),
        a_fill(quantity=Decimal("0.2"), price=Decimal(50_300), is_maker=True),
    )
    return replace(
        an_order(),
        status=OrderStatus.FILLED,
        quantity=Decimal("0.3"),
        filled_quantity=Decimal("0.3"),
        average_price=Decimal(50_200),
        fills=fills,
        dialect=Dialect.POLONIEX,
        caller_id="mine",
    )


def test_an_order() -> None:
    row = order_writing.row(filled())

    assert (row["avgPrice"], row["filledQuantity"], row["filledAmount"]) == (
        "50200",
        "0.3",
        "15060",
    )
    assert (row["clientOrderId"], row["accountType"]) == ("mine", "SPOT")
    assert isinstance(row["createTime"], int)


def test_without_all_fills_the_average_tells() -> None:
    order = replace(filled(), fills=())

    assert order_writing.row(order)["filledAmount"] == "15060"
    assert order_writing.row(an_order())["avgPrice"] == "0.00"


def test_the_client_order_id_of_another_dialect_is_not_shown() -> None:
    order = replace(filled(), dialect=Dialect.HUMMINGBOT)

    assert order_writing.row(order)["clientOrderId"] == ""


def test_a_market_buy_by_what_it_spends() -> None:
    order = replace(
        an_order(),
        side=Side.BUY,
        type=OrderType.MARKET,
        price=None,
        quantity=Decimal(0),
        amount=Decimal(10),
    )

    row = order_writing.row(order)
    assert (row["quantity"], row["amount"], row["price"]) == ("0.00", "10", "0.00")


def test_trades() -> None:
    order = filled()

    rows = [order_writing.trade_row(order, *numbered) for numbered in enumerate(order.fills)]

    assert [one["matchRole"] for one in rows] == ["TAKER", "MAKER"]
    assert [one["amount"] for one in rows] == ["5000", "10060"]
    assert rows[0]["id"] != rows[1]["id"]


def test_an_order_of_the_past_says_why_it_failed() -> None:
    reason = Reason(ReasonCode.INSUFFICIENT_FUNDS, "too little")
    order = replace(an_order_in(OrderStatus.REJECTED), reason=reason)

    row = order_writing.history_row(order)
    assert (row["failCode"], row["failReason"]) == (21709, "too little")


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_a_code(code: ReasonCode) -> None:
    assert order_writing.code_of(code) in Code


def test_a_smart_order() -> None:
    row = order_writing.row(a_stop(caller_id="mine"))

    assert row["clientOrderId"] == "mine"
    assert row["state"] == "PENDING_NEW"
    assert {"trailingOffset", "limitOffset", "operator", "failCode"}.isdisjoint(row)


def test_a_trailing_smart_order() -> None:
    smart_order = replace(a_trailing_limit(Side.SELL, "0.5%"), operator=Direction.RISING)
    row = order_writing.row(smart_order)

    assert (row["limitOffset"], row["operator"]) == ("0.5%", "GTE")
    assert row["trailingOffset"] == str(smart_order.trigger.trail)
    assert row["stopPrice"] == shown(smart_order.trigger.stop)
    assert str(Offset(Decimal("1.50"), is_percent=True)) == "1.50%"


def test_a_failed_one_says_why() -> None:
    reason = Reason(ReasonCode.INSUFFICIENT_FUNDS, "too little")
    failed = replace(a_smart_order(), status=SmartOrderStatus.FAILED, reason=reason)

    row = order_writing.row(failed)
    assert (row["failCode"], row["failReason"]) == (21709, "too little")
    assert "code" not in row


def test_what_it_has_placed_is_shown_once_it_has_triggered() -> None:
    waiting = a_stop(caller_id="mine")
    triggered = replace(waiting, status=SmartOrderStatus.TRIGGERED)
    order = replace(filled(), caller_id=None)

    assert "triggeredOrder" not in order_writing.smart_detail(waiting, order)
    shape = order_writing.smart_detail(triggered, order)
    assert shape["triggeredOrder"]["clientOrderId"] == "mine"  # type: ignore[index]
    assert order_writing.history_row(triggered, order)["filledAmount"] == "15060"
    assert order_writing.history_row(waiting, None)["avgPrice"] == "0.00"
    assert order_writing.states_of(triggered, order) == {"TRIGGERED", "FILLED"}
    assert order_writing.states_of(waiting, None) == {"PENDING_NEW"}


@pytest.mark.parametrize(
    ("state", "code"), [(SmartOrderStatus.CANCELED, 21305), (SmartOrderStatus.TRIGGERED, 25009)]
)
def test_what_cannot_be_canceled(state: SmartOrderStatus, code: int) -> None:
    problem = order_writing.why_not_canceled(replace(a_smart_order(), status=state))

    assert problem.code == code


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_text_and_a_status(code: Code) -> None:
    answer = refused(Problem(code))

    assert answer.body == {"code": int(code), "message": code.text}
    assert 400 <= answer.status < 600
    assert code.status == answer.status


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.MalformedPayload("x", "y"), 400, 601),
        (errors.PayloadTooLarge("x"), 413, 413),
        (errors.NotPermitted("x"), 403, 403),
        (errors.NotAuthenticated("x"), 401, 401),
        (errors.CallerIdInUse("x"), 400, 25004),
        (errors.TooManyOpen("x"), 400, 21314),
        (errors.NotWaiting("x"), 400, 25009),
        (errors.InsufficientFunds("x"), 400, 21709),
        (errors.StoreUnavailable("x"), 503, 503),
        (errors.HistoryUnavailable("x"), 503, 503),
        (errors.VenueUnavailable("x"), 503, 503),
        (errors.RateLimited("x", 1_500), 429, 429),
        (errors.Conflict("x"), 503, 503),
    ],
)
def test_errors(error: errors.HookfillError, status: int, code: int) -> None:
    answer = error_for(error)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) is (status in {429, 503})


def test_a_mistake_of_ours() -> None:
    assert internal().body == {"code": 500, "message": "Internal System Error"}


@pytest.mark.parametrize(
    ("record", "content_type", "array"),
    [
        ({}, "application/json", False),
        ({"by_id_shape": "array"}, "", True),
        ({"by_id_shape": "auto"}, "application/json; charset=utf-8", True),
        ({"by_id_shape": "auto"}, "", False),
    ],
)
def test_shapes_of_one(record: dict[str, str], content_type: str, *, array: bool) -> None:
    assert wants_list(record, content_type) is array


TRADE = PublicTrade(
    id="1", at_ms=NOW, price=Decimal(50_000), quantity=Decimal("0.5"), taker_side=Side.BUY
)
DAY = Bar(
    begin_ms=EpochMs(NOW - DAY_MS),
    end_ms=EpochMs(NOW + 2),
    prices=(Decimal(50_000), Decimal(49_000), Decimal(50_500)),
    turnover=turnover_of([TRADE]),
)


def test_a_ticker() -> None:
    row = market_writing.ticker(BTC_SPOT, a_quote("50500", "50510"), DAY, NOW)

    assert (row["open"], row["low"], row["high"]) == ("50000", "49000", "50500")
    assert (row["dailyChange"], row["quantity"], row["amount"]) == ("0.01", "0.5", "25000")
    assert (row["bid"], row["ask"], row["tradeCount"]) == ("50500", "50510", 1)


def test_a_book_without_depth_shows_what_an_order_may_be() -> None:
    instrument = replace(BTC_SPOT, max_quantity=Decimal(9))

    book = market_writing.order_book(instrument, a_quote("50000", "50010"), 5, NOW)
    assert (book["asks"], book["bids"]) == (["50010", "9"], ["50000", "9"])
    endless = market_writing.order_book(BTC_SPOT, a_quote("50000"), 5, NOW)
    assert endless["bids"] == ["50000", "1000000"]


def test_a_book_is_cut() -> None:
    depth = tuple((Decimal(50_000 - one), Decimal(1)) for one in range(8))
    book = market_writing.order_book(BTC_SPOT, replace(a_quote(), bids=depth), 5, NOW)

    assert len(book["bids"]) == 10  # type: ignore[arg-type]


def test_a_candle_has_its_figures_in_their_order() -> None:
    row = market_writing.candle(DAY, INTERVALS["DAY_1"], NOW)

    assert row[:8] == ["49000", "50500", "50000", "50500", "25000", "0.5", "25000", "0.5"]
    assert row[8:] == [1, NOW, "50000", "DAY_1", DAY.begin_ms, DAY.end_ms - 1]


def test_bars_need_a_price() -> None:
    first, second = (EpochMs(0), EpochMs(100)), (EpochMs(100), EpochMs(200))
    observed = [(EpochMs(100), Decimal(7)), (EpochMs(199), Decimal(9))]
    trade = replace(TRADE, at_ms=EpochMs(150), price=Decimal(8))

    (bar,) = bars_of([first, second], observed, [trade])

    assert (bar.begin_ms, bar.turnover) == (100, turnover_of([trade]))
    assert list(map(int, bar.prices)) == [7, 8, 9]


HOUR_MS = 3_600_000


def test_spans_begin_where_they_belong() -> None:
    interval = INTERVALS["HOUR_1"]
    at_ms = EpochMs(10 * HOUR_MS + 5)

    assert [begin for begin, _ in spans(interval, None, at_ms, 3)] == [
        8 * HOUR_MS,
        9 * HOUR_MS,
        10 * HOUR_MS,
    ]
    since = spans(interval, EpochMs(8 * HOUR_MS + 1), at_ms, 5)
    assert [begin for begin, _ in since] == [9 * HOUR_MS, 10 * HOUR_MS]
    assert len(spans(interval, EpochMs(0), at_ms, 4)) == 4


def test_weeks_begin_on_mondays_and_months_on_their_first() -> None:
    monday, first = 1_731_888_000_000, 1_730_419_200_000  # 2024-11-18 and 2024-11-01
    week, month = INTERVALS["WEEK_1"], INTERVALS["MONTH_1"]

    assert (week.begin(NOW), month.begin(NOW)) == (monday, first)
    assert month.after(first) == 1_733_011_200_000
    assert month.begin(first - 1) == 1_727_740_800_000


def test_pages() -> None:
    orders = [(an_id(number), number) for number in (5, 4, 3, 2, 1)]

    def page(**query: object) -> list[int]:
        return page_of(orders, Reading(schemas.OPEN_LIST, {"limit": 2, **query}))

    assert page() == [5, 4]
    assert page(**{"from": an_id(4)}) == [3, 2]
    assert page(**{"from": an_id(2), "direction": "PRE"}) == [4, 3]
    assert page(**{"from": 0}) == page(**{"from": 2**63}) == [5, 4]


@pytest.mark.parametrize(
    ("query", "limit"), [({}, 100), ({"limit": "5"}, 5), ({"limit": "9999"}, 2000)]
)
def test_limits_are_cut(query: dict[str, object], limit: int) -> None:
    assert Reading(schemas.OPEN_LIST, query)["limit"] == limit


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, 21345),
        ({"limit": "x"}, 601),
        ({"limit": "1.5"}, 601),
        ({"from": "x"}, 601),
        ({"direction": "UP"}, 601),
    ],
)
def test_bad_pages(query: dict[str, object], code: int) -> None:
    with pytest.raises(Problem) as caught:
        filter_from(Reading(schemas.OPEN_LIST, query), lambda _: None)
    assert caught.value.code == code


def past(query: dict[str, object]) -> Reading:
    return Reading(schemas.CLOSED_LIST, query)


def test_the_past_spans_a_week_where_an_end_is_open() -> None:
    assert span_from(past({}), NOW)[0] == NOW - WEEK_MS
    assert span_from(past({"startTime": "5"}), NOW)[1] == 5 + WEEK_MS
    assert span_from(past({"endTime": str(NOW)}), NOW)[0] == NOW - WEEK_MS


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"startTime": "10", "endTime": "5"}, 601),
        ({"startTime": "0", "endTime": str(30 * DAY_MS + 1)}, 21355),
        ({"startTime": "-1"}, 601),
        ({"endTime": "1e20"}, 601),
    ],
)
def test_bad_spans(query: dict[str, object], code: int) -> None:
    with pytest.raises(Problem) as caught:
        span_from(past(query), NOW)
    assert caught.value.code == code


def test_limits_of_market_data() -> None:
    assert Reading(schemas.BOOK, {})["limit"] == 10
    assert Reading(schemas.BOOK, {"limit": "500"})["limit"] == 150
    with pytest.raises(Problem):
        _ = Reading(schemas.BOOK, {"limit": "0"})["limit"]
    with pytest.raises(Problem):
        times_from(Reading(schemas.CANDLES, {"startTime": "2", "endTime": "1"}))


def test_currencies_keep_their_numbers() -> None:
    assert number_of(Currency("USDT")) == 214
    assert number_of(Currency("DOGE")) == 270_011
