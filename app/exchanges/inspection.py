"""Whether an account at a real exchange can be traded with. Nothing is changed there."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from app.domain.enums import Market, PositionMode
from app.domain.errors import HookfillError
from app.domain.finding import Finding, Grade
from app.domain.venue_traits import AdapterClass
from app.exchanges import parse
from app.exchanges.catalog import lacks_of
from app.exchanges.exchange import Exchange
from app.store.memory.venue_budget import Urgency

Look = Callable[[Exchange], Iterator[Finding]]

#: A clock that is further off hints at a machine without time synchronization.
OFFSET_MS_MAX = 500

_SYNC = (
    "Synchronize this machine's clock, for instance with chrony. Hookfill allows for the offset."
)


def inspected(exchange: Exchange) -> Sequence[Finding]:
    """Return what there is to say about an account, worst first."""
    found: list[Finding] = []
    looks: Sequence[Look] = (_adapter, _clock, _markets, _keys, _rights, _position_mode)
    for look in looks:
        try:
            found += look(exchange)
        except HookfillError as error:
            found.append(_failed(look, exchange, error))
            if look in {_clock, _markets}:
                break  # it cannot be reached, and all else would fail likewise
    worst = [Grade.ERROR, Grade.WARNING, Grade.OK]
    return sorted(found, key=lambda one: worst.index(one.grade))


def _failed(look: Look, exchange: Exchange, error: Exception) -> Finding:
    fixes: Mapping[Look, str] = {
        _markets: f"See whether {exchange.venue} can be reached from this machine.",
        _clock: f"See whether {exchange.venue} can be reached from this machine.",
        _keys: "Check key, secret and the addresses that the key is bound to; "
        "keys of a testnet or of demo trading are good there only. "
        "`hookfill account test` tries a refused key at once.",
    }
    check = look.__name__.removeprefix("_")
    grade = Grade.WARNING if look is _position_mode else Grade.ERROR
    return Finding(check=check, message=str(error), grade=grade, fix=fixes.get(look, ""))


def _adapter(exchange: Exchange) -> Iterator[Finding]:
    lacks = lacks_of(exchange.account)
    if lacks:
        message = f"{exchange.venue} cannot be traded at: it lacks {'; '.join(lacks)}"
        yield Finding(check="adapter", message=message, grade=Grade.ERROR)
    kind = exchange.profile.adapter_class
    sandbox = exchange.profile.sandbox_of(exchange.account)
    money = "real money" if sandbox is None else f"play money ({sandbox})"
    if kind is AdapterClass.FULL:
        yield Finding(check="adapter", message=f"{exchange.venue} is a {kind} adapter, {money}")
        return
    yield Finding(
        check="adapter",
        message=f"{exchange.venue} is a {kind} adapter, {money}: it cannot be asked by client "
        "order id, so an order without an answer waits for a person; nor what was placed there, so "
        "a store that was restored is told by its count alone",
        grade=Grade.WARNING,
        fix="Watch for orders that are UNKNOWN; restore with `hookfill restore` (docs/backup.md).",
    )


def _clock(exchange: Exchange) -> Iterator[Finding]:
    with exchange.call() as line:
        if not line.api.has.get("fetchTime"):
            message = f"{exchange.venue} cannot be asked for its time, which is taken for ours"
            yield Finding(check="clock", message=message)
            return
    offset, took = exchange.measure_clock()
    message = f"the venue's clock is {offset} ms ahead; it answered within {took} ms"
    if abs(offset) > OFFSET_MS_MAX:
        yield Finding(check="clock", message=message, grade=Grade.WARNING, fix=_SYNC)
    else:
        yield Finding(check="clock", message=message)


def _markets(exchange: Exchange) -> Iterator[Finding]:
    count = exchange.reload_markets()
    yield Finding(check="markets", message=f"{count} markets are traded")


def _keys(exchange: Exchange) -> Iterator[Finding]:
    with exchange.asking(Urgency.QUESTION) as api:
        balances = parse.balances_of(api.fetch_balance())
    listed = ", ".join(f"{one.total:f} {name}" for name, one in sorted(balances.items())[:5])
    yield Finding(check="keys", message=f"the keys are good; the account has {listed or 'nothing'}")


def _rights(exchange: Exchange) -> Iterator[Finding]:
    can_withdraw = exchange.can_withdraw()
    if can_withdraw is None:
        yield Finding(
            check="rights",
            message=f"{exchange.venue} does not tell whether the key can withdraw",
            grade=Grade.WARNING,
            fix="See for yourself that the key cannot.",
        )
    elif can_withdraw:
        yield Finding(
            check="rights",
            message="the key can withdraw, so orders are refused with it",
            grade=Grade.ERROR,
            fix="Make a key that can trade and read only.",
        )
    else:
        yield Finding(check="rights", message="the key cannot withdraw")


def _position_mode(exchange: Exchange) -> Iterator[Finding]:
    account = exchange.account
    if account.market is Market.SPOT:
        return
    with exchange.asking(Urgency.QUESTION) as api:
        if not api.has.get("fetchPositionMode"):
            return
        hedged = bool(api.fetch_position_mode()["hedged"])
    there = PositionMode.HEDGE if hedged else PositionMode.ONEWAY
    if there is account.position_mode:
        yield Finding(check="position_mode", message=f"both sides are in {there}")
        return
    yield Finding(
        check="position_mode",
        message=f"the venue is in {there}, the account in {account.position_mode}",
        grade=Grade.ERROR,
        fix=f"Set the account's position_mode to {there}, or change it at the venue while flat.",
    )
