"""Smart trades over the paper venue: a person sets prices, everything follows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from app.domain.effects import Effect
from app.domain.enums import Dialect, Market, OrderType, PriceSource
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AggregateId
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_trade.enums import EntryMethod, TakeProfitType, TradeType
from app.domain.smart_trade.spec import (
    EntryRule,
    NewTrade,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
)
from app.domain.smart_trade.trade import SmartTrade
from app.paper.paper_venues import PaperVenues
from app.ports.ledger import NO_TERMS, Admission, Admitted, Change, CommitConditions
from app.services.intake.trades import open_trade
from app.services.smart_trades.acting import find_trade
from app.services.watching.release import release_due
from app.services.watching.watch import watch_prices
from app.store.core.ledger import RedisLedger
from app.venues import KnownVenues
from tests.support.builders import ETH, PAPER, SPOT
from tests.support.paper_world import PaperWorld
from tests.support.rig import POLICY, Rig

#: The tick at which most trades of the vectors begin.
LONG = "99.9/100/100"

INSTRUMENT = Instrument(
    symbol=ETH,
    market=Market.SPOT,
    price_step=Decimal("0.00000001"),
    quantity_step=Decimal("0.00000001"),
)


class NotingLedger(RedisLedger):
    """A ledger that notes where trades stand, each time they have moved."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.redis, rig.clock, lambda: "rig", POLICY.republish_after_ms)
        self.statuses: dict[AggregateId, list[str]] = {}

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        effects = super().commit(changes, terms)
        self._note(changes)
        return effects

    def admit(self, changes: Sequence[Change], admission: Admission) -> Admitted:
        admitted = super().admit(changes, admission)
        self._note(changes)
        return admitted

    def _note(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change.after, SmartTrade):
                seen = self.statuses.setdefault(change.after.id, [])
                if not seen or seen[-1] != change.after.status:
                    seen.append(str(change.after.status))


class TradeRig(Rig):
    """A rig whose venue is the paper venue, at prices that the test sets.

    Attributes:
        statuses: of each trade, as they came, without repeats.
    """

    def __init__(self, instrument: Instrument = INSTRUMENT, price: str | None = None) -> None:
        super().__init__()
        self.world = PaperWorld(self.redis, self.clock, self.history)
        self.desk = self.world.desk
        self.world.ports.instruments.put([instrument])
        self.desk.set_account(SPOT, {"balances": {"USDT": "100000", "ETH": "1000"}})
        ledger = NotingLedger(self)
        self.statuses = ledger.statuses
        self.ports = replace(
            self.ports,
            venues=KnownVenues({}, partial(PaperVenues, self.world.ports)),
            reports=self.world.reports,
            ledger=ledger,
        )
        if price is not None:
            self.tick(price)

    def set_price(self, text: str) -> None:
        """Make `bid/ask` or `bid/ask/last` the newest tick; nothing has met it yet."""
        figures = text.split("/")
        bid, ask = figures[0], figures[1] if len(figures) > 1 else figures[0]
        last = figures[2] if len(figures) > 2 else bid
        self.desk.set_prices({"prices": {ETH: {"bid": bid, "ask": ask, "last": last}}})

    def tick(self, text: str) -> None:
        """Set a price, and let everything meet the tick, with all that follows."""
        self.set_price(text)
        self.follow()

    def follow(self) -> None:
        """Evaluate every tick that waits, each with all that follows from it."""
        while watch_prices(PAPER, self.ports):
            self.drain()

    def wait(self, for_ms: int) -> None:
        """Let time pass, and release what is due by then."""
        self.clock.advance(for_ms)
        release_due([], self.ports)
        self.drain()

    def begin(self, command: NewTrade, exits: ExitRules = USUAL) -> SmartTrade:
        """Open a trade; nothing has followed from it yet."""
        sender = Sender(
            dialect=Dialect.THREE_COMMAS,
            origin="three_commas:1",
            account=SPOT,
            received_at_ms=self.clock.now_ms(),
            exits=exits,
        )
        return open_trade(command, sender, self.ports)

    def open(self, command: NewTrade, exits: ExitRules = USUAL) -> SmartTrade:
        """Open a trade and follow it as far as it goes at once."""
        opened = self.begin(command, exits)
        self.drain()
        return self.trade(opened.id)

    def trade(self, trade_id: AggregateId) -> SmartTrade:
        """Return a trade as it is now."""
        return find_trade(trade_id, self.ports)

    def held(self, trade_id: AggregateId) -> list[str]:
        """Return the names of what the trigger book holds of a trade, but for what has fired."""
        found: set[str] = set()
        for key in self.redis.scan_iter(f"*{PAPER}:{ETH}*"):
            kind = None if key.endswith(":fired") else self.redis.type(key)
            if kind == "zset":
                found.update(map(str, self.redis.zrange(key, 0, -1)))
            elif kind == "hash":
                found.update(map(str, self.redis.hkeys(key)))
        own = [one.partition(":") for one in found]
        return sorted(slot for owner, _, slot in own if owner == str(trade_id) and slot)

    def fills(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """Return the filled orders: side, type, quantity and average price, oldest first."""
        return [
            (one.side, one.type, one.filled_quantity, one.average_price or Decimal(0))
            for one in self.orders()
            if one.filled_quantity
        ]

    def resting(self) -> list[Order]:
        """Return the orders that are not closed."""
        return [one for one in self.orders() if not one.is_closed]


# Trades


def planned(*parts: tuple[int | None, str, str]) -> dict[str, object]:
    """The steps of an update: (position, percent, price) of each."""
    return {
        "take_profit_steps": tuple(
            PlannedStep(
                position=position,
                percent=Decimal(percent),
                condition=PriceCondition(price=Decimal(price)),
            )
            for position, percent, price in parts
        )
    }


def number(text: str | int | Decimal | None) -> Decimal | None:
    """Return a figure."""
    return None if text is None else Decimal(text)


def entry(
    method: str = "market",
    price: str | None = None,
    limit: str | None = None,
    trailing: str | None = None,
) -> EntryRule:
    """An entry by its method."""
    return EntryRule(
        method=EntryMethod(method),
        price=number(price),
        limit_price=number(limit),
        trailing_percent=number(trailing),
    )


def _condition(price: str | None, percentage: str | None, source: str) -> PriceCondition:
    return PriceCondition(
        price=number(price), percentage=number(percentage), source=PriceSource(source)
    )


def classic(
    price: str | None = None,
    *,
    percentage: str | None = None,
    source: str = "bid",
    limit: str | None = None,
    trailing: str | None = None,
) -> dict[str, object]:
    """A classic take-profit."""
    condition = _condition(price, percentage, source)
    return {
        "take_profit": TakeProfit(
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            order_price=number(limit),
            trailing_percent=number(trailing),
        ),
        "take_profit_steps": (PlannedStep(percent=Decimal(100), condition=condition),),
    }


def steps(
    *planned: tuple[str, str],
    limit: bool = False,
    trailing: str | None = None,
    source: str = "bid",
    by_percentage: bool = False,
) -> dict[str, object]:
    """A take-profit in steps: (percent, price or percentage) of each."""
    return {
        "take_profit": TakeProfit(
            type=TakeProfitType.STEP_SELL,
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            trailing_percent=number(trailing),
        ),
        "take_profit_steps": tuple(
            PlannedStep(
                percent=Decimal(percent),
                condition=_condition(
                    None if by_percentage else at, at if by_percentage else None, source
                ),
            )
            for percent, at in planned
        ),
    }


def stop(
    price: str | None = None,
    *,
    percentage: str | None = None,
    source: str = "bid",
    limit: str | None = None,
    trailing: bool = False,
    timeout: int | None = None,
) -> dict[str, object]:
    """A stop-loss."""
    return {
        "stop_loss": StopLoss(
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            order_price=number(limit),
            is_trailing=trailing,
            timeout_seconds=timeout,
        ),
        "stop_loss_condition": _condition(price, percentage, source),
    }


def a_trade(kind: TradeType, quantity: str, **parts: object) -> NewTrade:
    """A trade of this type."""
    return NewTrade(type=kind, symbol=ETH, quantity=Decimal(quantity), **parts)  # type: ignore[arg-type]


def a_sale(quantity: str, **parts: object) -> NewTrade:
    """A SmartSale of coins that were bought at 100."""
    return a_trade(TradeType.SMART_SALE, quantity, basis_price=Decimal(100), **parts)
