"""What vectors cannot have at exchanges: the table names vectors that there are, and is shown."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.places import Place
from tests.support.price_vectors import VECTORS
from tests.vectors.exceptions import EXEMPT, Exempt, exempt

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "vectors"

#: As docs/venues.md calls them.
NAMES = {
    Place.BINANCE: "Binance",
    Place.BINANCE_ONE_WAY: "Binance, one-way",
    Place.BYBIT: "Bybit",
    Place.POLONIEX: "Poloniex",
}


def vectors() -> set[str]:
    """Return `module::function` of every test of the folder."""
    return {
        f"{path.stem}::{node.name}"
        for path in FOLDER.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


PATTERNS = [(row, one) for row in EXEMPT for one in row.tests]


@pytest.mark.parametrize(("row", "pattern"), PATTERNS, ids=[one for _, one in PATTERNS])
def test_each_row_names_vectors_that_there_are(row: Exempt, pattern: str) -> None:
    function, _, price_vector = pattern.partition("[V")
    found = [one for one in vectors() if fnmatchcase(one, function)]

    assert found, row.why
    assert not price_vector or f"V{price_vector.removesuffix(']')}" in VECTORS


def test_the_table_is_shown() -> None:
    page = (ROOT / "docs" / "venues.md").read_text()

    for row in EXEMPT:
        where = ", ".join(NAMES[one] for one in Place if one in row.places)
        named = "all" if row.places == set(Place) else where
        assert f"| {row.why} | {named} |" in page


@pytest.mark.parametrize("place", Place)
def test_most_vectors_are_had_everywhere(place: Place) -> None:
    left_out = [one for one in vectors() if any(exempt(one, place))]

    assert len(left_out) < len(vectors()) / 2
