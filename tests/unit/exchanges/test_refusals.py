"""What exchanges refuse an order for, in our words, whatever the exchange library makes of it."""

import json
from decimal import Decimal

import ccxt
import pytest

from app.domain.enums import OrderType, ReasonCode
from app.domain.errors import OutcomeUnknown, VenueRejected
from app.exchanges.errors import translated
from app.exchanges.profiles import PROFILES
from app.exchanges.refusals import told_of
from tests.support.builders import an_order

FUTURES = "https://fapi.binance.com/fapi/v1/order"
SPOT = "https://api.binance.com/api/v3/order"
RULES, GONE = ReasonCode.AGAINST_RULES, ReasonCode.UNKNOWN_INSTRUMENT
FUNDS, KEY = ReasonCode.INSUFFICIENT_FUNDS, ReasonCode.CREDENTIALS_REFUSED
NOT_REDUCING, NO = ReasonCode.WOULD_NOT_REDUCE, ReasonCode.VENUE_REJECTED
TAKES, HALTED = ReasonCode.WOULD_TAKE, ReasonCode.MARKET_HALTED
TRIGGERS = ReasonCode.WOULD_TRIGGER

REFUSALS = [
    ("binance", SPOT, {"code": -1013, "msg": "Filter failure: LOT_SIZE"}, RULES),
    (
        "binance",
        SPOT,
        {"code": -2010, "msg": "Account has insufficient balance for requested action."},
        FUNDS,
    ),
    ("binance", SPOT, {"code": -1121, "msg": "Invalid symbol."}, GONE),
    ("binance", SPOT, {"code": -1122, "msg": "Invalid symbol status."}, HALTED),
    ("binance", FUTURES, {"code": -1111, "msg": "Precision is over the maximum"}, RULES),
    ("binance", FUTURES, {"code": -4005, "msg": "Quantity greater than max quantity."}, RULES),
    ("binance", FUTURES, {"code": -4164, "msg": "Order's notional must be no smaller"}, RULES),
    ("binance", FUTURES, {"code": -2019, "msg": "Margin is insufficient."}, FUNDS),
    ("binance", FUTURES, {"code": -2022, "msg": "ReduceOnly Order is rejected."}, NOT_REDUCING),
    ("binance", FUTURES, {"code": -2023, "msg": "User in liquidation mode now."}, NO),
    ("binance", FUTURES, {"code": -2015, "msg": "Invalid API-key, IP, or permissions"}, KEY),
    ("binance", SPOT, {"code": -2010, "msg": "Order would immediately match and take."}, TAKES),
    ("binance", FUTURES, {"code": -5022, "msg": "could not be executed as maker"}, TAKES),
    ("binance", FUTURES, {"code": -4140, "msg": "Invalid symbol status"}, HALTED),
    ("binance", FUTURES, {"code": -2021, "msg": "Order would immediately trigger."}, TRIGGERS),
    ("binance", FUTURES, {"code": -4142, "msg": "will be triggered immediately"}, TRIGGERS),
    ("binance", FUTURES, {"code": -4045, "msg": "Reach max stop order limit."}, NO),
    ("binance", FUTURES, {"code": -4120, "msg": "Use the Algo Order API endpoints"}, NO),
    ("binance", FUTURES, {"code": -4007, "msg": "Stop price greater than max price."}, RULES),
    ("bybit", SPOT, {"retCode": 110092, "retMsg": "expect Rising, but trigger_price"}, TRIGGERS),
    ("bybit", SPOT, {"retCode": 110093, "retMsg": "expect Falling, but trigger_price"}, TRIGGERS),
    ("bybit", SPOT, {"retCode": 110009, "retMsg": "The number of stop orders exceeds"}, NO),
    ("bybit", SPOT, {"retCode": 10001, "retMsg": "Qty invalid"}, RULES),
    ("bybit", SPOT, {"retCode": 110007, "retMsg": "ab not enough for new order"}, FUNDS),
    ("bybit", SPOT, {"retCode": 110017, "retMsg": "Reduce-only rule not satisfied"}, NOT_REDUCING),
    ("bybit", SPOT, {"retCode": 110063, "retMsg": "Settlement in progress!"}, HALTED),
    ("bybit", SPOT, {"retCode": 110074, "retMsg": "This contract is not live"}, HALTED),
    ("bybit", SPOT, {"retCode": 170131, "retMsg": "Insufficient balance."}, FUNDS),
    ("bybit", SPOT, {"retCode": 10003, "retMsg": "API key is invalid."}, KEY),
    ("poloniex", SPOT, {"code": 21360, "message": "Order size exceeds the limit."}, RULES),
    ("poloniex", SPOT, {"code": 21348, "message": "Order type must be LIMIT_MAKER"}, TAKES),
    ("poloniex", SPOT, {"code": 21709, "message": "Low available balance"}, FUNDS),
    ("poloniex", SPOT, {"code": 10041, "message": "Symbol frozen for trading"}, HALTED),
    ("poloniex", SPOT, {"code": 21711, "message": "Currency locked."}, NO),
    ("poloniex", SPOT, {"code": 24101, "message": "Invalid symbol"}, GONE),
]


def answered(venue: str, url: str, body: dict[str, object], status: int = 400) -> None:
    """Let the exchange library make what it does of an answer, and translate that."""
    api = getattr(ccxt, venue)()
    profile = PROFILES[venue]
    with translated(lambda: status, profile.duplicates, profile.refusals):
        api.handle_errors(status, "", url, "POST", {}, json.dumps(body), body, {}, "")


@pytest.mark.parametrize(("venue", "url", "body", "reason"), REFUSALS)
def test_a_definite_no_is_one_and_says_why(
    venue: str, url: str, body: dict[str, object], reason: ReasonCode
) -> None:
    with pytest.raises(VenueRejected) as refused:
        answered(venue, url, body)

    assert refused.value.code is reason


@pytest.mark.parametrize(
    ("kind", "reason"), [(OrderType.LIMIT_MAKER, TAKES), (OrderType.LIMIT, NO)]
)
def test_none_but_a_post_only_order_is_refused_for_what_it_would_take(
    kind: OrderType, reason: ReasonCode
) -> None:
    """A market where nobody may take for a while says the same to all others."""
    order = an_order(type=kind, price=Decimal(1))
    with pytest.raises(VenueRejected, match="LIMIT_MAKER") as refused, told_of(order):
        answered("poloniex", SPOT, {"code": 21348, "message": "Order type must be LIMIT_MAKER"})

    assert refused.value.code is reason
    assert str(refused.value).startswith("post only") is (reason is TAKES)


def test_a_key_is_refused_by_the_status_where_there_is_no_code_for_it() -> None:
    with pytest.raises(VenueRejected) as refused:
        answered("poloniex", SPOT, {"code": 401, "message": "Invalid API key"}, status=401)

    assert refused.value.code is KEY


@pytest.mark.parametrize(
    ("venue", "body", "status"),
    [
        ("binance", {"code": -1007, "msg": "Timeout waiting for response"}, 408),
        ("binance", {"code": -1013, "msg": "Filter failure: LOT_SIZE"}, 503),
        ("binance", {"code": -4999, "msg": "nobody knows this code"}, 400),
        ("binance", {"code": -2010, "msg": "Duplicate order sent."}, 400),
        ("bybit", {"retCode": 110072, "retMsg": "OrderLinkedID is duplicate"}, 200),
    ],
)
def test_what_leaves_it_open_is_no_refusal(
    venue: str, body: dict[str, object], status: int
) -> None:
    with pytest.raises(OutcomeUnknown):
        answered(venue, SPOT, body, status)
