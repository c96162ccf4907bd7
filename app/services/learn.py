"""What a web process does not know of an exchange: a worker asks, and whoever needs it waits.

A web process asks no exchange. It reads what workers have learned, and forgets prices within
seconds, since they say nothing about now; of a symbol in which nothing is armed nobody asks of
himself.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from app.domain.account import PAPER, Account
from app.domain.effects import EffectKind
from app.domain.errors import HookfillError, MarketsUnknown, VenueUnavailable
from app.domain.identifiers import AccountId, AggregateId, Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Quote
from app.domain.worker_request import Outcome, Question, WorkerAnswer
from app.ports import Ports
from app.services.ask import ask, leave_request
from app.services.following.follow import poll_orders

#: Prices that one list has looked at: an exchange bounds how much it tells.
PRICES_MAX = 10

#: An exchange tells the rules of all its symbols at once.
_ANY = Symbol("BTC/USDT")


def known_quote(symbol: Symbol, account: Account, ports: Ports) -> Quote:
    """Return prices of a symbol as somebody has seen them within seconds.

    Raises:
        VenueUnavailable: they are not known, and no worker has learned them in time.
    """
    found = ports.venues.of(account).quote(symbol)
    return newest_quote(symbol, account, ports) if found is None else found


def newest_quote(symbol: Symbol, account: Account, ports: Ports) -> Quote:
    """Return prices of a symbol as they are now: on which side of them something is tells these.

    Raises:
        VenueUnavailable: no worker has learned them in time.
    """
    learn(account, Question(symbols=(symbol,)), ports)
    found = ports.venues.of(account).quote(symbol)
    if found is None:
        raise VenueUnavailable(f"no price of {symbol} is known yet")
    return found


def known_view(account: Account, ports: Ports) -> AccountView:
    """Return what an account has, as it was lately.

    Raises:
        VenueUnavailable: that is not known, and no worker has learned it in time.
    """
    try:
        return ports.venues.of(account).view()
    except VenueUnavailable:
        if account.venue == PAPER:
            raise
    return newest_view(account, ports)


def newest_view(account: Account, ports: Ports) -> AccountView:
    """Return what an account has as it is now: what it had a minute ago refuses nothing.

    Raises:
        VenueUnavailable: no worker has learned it in time.
    """
    learn(account, Question(view=True), ports)
    return ports.venues.of(account).view()


def known_rules(account: Account, ports: Ports) -> Sequence[Instrument]:
    """Return the rules of all that an account may trade.

    Raises:
        VenueUnavailable: they are not known, and no worker has learned them in time.
    """
    rules = ports.venues.trading_rules(account)
    found = rules.instruments()
    if not found:
        learn(account, Question(), ports)
        found = rules.instruments()
    if not found:
        raise MarketsUnknown(f"the trading rules of {account.venue} are not loaded yet")
    return found


def learn(account: Account, question: Question, ports: Ports) -> None:
    """Have a worker ask an exchange, and keep what it tells for all processes.

    Raises:
        VenueUnavailable: the exchange does not tell, or no worker has told in time. It may still
            be learned.
    """
    for answer in learn_all([(account, question)], ports):
        if answer is None:
            raise VenueUnavailable(f"{account.venue} has not answered in time; try again")
        if answer.outcome is not Outcome.DONE:
            raise VenueUnavailable(answer.message)


def learn_all(
    questions: Sequence[tuple[Account, Question]], ports: Ports
) -> Sequence[WorkerAnswer | None]:
    """Have workers ask all this at once, and return what became of each; None is nothing in time.

    The paper venue is not asked: of that all is known.
    """
    wait_ms = ports.policy.learn_wait_ms
    requests = [
        leave_request(EffectKind.LEARN, account.id, wait_ms, ports, question)
        for account, question in questions
        if account.venue != PAPER
    ]

    def answers() -> list[WorkerAnswer | None]:
        return [ports.worker_requests.answer(one.id) for one in requests]

    work = [one.effect() for one in requests]
    ask(work, lambda: None if None in answers() else True, wait_ms, ports)
    return answers()


def learn_markets(accounts: Iterable[Account], ports: Ports) -> None:
    """Have workers learn what these exchanges trade; what is not told in time stays unknown."""
    learn_all([(one, Question()) for one in accounts], ports)


def views_of(accounts: Sequence[Account], ports: Ports) -> Sequence[AccountView]:
    """Return what each of these accounts has, as it was lately; they are waited for all at once.

    Raises:
        VenueUnavailable: of one that is not known, and no worker has learned it in time.
    """
    views = {one.id: _view_if_known(one, ports) for one in accounts}
    unknown = [one for one in accounts if views[one.id] is None]
    learn_all([(one, Question(view=True)) for one in unknown], ports)
    return [views[one.id] or ports.venues.of(one).view() for one in accounts]


def _view_if_known(account: Account, ports: Ports) -> AccountView | None:
    try:
        return ports.venues.of(account).view()
    except VenueUnavailable:
        return None


def learn_prices(wanted: Iterable[tuple[Account, Symbol]], ports: Ports) -> None:
    """Have workers look at prices that are not known here, of so many at most; the rest stays so.

    What an account does not trade, or is not known to yet, has none.

    Args:
        wanted: who wants to see which; those that matter most come first.
        ports: as everywhere.
    """
    each = {(account.id, symbol): account for account, symbol in wanted}
    unknown = (
        (account, symbol)
        for (_, symbol), account in each.items()
        if _lacks_price(account, symbol, ports)
    )
    missing: dict[AccountId, tuple[Account, list[Symbol]]] = {}
    for account, symbol in islice(unknown, PRICES_MAX):
        missing.setdefault(account.id, (account, []))[1].append(symbol)
    questions = [(one, Question(symbols=tuple(symbols))) for one, symbols in missing.values()]
    if questions:
        learn_all(questions, ports)


def _lacks_price(account: Account, symbol: Symbol, ports: Ports) -> bool:
    venue = ports.venues.of(account)
    return venue.quote(symbol) is None and venue.instrument(symbol) is not None


def learn_for(request_id: AggregateId, ports: Ports) -> None:
    """Ask an exchange for somebody who waits, once; what it tells is kept on the way.

    Raises:
        NotFound: there is no such request, it is too late for it, or somebody else has it.
    """
    request = ports.worker_requests.take(request_id, ports.clock.server_ms())
    try:
        _ask(ports.accounts.account(request.account), request.question or Question(), ports)
        answer = WorkerAnswer()
    except HookfillError as error:
        answer = WorkerAnswer(outcome=Outcome.UNAVAILABLE, message=str(error))
    ports.worker_requests.reply(request_id, answer)


def _ask(account: Account, question: Question, ports: Ports) -> None:
    venue = ports.venues.of(account)
    if question.orders:
        poll_orders(account.id, ports)
    for symbol in question.symbols:
        venue.quote(symbol)  # and the market's rules before it
    if question.view:
        venue.view()
    for look in question.looks:
        venue.look(look)  # with the market's rules before it
    if not (question.symbols or question.looks):
        venue.instrument(_ANY)
