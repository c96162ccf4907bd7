"""Find assertions, and ends of tests, that a whole run never reached: they guard nothing.

Reads the coverage data that `make coverage` leaves behind, in which the files of the tests are
measured as well. What a `skipif` kept from running is told and excused: this machine lacks what it
needs. So is a class beside the tests that nobody has used: those who would are tests, and told
themselves.
"""

import ast
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData


@dataclass(frozen=True, slots=True)
class Finding:
    """An assertion, or the last statement of a test, that was never reached.

    Attributes:
        line: where it stands.
        is_excused: whether a `skipif` kept it from running, or all who would use it.
    """

    line: int
    is_excused: bool


def never_ran(source: str, ran: Collection[int], *, is_helper: bool = False) -> list[Finding]:
    """Return what of one file should have been reached and was not, in order.

    Args:
        source: the text of the file.
        ran: the numbers of its lines that ran.
        is_helper: it has no tests of its own.
    """
    tree = ast.parse(source)
    excused: set[int] = set()
    for node in ast.walk(tree):
        is_skippable = _may_be_skipped(node) or (is_helper and isinstance(node, ast.ClassDef))
        inner = _lines_inside(node) if is_skippable else set()
        if inner.isdisjoint(ran):
            excused |= inner
    lines = {line for node in ast.walk(tree) for line in _to_be_reached(node)}
    return [Finding(line, line in excused) for line in sorted(lines - set(ran))]


def _to_be_reached(node: ast.AST) -> list[int]:
    """Return the line of an `assert`, of an error that is expected, and of the end of a test."""
    match node:
        case ast.Assert():
            return [node.lineno]
        case ast.With() if "pytest.raises(" in ast.unparse(node.items[0]):
            return [node.lineno]
        case ast.FunctionDef() if node.name.startswith("test_"):
            return [node.body[-1].lineno]
        case _:
            return []


def _may_be_skipped(node: ast.AST) -> bool:
    """Tell whether it is a file or a test that says when it is not to run."""
    match node:
        case ast.Module():
            said = [one for one in node.body if ast.unparse(one).startswith("pytestmark")]
            return any("skipif" in ast.unparse(one) for one in said)
        case ast.FunctionDef() | ast.ClassDef():
            return any("skipif" in ast.unparse(one) for one in node.decorator_list)
        case _:
            return False


def _lines_inside(node: ast.AST) -> set[int]:
    """Return where the statements in the functions of a node begin."""
    functions = [one for one in ast.walk(node) if isinstance(one, ast.FunctionDef)]
    return {
        inner.lineno
        for function in functions
        for statement in function.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.stmt)
    }


def main(data_file: str = ".coverage", folder: str = "tests") -> int:
    """Say what was never reached in a folder; return how the process is to end."""
    data = CoverageData(data_file)
    data.read()
    dead: list[str] = []
    excused: list[str] = []
    for path in sorted(Path(folder).resolve().rglob("*.py")):
        ran, is_helper = data.lines(str(path)) or (), not path.name.startswith("test_")
        for found in never_ran(path.read_text(), ran, is_helper=is_helper):
            (excused if found.is_excused else dead).append(f"{path}:{found.line}")
    if excused:
        print(f"{len(excused)} assertions were skipped: this machine lacks what they need.")
    for place in dead:
        print(f"{place}: no test reaches this assertion, so it guards nothing")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
