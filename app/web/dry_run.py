"""Dry runs: any request of a dialect that changes something can ask what it would do instead.

What is wanted is looked for in every place and spelling that people try, and what cannot be
understood is refused: nothing is ever sent for somebody who wanted to try it first.
"""

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from flask import request

from app import metrics
from app.bootstrap import Wiring
from app.domain.errors import MalformedPayload, NotDry, invalid_fields
from app.rehearsal.rehearsal import rehearsal_of
from app.web.answers import Answer
from app.web.dry_answer import dry_answer
from app.web.json_body import out_of_form
from app.web.raw_body import raw_body_of
from app.web.routes import Route, View, route_of_request
from app.web.surface import Surface
from app.web.turns import Turns

Environ = MutableMapping[str, Any]

#: The parameter, and the field of a body; the header is `X-Dry-Run`.
NAME: Final = "dry_run"
HEADER: Final = "X-Dry-Run"

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})

#: Every spelling of the name begins with these, unless it is escaped.
_BEGINNING: Final = "dry"

#: The name with what gives it a value, wherever it stands.
_ASSIGNED: Final = re.compile(r"dry[-_ ]?run[\"'\]]*\s*[=:]", re.IGNORECASE)

_SHOWN_CHARACTERS = 40

_log = structlog.get_logger()

#: They cost more than what they are tried for, and must not keep that waiting.
TURNS: Final = Turns()


def routes_of_dialect(surface: Surface, wiring: Wiring) -> Sequence[Route]:
    """Return the routes of a dialect, of which those that change something can run dry."""
    return [
        one if one.reads else replace(one, view=_either(one, surface, wiring), runs_dry=True)
        for one in surface.routes(wiring)
    ]


def refuse_elsewhere() -> None:
    """Refuse a dry run of what cannot tell what it would do, rather than do it.

    Raises:
        NotDry: the request at hand asks for one.
        MalformedPayload, PayloadTooLarge, EncodingUnsupported: as in `is_dry`.
    """
    route = route_of_request()
    if route is None or route.reads or route.runs_dry:
        return
    if is_dry(request.environ):
        raise NotDry("this cannot run dry; nothing was done")


def _either(route: Route, surface: Surface, wiring: Wiring) -> View:
    """Return a view that does what its route does, or tells what that would be."""

    def fast(environ: Environ) -> Any:  # noqa: ANN401 - as the view has it
        if not is_dry(environ):
            return route.view(environ)
        return _run(route, surface, wiring, (environ,), {})

    def usual(**names: str) -> Any:  # noqa: ANN401 - as the view has it
        if not is_dry(request.environ):
            return route.view(**names)
        return _run(route, surface, wiring, (), names)

    chosen = fast if route.is_fast else usual
    chosen.__doc__ = route.view.__doc__  # as the documentation of routes takes it
    return chosen


def _run(
    route: Route,
    surface: Surface,
    wiring: Wiring,
    arguments: Sequence[Environ],
    names: Mapping[str, str],
) -> Answer:
    """Carry the request out where nothing is written, and tell what came of it.

    Raises:
        HookfillError: as the real run.
        NotDry: what it would do cannot be told without doing it.
        TooBusy: there are others already, and they stand back for what is real.
    """
    key = (route.method, route.rule)
    with TURNS.turn():
        rehearsal = rehearsal_of(wiring)
        routes = surface.routes(rehearsal.wiring)
        twin = next(one for one in routes if (one.method, one.rule) == key)
        given: Answer = twin.view(*arguments, **names)
        answer = dry_answer(rehearsal, given)
    metrics.DRY_RUNS.labels(dialect=surface.dialect).inc()
    _log.info("ran_dry", dialect=surface.dialect, route=route.rule, outcome=_outcome_in(answer))
    return answer


def _outcome_in(answer: Answer) -> object:
    return answer.body.get("outcome") if isinstance(answer.body, Mapping) else None


def is_dry(environ: Environ) -> bool:
    """Tell whether a request wants to be told what it would do.

    Wherever it says so counts: one place that does is enough, whatever the others say. Where it may
    say so, and nobody can read what, it is refused: that is asked of everything that is read here
    more narrowly than a dialect may read it.

    Raises:
        MalformedPayload: it says something that is neither yes nor no.
        PayloadTooLarge, EncodingUnsupported: its body cannot be read.
    """
    said = [value for name, value in environ.items() if _is_header(name)]
    query = environ.get("QUERY_STRING", "")
    if query and ("%" in query or _BEGINNING in query.lower()):
        said += _in_pairs(query)
    body = raw_body_of(environ)
    if body and _may_say(body):
        said += _in_body(body)
    return True in {_meant(one) for one in said}  # all of them are read, whatever the first says


def _is_header(name: str) -> bool:
    return name.startswith("HTTP_") and "DRY" in name and _is_name(name)


def _may_say(body: bytes) -> bool:
    return _BEGINNING.encode() in body.lower() or b"\\u" in body or b"%" in body


def _in_pairs(text: str) -> Iterator[object]:
    """Yield what a query or a form says; what may say so within a pair is read by nobody."""
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        if _is_name(name):
            yield value
        elif _ASSIGNED.search(f"{name}={value}"):
            yield f"{name}={value}"


def _in_body(body: bytes) -> Iterator[object]:
    """Yield what a body says: JSON, at any depth, or a form."""
    text = _bare(out_of_form(body).decode(errors="replace"))
    found: list[object] = []

    def noted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.extend(value for name, value in pairs if _is_name(name))
        return dict(pairs)

    # It reads whatever any dialect does, and more: the least number of digits, all constants.
    reader = json.JSONDecoder(object_pairs_hook=noted, parse_int=str, parse_float=str, strict=False)
    try:
        reader.decode(text)
    except (ValueError, RecursionError):
        yield from _in_pairs(text)
        if text[:1] in {"{", "["} and _ASSIGNED.search(text):
            yield text  # so it is refused
    yield from found


def _bare(text: str) -> str:
    """Return a text without white space and byte order marks around it, however many."""
    before = None
    while before != text:
        before, text = text, text.strip().strip("\ufeff")
    return text


def _is_name(name: str) -> bool:
    return "".join(filter(str.isalnum, name)).lower().endswith("dryrun")


def _meant(said: object) -> bool:
    word = str(said).strip().lower() if isinstance(said, str | bool | int) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _unclear(said)


def _unclear(said: object) -> MalformedPayload:
    shown = f"{said!s}"[:_SHOWN_CHARACTERS]
    return invalid_fields({NAME: [f"Must be true or false, was {shown!a}; nothing was done."]})
