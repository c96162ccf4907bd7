"""What the documents point to is there, and so is what the code cites."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]
)
SPECS = ROOT / "docs" / "specs"
SOURCES = sorted(
    path for folder in ("app", "workers", "tests") for path in (ROOT / folder).rglob("*.py")
)

#: How a citation or a path names a dialect → its spec.
DIALECTS = {
    "Crypto Arsenal": "crypto-arsenal",
    "crypto_arsenal": "crypto-arsenal",
    "apisify": "apisify",
    "Poloniex": "poloniex",
    "poloniex": "poloniex",
    "3Commas": "three-commas",
    "three_commas": "three-commas",
    "smart_trade": "three-commas",
    "Hummingbot": "hummingbot",
    "hummingbot": "hummingbot",
}
NAMES = "|".join(DIALECTS)

#: A dialect, "spec", and numbers of sections, decisions or vectors.
CITATION = re.compile(
    rf"(?:(?P<name>{NAMES})(?: webhook)? )?spec,? (?:sections? )?"
    r"(?P<numbers>[A-Z]?\d+(?:\.\d+)?(?:(?:, | and | to )(?:section )?[A-Z]?\d+(?:\.\d+)?)*)"
)
NUMBER = re.compile(r"[A-Z]?\d+(?:\.\d+)?")


def links(page: Path) -> Iterator[str]:
    """Yield where a page points to, but for other sites."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def anchors(page: Path) -> set[str]:
    """Return the anchors that forges make of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def citations() -> Iterator[tuple[str, str, str]]:
    """Yield where a spec is cited, which one, and the number of the section or row."""
    for path in SOURCES:
        where = str(path.relative_to(ROOT))
        text = path.read_text()
        of_path = next((name for name in DIALECTS if name in where), None)
        of_module = re.search(rf"({NAMES})(?: webhook)? spec", text)
        for found in CITATION.finditer(re.sub(r"\s*\n\s*(?:#:? )?", " ", text)):
            name = found["name"] or (of_module[1] if of_module else of_path)
            for number in NUMBER.findall(found["numbers"]):
                yield where, DIALECTS.get(name or "", "of no dialect"), number


def numbers(spec: str) -> set[str]:
    """Return the numbers of the sections and rows of a spec; vectors are the tests themselves."""
    text = (SPECS / f"{spec}.md").read_text()
    sections = re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE)
    rows = re.findall(r"^\| ([A-Z]?\d+(?:\.\d+)?) \|", text, re.MULTILINE)
    return {*sections, *rows}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w*-]+\.(?:py|lua|toml|yaml|conf))`", page.read_text())
    missing = [
        one for one in named if not any(list(base.glob(one)) for base in (ROOT, ROOT / "app"))
    ]

    assert missing == []


def test_every_citation_of_a_spec_can_be_opened() -> None:
    found = list(citations())
    known = {
        spec: numbers(spec)
        for spec in {spec for _, spec, _ in found}
        if (SPECS / f"{spec}.md").exists()
    }

    assert len(found) > 50
    assert [
        one for one in found if one[2][0] not in "VS" and one[2] not in known.get(one[1], set())
    ] == []


def test_every_test_that_a_page_names_is_there() -> None:
    tests = {
        f"{path.name}::{name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = {
        name for page in PAGES for name in re.findall(r"`(test_\w+\.py::\w+)`", page.read_text())
    }

    assert named
    assert named - tests == set()
