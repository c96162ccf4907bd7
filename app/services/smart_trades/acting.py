"""What a caller may do with a smart trade that there is (3Commas spec, 3.4).

Each action is one commit under the condition that nobody has changed the trade meanwhile; if
somebody has, it is decided on anew. Done twice, the second is refused or changes nothing. Each
raises NotFound where there is no such trade, or no such step of it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from app.domain.account import Account
from app.domain.enums import Flaw, OrderType, ReasonCode, Side
from app.domain.errors import (
    Complaint,
    NotFound,
    Repeated,
    RuleBroken,
    TermsRefused,
    VenueUnavailable,
    WrongState,
)
from app.domain.events import CancelRequested
from app.domain.identifiers import (
    AggregateId,
    ClientOrderId,
    FreshId,
    OrderId,
    base_of,
    quote_of,
)
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_trade.actions import Action, refusal_of
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.enums import TradeStatus
from app.domain.smart_trade.events import (
    FundsAdded,
    PanicRequested,
    PricesLookedAt,
    StartRequested,
    StepCancelRequested,
    UpdateRequested,
)
from app.domain.smart_trade.replanning import planned
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.worker_request import Question
from app.ports import Ports
from app.ports.ledger import NO_TERMS, CommitConditions, Once
from app.services.advance import advance
from app.services.find_anywhere import find_anywhere
from app.services.following.follow import follow_orders
from app.services.learn import known_quote, known_view, learn, newest_quote
from app.services.limits import refuse_by_limits
from app.services.repeats import first_of, use_keys
from app.services.smart_trades.trailing import view_of


def find_trade(trade_id: AggregateId, ports: Ports) -> SmartTrade:
    """Return a smart trade as it is now, or as it ended, wherever it is kept.

    Raises:
        NotFound: there is no smart trade with this id.
        HistoryUnavailable: it is not in the store, and the history does not answer.
    """
    found = find_anywhere(trade_id, ports)
    if not isinstance(found, SmartTrade):
        raise NotFound(f"{trade_id} is no smart trade")
    return found


def cancel_trade(trade_id: AggregateId, ports: Ports) -> SmartTrade:
    """Stop a trade: its orders are taken off, its coins stay as they are.

    Raises:
        WrongState: it has ended, or is being sold in panic.
    """
    reason = Reason(ReasonCode.REQUESTED, "cancelled by its owner")
    return _act(trade_id, CancelRequested(at_ms=ports.clock.now_ms(), reason=reason), ports)


def panic_sell(trade_id: AggregateId, ports: Ports) -> SmartTrade:
    """Close everything at market, as soon as no other order of the trade can fill any more.

    Raises:
        WrongState: nothing is open that could be closed.
    """
    event = PanicRequested(at_ms=ports.clock.now_ms(), new_ids=_fresh(trade_id, ports))
    return _act(trade_id, event, ports)


def panic_sell_step(trade_id: AggregateId, step_id: AggregateId, ports: Ports) -> SmartTrade:
    """Close the share of one take-profit step at market; the rest goes on.

    Raises:
        WrongState: the step is no take-profit that still waits, or nothing is open.
    """
    event = PanicRequested(
        at_ms=ports.clock.now_ms(), step_id=step_id, new_ids=_fresh(trade_id, ports)
    )
    return _act(trade_id, event, ports)


def cancel_step(trade_id: AggregateId, step_id: AggregateId, ports: Ports) -> SmartTrade:
    """Take one step off (spec 5.8).

    Raises:
        WrongState: the step has ended, or its order is not at the venue yet.
    """
    event = StepCancelRequested(
        at_ms=ports.clock.now_ms(), step_id=step_id, new_ids=_fresh(trade_id, ports)
    )
    return _act(trade_id, event, ports)


def add_funds(
    trade_id: AggregateId,
    quantity: Decimal,
    price: Decimal | None,
    ports: Ports,
    sender: Sender | None = None,
) -> tuple[SmartTrade, Step]:
    """Enter with more; `price` is a limit, None enters at market. Return the step, too.

    By the marks of its sender the same command again adds nothing, and returns the first step.

    Raises:
        RuleBroken: the market's rules do not allow the figures; `quantity` and `price` in `fields`.
        LimitExceeded: the limits of the account deny it.
        WrongState: the trade is none to which funds can be added now.
        KeyReused: what may be used once came with another command.
        StoreFull: it would buy, and there is room for exits only.
    """
    first = None if sender is None else first_of(sender, ports)
    known = find_trade(trade_id, ports)  # with the first step, if there is one
    if first is not None:
        return known, _step(known, first)
    refuse_figures(known.instrument, quantities={"quantity": quantity}, prices={"price": price})
    account = ports.accounts.account(known.account)
    refuse_entry(quantity, price, known.type.entry_side, known.instrument, account, ports)
    refuse_by_limits(entry_of(known, quantity, price), account, ports)
    new_ids = ports.ids.fresh(known.account, IDS_PER_EVENT)
    event = FundsAdded(at_ms=ports.clock.now_ms(), quantity=quantity, price=price, new_ids=new_ids)
    made, is_entry = new_ids[0].id, known.type.entry_side is Side.BUY
    terms = CommitConditions(is_entry=is_entry)
    if sender is not None and sender.marks:
        use_keys(sender, ports)
        terms = replace(terms, once=Once(sender.dedupe_keys, made))
    try:
        trade = _act(trade_id, event, ports, terms)
    except Repeated as error:  # at once in another thread or process
        trade, made = find_trade(trade_id, ports), AggregateId(error.made)
    return trade, _step(trade, made)


def _step(trade: SmartTrade, step_id: AggregateId) -> Step:
    found = next((one for one in trade.steps if one.id == step_id), None)
    if found is None:
        raise NotFound(f"trade {trade.id} has no step {step_id} any more")
    return found


def start_trade(trade_id: AggregateId, ports: Ports) -> SmartTrade:
    """Enter at market now, whatever price the entry waits for.

    Raises:
        RuleBroken: the account's venue would not take the entry; `quantity` in `fields`.
        LimitExceeded: the limits of the account deny it.
        WrongState: its entry waits for no price, or not any more.
        StoreFull: it would buy, and there is room for exits only.
    """
    known = find_trade(trade_id, ports)
    event = StartRequested(at_ms=ports.clock.now_ms(), new_ids=_fresh(trade_id, ports))
    refusal = refusal_of(known, event)
    if refusal is not None:
        raise refusal  # before anybody is asked for prices
    side, account = known.type.entry_side, ports.accounts.account(known.account)
    refuse_entry(known.asked_quantity, None, side, known.instrument, account, ports)
    refuse_by_limits(entry_of(known, known.asked_quantity, None), account, ports)
    # It is due when it is placed, not when its venue was asked whether it would take it.
    event = replace(event, at_ms=ports.clock.now_ms())
    return _act(trade_id, event, ports, CommitConditions(is_entry=side is Side.BUY))


def update_trade(trade_id: AggregateId, update: TradeUpdate, ports: Ports) -> SmartTrade:
    """Change the terms of a trade (spec 3.5).

    Raises:
        RuleBroken: the market's rules do not allow the figures.
        TermsRefused: something cannot be changed so; `fields` by the names of TradeUpdate.
        WrongState: the trade is none that can be changed now.
        VenueUnavailable: no price tells from which side it comes to the new trigger of the entry.
    """
    known = find_trade(trade_id, ports)
    refuse_figures(
        known.instrument,
        quantities={},
        prices={
            "entry_limit_price": update.entry_limit_price,
            "take_profit_order_price": update.take_profit_order_price,
            "stop_loss_order_price": update.stop_loss_order_price,
        },
    )
    if known.is_final:
        raise WrongState(f"Trade cannot be changed: it is {known.status}")
    account = ports.accounts.account(known.account)
    waits = known.status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE
    moves_entry = waits and update.moves_entry
    view = view_of(known, ports)
    level = view.stop_level
    event = UpdateRequested(
        at_ms=ports.clock.now_ms(),
        update=update,
        quote=newest_quote(known.symbol, account, ports) if moves_entry else view.quote,
        stop_level=level,
        new_ids=ports.ids.fresh(known.account, IDS_PER_EVENT),
    )
    decision = advance(trade_id, event, ports)
    trade = _trade(decision.aggregate)
    if decision.ignored is None:
        return trade
    if not trade.is_editable:
        raise WrongState(f"Trade cannot be changed: it is {trade.status}")
    refused = planned(trade, update, level).refused
    if refused:
        raise TermsRefused(refused)
    return trade  # it was as it is to be


def force_process(trade_id: AggregateId, ports: Ports) -> SmartTrade:
    """Look at a trade's orders and at the newest price now; on one that has ended do nothing.

    An exchange is asked for both, as far as it answers in time.
    """
    trade = find_trade(trade_id, ports)
    if trade.is_final:
        return trade
    account = ports.accounts.account(trade.account)
    with suppress(VenueUnavailable):  # what is known has to do then
        learn(account, Question(symbols=(trade.symbol,), orders=True), ports)
    follow_orders(trade.account, ports)
    tick = ports.venues.feed(trade.venue).newest(trade.symbol)
    quote = None if tick is None else tick.quotes.get(trade.symbol)
    if quote is not None:
        event = PricesLookedAt(
            at_ms=ports.clock.now_ms(), quote=quote, new_ids=_fresh(trade_id, ports)
        )
        advance(trade_id, event, ports)
    trade = find_trade(trade_id, ports)
    ports.publisher.publish(trade.owed())
    return trade


def refuse_figures(
    instrument: Instrument,
    *,
    quantities: Mapping[str, Decimal | None],
    prices: Mapping[str, Decimal | None],
) -> None:
    """Refuse figures off the market's steps or below its minimum (3Commas spec, 2 and 1.6).

    Args:
        instrument: the rules.
        quantities: name of the field → what was given; None was not.
        prices: likewise.

    Raises:
        RuleBroken: some are; `fields` has them all.
    """
    refused: dict[str, list[Complaint]] = {}
    for name, quantity in quantities.items():
        least = instrument.least_quantity
        if quantity is None:
            continue
        if instrument.quantity(quantity) != quantity:
            refused[name] = [Complaint(Flaw.OFF_STEP, instrument.quantity_step)]
        elif quantity < least:
            refused[name] = [Complaint(Flaw.BELOW_LEAST, least)]
    for name, price in prices.items():
        if price is not None and instrument.price(price, Side.BUY) != price:
            refused[name] = [Complaint(Flaw.OFF_STEP, instrument.price_step)]
    if refused:
        raise RuleBroken(refused)


def refuse_entry(
    quantity: Decimal,
    price: Decimal | None,
    side: Side,
    instrument: Instrument,
    account: Account,
    ports: Ports,
) -> None:
    """Refuse an entry at once that its venue would not take: too small, too large, too dear.

    What is not known just now refuses nothing; the venue will tell.

    Args:
        quantity: in base currency.
        price: the limit; None is a market order.
        side: of the entry.
        instrument: the rules.
        account: pays for it.
        ports: as everywhere.

    Raises:
        RuleBroken: it would not, by `quantity`.
    """
    try:
        # Both anew: what an account had a minute ago says little of what it can pay for.
        learn(account, Question(symbols=(instrument.symbol,), view=True), ports)
        at = price or known_quote(instrument.symbol, account, ports).touch(side)
        view = known_view(account, ports)
    except VenueUnavailable:
        return
    if instrument.notional(quantity, at) < instrument.min_notional:
        least = instrument.quantity_up(instrument.min_notional / at)
        raise RuleBroken({"quantity": [Complaint(Flaw.BELOW_LEAST, least)]})
    base, quote = base_of(instrument.symbol), quote_of(instrument.symbol)
    most = view.available(base) if side is Side.SELL else view.available(quote) / at
    rules = instrument.at_market() if price is None else instrument
    if quantity > rules.one_order(most):
        raise RuleBroken({"quantity": [Complaint(Flaw.ABOVE_MOST, rules.one_order(most))]})


def entry_of(trade: SmartTrade, quantity: Decimal, price: Decimal | None) -> Order:
    """Return an entry of a trade as an order that limits are asked about; nobody sends it."""
    side = trade.type.entry_side
    return Order(
        id=OrderId(trade.id),
        client_order_id=ClientOrderId(""),
        **trade.beginning(trade.updated_at_ms),
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        reduces=side is Side.SELL,
    )


def _fresh(trade_id: AggregateId, ports: Ports) -> tuple[FreshId, ...]:
    return ports.ids.fresh(find_trade(trade_id, ports).account, IDS_PER_EVENT)


def _act(
    trade_id: AggregateId, action: Action, ports: Ports, terms: CommitConditions = NO_TERMS
) -> SmartTrade:
    """Let a trade take an action.

    Raises:
        WrongState: it does not take it in the state that it is in.
    """
    trade = find_trade(trade_id, ports)
    if not trade.is_final:  # one that has ended may have left for the history
        decision = advance(trade_id, action, ports, terms)
        trade = _trade(decision.aggregate)
        if decision.ignored is None:
            return trade
    refusal = refusal_of(trade, action)
    if refusal is None:
        return trade  # it has happened already
    raise refusal


def _trade(aggregate: object) -> SmartTrade:
    assert isinstance(aggregate, SmartTrade), "it was found to be one"  # noqa: S101
    return aggregate
