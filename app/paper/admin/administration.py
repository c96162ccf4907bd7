"""The front of the paper venue: what people may set and see of it, and what anybody may ask.

The admin API and the dialects know this package and nothing else of the paper venue.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.identifiers import EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.paper.admin.account_update import AccountSetting, account_after
from app.paper.admin.render import Json, account_json, instrument_json, quote_json
from app.paper.domain.account import Fees, PaperAccount
from app.paper.domain.fault import FaultPlan
from app.paper.domain.ledger import BookEntry, PaperChange, PaperSnapshot
from app.paper.ports import PaperPorts, until_committed
from app.paper.store.instruments import RedisPaperInstruments

#: Symbol, market, lot. The last two count contracts of one US dollar each.
_DEFAULTS = (
    (Symbol("BTC/USDT"), Market.SPOT, "0.00001"),
    (Symbol("BTC/USDT"), Market.USDM, "0.00001"),
    (Symbol("ETH/USDT"), Market.SPOT, "0.0001"),
    (Symbol("ETH/USDT"), Market.USDM, "0.001"),
    (Symbol("BTC/USD"), Market.COINM, "1"),
    (Symbol("ETH/USD"), Market.COINM, "1"),
)

#: Market → how far a limit may be from the price: what Binance has for these symbols.
_BANDS = {
    Market.SPOT: (Decimal(5), Decimal("0.2")),
    Market.USDM: (Decimal("1.05"), Decimal("0.95")),
    Market.COINM: (Decimal("1.05"), Decimal("0.95")),
}

#: What the paper venue trades before anybody has changed it (docs/api.md).
DEFAULT_INSTRUMENTS = tuple(
    Instrument(
        symbol=symbol,
        market=market,
        kind="inverse" if market is Market.COINM else "linear",
        price_step=Decimal("0.01"),
        quantity_step=Decimal(quantity_step),
        min_quantity=Decimal(quantity_step),
        min_notional=Decimal(1 if market is Market.COINM else 5),
        multiplier_up=_BANDS[market][0],
        multiplier_down=_BANDS[market][1],
    )
    for symbol, market, quantity_step in _DEFAULTS
)


class PaperAdministration:
    """Sets and shows accounts, prices, instruments and faults.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self.ports = ports

    # What anybody may ask

    @property
    def traded(self) -> RedisPaperInstruments:
        """The rules of what is traded."""
        return self.ports.instruments

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known.

        Raises:
            VenueUnavailable: they come from an exchange that cannot be reached.
        """
        return self.ports.quote(symbol)

    def past(self, symbol: Symbol, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments, none of them to come; None where none are known.

        What a person sets now says nothing of the past, so then nothing is known.
        """
        price = self.ports.prices.current(symbol)
        if price.is_set:
            return [None for _ in moments]
        return self.ports.source.past(symbol, price.rules, moments)

    def changes(self) -> int:
        """Return how often people have changed anything here: prices, rules, accounts, the time."""
        return self.ports.prices.changes()

    def note_change(self) -> None:
        """Say that somebody has."""
        self.ports.prices.note_change()

    def fees(self, account: Account) -> Fees:
        """Return the shares of the notional that an account pays."""
        return self.ports.ledger.load(account.id).account_of(account).fees

    # Accounts

    def rehearse(self, account: Account, setting: AccountSetting) -> None:
        """Refuse what an empty account would refuse, before anything is created or wiped out.

        Raises:
            MalformedPayload: with the messages by field.
        """
        empty = PaperAccount(market=account.market, position_mode=account.position_mode)
        account_after(empty, setting, lambda _: Decimal(1), has_resting=False)

    def set_account(self, account: Account, setting: AccountSetting) -> None:
        """Replace what the setting names.

        A reset takes place in the venue only: it forgets orders, fills, repeats, news, holds and
        positions, then sets what is named. Leverage, fees and balances that it does not name
        stay.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
            Conflict: others changed the account first, again and again.
        """
        until_committed(lambda: self._commit(account, setting, self.ports.ledger.load(account.id)))

    def seed_account(self, account: Account, setting: AccountSetting) -> None:
        """Set an account that nothing was ever set or traded in; leave any other alone."""
        snapshot = self.ports.ledger.load(account.id)
        if snapshot.account is None:
            self._commit(account, setting, snapshot)

    def account(self, account: Account) -> Json:
        """Return the body of `GET /paper/accounts/<name>`.

        Raises:
            HistoryUnavailable: part of the ledger has left for the history, which does not answer.
        """
        snapshot = self.ports.ledger.load(account.id)
        return account_json(snapshot.account_of(account), self.ports.rows(account.id))

    # Prices, instruments and faults

    def set_prices(self, quotes: Mapping[Symbol, Quote | None]) -> int:
        """Set these prices, None where none shall be known, as one tick; return its number."""
        return self.ports.prices.set(quotes, self.ports.clock.now_ms())

    def prices(self) -> Json:
        """Return the prices of everything that is traded, and whether they were set."""
        is_set = self.ports.prices.all()
        at_ms = self.ports.clock.now_ms()
        rules: dict[Symbol, dict[Market, Instrument]] = defaultdict(dict)
        for one in self.ports.instruments.all():
            rules[one.symbol][one.market] = one
        prices: Json = {}
        for symbol in sorted({*rules, *is_set}):
            set_here = symbol in is_set
            if set_here:
                quote = is_set[symbol]
            else:
                quote = self.ports.source.quote(symbol, rules[symbol], at_ms)
            shown = quote_json(quote)
            prices[symbol] = None if shown is None else {**shown, "is_set": set_here}
        return {"prices": prices}

    def seen_prices(self) -> Json:
        """Return symbol → prices as last seen: no exchange is asked."""
        by_hand = self.ports.prices.all()
        quotes = {**self.ports.prices.observed().quotes, **by_hand}
        shown = {symbol: quote_json(quotes[symbol]) for symbol in sorted(quotes)}
        return {
            symbol: quote and {**quote, "is_set": symbol in by_hand}
            for symbol, quote in shown.items()
        }

    def clear_prices(self) -> None:
        """Start the walk again, or the live tickers."""
        self.ports.prices.clear()

    def set_instruments(self, instruments: Collection[Instrument]) -> None:
        """Add or replace instruments, by symbol and market."""
        self.ports.instruments.put(instruments)

    def seed_instruments(self) -> None:
        """Add the instruments of a fresh install, save those that are there."""
        self.ports.instruments.add_missing(DEFAULT_INSTRUMENTS)

    def instruments(self) -> Json:
        """Return everything that is traded."""
        return {"instruments": [instrument_json(one) for one in self.ports.instruments.all()]}

    def set_faults(self, account: Account, plan: FaultPlan) -> None:
        """Plan these faults, and no others."""
        self.ports.faults.put(account.id, plan)

    def clear_faults(self, account: Account) -> None:
        """Let every call be well again."""
        self.ports.faults.put(account.id, FaultPlan())

    def _commit(self, account: Account, setting: AccountSetting, snapshot: PaperSnapshot) -> None:
        ports = self.ports
        resting = [order for order in ports.ledger.rows(account.id) if order.is_open]
        after = account_after(
            snapshot.account_of(account),
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
        quote = self.ports.quote(symbol)
        return None if quote is None else quote.last
