"""The paper venue's front desk: what a person may set and see, as parsed JSON in and out."""

from decimal import Decimal

from app.domain.account import Account
from app.domain.errors import Conflict
from app.domain.identifiers import Symbol
from app.paper.admin.account_update import account_after
from app.paper.admin.parse import (
    AccountSetting,
    account_setting_from,
    fault_plan_from,
    instruments_from,
    quotes_from,
)
from app.paper.admin.render import Json, account_json, instrument_json, quote_json
from app.paper.defaults import DEFAULT_INSTRUMENTS
from app.paper.domain.account import PaperAccount
from app.paper.domain.fault import FaultPlan
from app.paper.paper_ports import PaperPorts
from app.paper.ports import BookEntry, PaperChange, PaperSnapshot

#: Commits that others may win before a setting gives up.
ATTEMPTS_MAX = 100


class PaperAdministration:
    """Sets and shows accounts, prices, instruments and faults.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self._ports = ports

    def set_account(self, account: Account, content: object) -> None:
        """Replace what the body of `PUT /paper/accounts/<name>` names.

        A reset takes place in the venue only: it forgets orders, fills, repeats, news, holds and
        positions, then sets what the body names. Leverage, fees and balances that it does not name
        stay.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
            Conflict: others changed the account first, again and again.
        """
        setting = account_setting_from(content)
        for _ in range(ATTEMPTS_MAX):
            snapshot = self._ports.ledger.load(account.id)
            try:
                self._commit(account, setting, snapshot)
            except Conflict:
                continue
            return
        raise Conflict(f"{ATTEMPTS_MAX} times others changed paper account {account.id} first")

    def seed_account(self, account: Account, content: object) -> None:
        """Set an account that nothing was ever set or traded in; leave any other alone."""
        setting = account_setting_from(content)
        snapshot = self._ports.ledger.load(account.id)
        if snapshot.account is None:
            self._commit(account, setting, snapshot)

    def account(self, account: Account) -> Json:
        """Return the body of `GET /paper/accounts/<name>`."""
        snapshot = self._ports.ledger.load(account.id)
        history = self._ports.ledger.history(account.id)
        return account_json(_known(account, snapshot), history)

    def set_prices(self, content: object) -> int:
        """Set what the body of `PUT /paper/prices` names, as one tick; return its number.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
        """
        return self._ports.prices.set(quotes_from(content), self._ports.clock.now_ms())

    def prices(self) -> Json:
        """Return the prices of everything that is traded, and whether they were set."""
        is_set = self._ports.prices.all()
        at_ms = self._ports.clock.now_ms()
        symbols = {one.symbol for one in self._ports.instruments.all()} | set(is_set)
        prices: Json = {}
        for symbol in sorted(symbols):
            set_here = symbol in is_set
            quote = is_set[symbol] if set_here else self._ports.source.quote(symbol, at_ms)
            shown = quote_json(quote)
            prices[symbol] = None if shown is None else {**shown, "is_set": set_here}
        return {"prices": prices}

    def clear_prices(self) -> None:
        """Start the walk again, or the live tickers."""
        self._ports.prices.clear()

    def ticks_waiting(self) -> int:
        """Return how many ticks nobody has evaluated yet."""
        return self._ports.ticks.waiting()

    def set_instruments(self, content: object) -> None:
        """Add or replace what the body of `PUT /paper/instruments` lists.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
        """
        self._ports.instruments.put(instruments_from(content))

    def seed_instruments(self) -> None:
        """Add the instruments of a fresh install, save those that are there."""
        self._ports.instruments.add_missing(DEFAULT_INSTRUMENTS)

    def instruments(self) -> Json:
        """Return everything that is traded."""
        return {"instruments": [instrument_json(one) for one in self._ports.instruments.all()]}

    def set_faults(self, account: Account, content: object) -> None:
        """Plan the faults that the body of `PUT /paper/faults/<account>` lists, and no others.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
        """
        self._ports.faults.put(account.id, fault_plan_from(content))

    def clear_faults(self, account: Account) -> None:
        """Let every call be well again."""
        self._ports.faults.put(account.id, FaultPlan())

    def _commit(self, account: Account, setting: AccountSetting, snapshot: PaperSnapshot) -> None:
        ports = self._ports
        history = ports.ledger.history(account.id)
        resting = [order for order in history if order.is_open]
        after = account_after(
            _known(account, snapshot),
            setting,
            self._last_price,
            has_resting=bool(resting) and not setting.reset,
        )
        if not setting.reset:
            ports.ledger.commit(account.id, snapshot.version, PaperChange(account=after))
            return
        ports.ledger.reset(account.id, snapshot.version, after)
        ports.book.leave([BookEntry.of(account.id, order) for order in resting])

    def _last_price(self, symbol: Symbol) -> Decimal | None:
        price = self._ports.prices.current(symbol)
        quote = price.quote
        if not price.is_set:
            quote = self._ports.source.quote(symbol, self._ports.clock.now_ms())
        return None if quote is None else quote.last


def _known(account: Account, snapshot: PaperSnapshot) -> PaperAccount:
    if snapshot.account is not None:
        return snapshot.account
    return PaperAccount(market=account.market, position_mode=account.position_mode)
