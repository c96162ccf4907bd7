"""What a caller may ask of a smart trade, in our terms (3Commas spec, 3)."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.enums import OrderType, PriceSource
from app.domain.identifiers import Symbol
from app.domain.smart_trade.enums import EntryMethod, TakeProfitType, TradeType

#: Steps that may be live or executed at the same time (spec 3.2).
STEPS_MAX = 4

#: How far the percents of all steps may be from 100 (spec 3.2): 33.33 three times.
PERCENT_TOLERANCE = Decimal("0.01")

#: The retrace of a trailing entry that names none, in percent.
TRAILING_PERCENT = Decimal(5)

#: Of a stop-loss timeout that names none.
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCondition:
    """When an exit begins: a price, or a percentage of the average entry price (sign included).

    Attributes:
        price: in quote per base; None when it follows from the percentage once the entry is filled.
        percentage: 5 is 5 % above the average entry; None when only a price was given.
        source: which price of a tick is compared.
    """

    price: Decimal | None = None
    percentage: Decimal | None = None
    source: PriceSource = PriceSource.BID


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRule:
    """How a trade enters.

    Attributes:
        price: limit of a limit order, trigger of a conditional one; of a market order for display.
        limit_price: of the order that a conditional entry places; None places a market order.
        trailing_percent: retrace from the extreme at which a trailing entry buys; None is none.
    """

    method: EntryMethod
    price: Decimal | None = None
    limit_price: Decimal | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfit:
    """How profit is taken; when, is in the steps.

    Attributes:
        order_type: MARKET or LIMIT, for all steps.
        order_price: limit of the order of a classic take-profit; steps use their own price.
        trailing_percent: retrace at which the last step sells; None does not trail.
    """

    type: TakeProfitType = TakeProfitType.CLASSIC
    order_type: OrderType = OrderType.MARKET
    order_price: Decimal | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a take-profit.

    Attributes:
        percent: share of the position, above 0 up to 100; all together make 100.
        position: matches the steps of an update with those that there are; not used at creation,
            where steps are numbered from 1 (a classic one has no number).
    """

    percent: Decimal
    condition: PriceCondition
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """How a loss is stopped; when, is in its step.

    Attributes:
        timeout_seconds: how long after the first hit it is looked at again; None acts at once.
    """

    order_type: OrderType = OrderType.MARKET
    order_price: Decimal | None = None
    is_trailing: bool = False
    timeout_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrade:
    """Open this trade.

    Attributes:
        quantity: in base currency, a multiple of the lot.
        entry: None for a SmartSale, whose coins are held already.
        basis_price: of a SmartSale: what the held coins cost on average.
        take_profit: None is switched off; then there are no `take_profit_steps`.
        take_profit_steps: one for a classic take-profit, one to four for steps.
        stop_loss, stop_loss_condition: both, or neither when it is switched off.
    """

    type: TradeType
    symbol: Symbol
    quantity: Decimal
    entry: EntryRule | None = None
    basis_price: Decimal | None = None
    take_profit: TakeProfit | None = None
    take_profit_steps: tuple[PlannedStep, ...] = ()
    stop_loss: StopLoss | None = None
    stop_loss_condition: PriceCondition | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeUpdate:
    """Change these; None leaves a thing as it is (spec 3.5).

    Attributes:
        entry_price, entry_limit_price: of a conditional entry that still waits for its price.
        entry_is_trailing, entry_trailing_percent: likewise.
        basis_price: of a SmartSale.
        take_profit_enabled, stop_loss_enabled: always said.
        take_profit_price, take_profit_percentage, take_profit_source: of a classic take-profit.
        take_profit_steps: the whole plan of what is not executed; executed ones may be repeated.
    """

    take_profit_enabled: bool
    stop_loss_enabled: bool
    entry_price: Decimal | None = None
    entry_limit_price: Decimal | None = None
    entry_is_trailing: bool | None = None
    entry_trailing_percent: Decimal | None = None
    basis_price: Decimal | None = None
    take_profit_type: TakeProfitType | None = None
    take_profit_price: Decimal | None = None
    take_profit_percentage: Decimal | None = None
    take_profit_source: PriceSource | None = None
    take_profit_steps: tuple[PlannedStep, ...] | None = None
    take_profit_order_type: OrderType | None = None
    take_profit_order_price: Decimal | None = None
    take_profit_is_trailing: bool | None = None
    take_profit_trailing_percent: Decimal | None = None
    stop_loss_price: Decimal | None = None
    stop_loss_percentage: Decimal | None = None
    stop_loss_source: PriceSource | None = None
    stop_loss_order_type: OrderType | None = None
    stop_loss_order_price: Decimal | None = None
    stop_loss_is_trailing: bool | None = None
    stop_loss_timeout_enabled: bool | None = None
    stop_loss_timeout_seconds: int | None = None
    note: str | None = None

    @property
    def moves_entry(self) -> bool:
        """Whether it says anew for which price the entry waits."""
        said = (self.entry_price, self.entry_is_trailing, self.entry_trailing_percent)
        return any(one is not None for one in said)
