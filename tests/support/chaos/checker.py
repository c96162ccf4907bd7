"""Holds what senders were told against what the venue has: it knows nothing of our code.

`/api/orders` is only asked which order a message became (`caller_id`, `client_order_id`), and how
that is said to have ended.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from tests.support.chaos.load import ACCOUNTS, BTC, PRICE, RESTING_PRICE, USDT, Message, Sort
from tests.support.stack import Stack

Row = Mapping[str, Any]

#: An order or a signal in one of these is over.
TERMINAL = frozenset(
    {"FILLED", "DONE", "DENIED", "EXPIRED", "CANCELED", "REJECTED", "SKIPPED", "PARTIAL"}
)
#: Over, and the venue need never have heard of it.
REFUSED = frozenset({"DENIED", "EXPIRED", "CANCELED"})

#: What the venue's ledger calls an order that it has received before.
DUPLICATE = "DUPLICATE"


@dataclass
class Evidence:
    """Everything that there is to know.

    Attributes:
        accounts: name → what `GET /paper/accounts/<name>` shows.
        rows: what `GET /api/orders` shows of these accounts.
    """

    log: Sequence[Message]
    accounts: Mapping[str, Row]
    rows: Sequence[Row]


def evidence(log: Sequence[Message], stack: Stack) -> Evidence:
    """Gather what there is to know now."""
    rows = [row for account in ACCOUNTS for row in _rows(stack, account)]
    return Evidence(log, {name: stack.account(name) for name in ACCOUNTS}, rows)


def unfinished(found: Evidence) -> list[Row]:
    """Return what is neither over nor resting at the venue."""
    resting = {row["parent_id"] for row in found.rows if row["state"] == "NEW"}
    return [
        row
        for row in found.rows
        if row["state"] not in TERMINAL and row["state"] != "NEW" and row["id"] not in resting
    ]


def violations(found: Evidence) -> list[str]:
    """Return a sentence for whatever is not as promised."""
    return [
        *(f"{row['kind']} {row['id']} is {row['state']} still" for row in unfinished(found)),
        *_wrong_messages(found),
        *_strangers(found),
        *_repeats(found),
        *_wrong_sums(found),
    ]


def tally(found: Evidence) -> dict[str, int]:
    """Return what there was, for people."""
    trades = [one for one in found.log if one.sort in {Sort.MARKET, Sort.RESTING}]
    ledger = [row for account in found.accounts.values() for row in account["ledger"]]
    return {
        "messages": len(found.log),
        "requests": sum(len(one.answers) for one in found.log),
        "acknowledged trades": sum(one.is_acknowledged for one in trades),
        "trades in doubt": sum(not one.is_acknowledged and not one.is_refused for one in trades),
        "refused messages": sum(one.is_refused for one in found.log),
        "venue orders": sum(row["outcome"] != DUPLICATE for row in ledger),
        "repeats that reached the venue": sum(row["outcome"] == DUPLICATE for row in ledger),
        "refusals of ours": sum(
            row["kind"] == "SIGNAL" and row["state"] in {"DENIED", "EXPIRED"} for row in found.rows
        ),
    }


def _wrong_messages(found: Evidence) -> Iterator[str]:
    orders: dict[str, list[Row]] = defaultdict(list)
    signals: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows:
        if row["kind"] == "ORDER":
            orders[row["caller_id"]].append(row)
        elif row["side"] is not None:
            signals[row["caller_id"]].append(row)
    ledger = {row["client_order_id"]: row for row in _accepted(found)}
    ends = _ends(found.log)
    for one in found.log:
        if one.sort is Sort.CANCEL:
            continue
        at_venue = [ledger[row["client_order_id"]] for row in orders[one.name]
                    if row["client_order_id"] in ledger]  # fmt: skip
        for complaint in (
            *_wrong_count(one, signals[one.name], at_venue),
            *_wrong_end(one, orders[one.name], at_venue, ends[one.name]),
        ):
            yield f"{one.sort} {one.name} {one.answers}: {complaint}"


def _wrong_count(one: Message, signals: Sequence[Row], at_venue: Sequence[Row]) -> Iterator[str]:
    if len(at_venue) > 1:
        yield f"placed {len(at_venue)} times"
    if len(signals) > 1 or len(one.ids) > 1:
        yield f"became {len(signals)} signals, and was called {sorted(one.ids)}"
    if one.is_refused and (signals or at_venue):
        yield "refused, yet queued"
    if one.is_acknowledged and not signals:
        yield "acknowledged, and lost"
    if one.is_acknowledged and not at_venue and {row["state"] for row in signals} - REFUSED:
        yield f"never placed, and {[row['state'] for row in signals]}"


def _wrong_end(
    one: Message, orders: Sequence[Row], at_venue: Sequence[Row], ends: Collection[str]
) -> Iterator[str]:
    for row in at_venue:
        if row["received_at_ms"] < one.sent_at_ms + one.delay_ms:
            early = one.sent_at_ms + one.delay_ms - row["received_at_ms"]
            yield f"placed {early} ms early"
        if row["quantity"] != one.body["fixed"]:
            yield f"placed with {row['quantity']}"
        if row["outcome"] not in ends:
            yield f"is {row['outcome']} at the venue, not {' or '.join(sorted(ends))}"
        known = {order["client_order_id"]: order for order in orders}[row["client_order_id"]]
        if known["state"] != row["outcome"] or known["filled_quantity"] != row["filled_quantity"]:
            yield f"is {row['outcome']} at the venue, and we say {known['state']}"


def _ends(log: Sequence[Message]) -> Mapping[str, Collection[str]]:
    """Return message → how its order may stand at the venue.

    A cancel is sent when its target was acknowledged. If it was acknowledged as well, the target is
    gone; while it is in doubt, it may be.
    """
    ends = {one.name: {"FILLED"} if one.sort is Sort.MARKET else {"NEW"} for one in log}
    for cancel in log:
        if cancel.sort is Sort.CANCEL and not cancel.is_refused:
            target = ends[cancel.body["clientOrderId"]]
            target.add("CANCELED")
            if cancel.is_acknowledged:
                target.discard("NEW")
    return ends


def _strangers(found: Evidence) -> Iterator[str]:
    """Yield the venue's orders that no acknowledged message, or one in doubt, accounts for."""
    names = {one.name for one in found.log if not one.is_refused}
    known = {row["client_order_id"] for row in found.rows if row["caller_id"] in names}
    for row in _accepted(found):
        if row["client_order_id"] not in known:
            yield f"nobody has asked for order {row['client_order_id']}"


def _repeats(found: Evidence) -> Iterator[str]:
    """Yield what was sent again though the venue had it.

    The paper venue refuses it, a real one may fill it twice. No harm that is done here explains it:
    the venue hides nothing when it is asked, so whoever asks before sending again is told.
    """
    for name, account in found.accounts.items():
        for row in account["ledger"]:
            if row["outcome"] == DUPLICATE:
                yield f"{name}: order {row['client_order_id']} was sent again"


def _wrong_sums(found: Evidence) -> Iterator[str]:
    for name, account in found.accounts.items():
        accepted = [row for row in account["ledger"] if row["outcome"] != DUPLICATE]
        rows = {row["client_order_id"]: row for row in accepted}
        base, quote = Decimal(BTC), Decimal(USDT)
        filled: dict[str, Decimal] = defaultdict(Decimal)
        for fill in account["fills"]:
            bought = rows[fill["client_order_id"]]["side"] == "BUY"
            quantity = Decimal(fill["quantity"]) * (1 if bought else -1)
            base, quote = base + quantity, quote - quantity * Decimal(fill["price"])
            filled[fill["client_order_id"]] += abs(quantity)
            if fill["price"] != PRICE:
                yield f"{name}: filled at {fill['price']}"
        held = sum(
            Decimal(row["quantity"]) * Decimal(RESTING_PRICE)
            for row in account["ledger"]
            if row["outcome"] == "NEW"
        )
        totals = {one: Decimal(of["total"]) for one, of in account["balances"].items()}
        if totals != {"BTC": base, "USDT": quote}:
            yield f"{name}: has {totals}, its fills make {base} BTC and {quote} USDT"
        if Decimal(account["balances"]["USDT"]["hold"]) != held:
            yield f"{name}: holds {account['balances']['USDT']['hold']} USDT, not {held}"
        wrong = [one for one, row in rows.items() if Decimal(row["filled_quantity"]) != filled[one]]
        if wrong:
            yield f"{name}: fills of {wrong} do not make what was filled"


def _accepted(found: Evidence) -> list[Row]:
    return [
        row
        for account in found.accounts.values()
        for row in account["ledger"]
        if row["outcome"] != DUPLICATE
    ]


def _rows(stack: Stack, account: str) -> Iterator[Row]:
    cursor: str | None = ""
    while cursor is not None:
        query = {"account": account, "limit": 500, **({"cursor": cursor} if cursor else {})}
        page = stack.call("GET", f"/api/orders?{urlencode(query)}")
        yield from page["data"]
        cursor = page["next_cursor"]
