"""Whatever happens to an account, its books balance."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import (
    Direction,
    Market,
    OrderType,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
    TimeInForce,
)
from app.domain.identifiers import ClientOrderId, Currency, EpochMs, base_of, quote_of
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.order import Condition
from app.domain.reason import Reason
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.engine import Outcome, cancel, match, place
from tests.support.builders import a_quote
from tests.support.paper_builders import NOW, SPOT_BTC, USDM_ETH, a_futures_account, a_spot_account

NOTHING = Decimal(0)
TINY = Decimal("1e-9")

spot_instrument = replace(SPOT_BTC, price_step=Decimal(1), quantity_step=Decimal("0.01"))
futures_instrument = replace(USDM_ETH, price_step=Decimal(1), quantity_step=Decimal("0.01"))

prices = st.integers(80, 120).map(Decimal)
quantities = st.integers(1, 900).map(lambda cents: Decimal(cents) / 100)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    bid = draw(st.integers(80, 118))
    ask = bid + draw(st.integers(1, 2))
    offers = st.none() | quantities
    bids, asks = draw(offers), draw(offers)
    return a_quote(
        str(bid),
        str(ask),
        bids=() if bids is None else ((str(bid), str(bids)), (str(bid - 1), "3")),
        asks=() if asks is None else ((str(ask), str(asks)), (str(ask + 1), "3")),
    )


conditions = st.builds(
    Condition,
    level=prices,
    direction=st.sampled_from(Direction),
    source=st.sampled_from([PriceSource.LAST, PriceSource.MARK]),
)


@st.composite
def orders(draw: st.DrawFn, instrument: Instrument) -> PaperOrder:
    kind = draw(st.sampled_from(OrderType))
    return PaperOrder(
        client_order_id=ClientOrderId("replaced"),
        number=0,
        symbol=instrument.symbol,
        market=instrument.market,
        side=draw(st.sampled_from(Side)),
        position_side=draw(st.sampled_from(PositionSide)),
        reduce_only=draw(st.booleans()),
        type=kind,
        time_in_force=draw(st.sampled_from(TimeInForce)),
        quantity=draw(quantities),
        price=None if kind is OrderType.MARKET else draw(prices),
        condition=draw(st.none() | conditions) if kind is OrderType.MARKET else None,
        received_at_ms=NOW,
        updated_at_ms=NOW,
    )


class Desk:
    """An account that meets a random sequence of orders, ticks and cancels."""

    def __init__(self, account: PaperAccount, instrument: Instrument) -> None:
        self.account = account
        self.instrument = instrument
        self.orders: dict[ClientOrderId, PaperOrder] = {}
        self.quote = a_quote("100", "101")
        self.tick = 0

    def meet(self, happening: PaperOrder | Quote | int) -> None:
        match happening:
            case PaperOrder():
                number = len(self.orders) + 1
                order = replace(
                    happening,
                    number=number,
                    client_order_id=ClientOrderId(str(number)),
                    tick=self.tick,
                )
                self.take(place(self.account, order, self.instrument, self.quote))
            case Quote():
                self.quote = happening
                self.tick += 1
                for order in list(self.orders.values()):
                    self.take(match(self.account, order, happening, self.tick, EpochMs(2)))
            case int() if self.orders:
                order = list(self.orders.values())[happening % len(self.orders)]
                reason = Reason(ReasonCode.REQUESTED, "why not")
                self.take(cancel(self.account, order, reason, EpochMs(3)))
            case _:
                pass

    def take(self, outcome: Outcome) -> None:
        self.account = outcome.account
        self.orders[outcome.order.client_order_id] = outcome.order


def happenings(instrument: Instrument) -> st.SearchStrategy[list[PaperOrder | Quote | int]]:
    return st.lists(orders(instrument) | quotes() | st.integers(0, 50), max_size=25)


def check_books(desk: Desk) -> None:
    held: dict[Currency, Decimal] = {}
    reserved: dict[object, Decimal] = {}
    for order in (one for one in desk.orders.values() if one.is_open):
        if order.hold:
            held[order.pays_in] = held.get(order.pays_in, NOTHING) + order.hold
        if order.condition is not None:
            assert order.hold == (order.quantity if order.market is Market.SPOT else 0)
            assert not order.fills
        elif order.reduces:
            leg = (order.symbol, order.reduces)
            reserved[leg] = reserved.get(leg, NOTHING) + order.remaining_quantity
    assert set(desk.account.held) == set(held)
    assert all(abs(desk.account.held[one] - hold) < TINY for one, hold in held.items())
    assert desk.account.reserved == reserved
    assert all(leg.size >= 0 for leg in desk.account.legs.values())
    for order in desk.orders.values():
        assert order.filled_quantity <= order.quantity
        assert order.is_open or order.hold == order.reserve == 0


@given(happenings(spot_instrument))
def test_a_spot_account_neither_makes_nor_loses_money(
    happened: list[PaperOrder | Quote | int],
) -> None:
    desk = Desk(a_spot_account(fee="0.001", USDT="1000", BTC="10"), spot_instrument)
    base, quote = base_of(spot_instrument.symbol), quote_of(spot_instrument.symbol)

    for one in happened:
        desk.meet(one)
        check_books(desk)

        flows = {base: Decimal(10), quote: Decimal(1_000)}
        for order in desk.orders.values():
            sign = 1 if order.side is Side.BUY else -1
            for fill in order.fills:
                flows[base] += sign * fill.quantity
                flows[quote] -= sign * fill.quantity * fill.price
                flows[fill.fee_currency] -= fill.fee
        assert desk.account.balances == flows
        assert all(desk.account.free(currency) >= 0 for currency in flows)


@pytest.mark.parametrize("mode", PositionMode)
@given(happened=happenings(futures_instrument), last=prices, leverage=st.sampled_from([1, 3, 7]))
def test_a_futures_account_is_worth_what_its_fills_make_it(
    mode: PositionMode,
    happened: list[PaperOrder | Quote | int],
    last: Decimal,
    leverage: int,
) -> None:
    account = a_futures_account(mode, leverage=leverage, fee="0.001")
    desk = Desk(account, futures_instrument)

    for one in happened:
        desk.meet(one)
        check_books(desk)

        expected = Decimal(1_000)
        for order in desk.orders.values():
            sign = 1 if order.side is Side.BUY else -1
            for fill in order.fills:
                expected += sign * fill.quantity * (last - fill.price) - fill.fee
        assert abs(worth(desk.account, last) - expected) < TINY


def worth(account: PaperAccount, price: Decimal) -> Decimal:
    open_profit = sum(
        (
            (leg.size * price - leg.cost) * (1 if side is PositionSide.LONG else -1)
            for (_, side), leg in account.legs.items()
        ),
        NOTHING,
    )
    return account.total(Currency("USDT")) + open_profit


@given(happened=happenings(futures_instrument))
def test_a_one_way_account_never_has_both_legs(happened: list[PaperOrder | Quote | int]) -> None:
    desk = Desk(a_futures_account(PositionMode.ONEWAY), futures_instrument)

    for one in happened:
        desk.meet(one)

        assert sum(leg.size > 0 for leg in desk.account.legs.values()) <= 1


@given(happened=happenings(futures_instrument))
def test_what_reduces_never_opens(happened: list[PaperOrder | Quote | int]) -> None:
    desk = Desk(a_futures_account(PositionMode.HEDGE), futures_instrument)

    for one in happened:
        before = dict(desk.account.legs)
        desk.meet(one)
        if isinstance(one, PaperOrder) and desk.orders:
            order = list(desk.orders.values())[-1]
            for leg, after in desk.account.legs.items():
                if order.reduces and leg in before:
                    assert after.size <= before[leg].size
