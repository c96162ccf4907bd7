"""The parameters of a request: query, form and JSON as one (3Commas docs, README, 2019).

Query beats body. Lists of objects come in each of the ways that clients have of writing them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from app.domain.errors import MalformedPayload
from app.web.json_body import json_from, payload_from, without_mark

#: The one parameter that is a list of objects.
STEPS: Final = "take_profit_step_orders"

FORM: Final = "application/x-www-form-urlencoded"

#: No call has nearly as many parameters; each step of a list is several.
_PAIRS_MAX = 500

#: `name[percent]`, `name[][percent]`, `name[0][percent]`, `name[]`.
_BRACKETS = re.compile(r"(\w+)(?:\[(\d{0,4})\])?(?:\[([a-z_]+)\])?", re.ASCII)

_Pairs = Sequence[tuple[str, str]]

Parameters = Mapping[str, object]


#: A value that says two things at once; whoever reads it finds that it is invalid.
UNCLEAR: Final = object()


class Unreadable(MalformedPayload):
    """Query or body cannot be read at all."""


def parameters_from(query: str, mimetype: str, body: bytes) -> Parameters:
    """Return name → value: text from query and form; whatever JSON has from a JSON body.

    What is empty or `null` is not there. A name that stands twice, with different values, has the
    value `UNCLEAR`.

    Raises:
        Unreadable: the body is no JSON object, or an escape is not UTF-8.
    """
    text = without_mark(body).strip()
    named = present(_of_body(mimetype, text)) if text else {}
    named.update(present(_of_pairs(_pairs(query))))
    if isinstance(named.get(STEPS), str | Mapping):
        named[STEPS] = _listed(named[STEPS])
    return present(named)


def present(named: Parameters) -> dict[str, object]:
    """Return what is there: neither empty nor `null`."""
    return {name: value for name, value in named.items() if value is not None and value != ""}


def _unreadable(message: str) -> Unreadable:
    return Unreadable("invalid_request", message)


def _of_body(mimetype: str, text: bytes) -> Parameters:
    # `curl --data '{...}'` says that its JSON is a form.
    if mimetype == FORM and not text.startswith(b"{"):
        try:
            return _of_pairs(_pairs(text.decode()))
        except UnicodeDecodeError as error:
            raise _unreadable("the form is not UTF-8") from error
    try:
        return payload_from(text)
    except MalformedPayload as error:
        raise _unreadable(str(error)) from error


def _pairs(text: str) -> _Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_PAIRS_MAX)
    except ValueError as error:
        raise _unreadable(f"query or form cannot be read: {error}") from error


def _of_pairs(pairs: _Pairs) -> dict[str, object]:
    named: dict[str, object] = {}
    steps: list[tuple[str | None, str, str]] = []
    for name, value in pairs:
        match = _BRACKETS.fullmatch(name)
        base, index, key = match.groups() if match else (name, None, None)
        if base == STEPS and key is not None:
            steps.append((index, key, value))
        elif index == "" and key is None:  # `pairs[]=..`
            named.setdefault(base, [])
            known = named[base]
            named[base] = [*known, value] if isinstance(known, list) else UNCLEAR
        else:
            named[name] = value if named.get(name, value) == value else UNCLEAR
    if steps:
        named[STEPS] = UNCLEAR if STEPS in named else _elements(steps)
    return named


def _elements(steps: Sequence[tuple[str | None, str, str]]) -> object:
    """Return the objects that are written in one of the three ways with brackets, not in two."""
    cells = [(key, value) for _, key, value in steps]
    # The brackets of the index are missing, empty, or hold a number.
    indexes = {index for index, _, _ in steps}
    if indexes == {None}:
        return _columns(cells)
    if indexes == {""}:
        return _rows(cells)
    return _numbered(steps) if all(indexes) else UNCLEAR


def _rows(cells: _Pairs) -> object:
    """Read `[][percent]=..&[][price]=..`: a key that repeats begins the next object."""
    rows: list[dict[str, str]] = [{}]
    for key, value in cells:
        if key in rows[-1]:
            rows.append({})
        rows[-1][key] = value
    return rows


def _numbered(steps: Sequence[tuple[str | None, str, str]]) -> object:
    """Read `[0][percent]=..`: by number, whatever the numbers begin with."""
    rows: dict[int, dict[str, str]] = {}
    for index, key, value in steps:
        row = rows.setdefault(int(index or 0), {})
        if row.setdefault(key, value) != value:
            return UNCLEAR
    return [rows[number] for number in sorted(rows)]


def _columns(cells: _Pairs) -> object:
    """Read `[percent]=..&[percent]=..&[price]=..&[price]=..`: columns of one length."""
    columns: dict[str, list[str]] = {}
    for key, value in cells:
        columns.setdefault(key, []).append(value)
    if len({len(column) for column in columns.values()}) > 1:
        return UNCLEAR
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _listed(value: Any) -> object:  # noqa: ANN401 - as it came
    """Return the list that a text or a numbered object holds; else the value itself."""
    if isinstance(value, str):
        try:
            listed = json_from(value.encode())
        except MalformedPayload:
            return UNCLEAR
        return listed if listed is None or isinstance(listed, list) else UNCLEAR
    if value and all(key.isascii() and key.isdigit() and len(key) < len("10000") for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value
