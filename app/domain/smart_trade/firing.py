"""What a smart trade does when a price has come that it waited for (3Commas spec, 4.4, 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.decision import Decision, EntryName, ignored
from app.domain.enums import Direction
from app.domain.events import TriggerFired
from app.domain.identifiers import EpochMs
from app.domain.market import Quote
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import GUARDED, StepKind, StepStatus, TradeStatus
from app.domain.smart_trade.events import PricesLookedAt, TimeOver
from app.domain.smart_trade.exiting import settle, stop_now
from app.domain.smart_trade.levels import stop_of
from app.domain.smart_trade.opening import enter
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watch import WatchKind, WatchSpec
from app.domain.smart_trade.watching import is_reached, loss_direction, trailing_level

_HUNDRED = Decimal(100)
_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Hit:
    """What was waited for and came, at which price, and the extreme that it followed, if it did."""

    aim: WatchSpec
    price: Decimal
    extreme: Decimal | None = None


def fired(trade: SmartTrade, event: TriggerFired) -> Decision[SmartTrade]:
    """Return what becomes of the trade when one tick has fired some of its watches."""
    hits = [
        _Hit(one.aim, event.prices[one.name], event.extremes.get(one.name))
        for one in trade.watches
        if one.is_wanted and one.name in event.prices
    ]
    draft = Draft(trade, event.at_ms, event.new_ids, event.tick_at_ms)
    # The book has let go of what it fired, also of what is not wanted any more: both are forgotten,
    # and only what is wanted is acted on.
    draft.change(watches=tuple(one for one in trade.watches if one.name not in event.prices))
    _carry_out(draft, hits)
    return draft.decision("it waits for none of what has fired")


def looked_at(trade: SmartTrade, event: PricesLookedAt) -> Decision[SmartTrade]:
    """Return what becomes of the trade at the newest price, for a caller who asks to look now.

    Only fixed levels that the book holds can be judged so: they are met now or they are not.
    """
    reached = [
        one
        for one in trade.watches
        if one.is_held and one.is_wanted and is_reached(one.aim, event.quote.of(one.aim.source))
    ]
    draft = Draft(trade, event.at_ms, event.new_ids)
    # What the book fires later of these is not waited for any more.
    draft.change(
        watches=tuple(
            replace(one, is_wanted=False) if one in reached else one for one in trade.watches
        )
    )
    _carry_out(draft, [_Hit(one.aim, event.quote.of(one.aim.source)) for one in reached])
    return draft.decision("nothing that it waits for has come")


def _carry_out(draft: Draft, hits: Sequence[_Hit]) -> None:
    """Take the hits of one tick in the order of the spec, 4.4: stop first, then profits."""
    if draft.trade.status in GUARDED:
        _guarded(draft, hits)
        settle(draft)
        return
    for hit in hits:
        match hit.aim.kind, draft.trade.status:
            case WatchKind.ENTRY, TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE:
                _entry_reached(draft, hit)
            case WatchKind.TRAILING_ENTRY, TradeStatus.TRAILING_BUY_ACTIVATED:
                _follow(draft, hit)
                enter(draft, hit.aim.step_id)
                draft.tell(EntryName.TRIGGERED)
            case _:
                continue


def _entry_reached(draft: Draft, hit: _Hit) -> None:
    """Enter, or begin to follow the price (spec 5.1, 5.2)."""
    draft.tell(EntryName.TRIGGERED)
    entry = draft.trade.entry
    if entry is None or entry.trailing_percent is None:
        enter(draft, hit.aim.step_id)
        return
    draft.change_step(hit.aim.step_id, extreme=hit.price, extreme_at_ms=draft.at_ms)
    draft.change(status=TradeStatus.TRAILING_BUY_ACTIVATED)


def _guarded(draft: Draft, hits: Sequence[_Hit]) -> None:
    for hit in hits:
        _move_stop(draft, hit)
    # One hit that stops is enough, and profits of the same tick are not taken: the stop closes all.
    if any(_stops(draft, hit) for hit in hits):
        stop_now(draft)
        return
    # By step, as they were planned, rather than by watch: watches come and go.
    for hit in sorted(hits, key=lambda one: one.aim.step_id):
        if hit.aim.kind in {WatchKind.PROFIT, WatchKind.TRAILING_PROFIT}:
            _profit_reached(draft, hit)


def _move_stop(draft: Draft, hit: _Hit) -> None:
    match hit.aim.kind:
        case WatchKind.RECOVERY:
            _rise(draft, hit)
            draft.change(stop_hit=False)  # and the timeout runs on
        case WatchKind.FOLLOW:
            _rise(draft, hit)
        case WatchKind.ABORT:
            _not_hit(draft)
        case WatchKind.STOP | WatchKind.TRAILING_STOP:
            _follow(draft, hit)
            _tighten(draft)
        case _:
            return


def _follow(draft: Draft, hit: _Hit) -> None:
    """Note how far a price was followed before it came back."""
    step = draft.trade.step(hit.aim.step_id)
    if step is None or step.extreme is None or hit.extreme is None:
        return
    rises = hit.aim.direction is Direction.FALLING  # it fires when the price comes back
    best = max(step.extreme, hit.extreme) if rises else min(step.extreme, hit.extreme)
    if best != step.extreme:
        draft.change_step(step.id, extreme=best, extreme_at_ms=draft.at_ms)


# The stop


def _stops(draft: Draft, hit: _Hit) -> bool:
    """Tell whether the loss is to be stopped now; anchor it or start its timeout if not."""
    match hit.aim.kind:
        case WatchKind.ANCHOR:
            return _anchored(draft, hit.price) and _hit(draft)
        case WatchKind.STOP | WatchKind.TRAILING_STOP:
            return _hit(draft)
        case WatchKind.CHECK:
            return _is_still_hit(draft, hit.price)
        case _:
            return False


def _anchored(draft: Draft, price: Decimal) -> bool:
    """Let a trailing stop begin at this price, and tell whether it is hit already (spec 5.3)."""
    stop = stop_of(draft.trade)
    if stop is None or stop.price is None:
        return False
    draft.change_step(
        stop.id,
        extreme=price,
        extreme_at_ms=draft.at_ms,
        trailing_percent=abs(price - stop.price) / price * _HUNDRED,
    )
    return _is_beyond(draft.trade, stop.price, price)


def _hit(draft: Draft) -> bool:
    """Tell whether a hit stops the loss at once; with a timeout it only begins it (spec 5.4)."""
    trade, stop = draft.trade, stop_of(draft.trade)
    if trade.stop_loss is None or stop is None:
        return False
    seconds = trade.stop_loss.timeout_seconds
    if seconds is None:
        return True
    draft.change(stop_hit=True)
    # A price that comes and goes within the timeout does not begin it anew.
    if trade.stop_deadline_ms is None:
        draft.change(stop_deadline_ms=EpochMs(draft.at_ms + seconds * _MS))
    return False


def _rise(draft: Draft, hit: _Hit) -> None:
    """Let a trailing stop follow a new best price."""
    draft.change_step(hit.aim.step_id, extreme=hit.price, extreme_at_ms=draft.at_ms)
    _tighten(draft)


def _tighten(draft: Draft) -> None:
    """Move the level of a trailing stop to where its extreme has it; it never loosens."""
    stop, direction = stop_of(draft.trade), loss_direction(draft.trade)
    if stop is None or stop.price is None or stop.extreme is None or stop.trailing_percent is None:
        return
    level = trailing_level(stop.extreme, stop.trailing_percent, direction)
    # Tighter means that the old level lies on the losing side of the new one.
    if level != stop.price and _is_beyond(draft.trade, level, stop.price):
        draft.change_step(stop.id, price=level)


def time_over(trade: SmartTrade, event: TimeOver) -> Decision[SmartTrade]:
    """Look again after the stop-loss timeout (spec 5.4); let limits fall back to the market."""
    if trade.wakes_at_ms is None or event.at_ms < trade.wakes_at_ms:
        return ignored(trade, f"its timer came early, it waits until {trade.wakes_at_ms}")
    draft = Draft(trade, event.at_ms, event.new_ids)
    deadline_ms = trade.stop_deadline_ms
    if deadline_ms is not None and event.at_ms >= deadline_ms and trade.status in GUARDED:
        _timed_out(draft, event.quote)
    over = [order for at_ms, order in draft.trade.limits_that_end if event.at_ms >= at_ms]
    if over:
        draft.withdraw(over)
        draft.tell(EntryName.CANCEL_REQUESTED, trade.exits.not_filled())
    settle(draft)
    return draft.decision("its time has changed nothing")


def _timed_out(draft: Draft, quote: Quote | None) -> None:
    trade, stop = draft.trade, stop_of(draft.trade)
    if not trade.stop_hit or stop is None:
        draft.change(stop_deadline_ms=None)
    # Without a fresh price nobody can tell. The next tick decides, whichever way it goes.
    elif quote is None:
        draft.change(stop_is_due=True)
    elif _is_still_hit(draft, quote.of(stop.source)):
        stop_now(draft)


def _is_still_hit(draft: Draft, price: Decimal) -> bool:
    """Tell whether the stop is hit at the end of its timeout; if not, a later hit begins anew."""
    stop = stop_of(draft.trade)
    if stop is None or stop.price is None:
        return False
    if _is_beyond(draft.trade, stop.price, price):
        return True
    _not_hit(draft)
    return False


def _not_hit(draft: Draft) -> None:
    """Let the timeout of the stop be over; a later hit begins another one."""
    draft.change(stop_hit=False, stop_is_due=False, stop_deadline_ms=None)


def _is_beyond(trade: SmartTrade, level: Decimal, price: Decimal) -> bool:
    """Tell whether a price is at the level of a stop or worse."""
    return price <= level if loss_direction(trade) is Direction.FALLING else price >= level


# Profits


def _profit_reached(draft: Draft, hit: _Hit) -> None:
    """Take profit, or begin to follow the price; that never does both at one tick."""
    _follow(draft, hit)
    step = draft.trade.step(hit.aim.step_id)
    if step is None or step.status is not StepStatus.IDLE:
        return
    draft.tell(EntryName.TRIGGERED)
    # The price from which it trails is this one; what fires at a retrace comes at a later tick.
    if hit.aim.kind is WatchKind.PROFIT and step.is_trailing:
        draft.change_step(step.id, extreme=hit.price, extreme_at_ms=draft.at_ms)
        return
    draft.change_step(step.id, status=StepStatus.ENQUEUED)
    draft.start_over()
    if hit.aim.kind is WatchKind.TRAILING_PROFIT:
        _take_over(draft, step)


def _take_over(draft: Draft, step: Step) -> None:
    """Let a trailing take-profit close the shares of the steps that were not reached (spec 4.3)."""
    for other in draft.trade.steps_of(StepKind.TAKE_PROFIT):
        if other.id == step.id or other.status is not StepStatus.IDLE:
            continue
        share = (step.quantity or Decimal(0)) + (other.quantity or Decimal(0))
        draft.change_step(other.id, status=StepStatus.SKIPPED, quantity=Decimal(0))
        draft.change_step(step.id, quantity=share)
        step = draft.trade.step(step.id) or step
