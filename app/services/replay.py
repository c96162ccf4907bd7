"""What came in once is given anew, on paper: the same command, with the market of now."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.account import PAPER, Account
from app.domain.aggregate import Aggregate
from app.domain.commands import NetCommand, PlaceOrder, SignalCommand
from app.domain.enums import Market
from app.domain.errors import NotFound, NotPermitted, WrongState
from app.domain.replay import (
    Command,
    Repricing,
    SmartOrderReplay,
    as_given,
    command_of,
    in_proportion,
    market_then,
    names_prices,
    why_not,
)
from app.domain.request.signal import Signal
from app.domain.sender import Sender
from app.ports import Ports
from app.services.intake.accept import Accepted
from app.services.intake.orders import accept_exact_order, accept_order, instrument_of, rules_of
from app.services.intake.requests import accept_reversal, accept_signal
from app.services.intake.smart_orders import accept_smart_order
from app.services.intake.trades import open_trade
from app.services.learn import known_quote
from app.services.repeats import first_of


class ReplayPrices(StrEnum):
    """What becomes of the prices that a command names: limits, stops, take-profits.

    SCALED keeps each as far from the market as it was, in percent: it is multiplied by the last
    price of now over the average at which the original filled. ORIGINAL leaves them as they were.
    """

    SCALED = "scaled"
    ORIGINAL = "original"


def replay(one: Aggregate, prices: ReplayPrices, sender: Sender, ports: Ports) -> Accepted:
    """Give the command behind something anew, once for each of the sender's marks.

    Nothing of the original is touched: not its caller id, nor what tells its repeats.

    Args:
        one: what came in once, from the store or the history.
        prices: what becomes of the prices that it names.
        sender: who replays it, for which account; it says what is replayed.
        ports: as everywhere.

    Raises:
        NotPermitted: the account is not one of play money.
        WrongState: this is nothing to replay, or its prices cannot be scaled.
        OrderDenied, TermsRefused, InsufficientFunds: as for the command itself.
        KeyReused: its key belongs to another request.
        VenueUnavailable, StaleRegistry, StoreUnavailable: nothing is queued.
    """
    account = sender.account
    if not is_paper(account):
        raise NotPermitted(f"account {account.name} is not on paper: replays are for play money")
    if not account.enabled:
        raise WrongState(f"account {account.name} is switched off")
    refusal = why_not(one)
    if refusal is not None:
        raise WrongState(f"{one.kind.words} {one.id} cannot be replayed: {refusal}")
    if account.market is not one.market:
        raise WrongState(f"account {account.name} trades {account.market}, not {one.market}")
    first = first_of(sender, ports)
    if first is not None:
        return Accepted(first, is_duplicate=True)
    instrument_of(one.symbol, account, ports)
    command = command_of(one, _repricing(one, prices, account, ports))
    return _accepted(command, one, sender, ports)


def account_for(one: Aggregate, accounts: Sequence[Account], ports: Ports) -> Account:
    """Return the account in which something is replayed unless one is named.

    That is its own if it is on paper; else the first on paper that trades its symbol in its market,
    of those that hold positions in its way if there are such.

    Raises:
        NotFound: there is none.
    """
    mode = next((each.position_mode for each in accounts if each.id == one.account), None)
    alike = [each for each in accounts if is_paper(each) and each.enabled]
    alike = [each for each in alike if each.market is one.market]
    if one.market is not Market.SPOT:
        alike.sort(key=lambda each: each.position_mode is not mode)
    alike.sort(key=lambda each: each.id != one.account)
    for account in alike:
        if rules_of(one.symbol, account, ports) is not None:
            return account
    raise NotFound(f"no account on paper trades {one.symbol} in {one.market}; make one")


def is_paper(account: Account) -> bool:
    """Tell whether an account has play money at the paper venue."""
    return account.venue == PAPER


def _repricing(one: Aggregate, prices: ReplayPrices, account: Account, ports: Ports) -> Repricing:
    if prices is ReplayPrices.ORIGINAL or not names_prices(one):
        return as_given
    then = market_then(one)
    if then is None:
        raise WrongState(
            f"{one.kind.words} {one.id} was not filled at the market, so where that was is not "
            "known and its prices cannot be scaled; say that they are to be the original ones"
        )
    instrument = instrument_of(one.symbol, account, ports)
    now = known_quote(one.symbol, account, ports).last
    return in_proportion(then, now, instrument.price_step)


def _accepted(command: Command, one: Aggregate, sender: Sender, ports: Ports) -> Accepted:
    match command:
        case SignalCommand():
            assert isinstance(one, Signal)  # noqa: S101 - no other kind has such a command
            return accept_signal(command, one.symbol, one.rules, sender, ports)
        case NetCommand():
            return accept_reversal(command, one.symbol, sender, ports)
        case PlaceOrder(amount=amount) if amount is not None:
            return Accepted(accept_exact_order(command, sender, ports).id, is_duplicate=False)
        case PlaceOrder():
            return accept_order(command, sender, ports)
        case SmartOrderReplay():
            made = accept_smart_order(command.command, command.rules, sender, ports)
            return Accepted(made.id, is_duplicate=False)
        case _:
            trade = open_trade(command, sender, ports)
            return Accepted(trade.id, is_duplicate=False)
