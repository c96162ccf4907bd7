"""From orders to commands (apisify spec, sections 2 and 3)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError

from app.dialects.apisify.schemas import LIMIT, LIMIT_ORDER, ORDER
from app.domain.account import PAPER, Account, ApiClient
from app.domain.commands import NetAction, NetCommand, OnSameSide
from app.domain.enums import Market
from app.domain.errors import (
    MalformedPayload,
    MarketsUnknown,
    NotFound,
    NotPermitted,
    invalid_fields,
)
from app.domain.identifiers import Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.money import settled_in
from app.web.fields import loaded, number_from
from app.web.surface import ExitSettings

#: What may stand between the two currencies of a symbol.
_SEPARATORS = str.maketrans("", "", "/-_.:")

#: TradingView's mark of a perpetual contract.
_PERPETUAL = ".P"

#: What a key must have at least to be a secret by itself (apisify spec, 1).
SECRET_KEY_CHARACTERS = 20

#: What a spelling means to an account, as far as that is known here.
Meaning = Callable[[str, Account], Symbol]


class CloseMode(StrEnum):
    """What `qty` of a Close means (decision A2)."""

    QTY = "qty"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings(ExitSettings):
    """The settings of one client (apisify spec, sections 1 and 5); its exits are its closes.

    Attributes:
        allow_tradingview_ip: whether requests from TradingView need the key only. What nobody has
            set is so for keys that nobody can guess.
        dedup_window_seconds: how long the same request of TradingView counts as a resend; 0 never.
        close_mode: whether a Close closes `qty`, or everything whatever `qty` says.
        sar_same_side: what Sarbuy and Sarsell do when the position is on their side already.
    """

    allow_tradingview_ip: bool
    dedup_window_seconds: int = 20
    close_mode: CloseMode = CloseMode.QTY
    sar_same_side: OnSameSide = OnSameSide.SKIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as its caller meant it.

    Attributes:
        exchange: in lower case.
        ticker: the symbol in upper case, without TradingView's exchange and mark of a perpetual.
        command: what is to become of the position.
        quantity, memo: as they are shown; `close_mode` may want another quantity closed.
        settled_in: what ccxt's spelling of a contract says behind the colon; '' says nothing.
        is_perpetual: TradingView's spelling says so.
    """

    exchange: str
    ticker: str
    command: NetCommand
    quantity: Decimal
    memo: str
    settled_in: str = ""
    is_perpetual: bool = False


def settings_of(client: ApiClient) -> ClientSettings:
    """Return the settings of a client; our own API has checked those that its record names."""
    named: dict[str, Any] = {
        "allow_tradingview_ip": not _is_guessable(client.key),
        **client.settings,
    }
    for name, words in (("close_mode", CloseMode), ("sar_same_side", OnSameSide)):
        if name in named:
            named[name] = words(named[name])
    return ClientSettings(**named)


def weakness_of(client: ApiClient) -> str | None:
    """Return what is weak about a client that somebody wanted so."""
    if _is_guessable(client.key) and settings_of(client).allow_tradingview_ip:
        return (
            f"From TradingView's addresses, which all its users share, this key is enough, and "
            f"with fewer than {SECRET_KEY_CHARACTERS} characters it can be guessed."
        )
    return None


def _is_guessable(key: str) -> bool:
    return len(key) < SECRET_KEY_CHARACTERS


def order_from(payload: Mapping[str, object], settings: ClientSettings) -> Order:
    """Return what a request asks for.

    Raises:
        MalformedPayload: with the code `validation_failed` and messages by field.
    """
    kind = payload.get("order_type")
    is_limit = isinstance(kind, str) and kind.strip().lower() == LIMIT.lower()
    shape = loaded(LIMIT_ORDER if is_limit else ORDER, payload)
    action, quantity = shape["side"], shape["qty"]
    closes_all = action is NetAction.CLOSE and settings.close_mode is CloseMode.ALL
    return Order(
        exchange=shape["exchange"],
        ticker=ticker_of(shape["symbol"]),
        settled_in=_settled_in(shape["symbol"]),
        is_perpetual=shape["symbol"].upper().endswith(_PERPETUAL),
        quantity=quantity,
        memo=shape["memo"],
        command=NetCommand(
            action=action,
            quantity=Decimal(0) if closes_all else quantity,
            limit_price=shape.get("price"),
            alert_price=None if is_limit else _alert_price(payload.get("price")),
            on_same_side=settings.sar_same_side,
            strategy=shape["strategy"],
            note=shape["memo"] or None,
        ),
    )


def _alert_price(given: object) -> Decimal | None:
    """Return the price that a market order comes with; one that makes no sense is none."""
    try:
        price = number_from(given)
    except ValidationError:
        return None
    return price if price > 0 else None


def ticker_of(text: str) -> str:
    """Return `BTCUSDT` for `btcusdt`, `BINANCE:BTCUSDT.P` and `BYBIT:BTCUSDT`."""
    head, _, tail = text.upper().partition(":")
    # `BTC/USDT:USDT` names the currency that it settles in behind the colon.
    ticker = tail if tail and "/" not in head else head
    return ticker.removesuffix(_PERPETUAL)


def _settled_in(text: str) -> str:
    """Return `BTC` for `BTC/USD:BTC`, and `BTC-261225` for the dated future of the same coin."""
    head, _, tail = text.upper().partition(":")
    return tail.removesuffix(_PERPETUAL) if "/" in head else ""


def account_for(
    order: Order,
    accounts: Sequence[Account],
    traded: Collection[Instrument],
    meaning: Meaning,
    is_known: Callable[[Account], bool],
) -> tuple[Account, Symbol]:
    """Return where an order goes: the account at that exchange whose market holds the symbol.

    That is a spot account only where the client has no other there (decision A11). Of several no
    symbol is taken at its word: `BTC/USDT` may be a pair of each.

    Args:
        order: names exchange and symbol.
        accounts: those of the client, in its order.
        traded: what the paper venue trades, in all markets.
        meaning: tells symbols, and raises NotFound where there is none.
        is_known: tells whether anybody knows yet what is traded in the market of an account.

    Raises:
        NotPermitted: the client has no account for this exchange. Paper accounts stand in for
            exchanges of which it has none at all.
        MalformedPayload: none of its accounts there trades the symbol; or with the code
            `not_on_spot`, it has spot alone there, and a position is to be turned around.
        MarketsUnknown: nor does any that is known, and of others that is not known yet.
    """
    there = [one for one in accounts if one.venue == order.exchange]
    there = there or [one for one in accounts if one.venue == PAPER]
    futures = [one for one in there if one.market is not Market.SPOT]
    usable = [one for one in futures or there if one.enabled]
    if not usable:
        raise NotPermitted(f"this key has no account for {order.exchange}")
    if not futures and order.command.action.reverses:
        message = f"this key has a spot account for {order.exchange}, which has no position to turn"
        raise MalformedPayload("not_on_spot", message, {"side": ["Must be Buy, Sell or Close."]})
    unknown: MarketsUnknown | None = None
    for account in usable:
        if len(usable) > 1 and not is_known(account):
            unknown = MarketsUnknown(f"what {account.name} can trade is not known yet")
            continue
        try:
            symbol = _symbol_in(account, order, traded, meaning)
        except MarketsUnknown as error:
            unknown = error  # another account may know it
            continue
        if symbol is not None:
            return account, symbol
    if unknown is not None:
        raise unknown
    named = f"{order.ticker}:{order.settled_in}" if order.settled_in else order.ticker
    named += _PERPETUAL if order.is_perpetual else ""
    raise invalid_fields({"symbol": [f"{named} is not traded at {order.exchange}."]})


def _symbol_in(
    account: Account, order: Order, traded: Collection[Instrument], meaning: Meaning
) -> Symbol | None:
    if order.is_perpetual and account.market is Market.SPOT:
        return None
    ticker = order.ticker
    for text in dict.fromkeys((ticker, ticker.translate(_SEPARATORS))):
        with suppress(NotFound):
            symbol = meaning(text, account)
            if order.settled_in and order.settled_in != _margin_of(account, symbol):
                continue  # a dated future, or a contract that another market has
            if account.venue != PAPER or any(
                one.symbol == symbol and one.market is account.market for one in traded
            ):
                return symbol
    return None


def _margin_of(account: Account, symbol: Symbol) -> Currency | None:
    """Return what a perpetual settles in; None of coins, which settle in nothing."""
    return None if account.market is Market.SPOT else settled_in(account.market, symbol)
