"""Frozen accounts as the admin API shows and releases them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.bootstrap import Wiring
from app.domain.enums import Side
from app.domain.frozen import Frozen, PlacedOrder
from app.domain.identifiers import AccountId, AccountName, ClientOrderId
from app.ports.ledger import Change
from tests.support.builders import BTC, NOW, an_order
from tests.support.caller import Caller

pytestmark = pytest.mark.integration

UNKNOWN = PlacedOrder(
    client_order_id=ClientOrderId("h1"),
    venue_order_id=None,
    symbol=BTC,
    side=Side.SELL,
    quantity=Decimal("0.5"),
    filled_quantity=Decimal("0.5"),
    placed_at_ms=NOW,
)


@pytest.fixture
def account(api: Caller, wiring: Wiring) -> AccountId:
    """An account that is frozen, with an order that waits."""
    api.call("PUT", "/api/accounts/first", {})
    wiring.registry.refresh()
    found = wiring.registry.account_named(AccountName("first")).id
    waiting = replace(an_order(), account=found)
    wiring.ports.ledger.commit([Change(None, waiting)])
    frozen = Frozen(account=found, at_ms=NOW, why="it was restored", orders=(UNKNOWN,))
    wiring.ports.freezer.freeze(frozen)
    return found


def test_nothing_is_frozen(api: Caller) -> None:
    assert api.call("GET", "/api/recovery") == {"data": []}


def test_a_frozen_account_shows_both_lists(api: Caller, account: AccountId) -> None:
    (row,) = api.call("GET", "/api/recovery")["data"]

    assert (row["account"], row["state_before"], row["why"]) == ("first", "RUN", "it was restored")
    assert [one["sentence"] for one in row["unknown_orders"]] == ["sell 0.5 BTC/USDT, filled 0.5"]
    assert [one["id"] for one in row["waiting"]] == [str(an_order().id)]
    assert api.call("GET", "/api/accounts/first")["state"] == "FROZEN"
    assert account


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("body", [{"state": "RUN"}, {"state": "HALT", "group": "other"}])
def test_no_state_is_set_and_nothing_else_changes(api: Caller, body: dict[str, str]) -> None:
    answer = api.refusal("PUT", "/api/accounts/first", body)

    assert answer[:2] == (409, "wrong_state")
    assert api.call("GET", "/api/accounts/first")["group"] == "first"


def test_nobody_freezes_by_hand(api: Caller) -> None:
    assert api.refusal("PUT", "/api/accounts/first", {"state": "FROZEN"})[:2] == (
        400,
        "validation_failed",
    )


@pytest.mark.usefixtures("account")
def test_a_release_names_the_list_that_was_seen(api: Caller) -> None:
    path = "/api/accounts/first/recovery"

    stale = api.refusal("POST", path, {"frozen_at_ms": NOW - 1})
    released = api.call("POST", path, {"frozen_at_ms": NOW, "cancel_pending": True})
    again = api.refusal("POST", path, {"frozen_at_ms": NOW})

    assert (stale[0], again[0]) == (409, 409)
    assert released == {"account": "first", "state": "RUN", "ended": 1}
    assert api.call("GET", "/api/recovery") == {"data": []}


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("body", [{}, {"frozen_at_ms": "x"}, {"frozen_at_ms": 1.5}, {"more": 1}])
def test_a_release_that_makes_no_sense_is_refused(api: Caller, body: dict[str, object]) -> None:
    answer = api.refusal("POST", "/api/accounts/first/recovery", body)

    assert answer[:2] == (400, "validation_failed")


def test_nobody_releases_an_account_that_there_is_not(api: Caller) -> None:
    assert api.refusal("POST", "/api/accounts/none/recovery", {"frozen_at_ms": 1})[0] == 404
