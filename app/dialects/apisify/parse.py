"""From orders to commands (apisify spec, sections 2 and 3)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.dialects.apisify.schemas import LIMIT, LIMIT_ORDER, ORDER
from app.domain.account import PAPER, Account, ApiClient
from app.domain.commands import NetAction, NetCommand, OnSameSide
from app.domain.enums import Market
from app.domain.errors import NotFound, NotPermitted, invalid_fields
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.web.fields import loaded

#: What may stand between the two currencies of a symbol.
_SEPARATORS = str.maketrans("", "", "/-_.:")

#: TradingView's mark of a perpetual contract.
_PERPETUAL = ".P"

#: What a key must have at least to be a secret by itself (apisify spec, 1).
SECRET_KEY_CHARACTERS = 20

#: What a spelling means to an account at a real exchange, as far as that is known here.
Meaning = Callable[[str, Account], Symbol]


class CloseMode(StrEnum):
    """What `qty` of a Close means (decision A2)."""

    QTY = "qty"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The settings of one client (apisify spec, sections 1 and 5).

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
    """

    exchange: str
    ticker: str
    command: NetCommand
    quantity: Decimal
    memo: str


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
        quantity=quantity,
        memo=shape["memo"],
        command=NetCommand(
            action=action,
            quantity=Decimal(0) if closes_all else quantity,
            limit_price=shape.get("price"),
            on_same_side=settings.sar_same_side,
            strategy=shape["strategy"],
            note=shape["memo"] or None,
        ),
    )


def ticker_of(text: str) -> str:
    """Return `BTCUSDT` for `btcusdt`, `BINANCE:BTCUSDT.P` and `BYBIT:BTCUSDT`."""
    head, _, tail = text.upper().partition(":")
    # `BTC/USDT:USDT` names the currency that it settles in behind the colon.
    ticker = tail if tail and "/" not in head else head
    return ticker.removesuffix(_PERPETUAL)


def account_for(
    order: Order,
    accounts: Sequence[Account],
    traded: Collection[Instrument],
    meaning: Meaning,
) -> tuple[Account, Symbol]:
    """Return where an order goes: the account at that exchange whose market holds the symbol.

    Args:
        order: names exchange and symbol.
        accounts: those of the client, in its order.
        traded: what the paper venue trades, in all markets.
        meaning: tells symbols of real exchanges, and raises NotFound where there is none.

    Raises:
        NotPermitted: the client has no account for this exchange. Paper accounts stand in for
            exchanges of which it has none at all.
        MalformedPayload: none of its accounts there trades the symbol.
    """
    there = [one for one in accounts if one.venue == order.exchange]
    there = there or [one for one in accounts if one.venue == PAPER]
    usable = [one for one in there if one.enabled and one.market is not Market.SPOT]
    if not usable:
        raise NotPermitted(f"this key has no futures account for {order.exchange}")
    for account in usable:
        symbol = _symbol_in(account, order.ticker, traded, meaning)
        if symbol is not None:
            return account, symbol
    raise invalid_fields({"symbol": [f"{order.ticker} is not traded at {order.exchange}."]})


def _symbol_in(
    account: Account, ticker: str, traded: Collection[Instrument], meaning: Meaning
) -> Symbol | None:
    joined = ticker.translate(_SEPARATORS)
    if account.venue != PAPER:
        for text in dict.fromkeys((ticker, joined)):
            with suppress(NotFound):
                return meaning(text, account)
        return None
    for one in traded:
        if one.market is account.market and one.symbol.replace("/", "") == joined:
            return one.symbol
    return None
