"""Values ↔ plain JSON, derived from the type annotations, so that no shape is written twice.

Decimals become text, closed sets their word, dataclasses objects without the fields that have
their default. What is read back equals what was written. The metadata of a field may say what a
record calls it (`stored`), and that it is written with its default, too (`always`).
"""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Final, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

#: Names that nearly every record holds, and what stands for them there: a fifth of the memory of an
#: armed order. Both are read.
SHORT: Final[Mapping[str, str]] = {
    "account": "ac",
    "caller_id": "ci",
    "created_at_ms": "ca",
    "dialect": "dl",
    "direction": "di",
    "due_at_ms": "du",
    "filled_quantity": "fq",
    "client_order_id": "co",
    "level": "lv",
    "looks_now": "ln",
    "market": "mk",
    "next_action_at_ms": "na",
    "order_id": "oi",
    "order_status": "os",
    "origin": "or",
    "parent_id": "pa",
    "price_step": "ps",
    "request_id": "rq",
    "source": "so",
    "symbol": "sy",
    "time_in_force": "tf",
    "trigger": "tr",
    "updated_at_ms": "ua",
    "venue": "ve",
    "venue_order_id": "vo",
}

#: Writes plain JSON without blanks.
json_text = json.JSONEncoder(separators=(",", ":")).encode

Value = TypeVar("Value")
Convert = Callable[[Any], Any]


def value_from(kind: type[Value], text: str) -> Value:
    """Return the value of this kind that was encoded and written as JSON text."""
    decode: Any = decoder
    value: Value = decode(kind)(json.loads(text))
    return value


def _same(value: Any) -> Any:  # noqa: ANN401 - this module is the foreign edge of typing
    return value


@cache
def encoder(kind: Any) -> Convert:  # noqa: ANN401
    """Return the function that turns a value of this annotated type into plain JSON."""
    return _codec(kind)[0]


@cache
def decoder(kind: Any) -> Convert:  # noqa: ANN401
    """Return the function that turns plain JSON back into a value of this annotated type."""
    return _codec(kind)[1]


@cache
def _codec(kind: Any) -> tuple[Convert, Convert]:  # noqa: ANN401, PLR0911 - a table
    if isinstance(kind, NewType):
        return _codec(kind.__supertype__)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _of_optional(arguments)
    if origin is tuple:
        return _of_tuple(arguments)
    if origin is frozenset:
        to, back = _codec(arguments[0])
        return lambda value: sorted(map(to, value)), lambda value: frozenset(map(back, value))
    if origin is not None and issubclass(origin, Mapping):
        return _of_mapping(*arguments)
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return str, kind  # the class is the function
    return _same, _same


def _of_optional(arguments: tuple[Any, ...]) -> tuple[Convert, Convert]:
    """Return the codec of `T | None`, the one union that records use."""
    (kind,) = [one for one in arguments if one is not type(None)]
    to, back = _codec(kind)
    return (
        lambda value: None if value is None else to(value),
        lambda value: None if value is None else back(value),
    )


def _of_tuple(arguments: tuple[Any, ...]) -> tuple[Convert, Convert]:
    if arguments[-1] is Ellipsis:
        to, back = _codec(arguments[0])
        return lambda value: list(map(to, value)), lambda value: tuple(map(back, value))
    each = [_codec(kind) for kind in arguments]
    return (
        lambda value: [to(item) for (to, _), item in zip(each, value, strict=True)],
        lambda value: tuple(back(item) for (_, back), item in zip(each, value, strict=True)),
    )


def _of_mapping(key_kind: Any, kind: Any) -> tuple[Convert, Convert]:  # noqa: ANN401
    (key_to, key_back), (to, back) = _codec(key_kind), _codec(kind)
    if get_origin(key_kind) is tuple:  # the keys of a JSON object are plain text: so these are rows
        return (
            lambda value: [[*key_to(key), to(item)] for key, item in value.items()],
            lambda value: {key_back(row[:-1]): back(row[-1]) for row in value},
        )
    of_text = int if _is_number(key_kind) else key_back
    return (
        lambda value: {str(key): to(item) for key, item in value.items()},
        lambda value: {of_text(key): back(item) for key, item in value.items()},
    )


def _is_number(kind: Any) -> bool:  # noqa: ANN401
    """Tell whether a value of this type is a number, such as an id."""
    return _is_number(kind.__supertype__) if isinstance(kind, NewType) else kind is int


def _of_dataclass(kind: Any) -> tuple[Convert, Convert]:  # noqa: ANN401
    hints = get_type_hints(kind)
    fields = [
        (one.name, _stored_name(one), *_codec(hints[one.name]), _default(one))
        for one in dataclasses.fields(kind)
    ]
    by_name = {key: (name, back) for name, stored, _, back, _ in fields for key in (name, stored)}

    def encode(value: Any) -> dict[str, Any]:  # noqa: ANN401
        record = {}
        for name, stored, to, _, default in fields:
            item = getattr(value, name)
            if item is not default and item != default:
                record[stored] = to(item)
        return record

    def decode(record: Mapping[str, Any]) -> Any:  # noqa: ANN401
        # A field that this release does not know was written by a newer one: left out, not lost,
        # since a record of a newer schema is never written back (see records.py).
        values = {}
        for key, item in record.items():
            if key in by_name:
                name, back = by_name[key]
                values[name] = back(item)
        return kind(**values)

    return encode, decode


def _stored_name(one: "dataclasses.Field[Any]") -> str:
    """Return what a record calls a field: as ever, also where the code has another name by now."""
    name: str = one.metadata.get("stored", one.name)
    return SHORT.get(name, name)


def _default(one: "dataclasses.Field[Any]") -> Any:  # noqa: ANN401
    if one.metadata.get("always"):
        return dataclasses.MISSING
    if one.default is not dataclasses.MISSING:
        return one.default
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return dataclasses.MISSING
