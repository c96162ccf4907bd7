"""A simulated exchange, set and shown as the paper routes set and show play money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Final

from app.domain.enums import Market, PositionMode
from app.domain.money import plain
from tests.support.exchanges.books import LINEAR, SPOT, Account, Order, Position, Why
from tests.support.exchanges.server import Dialect as Wire
from tests.support.places import Place
from tests.support.stack import Json
from tests.support.venue_world import SECRET

#: What paper calls an order that an exchange has let go by itself.
_OUTCOMES: Final = {"EXPIRED": "CANCELED"}


class ExchangeDesk:
    """Whoever holds the accounts of an exchange, sets its prices and plans its faults.

    Args:
        place: which exchange it is.
        wire: its manners.
    """

    def __init__(self, place: Place, wire: Wire) -> None:
        self.place, self.wire, self.exchange = place, wire, wire.exchange
        self.exchange.fee_rate = Decimal(0)
        self._holders: dict[str, tuple[Market, Account]] = {}
        self._numbers = count(1)

    def is_open(self, name: str) -> bool:
        """Tell whether there is such an account."""
        return name in self._holders

    def holder(self, name: str) -> Account:
        """Return an account as the exchange has it."""
        return self._holders[name][1]

    def record(self, name: str) -> Json:
        """Return an account as the API takes it."""
        market, holder = self._holders[name]
        mode = PositionMode.HEDGE if holder.hedged else PositionMode.ONEWAY
        return {
            "venue": self.place.venue,
            "market": market,
            "mode": "live",
            "position_mode": mode,
            "credentials": {"apiKey": holder.key, "secret": SECRET},
        }

    def set_account(self, name: str, setting: Json) -> None:
        """Replace what a setting names, as `PUT /paper/accounts/<name>` does."""
        if not self.is_open(name):
            key = f"{name}-{next(self._numbers)}".ljust(20, "k")
            market = Market(setting.get("market", Market.SPOT))
            self._holders[name] = market, self.exchange.open_account(key, SECRET)
            setting = {"position_mode": PositionMode.HEDGE, **setting}
        market, holder = self._holders[name]
        if setting.get("reset"):
            holder.orders.clear()
            holder.stops.clear()
            holder.positions.clear()
        if "position_mode" in setting:
            holder.hedged = self.place.mode(setting["position_mode"]) is PositionMode.HEDGE
        if "fees" in setting:
            self.exchange.fee_rate = Decimal(setting["fees"]["taker"])
        self._set_purse(holder, market, setting.get("balances", {}))
        for symbol, legs in setting.get("positions", {}).items():
            self._set_position(holder, symbol, legs, self.exchange.prices.get(symbol, Decimal(0)))

    @staticmethod
    def _set_purse(holder: Account, market: Market, balances: Mapping[str, str]) -> None:
        for currency, total in balances.items():
            if market is Market.SPOT:
                holder.total[currency] = Decimal(total)
            elif currency == "USDT":
                holder.margin = Decimal(total)

    @staticmethod
    def _set_position(
        holder: Account, symbol: str, legs: Mapping[str, str], price: Decimal
    ) -> None:
        long, short = (Decimal(legs.get(side, "0")) for side in ("long", "short"))
        entry = Decimal(legs.get("entry_price") or price)
        sides = {"LONG": long, "SHORT": -short} if holder.hedged else {"BOTH": long - short}
        for leg, quantity in sides.items():
            holder.positions[symbol, leg] = Position(quantity, entry if quantity else Decimal(0))

    def shown(self, name: str) -> Json:
        """Return an account as `GET /paper/accounts/<name>` does."""
        market, holder = self._holders[name]
        spot = market is Market.SPOT
        balances = self._purse(holder) if spot else self._margin(holder)
        return {
            "market": market,
            "balances": balances,
            "positions": {} if spot else dict(self._positions(holder)),
            "ledger": [self._row(one) for one in holder.orders],
            "fills": [
                {
                    "client_order_id": order.ticket.client_id,
                    "quantity": plain(fill.quantity),
                    "price": plain(fill.price),
                }
                for order in sorted(holder.orders, key=lambda one: [n.id for n in one.trades])
                for fill in order.trades
            ],
        }

    def set_prices(self, quotes: Mapping[str, Json | None]) -> None:
        """Set prices, as `PUT /paper/prices` does."""
        for symbol, quote in quotes.items():
            if quote is None:
                self.exchange.prices.pop(symbol, None)
                continue
            last: str = quote.get("last") or quote["bid"]
            bid, ask = quote.get("bid", last), quote.get("ask", last)
            levels = {name: quote[name] for name in ("asks", "bids") if name in quote}
            self.exchange.set_book(symbol, last, bid, ask, **levels)

    def plan(self, calls: Mapping[str, Sequence[str]]) -> None:
        """Let the next calls meet these, one each, as `PUT /paper/faults/<name>` does."""
        for call, words in calls.items():
            if "reject" in words:
                no: dict[str, Why | None] = {"reject": Why.FORBIDDEN, "ok": None}
                self.exchange.says_no.extend(no[one] for one in words)
            else:
                self.wire.plan.plan(call, *words)

    def forget_plans(self) -> None:
        """Let nothing go wrong."""
        self.wire.calm()

    def has_market(self, instrument: Mapping[str, str]) -> bool:
        """Tell whether something is traded by these rules."""
        kind = SPOT if instrument["market"] == Market.SPOT else LINEAR
        listed = self.exchange.markets.get((instrument["symbol"], kind))
        return listed is not None and (
            listed.price_step == Decimal(instrument["price_step"])
            and listed.quantity_step == Decimal(instrument["quantity_step"])
        )

    def _purse(self, holder: Account) -> Json:
        return {
            currency: {
                "total": plain(total),
                "available": plain(self.exchange.free(holder, currency)),
                "hold": plain(self.exchange.held(holder, currency)),
            }
            for currency, total in holder.total.items()
        }

    def _margin(self, holder: Account) -> Json:
        free = self.exchange.free_margin(holder)
        margin = {"total": holder.margin, "available": free, "hold": holder.margin - free}
        return {"USDT": {name: plain(one) for name, one in margin.items()}}

    @staticmethod
    def _positions(holder: Account) -> Iterator[tuple[str, Json]]:
        for symbol in {one for one, _ in holder.positions}:
            legs = [holder.positions.get((symbol, leg)) for leg in ("LONG", "SHORT", "BOTH")]
            sizes = [Decimal(0) if one is None else one.quantity for one in legs]
            yield (
                symbol,
                {
                    "long": plain(max(Decimal(0), *sizes)),
                    "short": plain(max(Decimal(0), *(-one for one in sizes))),
                },
            )

    @staticmethod
    def _row(order: Order) -> Json:
        ticket = order.ticket
        return {
            "client_order_id": ticket.client_id,
            "symbol": ticket.market.symbol,
            "side": ticket.side,
            "type": ticket.type,
            "quantity": plain(ticket.quantity),
            "price": None if ticket.price is None else plain(ticket.price),
            "filled_quantity": plain(order.filled),
            "outcome": _OUTCOMES.get(order.status, order.status),
            "reduce_only": ticket.reduce_only or ticket.closes_leg,
        }
