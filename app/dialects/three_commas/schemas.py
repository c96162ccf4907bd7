"""The parameters of each call, in the parts that are read one after the other.

What a part asks for depends on what the part before it says: a block that is switched off is not
looked at, and which of its fields are mandatory depends on how the trade enters. So a field is
`required` here only where it always is (SmartTrades Api, parameter tables).
"""

from enum import StrEnum

from marshmallow import validate

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas.fields import (
    Amount,
    Choice,
    Distance,
    Figure,
    Whole,
    Words,
    YesNo,
)
from app.domain.enums import PriceSource
from app.domain.smart_trade.enums import EntryMethod, TakeProfitType
from app.web.fields import Lenient

#: One day.
TIMEOUT_SECONDS_MAX = 86_400

NOTE_CHARACTERS_MAX = 1000

_PAIR_CHARACTERS_MAX = 64


class OrderKind(StrEnum):
    """How an exit is priced."""

    MARKET = "market"
    LIMIT = "limit"


class ResponseType(StrEnum):
    """What `add_funds` answers with."""

    EMPTY = "empty"
    SMART_TRADE = "smart_trade"
    ORDER = "order"
    STEP = "step"


class Opened(Lenient):
    """What every trade begins with; the amount is always in base currency."""

    account_id = Whole(required=True)
    pair = Words(_PAIR_CHARACTERS_MAX, required=True)
    units_to_buy = Amount(required=True)


class Held(Lenient):
    """Coins that are held already, and what they cost on average."""

    average_buy_price = Amount(required=True)


class Entered(Lenient):
    """How a trade enters."""

    buy_method = Choice(EntryMethod, load_default=EntryMethod.LIMIT)


class Priced(Lenient):
    """The limit, or the level at which a condition is met."""

    buy_price = Amount(required=True)


class Informed(Lenient):
    """The price beside a market order, which is only shown."""

    buy_price = Figure()


class Conditional(Lenient):
    """The limit of the order that a condition places."""

    conditional_limit_price = Amount()


class Trailed(Lenient):
    """Whether the entry trails."""

    trailing_buy_enabled = YesNo(load_default=False)


class TrailingEntry(Lenient):
    """By how much it trails, in percent."""

    trailing_buy_step = Distance()


class Switches(Lenient):
    """Which exits there are."""

    take_profit_enabled = YesNo(required=True)
    stop_loss_enabled = YesNo(required=True)


class TakeProfit(Lenient):
    """How profit is taken."""

    take_profit_type = Choice(TakeProfitType)
    take_profit_sell_method = Choice(OrderKind)
    trailing_take_profit = YesNo()


class TrailingTakeProfit(Lenient):
    """By how much the take-profit trails, in percent."""

    trailing_take_profit_step = Distance()


class ClassicTakeProfit(Lenient):
    """The one condition of a classic take-profit; the percentage has a sign."""

    take_profit_price_condition = Amount()
    take_profit_percentage_condition = Figure()
    take_profit_price_method = Choice(PriceSource)


class LimitTakeProfit(Lenient):
    """The limit that a classic take-profit places."""

    take_profit_sell_order_price = Amount()


class StopLoss(Lenient):
    """How a loss is stopped."""

    stop_loss_price_condition = Amount()
    stop_loss_percentage_condition = Figure()
    stop_loss_price_method = Choice(PriceSource)
    stop_loss_sell_method = Choice(OrderKind)
    trailing_stop_loss = YesNo()
    stop_loss_timeout_enabled = YesNo()


class LimitStopLoss(Lenient):
    """The limit that a stop-loss places."""

    stop_loss_sell_order_price = Amount()


class StopLossTimeout(Lenient):
    """How long after the first hit it is looked at again."""

    stop_loss_timeout_seconds = Whole(
        validate=[
            validate.Range(min=1, error=findings.NOT_ABOVE_ZERO),
            validate.Range(max=TIMEOUT_SECONDS_MAX, error=findings.INVALID),
        ]
    )


class Step(Lenient):
    """One step of a take-profit in steps; without a price it has a percentage, with a sign."""

    percent = Figure(
        required=True,
        validate=[
            validate.Range(min=0, min_inclusive=False, error=findings.NOT_ABOVE_ZERO),
            validate.Range(max=100, error=findings.INVALID),
        ],
    )
    price = Amount()
    price_percentage = Figure()
    price_method = Choice(PriceSource)


class NumberedStep(Step):
    """A step of an update, which is known by its number."""

    position = Whole(required=True, validate=validate.Range(min=1, error=findings.NOT_ABOVE_ZERO))


class Noted(Lenient):
    """The caller's own words; the page lists them for some calls, clients send them with all."""

    note = Words(NOTE_CHARACTERS_MAX)


class Basis(Lenient):
    """What an update may change of held coins."""

    average_buy_price = Amount()


class Reentered(Lenient):
    """What an update may change of an entry that waits for its price."""

    buy_price = Amount()
    conditional_limit_price = Amount()
    trailing_buy_enabled = YesNo()
    trailing_buy_step = Distance()


class Funds(Lenient):
    """More of the same."""

    quantity = Amount(required=True)
    is_market = YesNo(required=True)
    response_type = Choice(ResponseType, load_default=ResponseType.EMPTY)


class FundsLimit(Lenient):
    """The limit of what is added."""

    rate = Amount(required=True)


class OneStep(Lenient):
    """The step that is meant; 3Commas writes it as text or as a number."""

    step_id = Whole(required=True)


OPENED, HELD, ENTERED, PRICED, INFORMED = Opened(), Held(), Entered(), Priced(), Informed()
CONDITIONAL, TRAILED, TRAILING_ENTRY = Conditional(), Trailed(), TrailingEntry()
SWITCHES, NOTED = Switches(), Noted()
TAKE_PROFIT, TRAILING_TAKE_PROFIT = TakeProfit(), TrailingTakeProfit()
CLASSIC_TAKE_PROFIT, LIMIT_TAKE_PROFIT = ClassicTakeProfit(), LimitTakeProfit()
STOP_LOSS, LIMIT_STOP_LOSS, STOP_LOSS_TIMEOUT = StopLoss(), LimitStopLoss(), StopLossTimeout()
STEP, NUMBERED_STEP = Step(), NumberedStep()
BASIS, REENTERED = Basis(), Reentered()
FUNDS, FUNDS_LIMIT, ONE_STEP = Funds(), FundsLimit(), OneStep()
