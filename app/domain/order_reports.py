"""What a report of the venue changes about an order."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.effects import AT_ONCE
from app.domain.enums import ReasonCode
from app.domain.events import FillsAwaited, OrderReported
from app.domain.identifiers import Currency, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import Fill, OrderReport, fees_of, is_all_told, merged
from app.domain.status import CLOSED, IN_FLIGHT, OPEN, OrderStatus, may_move

#: Questions about fills that the venue has not listed; the pause doubles with each.
LOOKS_MAX = 8


def told_of_earlier(order: Order, event: OrderReported) -> Decision[Order]:
    """Take in what is filled of an earlier placement; its end is not the end of a newer one."""
    report = event.report
    # Quantities are totals, so a report that tells of no more than is known tells nothing.
    if report.filled_quantity <= order.filled_quantity:
        return ignored(order, f"the answer to placement {event.token} came too late")
    is_whole = report.status is OrderStatus.FILLED or (
        order.amount is None and report.filled_quantity >= order.quantity
    )
    # The order is whole now, or its newer placement has been answered: taken in like any report,
    # save that the end of the earlier placement says nothing about the order.
    if is_whole or not order.is_in_flight:
        status = OrderStatus.FILLED if is_whole else order.status
        fills_alone = replace(
            report, status=status, venue_order_id=order.venue_order_id, reason=None
        )
        return adopted(order, fills_alone, event.at_ms)
    fills = merged(order.fills, report.fills)
    # The newer placement is still on its way. Its status and its lease stay as they are, or the
    # answer to it would be lost; what was filled counts at once.
    told = replace(
        order,
        fills=fills,
        filled_quantity=report.filled_quantity,
        average_price=report.average_price,
        fees=_fees_after(order, report, fills, grown=True),
        position_after=report.position_after,
        updated_at_ms=event.at_ms,
    )
    return Decision(told, entries=(TimelineEntry(EntryName.PARTIALLY_FILLED, event.at_ms),))


def adopted(order: Order, report: OrderReport, at_ms: EpochMs) -> Decision[Order]:
    """Take in what the venue says of the newest placement, as far as it is news."""
    fills = merged(order.fills, report.fills)
    # Reports arrive out of order: what is filled only grows, whichever of them comes last.
    filled = max(order.filled_quantity, report.filled_quantity)
    status = _status_after(order, report, filled)
    grown = filled > order.filled_quantity
    price_told = (
        order.average_price is None
        and report.average_price is not None
        and 0 < report.filled_quantity == filled
    )
    is_new = grown or price_told or fills != order.fills
    # Nothing new: the commit is left out, so polling an order that rests costs no write.
    if status is None or (status is order.status and not is_new):
        return ignored(order, f"a report of {report.status} found the order {order.status}")
    news = replace(
        order,
        status=status,
        fills=fills,
        filled_quantity=filled,
        average_price=report.average_price if grown or price_told else order.average_price,
        fees=_fees_after(order, report, fills, grown=grown),
        venue_order_id=order.venue_order_id or report.venue_order_id,
        position_after=report.position_after if grown else order.position_after,
        reason=_reason_after(order, status, report),
        # What a venue never lists is not waited for.
        awaits_fills=(report.lists_fills or order.awaits_fills) and not is_all_told(fills, filled),
        looks=0 if grown else order.looks,
        needs_person=False,
        unknown_since_ms=None,
        absent_since_ms=None,
        # A cancel that was asked for meanwhile does not wait for the next question.
        next_action_at_ms=order.next_action_at_ms if order.status in OPEN else AT_ONCE,
        updated_at_ms=at_ms,
    )
    return Decision(news, entries=tuple(_report_entries(order, news, at_ms)))


def fills_awaited(order: Order, event: FillsAwaited) -> Decision[Order]:
    """Count one more look for fills that are missing, up to LOOKS_MAX."""
    if not order.is_to_be_looked_at or event.look != order.looks:
        return ignored(order, f"look {event.look} for fills found look {order.looks}")
    looks = order.looks + 1
    return Decision(
        replace(
            order,
            # The venue may never list them. After the last look the order counts as told, with the
            # totals of its report, rather than being asked about for ever.
            looks=looks,
            awaits_fills=looks <= LOOKS_MAX,
            next_action_at_ms=event.next_look_at_ms,
            updated_at_ms=event.at_ms,
        )
    )


def _status_after(order: Order, report: OrderReport, filled: Decimal) -> OrderStatus | None:
    """Return the status that a report leads to, or None where the table has no such move."""
    wanted = report.status
    # Some venues go on saying "open" for a moment after the last fill. Where an amount tells the
    # size nobody can say beforehand what fills it, so there the venue's word counts.
    if order.amount is None and 0 < order.quantity <= filled:
        wanted = OrderStatus.FILLED
    elif filled > 0 and wanted is OrderStatus.NEW:
        wanted = OrderStatus.PARTIALLY_FILLED
    elif report.filled_quantity > 0 and wanted is OrderStatus.REJECTED:
        wanted = OrderStatus.CANCELED  # it was taken, and what is left of it was refused
    if wanted is order.status or may_move(order.status, wanted):
        return wanted
    if order.is_closed:
        return order.status  # perhaps the same with a higher filled quantity
    return None


def _fees_after(
    order: Order, report: OrderReport, fills: tuple[Fill, ...], *, grown: bool
) -> Mapping[Currency, Decimal]:
    """Return the fees so far: those of the fills that are known, if there is news of them."""
    if fills != order.fills:
        return fees_of(fills)
    return dict(report.fees) if grown and report.fees else order.fees


def _reason_after(order: Order, status: OrderStatus, report: OrderReport) -> Reason | None:
    if report.reason is not None:
        return report.reason
    # The reason of an unknown order said why nobody knew; that is over with any report.
    known = None if order.status is OrderStatus.UNKNOWN else order.reason
    if order.is_closed and status is order.status:
        return known
    if status is OrderStatus.CANCELED:
        return known or Reason(ReasonCode.REQUESTED, "canceled at the venue")
    return known if order.cancel_requested and status not in CLOSED else None


def _report_entries(before: Order, after: Order, at_ms: EpochMs) -> list[TimelineEntry]:
    """Return what a report adds to the timeline: acknowledged once, then each step of its life."""
    entries = []
    # A refusal is no acknowledgement, though it is an answer too.
    if before.status in IN_FLIGHT and after.status is not OrderStatus.REJECTED:
        entries.append(TimelineEntry(EntryName.ACKNOWLEDGED, at_ms))
    if after.filled_quantity > before.filled_quantity:
        entries.append(TimelineEntry(_fill_name(before, after), at_ms))
    elif after.fills != before.fills:
        entries.append(TimelineEntry(EntryName.FILLS_LISTED, at_ms))
    if after.status in CLOSED and before.status not in CLOSED:
        if after.status is not OrderStatus.FILLED:
            entries.append(
                TimelineEntry(EntryName(after.status.value.lower()), at_ms, after.reason)
            )
        entries.append(TimelineEntry(EntryName.CLOSED, at_ms))
    return entries


def _fill_name(before: Order, after: Order) -> EntryName:
    """Return what a timeline calls a fill; one after the end has a name of its own."""
    if after.status is OrderStatus.FILLED:
        return EntryName.FILLED
    return EntryName.LATE_FILL if before.is_closed else EntryName.PARTIALLY_FILLED
