"""What one more account at an exchange costs a worker process, with a market table of real size.

    python -m benchmarks.account_memory [--accounts 100] [--markets 2000] [--threads 16]

The exchange is the simulated Binance, asked through ccxt over real sockets. Every account is asked
for its balances, several accounts at once, twice over; the first account pays for the table.
"""

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.errors import VenueBusy
from app.domain.identifiers import AccountId, AccountName
from tests.support.exchanges.books import Market as Listed
from tests.support.venue_world import ExchangeWorld, running_world


def main() -> int:
    arguments = _arguments()
    with (
        running_world("binance_testnet", Market.SPOT, timeout_ms=60_000) as world,
    ):
        for number in range(arguments.markets):
            one = Listed(f"C{number}", "USDT")
            world.exchange.markets[one.symbol, one.kind] = one
        before = _memory_bytes()
        _ask(world, [world.account], 1)
        first = _memory_bytes()
        accounts = [
            replace(world.account, id=AccountId(number), name=AccountName(f"a{number}"))
            for number in range(10, 10 + arguments.accounts)
        ]
        begun = time.monotonic()
        for _ in range(2):
            _ask(world, accounts, arguments.threads)
        seconds = time.monotonic() - begun
        after = _memory_bytes()
    told = {
        "markets": arguments.markets,
        "accounts": arguments.accounts,
        "first_account_mib": round((first - before) / 2**20, 2),
        "each_further_mib": round((after - first) / 2**20 / arguments.accounts, 3),
        "all_mib": round((after - before) / 2**20, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(told, indent=2))
    return 0


def _ask(world: ExchangeWorld, accounts: Sequence[Account], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda one: _view(world, one), accounts))


def _view(world: ExchangeWorld, account: Account) -> None:
    """Look at an account, as soon as the budget of the exchange allows."""
    while True:
        try:
            world.clients.of(account).view()
        except VenueBusy as busy:
            time.sleep(busy.retry_after_ms / 1000)
        else:
            return


def _memory_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--markets", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=16)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
