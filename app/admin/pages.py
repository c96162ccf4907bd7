"""The pages for people, each rendered from the store as it is now."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Final
from urllib.parse import urlencode, urlsplit

from flask import render_template, request
from marshmallow import validate

from app.admin.account_records import AccountRecords
from app.admin.authentication import Gate
from app.admin.channel_records import ChannelRecords
from app.admin.errors import error_answer
from app.admin.exits import failing_exits, only_here
from app.admin.health import canary_age_ms
from app.admin.order_list import ListQuery, cursor_of, order_id_of, page_of, search_from
from app.admin.protection import protected
from app.admin.recovery import FrozenAccounts
from app.admin.related import Families
from app.admin.request_body import query_of_request
from app.admin.room import Room
from app.admin.venue_accounts import VenueAccounts
from app.bootstrap import Wiring
from app.dialects.surfaces import CONNECTORS
from app.domain.account import PAPER, Account, Connector
from app.domain.enums import Kind, Market, Mode
from app.domain.errors import HistoryUnavailable, HookfillError
from app.domain.identifiers import AccountName
from app.domain.market import AccountView
from app.domain.money import plain
from app.domain.notice import CHOOSABLE
from app.domain.request.signal import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import OrderStatus
from app.lateness import late_of
from app.settings import is_loopback
from app.web.fields import Text
from app.web.peer import is_https

#: Rows of the overview.
ROWS: Final = 50

#: Refused requests that it shows.
REFUSALS: Final = 10

#: Guarded positions on the overview.
PROTECTED: Final = 20

#: What the overview lists besides one kind of aggregate. Without a kind it lists requests only,
#: unless a state is asked for, which a part of a request may be in as well.
EVERYTHING: Final = "ALL"

#: What the overview can be asked for.
OVERVIEW_QUERY: Final = ListQuery.from_dict(
    {"kind": Text(validate=validate.OneOf([*Kind, EVERYTHING]))}
)()


class Pages:
    """Renders a page for whoever the gate has let in."""

    def __init__(self, wiring: Wiring, gate: Gate) -> None:
        self._wiring = wiring
        self._settings = wiring.settings
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._accounts = AccountRecords(wiring)
        self._channels = ChannelRecords(wiring)
        self._venue_accounts = VenueAccounts(wiring)
        self._frozen = FrozenAccounts(wiring)
        self._families = Families(wiring)
        self._gate = gate
        self._room = Room(wiring)

    def trouble(self, error: HookfillError) -> tuple[str, int, Mapping[str, str]]:
        """Show an error as a page, with the status and headers that the API would give it."""
        status, _, headers = error_answer(error)
        is_history = isinstance(error, HistoryUnavailable)
        page = self._page("trouble", status=status, message=str(error), is_history=is_history)
        return page, status, headers

    def overview(self) -> str:
        """Show whether all is well, the prices of the paper venue and what came in."""
        query = query_of_request(OVERVIEW_QUERY)
        kind, account = query.get("kind"), query.get("account")
        wanted = {**query, "kind": None if kind in {None, EVERYTHING} else Kind(kind)}
        account_id = account and self._registry.account_named(AccountName(account)).id
        top_level = kind is None and "state" not in query
        search = replace(search_from(wanted, account_id), top_level=top_level)
        found, place = page_of(self._wiring.reader.newest(query["cursor"], search), ROWS)
        asked = {name: request.args.get(name, "") for name in ("kind", "account", "state")}
        kept = {name: text for name, text in asked.items() if text}
        connector = next(iter(self._registry.connectors()), None)
        return self._page(
            "overview",
            health=self._health(),
            refusals=self._wiring.refusals.newest(REFUSALS),
            protected=list(islice(protected(self._registry.accounts(), self._wiring), PROTECTED)),
            frozen=self._frozen.all(),
            prices=self._prices(),
            price_source=self._settings.prices,
            rows=[self._families.row(one) for one in found],
            asked=asked,
            kinds=list(Kind),
            accounts=[account.name for account in self._registry.accounts()],
            states=list(
                dict.fromkeys([*RequestStatus, *OrderStatus, *SmartOrderStatus, *TradeStatus])
            ),
            newest=f"/?{urlencode(kept)}" if query["cursor"] else None,
            older=f"/?{urlencode({**kept, 'cursor': cursor_of(place)})}" if place else None,
            alert=connector and self._alert(connector, CONNECTORS.small_alert),
        )

    def order(self, reference: str) -> str:
        """Show one aggregate, its family, and what happened to it and what it brought forth."""
        aggregate = self._wiring.reader.find(order_id_of(reference, self._ports))
        return self._page(
            "order",
            row=self._families.row(aggregate),
            aggregate=aggregate,
            root=self._families.tree(self._families.root_of(aggregate)),
            timeline=self._families.timeline(aggregate),
            account_state=self._ports.ledger.state_of(aggregate.account),
        )

    def accounts(self) -> str:
        """Show all accounts, what they may do, and what those of the paper venue hold."""
        shown = self._accounts.all()["data"]
        accounts = self._registry.accounts()
        waiting = self._venue_accounts.waiting()
        # The paper venue agrees with us, save where the order of a fill is not known here any more.
        has_orphans = bool(self._ports.reconciliations.orphan_count())
        return self._page(
            "accounts",
            accounts=shown,
            views={account.name: self._holdings(account) for account in accounts},
            compared={
                account.name: self._venue_accounts.of(account, waiting.get(account.id, ()))
                for account in accounts
                if account.venue != PAPER or has_orphans
            },
        )

    def account(self, name: str) -> str:
        """Show how one account stands at its venue: what differs there, and what to do about it."""
        shown = self._accounts.show(name)
        account = self._registry.account_named(AccountName(name))
        return self._page(
            "account",
            account=shown,
            is_paper=account.venue == PAPER,
            compared=self._venue_accounts.of(account),
        )

    def connectors(self) -> str:
        """Show all connectors, and the alert that the form asks for."""
        connectors = self._registry.connectors()
        name = request.args.get("connector")
        chosen = next((one for one in connectors if name in {None, one.name}), None)
        return self._page(
            "connectors",
            connectors=connectors,
            markets={one.name: self._market_of(one) for one in connectors},
            alert=chosen and self._alert(chosen, request.args),
        )

    def channels(self) -> str:
        """Show where people are told what happens, and how that goes."""
        channels = self._channels.all()["data"]
        return self._page("channels", channels=channels, every_kind=list(CHOOSABLE))

    def _page(self, name: str, **content: object) -> str:
        url = self._settings.public_url or self._url_of_request()
        return render_template(
            f"dashboard/{name}.html",
            page=name,
            csrf_token=self._gate.csrf_token(),
            is_fast=self._settings.fast,
            webhook_url=f"{url}{CONNECTORS.path}",
            is_local=is_loopback(urlsplit(url).hostname or ""),
            **content,
        )

    def _url_of_request(self) -> str:
        scheme = "https" if is_https(request.environ, self._settings.trusted_proxies) else "http"
        return f"{scheme}://{request.host}"

    def _health(self) -> Mapping[str, object]:
        """Return whether messages come through, and how much waits."""
        late = late_of(self._settings, self._ports)
        return {
            "canary_age_ms": canary_age_ms(self._ports),
            "is_ready": not late,
            "late": sorted(late),
            "backlog": self._wiring.backlog.read(
                self._ports.clock.server_ms(), self._ports.clock.now_ms()
            ),
            "quarantined": self._ports.quarantine.all(),
            "shortages": list(self._room.shortages()),
            "failing_exits": list(failing_exits(self._wiring)),
            "only_here": list(only_here(self._wiring)),
        }

    def _prices(self) -> object:
        """Return symbol → prices; of a real exchange what was seen last, for a page asks none."""
        paper = self._wiring.paper
        return paper.prices()["prices"] if self._settings.prices == "walk" else paper.seen_prices()

    def _holdings(self, account: Account) -> Mapping[str, object] | None:
        """Return what an account of the paper venue holds; nothing about those of other venues."""
        if account.mode is not Mode.PAPER:
            return None
        return _holdings_of(self._ports.venues.of(account).view())

    def _market_of(self, connector: Connector) -> Market:
        return self._registry.account_named(connector.account).market

    def _alert(self, connector: Connector, form: Mapping[str, str]) -> Mapping[str, object]:
        return CONNECTORS.alert(connector, self._market_of(connector), form)


def _holdings_of(view: AccountView) -> Mapping[str, object]:
    balances = [
        (currency, plain(one.total), plain(one.available), plain(one.total - one.available))
        for currency, one in sorted(view.balances.items())
    ]
    positions = [
        (symbol, side, plain(one.size), plain(one.available), plain(one.entry_price))
        for (symbol, side), one in sorted(view.positions.items())
        if one.size
    ]
    return {"balances": balances, "positions": positions}
