"""The stop of a smart trade that rests at its venue: when it is placed, taken off, and replaced.

Its coins are held there, so it makes way for every other exit, which waits until its fate is known;
once nothing else is at work it is placed again for what is left (docs/protection.md).
"""

from app.domain.identifiers import EpochMs
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import STEP_ACTIVE
from app.domain.smart_trade.levels import stop_of, venue_level
from app.domain.smart_trade.positions import live_exits, open_quantity, unfinished_profits
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.venue_stop import REPLACED_MS


def see_to_stop(draft: Draft) -> None:
    """Have the venue hold the stop that the open position needs, and no other one."""
    trade, quantity, level = draft.trade, open_quantity(draft.trade), venue_level(draft.trade)
    stop, resting = stop_of(trade), trade.resting_stop
    is_wanted = bool(quantity) and level is not None
    draft.note_stop(is_wanted=is_wanted)
    if resting is None and is_wanted and _has_room(trade):
        step_id = None if stop is None else stop.id
        draft.place(step_id, trade.type.exit_side, quantity, None, level=level)
        draft.note_stop(covers=quantity, placed_at_ms=draft.at_ms, again_at_ms=None)
    elif resting is not None and not is_wanted:
        draft.withdraw([resting])
    elif resting is not None and not resting.withdrawn:
        _refit(draft)


def make_way(draft: Draft) -> bool:
    """Have the venue's stop taken off; return whether there is one that still may fill."""
    resting = draft.trade.resting_stop
    if resting is None:
        return False
    draft.withdraw([resting])
    return True


def _refit(draft: Draft) -> None:
    """Take the one off that rests for another price or quantity; its end brings the trade here."""
    trade, known = draft.trade, draft.trade.venue_stop
    resting, stop = trade.resting_stop, stop_of(trade)
    if resting is None:
        return
    is_moved = resting.level != venue_level(trade)
    fits = open_quantity(trade) in {known.covers, resting.quantity} and not known.is_tried_whole
    if fits and not is_moved:
        return
    # One that somebody has moved may not fire where it was; else it is replaced once in a while.
    by_hand = is_moved and not (stop is not None and stop.is_trailing)
    next_ms = EpochMs((known.placed_at_ms or 0) + REPLACED_MS)
    if by_hand or draft.at_ms >= next_ms:
        draft.withdraw([resting])
    else:
        draft.note_stop(again_at_ms=next_ms)


def _has_room(trade: SmartTrade) -> bool:
    """Tell whether nothing else is at work that sells, or is about to, and it may be placed."""
    at_work = any(one.status in STEP_ACTIVE for one in unfinished_profits(trade))
    waits = trade.venue_stop.again_at_ms is not None or trade.venue_stop.stays_off
    return not (at_work or waits or live_exits(trade))
