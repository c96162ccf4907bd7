"""Which functions of ours one webhook, one tick and one cancel pass: `python -m benchmarks.walks`.

A walk is one piece of work, from the door to the store and back: a request until its answer, the
look at the prices of one venue, or what one effect of the outbox asks for, as a task of a worker
hands it to `carry_out`. What follows from a piece is a piece of its own, and a walk of its own.

Counts each function of `app` once a walk, constructors too, but not properties and what dataclasses
make. A station is one that is entered from another file: where a reader opens the next. A room is
the folder of a function. Stations in the paper venue, which stands for an exchange, are told apart.
With `--list` the stations are printed in the order of the walk.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

from app.bootstrap import web_wiring
from app.domain.account import PAPER
from app.domain.effects import EffectKind
from app.factory import create_app
from app.services.perform import carry_out
from app.services.watching.watch import watch_prices
from app.settings import Settings
from tests.support.caller import Caller, Worker
from tests.support.servers import QUICK, running_server

APP = Path(__file__).parents[1] / "app"
TOKEN = "an-admin-token-of-these-walks"  # noqa: S105 - of no installation


class Walk:
    """The functions that were entered.

    Attributes:
        functions: each once, in the order of the walk.
        stations: those of them that were entered from another file.
    """

    def __init__(self) -> None:
        self.functions: dict[str, None] = {}
        self.stations: dict[str, None] = {}

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call; a profile function of Python."""
        code = frame.f_code
        if event == "call" and _is_ours(code) and not _is_attribute(code, frame):
            name = f"{Path(code.co_filename).relative_to(APP)}:{code.co_qualname}"
            self.functions[name] = None
            if _caller(frame) != code.co_filename:
                self.stations[name] = None

    def __str__(self) -> str:
        """Return how long it is."""
        rooms = {str(Path(name).parent) for name in self.stations}
        simulated = sum(name.startswith("paper/") for name in self.stations)
        told = f", {simulated} of them in the paper venue" if simulated else ""
        return (
            f"{len(self.functions)} functions, "
            f"{len(self.stations)} stations in {len(rooms)} rooms{told}"
        )


def _caller(frame: FrameType) -> str:
    """Return the file of ours that called, through whatever library."""
    back = frame.f_back
    while back is not None and not back.f_code.co_filename.startswith(f"{APP}/"):
        back = back.f_back
    return back.f_code.co_filename if back else ""


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(f"{APP}/") and not code.co_name.startswith("<")


def _is_attribute(code: CodeType, frame: FrameType) -> bool:
    """Tell whether it is a property, or a method but a constructor that Python calls by itself."""
    if code.co_name.startswith("__") and code.co_name != "__init__":
        return True
    owner = frame.f_locals.get("self")
    return isinstance(getattr(type(owner), code.co_name, None), property)


@contextmanager
def walking() -> Iterator[Walk]:
    """Note what this thread enters meanwhile."""
    walk = Walk()
    sys.setprofile(walk.note)
    try:
        yield walk
    finally:
        sys.setprofile(None)


def walks(settings: Settings) -> Iterator[tuple[str, Walk]]:
    """Yield each walk by its name."""
    web = web_wiring(settings)
    caller, worker = Caller(create_app(web).test_client(), TOKEN), Worker(settings)
    ports = worker.wiring.ports
    web.paper.seed_instruments()
    for name, symbol in (("usdm", "ETH/USDT"), ("spot", "BTC/USDT")):
        account = {"balances": {"USDT": "100000"}, "market": name.upper()}
        caller.call("PUT", f"/paper/accounts/{name}", account)
        connector = {"account": name, "symbol": symbol, "token": "demo-token"}
        caller.call("PUT", f"/api/connectors/{name}", connector)
    _set(caller, "2000")

    def signal(name: str, **fields: object) -> Callable[[], object]:
        return lambda: caller.signal(**fields, connectorName=name)

    def walk(act: Callable[[], object]) -> Walk:
        with walking() as walked:
            act()
        return walked

    def piece(kind: EffectKind) -> Walk:
        """Walk through the newest work of a kind that is owed."""
        owed = (one.target for one in ports.outbox.owed() if one.kind is kind)
        target = max(owed)
        return walk(lambda: carry_out(kind, target, ports))

    buy = {"action": "openLong", "fixed": "0.1", "profit": "2200", "loss": "1900"}
    signal("usdm", **buy)()  # the first of everything loads what the next one finds
    worker.work()
    rest = {"action": "buy", "fixed": "0.01", "limit": "1000", "clientOrderId": "rests"}
    yield "a webhook, to the answer", walk(signal("usdm", **{**buy, "fixed": "0.2"}))
    yield "its signal, to an order of paper, and back", piece(EffectKind.ADVANCE)
    worker.work()
    _set(caller, "1900")
    yield "a tick that fires a stop", walk(lambda: watch_prices(PAPER, ports))
    yield "its order, to the venue and back", piece(EffectKind.PLACE)
    worker.work()
    signal("spot", **rest)()
    worker.work()
    order = next(one for one in caller.rows() if one["state"] == "NEW")
    yield (
        "a cancel, to the answer",
        walk(lambda: caller.call("POST", f"/api/orders/{order['id']}/cancel")),
    )
    yield "its order, off the venue", piece(EffectKind.CANCEL)


def _set(caller: Caller, price: str) -> None:
    prices = {"ETH/USDT": {"last": price}, "BTC/USDT": {"last": "50000"}}
    caller.call("PUT", "/paper/prices", {"prices": prices})


def main() -> None:
    """Print a row for each walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true")
    wants_list = parser.parse_args().list
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), QUICK) as server:
        environment = {
            "REDIS_URL": f"{server.url}/0",
            "HOOKFILL_DATA_DIR": folder,
            "HOOKFILL_ADMIN_TOKEN": TOKEN,
            "HOOKFILL_FAST": "1",
        }
        for name, walk in walks(Settings.from_environment(environment)):
            sys.stdout.write(f"{name}: {walk}\n")
            if wants_list:
                sys.stdout.writelines(f"    {one}\n" for one in walk.stations)


if __name__ == "__main__":
    main()
