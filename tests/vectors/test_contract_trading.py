"""What signals do to positions, to protection and to each other, through a whole life."""

import pytest

from tests.support.stack import Installation
from tests.support.users.crypto_arsenal import (
    FUT1,
    FUTURES,
    OPEN,
    SPOT,
    SPOT1,
    accepted,
    connector,
    ledger,
    outcome,
    position,
    settled,
)


class TestOppositeLegs:
    @pytest.mark.parametrize("mode", ["HEDGE", "ONEWAY"])
    def test_a_reversal_closes_all_of_it_before_it_opens(
        self, stack: Installation, mode: str
    ) -> None:
        short = {"ETH/USDT": {"short": "0.5", "entry_price": "2000"}}
        setting = {"reset": True, "position_mode": mode, "positions": short}
        stack.call("PUT", f"/paper/accounts/{FUTURES}", setting)

        with connector(stack, "fut1", on_opposite="reverse"):
            settled(stack, {**FUT1, "action": "openLong", "fixed": "0.3"})

        rows = [(row["quantity"], row["reduce_only"]) for row in ledger(stack, FUTURES)]
        assert rows == [("0.5", True), ("0.3", False)]
        assert position(stack) == ("0.3", "0")

    @pytest.mark.parametrize(("mode", "word"), [("HEDGE", "reject"), ("ONEWAY", "keep")])
    def test_an_opposite_position_is_refused(
        self, stack: Installation, mode: str, word: str
    ) -> None:
        short = {"ETH/USDT": {"short": "0.5", "entry_price": "2000"}}
        setting = {"reset": True, "position_mode": mode, "positions": short}
        stack.call("PUT", f"/paper/accounts/{FUTURES}", setting)

        with connector(stack, "fut1", on_opposite=word):
            known = settled(stack, {**FUT1, "action": "openLong", "fixed": "0.3"})

        assert outcome(stack, known) == ("DENIED", "opposite_position")
        assert ledger(stack, FUTURES) == []


class TestProtection:
    def test_a_dip_between_two_quick_ticks_fires_the_stop(self, stack: Installation) -> None:
        known = settled(stack, OPEN)
        for last in ("1950", "1900", "2050", "2000"):
            stack.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": last}}})
        stack.settle()

        smart = {row["trigger_price"]: row["state"] for row in stack.rows(parent=known)}
        assert (smart["1900"], smart["2200"]) == ("TRIGGERED", "CANCELED")
        assert position(stack) == ("0", "0")

    def test_an_entry_canceled_in_part_is_protected_in_part(self, stack: Installation) -> None:
        depth = {"bid": "1999", "ask": "2000", "asks": [["2000", "0.2"]]}
        stack.call("PUT", "/paper/prices?wait=true", {"prices": {"ETH/USDT": depth}})
        known = settled(stack, {**OPEN, "limit": "2000", "clientOrderId": "L"})

        settled(stack, {**FUT1, "action": "cancel", "clientOrderId": "L"})

        guards = stack.rows(kind="SMART_ORDER", parent=known)
        # Of a stop that the venue holds as well there is one more.
        assert [row["quantity"] for row in guards if row["held_by"] == "here"] == ["0.2", "0.2"]
        assert outcome(stack, known)[0] == "EXECUTING"

        settled(stack, {**FUT1, "action": "cancel", "clientOrderId": "L"})

        assert outcome(stack, known)[0] == "DONE"
        assert {row["state"] for row in stack.rows(kind="SMART_ORDER")} == {"CANCELED"}

    def test_another_signal_that_closes_takes_both_off(self, stack: Installation) -> None:
        settled(stack, OPEN)

        settled(stack, {**FUT1, "action": "closeLong"})

        assert {row["state"] for row in stack.rows(kind="SMART_ORDER")} == {"CANCELED"}

    def test_a_stop_of_a_halted_account_fires_when_it_runs_again(self, stack: Installation) -> None:
        settled(stack, OPEN)
        stack.call("PUT", f"/api/accounts/{FUTURES}", {"state": "HALT"})
        stack.prices(ETH="1890")
        held = position(stack)

        stack.call("PUT", f"/api/accounts/{FUTURES}", {"state": "RUN"})
        stack.settle()

        assert (held, position(stack)) == (("0.5", "0"), ("0", "0"))


class TestCancels:
    def test_only_the_same_connector_is_reached(self, stack: Installation) -> None:
        second = {"token": "T3", "account": SPOT, "symbol": "BTC/USDT"}
        stack.call("PUT", "/api/connectors/spot2", second)
        resting = {"action": "buy", "fixed": "0.01", "limit": "40000", "clientOrderId": "x"}
        ours = settled(stack, {**SPOT1, **resting})
        theirs = {"connectorName": "spot2", "connectorToken": "T3"}
        other = settled(stack, {**theirs, **resting})
        delayed = settled(stack, {**theirs, "action": "buy", "fixed": "1", "delaySeconds": 9})

        settled(stack, {**SPOT1, "action": "cancel", "clientOrderId": "x"})
        settled(stack, {**SPOT1, "action": "cancelAll"})

        assert outcome(stack, ours) == ("CANCELED", "requested")
        assert outcome(stack, other)[0] == "EXECUTING"
        assert outcome(stack, delayed)[0] == "SCHEDULED"

    def test_a_delayed_cancel_waits_for_its_time(self, stack: Installation) -> None:
        resting = {"action": "buy", "fixed": "0.01", "limit": "40000", "clientOrderId": "x"}
        known = settled(stack, {**SPOT1, **resting})
        later = {"action": "cancel", "clientOrderId": "x", "delaySeconds": 5}
        settled(stack, {**SPOT1, **later})

        stack.advance(4_999)
        before = outcome(stack, known)[0]
        stack.advance(1)

        assert (before, outcome(stack, known)[0]) == ("EXECUTING", "CANCELED")


class TestLateness:
    def test_entries_expire_and_exits_run(self, stack: Installation) -> None:
        entry = settled(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "delaySeconds": 10})
        leave = settled(stack, {**SPOT1, "action": "sell", "fixed": "0.01", "delaySeconds": 10})

        stack.advance(70_001)

        assert outcome(stack, entry) == ("EXPIRED", "too_late")
        assert outcome(stack, leave) == ("DONE", None)

    def test_exits_expire_too_where_the_connector_says_so(self, stack: Installation) -> None:
        with connector(stack, "spot1", late_exits="drop"):
            known = settled(stack, {**SPOT1, "action": "sell", "delaySeconds": 10})
            stack.advance(70_001)

        assert outcome(stack, known) == ("EXPIRED", "too_late")


class TestReset:
    def test_it_ends_what_is_live_in_every_state(self, stack: Installation) -> None:
        stack.call("PUT", f"/paper/faults/{SPOT}", {"place": ["ok", "timeout"]})
        resting = accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "limit": "40000"})
        stack.settle()
        unknown = accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01"})
        delayed = accepted(stack, {**SPOT1, "action": "buy", "fixed": "1", "delaySeconds": 9})
        protected = settled(stack, OPEN)

        for account in (SPOT, FUTURES):
            stack.call("PUT", f"/paper/accounts/{account}", {"reset": True})
        stack.advance(10_000)

        for known in (resting, unknown, delayed):
            assert outcome(stack, known) == ("CANCELED", "reset")
        assert outcome(stack, protected)[0] not in {"SCHEDULED", "EXECUTING"}
        assert ledger(stack, SPOT) == ledger(stack, FUTURES) == []
        assert stack.account(SPOT)["balances"]["USDT"]["hold"] == "0"

    def test_it_forgets_repeats(self, stack: Installation) -> None:
        message = {**SPOT1, "action": "buy", "fixed": "0.01", "log": "again"}
        stack.send(message)
        stack.settle()

        stack.call("PUT", f"/paper/accounts/{SPOT}", {"reset": True})
        stack.send(message)
        stack.settle()

        assert len(ledger(stack, SPOT)) == 1

    def test_what_is_not_named_stays(self, stack: Installation) -> None:
        stack.call("PUT", f"/paper/accounts/{SPOT}", {"balances": {"ETH": "3"}})

        balances = stack.account(SPOT)["balances"]
        assert balances["ETH"] == {"total": "3", "available": "3", "hold": "0"}
        assert balances["BTC"]["total"] == "0.5"
