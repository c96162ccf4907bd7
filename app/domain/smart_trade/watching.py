"""Which prices a smart trade waits for, derived from its state alone.

What the trigger book holds is compared with it after each event; so an exit that is not wanted any
more leaves the book, and one that is wanted again comes back, whoever forgot to say so.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from app.domain.decision import Decision, ignored
from app.domain.enums import Direction, Side
from app.domain.instrument import on_tick
from app.domain.smart_trade.enums import GUARDED, StepKind, StepStatus, TradeStatus
from app.domain.smart_trade.events import WatchesBooked
from app.domain.smart_trade.levels import follow_level, our_level
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watch import Watch, WatchKind, WatchSpec
from app.domain.trigger import PERCENT_PLACES, Offset, Trigger, protective_direction

_HUNDRED = Decimal(100)


def wanted_watches(trade: SmartTrade) -> tuple[WatchSpec, ...]:
    """Return the prices that the trade waits for now."""
    if trade.status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE:
        return tuple(_entry_aims(trade))
    if trade.status is TradeStatus.TRAILING_BUY_ACTIVATED:
        return tuple(_trailing_entry_aims(trade))
    if trade.status in GUARDED:
        return (*_stop_aims(trade), *_profit_aims(trade))
    return ()


def rebooked(trade: SmartTrade) -> SmartTrade:
    """Return the trade with its watches as its state wants them; the book is told afterwards."""
    wanted = wanted_watches(trade)
    watches = tuple(
        replace(one, is_wanted=one.is_wanted and one.aim in wanted) for one in trade.watches
    )
    # A wish that was given up and comes back is a new watch with a name of its own: the book may
    # still hold the old one, and its late firing must not be taken for the new one's.
    known = {one.aim for one in watches if one.is_wanted}
    made = trade.watches_made
    for aim in wanted:
        if aim not in known:
            made += 1
            watches += (Watch(name=f"{aim.kind}-{made}", aim=aim),)
    if watches == trade.watches:
        return trade
    return replace(trade, watches=watches, watches_made=made)


def booked(trade: SmartTrade, event: WatchesBooked) -> Decision[SmartTrade]:
    """Note what the trigger book holds now.

    A slow worker may arm a watch that is not wanted any more. It is added here as unwanted, so that
    DISARM is owed and takes it out again: nothing can stay behind in the book.
    """
    armed = {one.name for one in event.armed}
    watches = tuple(
        replace(one, is_held=one.is_held or one.name in armed)
        for one in trade.watches
        # Taken out of the book for certain; what is unwanted and not named is taken out next time.
        if one.is_wanted or one.name not in event.disarmed
    )
    known = {one.name for one in watches}
    watches += tuple(
        replace(one, is_held=True, is_wanted=False) for one in event.armed if one.name not in known
    )
    if watches == trade.watches:
        return ignored(trade, "it knows what the book holds")
    return Decision(replace(trade, watches=watches))


def trigger_of(trade: SmartTrade, watch: Watch) -> Trigger:
    """Return the watch as the trigger book takes it."""
    aim = watch.aim
    trail = None
    if aim.trailing_percent is not None:
        trail = Offset(aim.trailing_percent, is_percent=True)
    return Trigger(
        owner=trade.id,
        slot=watch.name,
        venue=trade.venue,
        symbol=trade.symbol,
        source=aim.source,
        direction=aim.direction,
        level=aim.level,
        trail=trail,
        price_step=trade.instrument.price_step,
    )


def _entry_aims(trade: SmartTrade) -> Iterator[WatchSpec]:
    for step in trade.steps_of(StepKind.ENTRY):
        if trade.entry_direction is None:  # the price stood at the trigger: the next tick it is
            yield from _next_tick(WatchKind.ENTRY, step)
        else:
            yield _aim(WatchKind.ENTRY, step, trade.entry_direction, step.price)


def _trailing_entry_aims(trade: SmartTrade) -> Iterator[WatchSpec]:
    """Buy when the price rises from its low, sell when it falls from its high (spec 5.2)."""
    direction = loss_direction(trade).opposite
    for step in trade.steps_of(StepKind.ENTRY):
        yield from _trailing(WatchKind.TRAILING_ENTRY, step, direction)


def _stop_aims(trade: SmartTrade) -> Iterator[WatchSpec]:
    if trade.stop_loss is None:
        return
    direction = loss_direction(trade)
    for step in trade.steps_of(StepKind.STOP_LOSS):
        if step.status is not StepStatus.IDLE or step.price is None:
            continue
        if trade.stop_hit:
            yield from _hit_stop_aims(trade, step, direction)
        # A stop that was given as a price trails from the next tick on; one that was given in
        # percent trails from the average entry (see `resolve_prices`).
        elif step.is_trailing and step.extreme is None:
            yield from _next_tick(WatchKind.ANCHOR, step)
        else:
            yield _aim(WatchKind.STOP, step, direction, our_level(trade, step, step.price))
            # Two watches: the book knows the prices since it was armed only, and the stored level
            # stands for those before.
            if step.is_trailing:
                yield from _following(WatchKind.TRAILING_STOP, step, direction)
                follow = follow_level(trade, step)
                if follow is not None:
                    yield _aim(WatchKind.FOLLOW, step, direction.opposite, follow)


def _hit_stop_aims(trade: SmartTrade, step: Step, direction: Direction) -> Iterator[WatchSpec]:
    """Wait for the end of the timeout, and let a trailing stop follow a price that comes back."""
    if trade.stop_is_due:
        yield from _next_tick(WatchKind.CHECK, step)
    if trade.exits.stop_aborts and step.price is not None:
        level = beyond(step.price, trade.instrument.step_at(step.price), direction.opposite)
        yield _aim(WatchKind.ABORT, step, direction.opposite, level)
    # A price better than any before moves the stop, and the hit is over.
    if step.is_trailing and step.extreme is not None:
        yield _aim(WatchKind.RECOVERY, step, direction.opposite, step.extreme)


def _profit_aims(trade: SmartTrade) -> Iterator[WatchSpec]:
    direction = loss_direction(trade).opposite
    for step in trade.steps_of(StepKind.TAKE_PROFIT):
        if step.status is not StepStatus.IDLE or step.price is None:
            continue
        if step.is_trailing and step.extreme is not None:
            yield from _trailing(WatchKind.TRAILING_PROFIT, step, direction.opposite)
        else:
            yield _aim(WatchKind.PROFIT, step, direction, step.price)


def _trailing(kind: WatchKind, step: Step, direction: Direction) -> Iterator[WatchSpec]:
    """Wait at the level of the extreme that is stored, and at that of any better one from now on.

    The book knows the prices since the arming only; the one that began the trailing came before.
    """
    if step.extreme is None or step.trailing_percent is None:
        return
    yield _aim(
        kind, step, direction, trailing_level(step.extreme, step.trailing_percent, direction)
    )
    yield from _following(kind, step, direction)


def _following(kind: WatchKind, step: Step, direction: Direction) -> Iterator[WatchSpec]:
    # The book counts percentages in so many places; a smaller distance would become 0.
    percent = round(step.trailing_percent or Decimal(0), PERCENT_PLACES)
    if not 0 < percent < _HUNDRED:
        return  # farther than the price itself: the level that is stored stands for it
    yield replace(_aim(kind, step, direction), trailing_percent=percent)


def _aim(
    kind: WatchKind, step: Step, direction: Direction, level: Decimal | None = None
) -> WatchSpec:
    return WatchSpec(
        kind=kind, step_id=step.id, source=step.source, direction=direction, level=level
    )


def _next_tick(kind: WatchKind, step: Step) -> Iterator[WatchSpec]:
    """Wait for any price: it is on one side of the step's own or on the other."""
    for direction in Direction:
        yield _aim(kind, step, direction, step.price)


def trailing_level(extreme: Decimal, percent: Decimal, direction: Direction) -> Decimal:
    """Return the price at which a retrace of so many percent from the extreme is reached."""
    share = percent / _HUNDRED
    return extreme * (1 - share if direction is Direction.FALLING else 1 + share)


def beyond(level: Decimal, price_step: Decimal, direction: Direction) -> Decimal:
    """Return the first price on the market's steps that lies past a level: not at it."""
    if direction is Direction.RISING:
        return on_tick(level, price_step, Side.BUY) + price_step
    return on_tick(level, price_step, Side.SELL) - price_step


def loss_direction(trade: SmartTrade) -> Direction:
    """Return which way the price goes against the position."""
    return protective_direction(trade.type.exit_side)


def is_reached(aim: WatchSpec, price: Decimal) -> bool:
    """Tell whether a price meets a fixed level; what trails only the book can tell."""
    if aim.level is None:
        return False
    return price >= aim.level if aim.direction is Direction.RISING else price <= aim.level
