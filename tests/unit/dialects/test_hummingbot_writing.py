"""What Hummingbot users are told (Hummingbot spec, sections 2.2, 2.3 and 3)."""

from decimal import Decimal

import pytest

from app.dialects.hummingbot import render
from app.dialects.hummingbot.errors import error_for
from app.dialects.hummingbot.names import (
    Directory,
    Word,
    connector_of,
    pair_of,
    statuses_behind,
    symbol_of,
    word_of,
)
from app.domain.account import Account
from app.domain.enums import Market, OrderType, PositionMode, PositionSide, ReasonCode
from app.domain.errors import (
    Conflict,
    HookfillError,
    KeyReused,
    MarketHalted,
    NotAuthenticated,
    NotFound,
    NotionalTooSmall,
    OutcomeUnknown,
    PayloadTooLarge,
    PriceMissing,
    QuantityTooSmall,
    StaleRegistry,
    StoreUnavailable,
    SymbolUnknown,
    TypeUnsupported,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AccountId, AccountName, ClientOrderId, Currency, Symbol
from app.domain.market import Position
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import CLOSED, OrderStatus
from app.web.exact_json import exact_json
from tests.support.builders import (
    BTC,
    BTC_SPOT,
    ETH,
    REQUESTED,
    SPOT,
    USDM,
    a_fill,
    a_quote,
    an_order,
)

NAMES = ("demo", "paper")


def in_status(status: OrderStatus, **odd: object) -> Order:
    return an_order(status=status, **odd)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (OrderStatus.PENDING_NEW, Word.SUBMITTED),
        (OrderStatus.PLACING, Word.SUBMITTED),
        (OrderStatus.UNKNOWN, Word.SUBMITTED),
        (OrderStatus.NEW, Word.OPEN),
        (OrderStatus.PARTIALLY_FILLED, Word.PARTIALLY_FILLED),
        (OrderStatus.FILLED, Word.FILLED),
        (OrderStatus.CANCELED, Word.CANCELLED),
        (OrderStatus.EXPIRED, Word.CANCELLED),
        (OrderStatus.REJECTED, Word.FAILED),
        (OrderStatus.DENIED, Word.FAILED),
    ],
)
def test_each_status_has_its_word(status: OrderStatus, word: Word) -> None:
    assert word_of(in_status(status)) is word
    assert status in statuses_behind(word)


@pytest.mark.parametrize("status", OrderStatus)
def test_a_cancel_shows_while_it_is_on_its_way(status: OrderStatus) -> None:
    word = word_of(in_status(status, cancel_requested=True))

    assert (word is Word.PENDING_CANCEL) is (status not in CLOSED)


def test_an_order_row_has_its_keys_and_exact_numbers() -> None:
    order = in_status(
        OrderStatus.FILLED,
        filled_quantity=Decimal("0.5"),
        average_price=Decimal(50_000),
        fills=(a_fill(fee=Decimal("0.1")),),
        fees={Currency("USDT"): Decimal("0.1")},
    )

    row = render.order_row(order, NAMES)

    assert list(row) == [
        "order_id",
        "account_name",
        "connector_name",
        "trading_pair",
        "trade_type",
        "order_type",
        "amount",
        "price",
        "status",
        "filled_amount",
        "average_fill_price",
        "fee_paid",
        "fee_currency",
        "created_at",
        "updated_at",
        "exchange_order_id",
        "error_message",
    ]
    assert row["trading_pair"] == "BTC-USDT"
    assert (row["fee_paid"], row["fee_currency"]) == (Decimal("0.1"), "USDT")
    assert row["created_at"] == "2024-11-19T07:06:40.000+00:00"
    assert row["error_message"] is None


def test_an_order_without_fills_has_no_fee() -> None:
    row = render.order_row(in_status(OrderStatus.NEW), NAMES)

    assert (row["fee_paid"], row["fee_currency"], row["average_fill_price"]) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (OrderStatus.REJECTED, Reason(ReasonCode.WOULD_TAKE, "it would take"), "it would take"),
        (OrderStatus.EXPIRED, Reason(ReasonCode.TOO_LATE, "too late"), "too late"),
        (OrderStatus.CANCELED, REQUESTED, None),
        (OrderStatus.UNKNOWN, Reason(ReasonCode.OUTCOME_UNKNOWN, "no answer"), None),
        (OrderStatus.FILLED, None, None),
    ],
)
def test_an_error_message_says_why_it_failed(
    status: OrderStatus, reason: Reason | None, message: str | None
) -> None:
    assert render.order_row(in_status(status, reason=reason), NAMES)["error_message"] == message


def test_a_trade_row_has_its_keys() -> None:
    row = render.trade_row(an_order(), a_fill(), NAMES)

    assert list(row) == [
        "trade_id",
        "order_id",
        "account_name",
        "connector_name",
        "trading_pair",
        "trade_type",
        "amount",
        "price",
        "fee_paid",
        "fee_currency",
        "timestamp",
    ]


@pytest.mark.parametrize(
    ("mode", "side", "shown"),
    [
        (PositionMode.HEDGE, PositionSide.LONG, ("LONG", "2")),
        (PositionMode.HEDGE, PositionSide.SHORT, ("SHORT", "2")),
        (PositionMode.ONEWAY, PositionSide.LONG, ("BOTH", "2")),
        (PositionMode.ONEWAY, PositionSide.SHORT, ("BOTH", "-2")),
    ],
)
def test_a_one_way_short_is_negative(
    mode: PositionMode, side: PositionSide, shown: tuple[str, str]
) -> None:
    row = render.position_row(ETH, side, Position(size=Decimal(2)), mode, NAMES)

    assert (row["side"], str(row["amount"])) == shown


@pytest.mark.parametrize(("side", "profit"), [(PositionSide.LONG, 200), (PositionSide.SHORT, -200)])
def test_a_position_has_a_profit(side: PositionSide, profit: int) -> None:
    position = Position(size=Decimal(2), entry_price=Decimal(2_000))

    assert render.profit_of(side, position, a_quote("2100")) == profit
    assert render.profit_of(side, position, None) is None


def test_a_rule_says_what_the_instrument_says() -> None:
    rule = render.rule_of(BTC_SPOT, [OrderType.LIMIT])

    assert rule["min_order_size"] == Decimal("0.00001")
    assert rule["min_notional_size"] == 5
    assert rule["max_order_size"] is None
    assert (rule["supports_limit_orders"], rule["supports_market_orders"]) == (True, False)


def test_an_order_is_echoed_as_it_was_sent() -> None:
    shape = {
        "account_name": "a",
        "connector_name": "c",
        "trading_pair": "BTC-USDT",
        "trade_type": "BUY",
        "amount": Decimal("1E+3"),
        "order_type": "LIMIT",
        "price": Decimal("1E-7"),
        "position_action": "OPEN",
    }

    answer = render.placed(shape, ClientOrderId("h1"))

    assert answer.status == 201
    assert exact_json(answer.body) == (
        '{"order_id":"h1","account_name":"a","connector_name":"c","trading_pair":"BTC-USDT",'
        '"trade_type":"BUY","amount":"1000","order_type":"LIMIT","price":"0.0000001",'
        '"status":"submitted"}'
    )


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NotAuthenticated("Not authenticated"), 401, "Not authenticated"),
        (NotFound("Account 'x' not found"), 404, "Account 'x' not found"),
        (PayloadTooLarge("too large"), 413, "too large"),
        (PriceMissing(BTC), 400, "Price is required for LIMIT and LIMIT_MAKER orders"),
        (
            MarketHalted(BTC, [ETH]),
            400,
            "BTC/USDT is not traded just now: its market is halted",
        ),
        (
            SymbolUnknown(Symbol("X/Y"), [BTC, ETH]),
            400,
            (
                "Trading pair 'X-Y' not supported on this connector. "
                "Available pairs: BTC-USDT, ETH-USDT"
            ),
        ),
        (
            TypeUnsupported(BTC, OrderType.LIMIT_MAKER, {OrderType.MARKET, OrderType.LIMIT}),
            400,
            "Order type 'LIMIT_MAKER' not supported. Supported types: LIMIT, MARKET",
        ),
        (
            QuantityTooSmall(BTC, Decimal(0), Decimal("0.00001")),
            400,
            "Order amount 0 below minimum order size 0.00001 for BTC-USDT",
        ),
        (
            NotionalTooSmall(BTC, Decimal("2.9500"), Decimal(5)),
            400,
            "Order notional 2.95 below minimum 5 for BTC-USDT",
        ),
        (KeyReused("used"), 422, "Idempotency-Key was used for another request"),
        (VenueRejected("not while orders rest"), 400, "not while orders rest"),
        (VenueUnavailable("no rules yet"), 503, "no rules yet"),
    ],
)
def test_each_error_has_its_answer(error: HookfillError, status: int, said: str) -> None:
    answer = error_for(error)

    assert (answer.status, answer.body) == (status, {"detail": said})
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("redis://secret"), Conflict("version 7"), StaleRegistry("version 8")]
)
def test_the_store_does_not_speak_to_strangers(error: HookfillError) -> None:
    answer = error_for(error)

    assert answer.status == 503
    assert str(error) not in exact_json(answer.body)


def test_a_setting_of_which_nobody_knows_may_be_sent_again() -> None:
    answer = error_for(OutcomeUnknown("not in time; it is safe to ask again"))

    assert answer.status == 503
    assert answer.body == {"detail": "not in time; it is safe to ask again"}


def test_many_pairs_are_cut_short() -> None:
    known = [Symbol(f"C{number:02d}/USDT") for number in range(12)]

    answer = error_for(SymbolUnknown(Symbol("X/Y"), known))

    assert "C09-USDT (and 2 more)" in exact_json(answer.body)


@pytest.mark.parametrize("pair", ["BTC-USDT", "btc-usdt", "BTC/USDT", "", "A-B-C"])
def test_pairs_and_symbols_are_told_apart(pair: str) -> None:
    assert pair_of(symbol_of(pair)) == pair
    assert (symbol_of(pair) == BTC) is (pair == "BTC-USDT")


def test_connectors_are_named_after_venue_and_market() -> None:
    coin_margined = Account(
        id=AccountId(9), name=AccountName("c"), group="demo", market=Market.COINM
    )

    assert connector_of(SPOT) == "paper"
    assert connector_of(USDM) == "paper_perpetual"
    assert connector_of(coin_margined) is None


def test_a_directory_finds_accounts_by_their_names() -> None:
    directory = Directory([SPOT, USDM])

    assert directory.account_names() == ["demo"]
    assert directory.connector_names() == ["paper", "paper_perpetual"]
    assert directory.account("demo", "paper_perpetual") == USDM
    assert directory.any_of("paper") == SPOT
    assert [one for _, _, one in directory.among(None, ["paper"])] == [SPOT]
    assert [one for _, _, one in directory.among([], [])] == [SPOT, USDM]
    assert list(directory.among(["nobody"], None)) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("nobody", "paper"), "Account 'nobody' not found"),
        (("de.mo", "paper"), "Account 'de.mo' not found"),
        (("demo", "nowhere"), "Connector 'nowhere' not found"),
    ],
)
def test_a_directory_says_what_is_not_there(names: tuple[str, str], said: str) -> None:
    with pytest.raises(NotFound, match=said):
        Directory([SPOT]).account(*names)
