"""An entry that waits for its price is started by its owner: at market, once."""

from decimal import Decimal

import pytest

from app.domain.enums import AccountState, Side
from app.domain.errors import NotFound, RuleBroken, WrongState
from app.domain.exits import ExitRules
from app.domain.identifiers import AggregateId
from app.domain.smart_trade.enums import TradeStatus, TradeType
from app.domain.smart_trade.trade import SmartTrade
from app.services.smart_trades.acting import cancel_trade, start_trade
from tests.support.builders import SPOT
from tests.support.rig import deaths
from tests.support.trade_rig import TradeRig, a_sale, a_trade, classic, entry, stop

ABORTS = ExitRules(stop_aborts=True)


@pytest.fixture
def rig() -> TradeRig:
    return TradeRig(price="99.9/100/100")


def waiting(rig: TradeRig, kind: TradeType = TradeType.CONDITIONAL_BUY, **odd: str) -> SmartTrade:
    """A trade whose entry waits for a price that is away."""
    rule = entry("conditional", "120", **odd)
    exits = {} if kind.is_simple else {**classic("140"), **stop("80")}
    return rig.open(a_trade(kind, "2", entry=rule, **exits))


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        (TradeType.CONDITIONAL_BUY, Side.BUY),
        (TradeType.CONDITIONAL_SELL, Side.SELL),
        (TradeType.CONDITIONAL_SIMPLE_BUY, Side.BUY),
        (TradeType.CONDITIONAL_SIMPLE_SELL, Side.SELL),
    ],
)
@pytest.mark.parametrize("limit", [None, "119"])
def test_it_enters_at_market_whatever_it_waits_for(
    rig: TradeRig, kind: TradeType, side: Side, limit: str | None
) -> None:
    trade = waiting(rig, kind, **({} if limit is None else {"limit": limit}))
    assert trade.status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE

    start_trade(trade.id, rig.ports)
    rig.drain()

    price = Decimal(100) if side is Side.BUY else Decimal("99.9")
    assert rig.fills() == [(side, "MARKET", Decimal(2), price)]
    after = rig.trade(trade.id)
    done = TradeStatus.SIMPLE_TRADE_FINISHED if kind.is_simple else TradeStatus.BOUGHT
    assert after.status is done
    (step,) = (one for one in after.steps if one.kind == "entry")
    assert (step.order_type, step.order_price) == ("MARKET", None)


def test_one_that_trails_already_is_started_too(rig: TradeRig) -> None:
    trade = rig.open(
        a_trade(
            TradeType.CONDITIONAL_BUY,
            "2",
            entry=entry("conditional", "95", trailing="5"),
            **classic(percentage="5"),
        )
    )
    rig.tick("94.9/95")
    assert rig.trade(trade.id).status is TradeStatus.TRAILING_BUY_ACTIVATED

    start_trade(trade.id, rig.ports)
    rig.drain()

    assert rig.fills() == [("BUY", "MARKET", Decimal(2), Decimal(95))]
    (profit,) = (one for one in rig.trade(trade.id).steps if one.kind == "take_profit")
    assert profit.price == Decimal("99.75")


def test_its_price_comes_afterwards_and_means_nothing(rig: TradeRig) -> None:
    trade = waiting(rig)
    start_trade(trade.id, rig.ports)  # the book has not heard of it yet

    rig.tick("119.9/120")
    rig.drain()

    assert len(rig.fills()) == 1
    assert rig.trade(trade.id).status is TradeStatus.BOUGHT


def test_started_twice_it_enters_once(rig: TradeRig) -> None:
    trade = waiting(rig)
    start_trade(trade.id, rig.ports)

    with pytest.raises(WrongState, match="cannot be started"):
        start_trade(trade.id, rig.ports)
    rig.drain()

    assert len(rig.fills()) == 1


@pytest.mark.parametrize("ends", [True, False])
def test_what_waits_for_nothing_is_not_started(rig: TradeRig, *, ends: bool) -> None:
    trade = waiting(rig) if ends else rig.open(a_sale("2", **stop("80")))
    if ends:
        cancel_trade(trade.id, rig.ports)

    with pytest.raises(WrongState):
        start_trade(trade.id, rig.ports)
    rig.drain()

    assert rig.fills() == []


def test_what_is_not_there_is_not_started(rig: TradeRig) -> None:
    with pytest.raises(NotFound):
        start_trade(AggregateId(4096 + SPOT.id), rig.ports)


def test_what_cannot_be_paid_for_is_refused_and_waits_on(rig: TradeRig) -> None:
    trade = rig.open(a_trade(TradeType.CONDITIONAL_BUY, "2000", entry=entry("conditional", "120")))

    with pytest.raises(RuleBroken) as refused:
        start_trade(trade.id, rig.ports)

    assert "quantity" in refused.value.fields
    assert rig.trade(trade.id).status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE


def test_in_a_halted_account_it_fails_as_any_entry_does(rig: TradeRig) -> None:
    trade = waiting(rig)
    rig.state(AccountState.HALT)

    start_trade(trade.id, rig.ports)
    rig.drain()

    assert rig.trade(trade.id).status is TradeStatus.FAILED
    assert rig.fills() == []


def test_whoever_dies_over_it_leaves_one_entry_or_none() -> None:
    made: list[AggregateId] = []

    def prepare() -> TradeRig:
        rig = TradeRig(price="99.9/100/100")
        made.append(waiting(rig).id)
        return rig

    def act(rig: TradeRig) -> None:
        start_trade(made[-1], rig.ports)
        rig.drain()

    for rig in deaths(prepare, act):
        rig.settle()
        status = rig.trade(made[-1]).status
        assert (len(rig.fills()), status) in {
            (0, TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE),
            (1, TradeStatus.BOUGHT),
        }


# The timeout of a stop that is over when the price comes back


def at(rig: TradeRig, seconds: int, text: str) -> None:
    """Let a price be there so many seconds after the one before."""
    rig.wait(seconds * 1_000)
    rig.tick(text)


@pytest.mark.parametrize(("exits", "sold"), [(ExitRules(), True), (ABORTS, False)])
def test_a_price_that_comes_back_ends_the_timeout_where_that_is_set(
    rig: TradeRig, exits: ExitRules, *, sold: bool
) -> None:
    trade = rig.open(a_sale("10", **stop("95", timeout=60)), exits)
    at(rig, 10, "95")
    at(rig, 20, "96")
    at(rig, 39, "94")  # 59 s after the first hit

    at(rig, 1, "94")

    assert (len(rig.fills()) == 1) is sold
    if not sold:
        at(rig, 58, "94")
        assert rig.fills() == []
        at(rig, 1, "94")  # a minute after it came again
    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_without_a_recovery_it_ends_as_ever(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", timeout=60)), ABORTS)
    at(rig, 10, "95")
    at(rig, 35, "94")

    rig.wait(25_000)

    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_at_the_stop_itself_it_is_hit_still(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", timeout=60)), ABORTS)
    at(rig, 10, "94")
    at(rig, 35, "95")

    rig.wait(25_000)

    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_the_stop_of_a_cover_is_over_when_the_price_falls(rig: TradeRig) -> None:
    cover = a_trade(
        TradeType.SELL_BUY_BACK, "1", entry=entry(), **stop("105", source="ask", timeout=60)
    )
    trade = rig.open(cover, ABORTS)
    at(rig, 10, "105/106")
    at(rig, 10, "104/104.9")
    at(rig, 50, "104/104.9")
    assert rig.trade(trade.id).status is TradeStatus.BOUGHT

    at(rig, 1, "105/105")
    at(rig, 60, "105/105")

    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED


def test_a_trailing_stop_follows_on_after_a_recovery(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **stop("95", trailing=True, timeout=60)), ABORTS)
    at(rig, 1, "100")
    at(rig, 1, "120")  # level 114
    at(rig, 1, "113")
    at(rig, 1, "115")
    rig.wait(70_000)
    assert rig.trade(trade.id).status is TradeStatus.BOUGHT

    at(rig, 1, "140")  # level 133
    at(rig, 1, "133")
    at(rig, 60, "132")

    assert rig.trade(trade.id).status is TradeStatus.STOP_LOSS_FINISHED
    assert rig.fills()[-1][3] == Decimal(132)


def test_it_takes_profit_meanwhile(rig: TradeRig) -> None:
    trade = rig.open(a_sale("10", **classic("105"), **stop("95", timeout=60)), ABORTS)
    at(rig, 10, "95")

    at(rig, 10, "105")

    assert rig.trade(trade.id).status is TradeStatus.TAKE_PROFIT_FINISHED
    assert len(rig.fills()) == 1
