"""Smart trades over HTTP: make, list, show and change them (SmartTrades Api)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.three_commas import entities, parse
from app.dialects.three_commas.callers import READ, WRITE, Caller, Callers, supports, why_not
from app.dialects.three_commas.errors import (
    FUNDS_NAMES,
    INVALID,
    NAMES,
    in_wire_words,
    invalid_parameters,
    limit_exceeded,
)
from app.dialects.three_commas.listing import listing_from
from app.dialects.three_commas.names import paper_name
from app.dialects.three_commas.parameters import Parameters, parameters_from
from app.dialects.three_commas.render import AccountForeign
from app.dialects.three_commas.schemas import Call, ResponseType
from app.domain.account import PAPER, Account
from app.domain.enums import Dialect, Kind, PriceSource, Protection
from app.domain.errors import LimitExceeded, NotFound, StoreError, TermsRefused, VenueError
from app.domain.exits import ExitRules
from app.domain.identifiers import (
    AccountId,
    Currency,
    Symbol,
    VenueName,
    id_from,
    quote_of,
)
from app.domain.search import Search
from app.domain.sender import Sender
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.services.intake.orders import may_be_traded
from app.services.intake.trades import open_trade
from app.services.learn import learn_prices
from app.services.smart_trades import acting
from app.services.smart_trades.acting import find_trade
from app.services.smart_trades.trailing import Quotes, view_of
from app.unhurried import unhurried
from app.venues import protection_of
from app.web.answers import Answer, good
from app.web.surface import DISTANCE_PERCENT, ExitSettings

Action = Callable[[SmartTrade, Parameters], SmartTrade]

#: Currencies that count as one US dollar each; others are valued in the first of them.
_DOLLARS: Final = (Currency("USDT"), Currency("USDC"), Currency("USD"))


class Trades:
    """Answers what is asked about trades; the checks and their order are part of the dialect."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._reader = wiring.reader
        self._memory = wiring.memory
        self._names: dict[tuple[VenueName, Currency], str] = {}
        self._callers = callers
        self._lateness_ms = wiring.settings.max_signal_lateness_seconds * 1000
        ports = wiring.ports
        self.cancel = self._acting(
            "Stop a trade; its coins stay as they are.",
            lambda trade, _: acting.cancel_trade(trade.id, ports),
        )
        self.panic_sell = self._acting(
            "Close everything at market.", lambda trade, _: acting.panic_sell(trade.id, ports)
        )
        self.force_process = self._acting(
            "Look at orders and prices now.",
            lambda trade, _: acting.force_process(trade.id, ports),
        )
        self.force_start = self._acting(
            "Enter at market now, whatever price the entry waits for.",
            lambda trade, _: acting.start_trade(trade.id, ports),
        )
        self.cancel_order = self._acting(
            "Take one step off.",
            lambda trade, named: acting.cancel_step(trade.id, parse.step_in(named), ports),
        )
        self.step_panic_sell = self._acting(
            "Close the share of one step at market.",
            lambda trade, named: acting.panic_sell_step(trade.id, parse.step_in(named), ports),
        )
        self.update = self._acting(
            "Change the terms of a trade.",
            lambda trade, named: acting.update_trade(
                trade.id, parse.update_from(named, self._moved(trade)), ports
            ),
            HTTPStatus.OK,
        )

    # The calls

    def create(self, call: Call) -> Answer:
        """Open a trade, and answer once it is stored."""

        def opened(caller: Caller, parameters: Parameters) -> Answer:
            named = parse.account_in(parameters)
            account = None if named is None else caller.accounts.get(named)
            command = parse.trade_from(call, parameters, self._is_traded(account))
            sender = self._sender(caller, self._account(account, named))
            trade = open_trade(command, sender, self._ports)
            return good(self._told(trade, caller), HTTPStatus.CREATED)

        return self._serve(WRITE, opened)

    def list(self) -> Answer:
        """Answer with the trades that the query asks for."""

        def listed(caller: Caller, parameters: Parameters) -> Answer:
            found = list(unhurried(self._listed(parameters, caller)))
            self._learn_prices(found, caller)
            quotes: Quotes = {}  # a list asks once for the prices of a pair
            return good([self._entity(one, caller, quotes) for one in found])

        return self._serve(READ, listed, is_list=True)

    def show(self, trade_id: str) -> Answer:
        """Answer with one trade."""

        def shown(caller: Caller, _: Parameters) -> Answer:
            trade = self._trade(trade_id, caller)
            self._learn_prices([trade], caller)
            return good(self._entity(trade, caller))

        return self._serve(READ, shown)

    def add_funds(self, trade_id: str) -> Answer:
        """Enter with more, and answer with as much as is asked for."""

        def added(caller: Caller, parameters: Parameters) -> Answer:
            trade = self._trade(trade_id, caller)
            quantity, price, wanted = parse.funds_from(parameters)
            sender = self._sender(caller, caller.accounts[trade.account])
            after, step = acting.add_funds(trade.id, quantity, price, self._ports, sender)
            return good(self._funded(after, step, wanted, caller), HTTPStatus.CREATED)

        return self._serve(WRITE, added, names=FUNDS_NAMES)

    # How they are answered

    def _acting(
        self, summary: str, action: Action, status: HTTPStatus = HTTPStatus.CREATED
    ) -> Callable[[str], Answer]:
        """Return what does something with a trade of the caller, and answers with what it is."""

        def act(trade_id: str) -> Answer:
            def acted(caller: Caller, parameters: Parameters) -> Answer:
                trade = action(self._trade(trade_id, caller), parameters)
                return good(self._told(trade, caller), status)

            return self._serve(WRITE, acted)

        act.__doc__ = summary  # as the documentation of routes takes it
        return act

    def _serve(
        self,
        permission: str,
        answered: Callable[[Caller, Parameters], Answer],
        *,
        is_list: bool = False,
        names: Mapping[str, str] = NAMES,
    ) -> Answer:
        """Check who calls, read the parameters, and answer; an error has the dialect's shape.

        Args:
            permission: what the caller must be permitted to do.
            answered: what is done, and answered.
            is_list: whether it counts as a list.
            names: field of the command → parameter.
        """

        def answer(caller: Caller) -> Answer:
            named = b"" if request.method == "GET" else caller.body
            query = request.query_string.decode("latin-1")
            parameters = parameters_from(query, request.mimetype, named)
            try:
                return answered(caller, parameters)
            except TermsRefused as error:
                raise in_wire_words(error, names) from error
            except LimitExceeded as error:
                raise limit_exceeded(error, names) from error

        return self._callers.serve(permission, answer, is_list=is_list)

    # What they are about

    def _sender(self, caller: Caller, account: Account) -> Sender:
        return Sender(
            dialect=Dialect.THREE_COMMAS,
            origin=caller.client.origin,
            account=account,
            received_at_ms=self._ports.clock.now_ms(),
            entry_lateness_ms=self._lateness_ms,
            exits=_exits_in(account, caller.client.settings),
            registry_version=caller.registry_version,
            marks=self._callers.marks(caller),
        )

    def _account(self, account: Account | None, named: AccountId | None) -> Account:
        """Return the account that a new trade is for.

        Raises:
            AccountForeign, NotFound: the one that is named is not the caller's.
            InvalidParameters: it has no smart trades.
        """
        if account is None and named is not None:
            self._registry.account(named)
            raise AccountForeign(f"account {named} is not one of this key")
        if account is None:
            raise invalid_parameters({"account_id": [INVALID]})
        if not supports(account):
            raise invalid_parameters({"account_id": [why_not(account)]})
        return account

    def _is_traded(self, account: Account | None) -> Callable[[Symbol], bool] | None:
        """Return how to tell what the account trades, if it is one of the caller's."""
        if account is None or not supports(account):
            return None
        # What is not known yet is asked for later: a repeat is told so without it.
        return lambda symbol: may_be_traded(symbol, account, self._ports)

    def _trade(self, trade_id: str, caller: Caller) -> SmartTrade:
        """Return a trade of the caller.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        known = id_from(trade_id)
        if known is None:
            raise NotFound(f"{trade_id[:64]!a} is no id of a trade")
        trade = find_trade(known, self._ports)
        if trade.dialect is not Dialect.THREE_COMMAS or trade.account not in caller.accounts:
            raise NotFound(f"{known} is not a trade of this key")
        return trade

    def _listed(self, parameters: Parameters, caller: Caller) -> Iterator[SmartTrade]:
        """Yield the page of trades that is asked for, live ones and finished ones."""
        listing = listing_from(parameters)
        accounts = frozenset(caller.accounts)
        if listing.account is not None:
            accounts &= {listing.account}
        search = Search(
            kinds=frozenset({Kind.SMART_TRADE}),
            dialects=frozenset({Dialect.THREE_COMMAS}),
            accounts=accounts,
            states=listing.statuses,
            symbols=listing.symbols,
            types=listing.types,
        )
        for one in self._reader.oldest(
            search, listing.order, offset=listing.offset, limit=listing.limit
        ):
            if isinstance(one, SmartTrade):
                yield one

    def _entity(
        self, trade: SmartTrade, caller: Caller, known: Quotes | None = None
    ) -> entities.Json:
        """Return a trade as it is shown, with the newest prices and levels; see `view_of`."""
        account = caller.accounts[trade.account]
        view = view_of(trade, self._ports, known)
        moved = entities.with_trails(view.trade, view.trailing)
        rate, name_of = self._usd_rate(trade, account), partial(self._name_of, account)
        return entities.trade_entity(moved, account, view.quote, rate, name_of)

    def _name_of(self, account: Account, currency: Currency) -> str:
        """Return what an account's venue calls a currency; the code where it has no name."""
        if account.venue == PAPER:
            return paper_name(currency)
        name = self._memory.currency_name(account.hosts, currency) or currency
        self._names[account.hosts, currency] = name
        return name

    def _known_name(self, account: Account, currency: Currency) -> str:
        """Return the same as this process has heard it last; nobody is asked."""
        if account.venue == PAPER:
            return paper_name(currency)
        return self._names.get((account.hosts, currency), currency)

    def _moved(self, trade: SmartTrade) -> SmartTrade:
        """Return a trade with the levels that it is shown with."""
        return entities.with_trails(trade, view_of(trade, self._ports).trailing)

    def _told(self, trade: SmartTrade, caller: Caller) -> entities.Json:
        """Return a trade after a change, as `_entity` does.

        What is stored is told even if nobody can be asked for prices by then: a failure would have
        the caller do it again.
        """
        try:
            return self._entity(trade, caller)
        except (StoreError, VenueError, NotFound):
            account = caller.accounts[trade.account]
            return entities.trade_entity(
                trade, account, None, None, partial(self._known_name, account)
            )

    def _funded(
        self, trade: SmartTrade, step: Step, wanted: ResponseType, caller: Caller
    ) -> object:
        match wanted:
            case ResponseType.SMART_TRADE:
                return self._told(trade, caller)
            case ResponseType.STEP:
                return entities.step_entity(trade, step)
            case ResponseType.ORDER:
                return entities.order_entity(trade, step, trade.orders_of(step.id)[-1])
            case ResponseType.EMPTY:
                return {}

    def _learn_prices(self, trades: Iterable[SmartTrade], caller: Caller) -> None:
        """Have the prices looked at in which trades are shown, those that live first."""
        wanted: list[tuple[Account, Symbol]] = []
        for one in sorted(trades, key=lambda trade: trade.is_final):
            account = caller.accounts[one.account]
            wanted += [(account, symbol) for symbol in (one.symbol, _in_dollars(one)) if symbol]
        learn_prices(wanted, self._ports)

    def _usd_rate(self, trade: SmartTrade, account: Account) -> Decimal | None:
        """Return what one unit of the quote currency is worth in US dollars, if that is known."""
        symbol = _in_dollars(trade)
        if symbol is None:
            return Decimal(1)
        quote = self._ports.venues.of(account).quote(symbol)
        return None if quote is None else quote.last


def _exits_in(account: Account, settings: Mapping[str, Any]) -> ExitRules:
    """Return how the exits of a client go on in an account; stops are here unless it says so."""
    exits = replace(
        ExitSettings(limit_exit_seconds=settings.get("limit_exit_seconds", 0)).exits,
        stop_aborts=bool(settings.get("sl_timeout_abort_on_recovery", False)),
        profits_rest=bool(settings.get("tp_limit_rest_on_book", False)),
    )
    wanted = Protection(settings.get("protection", Protection.AUTO))
    if wanted is Protection.AUTO:
        return exits
    distance = Decimal(settings.get("protection_distance_percent", DISTANCE_PERCENT))
    return exits.held_by(protection_of(account, wanted, PriceSource.LAST), distance)


def _in_dollars(trade: SmartTrade) -> Symbol | None:
    """Return whose price says what the quote currency is worth; None of what counts as a dollar."""
    currency = quote_of(trade.symbol)
    return None if currency in _DOLLARS else Symbol(f"{currency}/{_DOLLARS[0]}")
