"""Rules about the code itself, which nobody then has to remember."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from app.admin.errors import STATUS_OF
from app.dialects.crypto_arsenal.render import error_for
from app.dispatch.routes import TaskName
from app.domain.errors import CommandError, HookfillError, StoreError, VenueError
from app.paper.store import keys as paper_keys
from app.store.core import keys
from app.store.memory import venue_keys
from tests.support.builders import an_error

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
KEY_MODULES = (keys, paper_keys, venue_keys)

#: A type of the store, and a word that tells how long the key lives.
TYPES = re.compile(r"\b(hash|list|set|sets|sorted set|sorted sets|stream|string)\b", re.IGNORECASE)
LIFETIMES = re.compile(
    r"\b(for ever|until|as long as|expires|the newest|overwritten)\b", re.IGNORECASE
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text())


# Errors


def descendants(kind: type[HookfillError]) -> list[type[HookfillError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in descendants(child))]


def ours(kind: type[HookfillError]) -> list[type[HookfillError]]:
    return [one for one in descendants(kind) if one.__module__.startswith("app.")]


@pytest.mark.parametrize("kind", ours(HookfillError), ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer_of_its_own_kind(kind: type[HookfillError]) -> None:
    nearest = next(one for one in kind.__mro__ if one in STATUS_OF)
    status, code = STATUS_OF[nearest]

    assert code
    assert nearest is not HookfillError or kind is HookfillError
    assert issubclass(kind, CommandError) is not (status >= HTTPStatus.INTERNAL_SERVER_ERROR) or (
        issubclass(kind, VenueError)
    )


@pytest.mark.parametrize("kind", ours(HookfillError), ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer_in_the_dialect(kind: type[HookfillError]) -> None:
    answer = error_for(an_error(kind))

    error = answer.body["error"]
    assert isinstance(error, dict)
    assert error["code"]
    assert error["message"]
    if issubclass(kind, CommandError):
        assert 400 <= answer.status < 500
    if issubclass(kind, StoreError):
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE


# Tasks


def test_every_task_name_has_a_task_and_every_task_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKFILL_DATA_DIR", str(tmp_path))
    celery_app = importlib.import_module("workers.celery_app").celery_app
    celery_app.loader.import_default_modules()

    registered = {name for name in celery_app.tasks if not name.startswith("celery.")}

    assert registered == set(TaskName)


@pytest.mark.parametrize(
    "module", ["workers.light_app", "workers.beat", "app.supervisor.supervise"]
)
def test_who_trades_nothing_loads_nothing_of_trading(module: str, tmp_path: Path) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    environment = {**os.environ, "HOOKFILL_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()

    assert module in loaded
    assert {"ccxt", "sqlalchemy", "flask", "app.domain.order", "app.bootstrap"}.isdisjoint(loaded)


# Keys


def key_functions() -> list[Callable[..., str]]:
    """Return every public function that names a key."""
    return [
        function
        for module in KEY_MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation is str
        and name != "book_name"
    ]


@pytest.mark.parametrize("function", key_functions(), ids=lambda function: function.__qualname__)
def test_every_key_says_its_type_and_its_lifetime(function: Callable[..., str]) -> None:
    doc = inspect.getdoc(function) or ""

    assert TYPES.search(doc), doc
    assert LIFETIMES.search(doc), doc


@pytest.mark.parametrize("module", KEY_MODULES, ids=lambda module: module.__name__)
def test_every_key_without_arguments_says_its_type_and_its_lifetime(module: object) -> None:
    source = inspect.getsource(module)  # type: ignore[arg-type]  # a module
    name = r'^ *(?:[A-Z_]+|self\.\w+) = f?"'
    comments = re.findall(rf"((?:^ *#: .*\n)+){name}", source, re.MULTILINE)

    assert comments
    assert all(TYPES.search(comment) and LIFETIMES.search(comment) for comment in comments)
    assert len(comments) == len(re.findall(name, source, re.MULTILINE))


# Money, names, docstrings


def test_nobody_makes_a_float_of_money() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]

    assert found == []


def test_no_file_is_where_nouns_go_to_hide() -> None:
    hidden = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [name_of(path) for path in SOURCES if path.stem in hidden] == []


def public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    """Yield the module, its public classes and functions, and their public methods."""
    yield tree
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield method


def test_everything_public_says_what_it_does() -> None:
    silent = [
        f"{name_of(path)}: {getattr(node, 'name', 'the module')}"
        for path, tree in trees()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]

    assert silent == []


def test_every_script_says_what_it_takes_and_returns() -> None:
    scripts = sorted((ROOT / "app").rglob("*.lua"))

    silent = [
        name_of(path)
        for path in scripts
        if not path.read_text().startswith((f"-- {path.stem}(", "-- Library: "))
        or "Return" not in path.read_text().split("\nlocal", 1)[0]
    ]

    assert scripts
    assert silent == []
