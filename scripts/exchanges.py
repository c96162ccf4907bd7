"""What each exchange that ccxt knows has and lacks: `python -m scripts.exchanges`.

Prints the table of docs/venues.md; `--write` puts it there. No exchange is asked.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import ccxt

from app.domain.enums import Market
from app.exchanges.profiles import PROFILES
from app.exchanges.suitability import Buys, Suitability, suitability_of

PAGE = Path(__file__).parents[1] / "docs" / "venues.md"
_BEGIN, _END = "<!-- exchanges: begin -->\n", "<!-- exchanges: end -->\n"
_BUYS = {Buys.BY_COST: "buys by cost", Buys.AT_TOUCH: "buys by cost, at the touch"}


def table() -> str:
    """Return the table as it stands on the page: one row for each exchange outside our own."""
    return "".join(f"{line}\n" for line in _lines())


def written(page: str) -> str:
    """Return the part of the page that the table is."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def _lines() -> Iterator[str]:
    yield f"Made by `python -m scripts.exchanges --write`, with ccxt {ccxt.__version__}."
    yield ""
    yield "| Exchange | SPOT | USDM |"
    yield "| --- | --- | --- |"
    for name in ccxt.exchanges:
        if name not in PROFILES:
            spot, usdm = (suitability_of(name, one) for one in (Market.SPOT, Market.USDM))
            yield f"| `{name}` | {_cell(spot)} | {_cell(usdm, is_futures=True)} |"


def _cell(found: Suitability, *, is_futures: bool = False) -> str:
    if not found.is_there:
        return "-"
    if found.lacks:
        return f"**not possible**: lacks {_safe('; '.join(found.lacks))}"
    words = ["taken"]
    if found.buys in _BUYS:
        words.append(_BUYS[found.buys])
    if is_futures and not found.is_hedged:
        words.append("ONEWAY only")
    if found.untold:
        words.append(f"no order could be tried: {_safe(found.untold)}")
    return "; ".join(words)


def _safe(text: str) -> str:
    """Return text that a table takes, without the places that a message points to."""
    return re.sub(r"\s+", " ", re.sub(r"https?://\S+", "...", text)).replace("|", "/")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text()
        PAGE.write_text(page.replace(_BEGIN + written(page) + _END, _BEGIN + table() + _END))
    else:
        print(table(), end="")
