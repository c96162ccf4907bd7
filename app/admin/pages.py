"""The pages for people, each rendered from the store as it is now."""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, make_response, render_template, request

from app.admin.account_records import AccountRecords
from app.admin.authentication import Gate
from app.admin.errors import error_answer
from app.admin.order_list import cursor_of
from app.admin.overview import OVERVIEW_QUERY, Overview
from app.admin.recovery import FrozenAccounts
from app.admin.related import Families
from app.admin.request_body import query_of_request
from app.admin.venue_accounts import VenueAccounts
from app.bootstrap import Wiring
from app.dialects.surfaces import CONNECTORS
from app.domain.account import PAPER, Account, Connector
from app.domain.enums import Kind, Market, Mode
from app.domain.errors import HistoryUnavailable, HookfillError, NotFound
from app.domain.identifiers import AccountName, ClientOrderId, id_from
from app.domain.market import AccountView
from app.domain.money import plain
from app.domain.request.signal import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import OrderStatus
from app.settings import is_loopback
from app.web.peer import is_https


class Pages:
    """Renders a page for whoever the gate has let in."""

    def __init__(self, wiring: Wiring, gate: Gate) -> None:
        self._settings = wiring.settings
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._accounts = AccountRecords(wiring)
        self._venue_accounts = VenueAccounts(wiring)
        self._overview = Overview(wiring)
        self._frozen = FrozenAccounts(wiring)
        self._families = Families(wiring)
        self._gate = gate

    def trouble(self, error: HookfillError) -> Response:
        """Show an error as a page, with the status that the API would give it."""
        status = error_answer(error).status
        is_history = isinstance(error, HistoryUnavailable)
        page = self._page("trouble", status=status, message=str(error), is_history=is_history)
        response = make_response(page)
        response.status_code = status
        return response

    def overview(self) -> str:
        """Show whether all is well, the prices of the paper venue and what came in."""
        query = query_of_request(OVERVIEW_QUERY)
        found, place = self._overview.listed(query)
        asked = {name: request.args.get(name, "") for name in ("kind", "account", "state")}
        kept = {name: text for name, text in asked.items() if text}
        connector = next(iter(self._registry.connectors()), None)
        return self._page(
            "overview",
            health=self._overview.health(),
            frozen=self._frozen.all(),
            prices=self._overview.prices(),
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
        found = id_from(reference)
        if found is None:
            found = self._ports.ids.order_of(ClientOrderId(reference))
        if found is None:
            raise NotFound(f"there is no order {reference[:64]!a}")
        aggregate = self._families.load(found)
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

    def _page(self, name: str, **content: object) -> str:
        scheme = "https" if is_https(request.environ, self._settings.trusted_proxies) else "http"
        return render_template(
            f"dashboard/{name}.html",
            page=name,
            csrf_token=self._gate.csrf_token(),
            is_fast=self._settings.fast,
            webhook_url=f"{scheme}://{request.host}{CONNECTORS.path}",
            is_local=is_loopback(request.host.rsplit(":", 1)[0]),
            **content,
        )

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
