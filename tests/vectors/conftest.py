"""Each vector runs in this process, where coverage sees it, over a running stack, and at exchanges.

What a vector cannot have at an exchange is said in `exceptions.py`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

from tests.support.at_exchange import at_exchange
from tests.support.exchanges.books import LINEAR, SPOT, Market
from tests.support.places import Place
from tests.support.rehearsing import Differences
from tests.support.shared_stacks import SharedStacks
from tests.support.stack import Installation
from tests.support.stand_in import stand_in
from tests.support.users import apisify
from tests.support.users.poloniex import Trader
from tests.support.users.three_commas import Client
from tests.vectors.exceptions import exempt

#: Starts an installation whose files are in a folder, with settings of its own, and what exchanges
#: trade that it is at.
Start = Callable[[Path, Mapping[str, str], Sequence[Market]], AbstractContextManager[Installation]]

#: Returns the installation of a name, likewise.
Installed = Callable[[str, Mapping[str, str], Sequence[Market]], Installation]


def _listed(symbol: str, kind: str, price_step: str, quantity_step: str, least: str) -> Market:
    base, _, quote = symbol.partition("/")
    return Market(
        base,
        quote,
        kind,
        price_step=Decimal(price_step),
        quantity_step=Decimal(quantity_step),
        min_quantity=Decimal(quantity_step),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(1_000_000),
        min_notional=Decimal(least),
    )


#: The place of what runs over a whole stack.
RUNNING = "running"

#: What the demo accounts trade on paper, and the coins of the 3Commas vectors.
_USUAL = (
    _listed("BTC/USDT", SPOT, "0.01", "0.00001", "5"),
    _listed("ETH/USDT", SPOT, "0.01", "0.0001", "5"),
    _listed("LTC/USDT", SPOT, "0.00000001", "0.01", "0"),
    _listed("BTC/USDT", LINEAR, "0.01", "0.00001", "5"),
    _listed("ETH/USDT", LINEAR, "0.01", "0.001", "5"),
)

#: In the steps of the Poloniex and apisify vectors.
_OWN_STEPS = (
    _listed("BTC/USDT", SPOT, "0.01", "0.000001", "1"),
    _listed("ETH/USDT", SPOT, "0.01", "0.000001", "1"),
    _listed("BTC/USDT", LINEAR, "0.5", "0.001", "0"),
)


def _in_process(
    data_dir: Path, environment: Mapping[str, str], _: Sequence[Market]
) -> AbstractContextManager[Installation]:
    return stand_in(data_dir, environment)


#: What dry runs have said of vectors that was not so.
_DIFFERENCES = Differences()


def _rehearsed(
    data_dir: Path, environment: Mapping[str, str], _: Sequence[Market]
) -> AbstractContextManager[Installation]:
    return stand_in(data_dir, environment, _DIFFERENCES)


#: Of what a dry run can say no more than that an order would be sent, and why.
_ANOTHER_MOMENT: Final = {
    "test_the_sample_of_the_page_buys_an_inverse_contract": "its price walks on meanwhile",
}


#: Vectors that are not run dry, and why.
_NOT_REHEARSED: Final = {
    "test_a58_a_cancel_meets_the_price": "its requests come at once, and a rehearsal parts them",
    "test_it_ends_what_is_live_in_every_state": "an order is UNKNOWN for less than that takes",
}


@pytest.fixture(autouse=True)
def dry_runs_were_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """See that whatever a dry run said of a request was so."""
    _DIFFERENCES.found.clear()
    yield
    if request.node.originalname not in _ANOTHER_MOMENT:
        assert _DIFFERENCES.found == []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an exchange cannot have, and mark where each vector is tried in all tests.

    That is in this process, and either over a running stack or at one exchange, another one for the
    next; the rest of the product is for `make test-matrix`.
    """
    left_out = []
    tried: dict[str, str] = {}
    for item in items:
        if "[rehearsed" in item.name and item.name.partition("[")[0] in _NOT_REHEARSED:
            left_out.append(item)
            continue
        place = _place_of(item)
        if place is None:
            continue
        name = _name_of(item, place)
        if place != RUNNING and any(exempt(name, Place(place))):
            left_out.append(item)
            continue
        there = [RUNNING, *(one for one in Place if not any(exempt(name, one)))]
        chosen = tried.setdefault(name, there[crc32(name.encode()) % len(there)])
        item.add_marker(pytest.mark.pairs if place == chosen else pytest.mark.matrix)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [one for one in items if one not in left_out]


def _place_of(item: pytest.Item) -> str | None:
    """Return where a vector runs besides this process, if it does."""
    called = getattr(item, "callspec", None)
    if called is None or "start" not in called.params:
        return None
    how = called.params["start"]
    if how is None:
        return RUNNING
    return str(how.args[0]) if isinstance(how, partial) else None


def _name_of(item: pytest.Item, place: str) -> str:
    """Return module, function and parameters of a vector, wherever it runs."""
    function, _, parameters = item.name.partition("[")
    left = parameters.removesuffix("]").removeprefix(place).removeprefix("-")
    return f"{item.path.stem}::{function}" + (f"[{left}]" if left else "")


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(_in_process, marks=pytest.mark.integration, id="in_process"),
        pytest.param(_rehearsed, marks=pytest.mark.integration, id="rehearsed"),
        pytest.param(None, marks=pytest.mark.e2e, id=RUNNING),
        *(pytest.param(partial(at_exchange, one), id=str(one)) for one in Place),
    ],
)
def start(request: pytest.FixtureRequest) -> Start | None:
    """Return how an installation is started; None is a stack that runs for others as well."""
    found: Start | None = request.param
    return found


@pytest.fixture(scope="session")
def installed(
    start: Start | None, stacks: SharedStacks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """Return the installation of a name, which is started when it is wanted first."""
    if start is None:
        yield lambda name, environment, _: stacks.of(name, environment)
        return
    begin, known = start, dict[str, Installation]()
    with ExitStack() as running:

        def once(
            name: str, environment: Mapping[str, str], listed: Sequence[Market]
        ) -> Installation:
            if name not in known:
                begun = begin(tmp_path_factory.mktemp(name), environment, listed)
                known[name] = running.enter_context(begun)
            return known[name]

        yield once


@pytest.fixture
def shared_stack(installed: Installed) -> Installation:
    """An installation for all vectors that want no settings of their own."""
    return installed("stack", {}, _USUAL)


@pytest.fixture
def own_stack(installed: Installed) -> Installation:
    """An installation for vectors that trade in other steps than the demo accounts.

    It is called by the URL of the apisify vectors, behind a proxy.
    """
    return installed("steps", apisify.ENVIRONMENT, _OWN_STEPS)


@pytest.fixture
def odd_stack(installed: Installed) -> Installation:
    """An installation with every setting that few vectors want."""
    odd = {
        **apisify.ENVIRONMENT,
        "APISIFY_PUBLIC_URLS": json.dumps([apisify.URL, apisify.HTTP_URL]),
        "POLO_TRIGGER_DIRECTION": "infer",
    }
    return installed("odd", odd, _OWN_STEPS)


@pytest.fixture
def client(shared_stack: Installation) -> Client:
    """Return a client of the 3Commas dialect, in the state that its vectors begin from."""
    client = Client(shared_stack)
    client.reset()
    return client


@pytest.fixture
def trader(own_stack: Installation) -> Trader:
    """Return a caller of the Poloniex dialect, in the state that its vectors begin from."""
    trader = Trader(own_stack)
    trader.reset()
    return trader


@pytest.fixture
def caller(own_stack: Installation) -> apisify.Caller:
    """Return a caller of the apisify dialect, in the state that its vectors begin from."""
    caller = apisify.Caller(own_stack)
    caller.reset()
    return caller
