"""Every example becomes its order, or gets its answer; and where an order goes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.apisify.parse import Order, account_for, order_from, settings_of, ticker_of
from app.dialects.apisify.render import error_for
from app.domain.account import Account, ApiClient
from app.domain.commands import NetAction
from app.domain.enums import Dialect, Market
from app.domain.errors import (
    HookfillError,
    MalformedPayload,
    MarketsUnknown,
    NotFound,
    NotPermitted,
)
from app.domain.identifiers import AccountId, AccountName, Symbol, VenueName
from app.domain.symbols import Listed, chosen
from app.paper.admin.administration import DEFAULT_INSTRUMENTS
from app.web.json_body import payload_from

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "apisify").glob("*.json"))


def a_client(settings: Mapping[str, object]) -> ApiClient:
    return ApiClient(dialect=Dialect.APISIFY, key="k", secret="", settings=settings)


def outcome(example: Mapping[str, Any]) -> dict[str, object]:
    try:
        order = order_from(example["payload"], settings_of(a_client(example.get("settings", {}))))
    except HookfillError as error:
        status, body, _ = error_for(error)
        fields: Any = body["fields"]
        return {"error": {"status": status, "code": body["code"], "fields": sorted(fields)}}
    return {"order": in_words(asdict(order))}


def in_words(value: object) -> object:
    """Return plain JSON without what is left open."""
    if isinstance(value, dict):
        said = {name: inner for name, inner in value.items() if inner is not False}
        return {name: in_words(inner) for name, inner in said.items() if inner not in (None, "")}
    return str(value) if isinstance(value, Decimal) else value


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 20


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_becomes_its_order_or_error(path: Path) -> None:
    example: Mapping[str, Any] = payload_from(path.read_bytes())

    expected = {name: example[name] for name in ("order", "error") if name in example}

    assert outcome(example) == expected


@pytest.mark.parametrize(
    ("text", "ticker"),
    [
        ("btcusdt", "BTCUSDT"),
        ("BINANCE:BTCUSDT.P", "BTCUSDT"),
        ("BTC/USDT", "BTC/USDT"),
        ("BTC/USDT:USDT", "BTC/USDT"),
    ],
)
def test_tickers_are_stripped(text: str, ticker: str) -> None:
    assert ticker_of(text) == ticker


def an_account(name: str, market: Market, venue: str = "paper") -> Account:
    return Account(
        id=AccountId(1), name=AccountName(name), group=name, venue=VenueName(venue), market=market
    )


NET = an_account("net", Market.USDM)
COINS = an_account("coins", Market.COINM)
SPOT = an_account("spot", Market.SPOT)
BYBIT = an_account("bybit", Market.USDM, "bybit")


def known(account: Account) -> bool:
    """Say that all is known."""
    del account
    return True


def itself(text: str, account: Account) -> Symbol:
    """Return what a spelling says where these are traded."""
    return chosen(text, AT_BYBIT, account.market)


AT_BYBIT = [
    Listed(Symbol(f"{base}/{quote}"), market)
    for base in ("BTC", "ETH", "XBT")
    for quote, market in (("USDT", Market.SPOT), ("USDT", Market.USDM), ("USD", Market.COINM))
]
AT_BYBIT.append(Listed(Symbol("DOGE/USDT"), Market.SPOT))


def an_order(ticker: str, exchange: str = "bybit_testnet", side: object = "Buy") -> Order:
    payload = {
        "strategy": "s",
        "exchange": exchange,
        "order_type": "Market",
        "qty": 1,
        "side": side,
        "symbol": ticker,
    }
    return order_from(payload, settings_of(a_client({})))


@pytest.mark.parametrize(
    ("ticker", "account", "symbol"),
    [
        ("BTCUSDT", NET, "BTC/USDT"),
        ("eth-usdt", NET, "ETH/USDT"),
        ("BTCUSD", COINS, "BTC/USD"),
        ("BYBIT:ETHUSD.P", COINS, "ETH/USD"),
    ],
)
def test_the_market_that_holds_the_symbol_tells_the_account(
    ticker: str, account: Account, symbol: str
) -> None:
    found = account_for(an_order(ticker), [SPOT, NET, COINS], DEFAULT_INSTRUMENTS, itself, known)

    assert found == (account, Symbol(symbol))


OFF = replace(NET, enabled=False)


@pytest.mark.parametrize(
    "accounts", [[], [replace(SPOT, enabled=False)], [OFF], [SPOT, OFF], [BYBIT]]
)
def test_a_key_may_have_no_account_there(accounts: list[Account]) -> None:
    with pytest.raises(NotPermitted):
        account_for(an_order("BTCUSDT"), accounts, DEFAULT_INSTRUMENTS, itself, known)


def test_paper_stands_in_only_where_there_is_no_other_account() -> None:
    accounts = [NET, BYBIT]

    assert account_for(an_order("BTCUSDT", "bybit"), accounts, (), itself, known)[0] == BYBIT
    testnet = account_for(
        an_order("BTCUSDT", "bybit_testnet"), accounts, DEFAULT_INSTRUMENTS, itself, known
    )
    assert testnet[0] == NET
    with pytest.raises(MalformedPayload):
        account_for(
            an_order("BTCUSD", "bybit"), accounts, (), itself, known
        )  # inverse: of another market


def test_what_nobody_trades_is_told_by_field() -> None:
    with pytest.raises(MalformedPayload) as refused:
        account_for(an_order("DOGEUSDT"), [NET], DEFAULT_INSTRUMENTS, itself, known)

    assert set(refused.value.fields) == {"symbol"}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from(["Buy", "Limit", "bybit", "1", "-2"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
#: What is right in each field: one of eight that is wrong is enough for a refusal.
RIGHT: Mapping[str, Sequence[object]] = {
    "strategy": ["s"],
    "exchange": ["bybit", "BINANCE"],
    "order_type": ["Market", "limit"],
    "qty": [1, "0.5", Decimal("2e1"), 0],
    "side": ["Buy", "sell", "Close", "Sarsell", -1],
    "symbol": ["BTCUSDT", "BYBIT:ETHUSD.P"],
    "price": ["1900", 1],
    "memo": ["", "why"],
}
NAMES = list(RIGHT)
ORDERS = st.fixed_dictionaries({name: st.sampled_from(RIGHT[name]) for name in NAMES})
#: An order with some of its fields replaced by anything, or with those fields alone.
ODD = st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=3)
PAYLOADS = st.tuples(ORDERS | st.just({}), ODD).map(lambda both: {**both[0], **both[1]})


@given(PAYLOADS)
def test_whatever_comes_is_an_order_or_refused_by_field(payload: Mapping[str, object]) -> None:
    try:
        order = order_from(payload, settings_of(a_client({})))
    except MalformedPayload as error:
        known = error.code == "validation_failed" and set(error.fields) <= set(NAMES)
        assert known, error.fields  # noqa: PT017 - either way is right
    else:
        command = order.command
        assert order.quantity > 0 or (order.quantity == 0 and command.action is NetAction.CLOSE)
        assert command.limit_price is None or command.limit_price > 0


def test_what_is_known_of_an_exchange_goes_before_what_a_ticker_says() -> None:
    told: list[str] = []

    def meaning(text: str, account: Account) -> Symbol:
        told.append(text)
        if text == "XBTUSDT" and account == BYBIT:
            return Symbol("BTC/USDT")
        raise NotFound("nothing")

    account, symbol = account_for(an_order("XBT-USDT", "bybit"), [BYBIT], (), meaning, known)

    assert (account, symbol) == (BYBIT, "BTC/USDT")
    assert told == ["XBT-USDT", "XBTUSDT"]
    with pytest.raises(MalformedPayload):
        account_for(an_order("BTCUSDT", "bybit"), [BYBIT], (), meaning, known)


# A spot account, where there is no other (decision A11)

SPOT_AT_BYBIT = an_account("coins-at-bybit", Market.SPOT, "bybit")


@pytest.mark.parametrize("accounts", [[SPOT], [SPOT, BYBIT], [SPOT_AT_BYBIT, SPOT]])
@pytest.mark.parametrize("side", ["Buy", "Sell", "Close", "Long", "short"])
def test_spot_is_traded_where_there_is_nothing_else(accounts: list[Account], side: str) -> None:
    found = account_for(
        an_order("BTCUSDT", "binance", side), accounts, DEFAULT_INSTRUMENTS, itself, known
    )

    assert found == (SPOT, Symbol("BTC/USDT"))


def test_a_symbol_that_only_spot_has_does_not_lead_there() -> None:
    with pytest.raises(MalformedPayload) as error:
        account_for(an_order("DOGEUSDT", "bybit"), [SPOT_AT_BYBIT, BYBIT], (), itself, known)

    assert list(error.value.fields) == ["symbol"]


@pytest.mark.parametrize("side", ["Sarbuy", -2])
def test_coins_are_not_turned_around(side: object) -> None:
    with pytest.raises(MalformedPayload) as error:
        account_for(an_order("NOBODYUSDT", side=side), [SPOT], DEFAULT_INSTRUMENTS, itself, known)

    status, body, _ = error_for(error.value)
    fields: Any = body["fields"]
    assert (status, body["code"], list(fields)) == (400, "not_on_spot", ["side"])


@pytest.mark.parametrize(
    ("symbol", "accounts"),
    [
        ("BTC/USD:BTC-261225", [NET, COINS]),
        ("BTC/USDT:USDT-261225", [NET, COINS]),
        ("BTC/USD:USDT", [NET, COINS]),
        ("BTC/USDT:USDT", [SPOT]),
        ("BTCUSDT.P", [SPOT]),
        ("BINANCE:BTCUSDT.P", [SPOT]),
    ],
)
def test_another_contract_of_the_same_coins_is_not_taken_for_it(
    symbol: str, accounts: list[Account]
) -> None:
    with pytest.raises(MalformedPayload) as refused:
        account_for(an_order(symbol), accounts, DEFAULT_INSTRUMENTS, itself, known)

    assert set(refused.value.fields) == {"symbol"}


@pytest.mark.parametrize(("symbol", "account"), [("btc/usd:btc", COINS), ("BTC/USDT:USDT", NET)])
def test_the_currency_that_a_contract_settles_in_may_be_told(symbol: str, account: Account) -> None:
    assert (
        account_for(an_order(symbol), [NET, COINS], DEFAULT_INSTRUMENTS, itself, known)[0]
        == account
    )


LINEAR, INVERSE = (replace(one, venue=VenueName("bybit")) for one in (NET, COINS))


@pytest.mark.parametrize("accounts", [[LINEAR, INVERSE], [INVERSE, LINEAR]])
@pytest.mark.parametrize("learned", [(), (LINEAR,), (INVERSE,), (LINEAR, INVERSE)])
@pytest.mark.parametrize(("symbol", "meant"), [("BTC/USDT", LINEAR), ("BTC/USD", INVERSE)])
def test_an_order_waits_for_its_market_and_goes_to_no_other(
    symbol: str, meant: Account, learned: Sequence[Account], accounts: list[Account]
) -> None:
    listed = [one for one in AT_BYBIT if one.market in {account.market for account in learned}]

    def found() -> tuple[Account, Symbol]:
        return account_for(
            an_order(symbol, "bybit"),
            accounts,
            (),
            lambda text, account: chosen(text, listed, account.market),
            lambda account: account in learned,
        )

    if meant in learned:
        assert found() == (meant, Symbol(symbol))
    else:
        with pytest.raises(MarketsUnknown):
            found()
