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
def encoder(kind: Any) -> Convert:  # noqa: ANN401, C901, PLR0911 - a table
    """Return the function that turns a value of this annotated type into plain JSON."""
    if isinstance(kind, NewType):
        return encoder(kind.__supertype__)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _optional(encoder(_only_type(arguments)))
    if origin is tuple:
        return _tuple_encoder(arguments)
    if origin is frozenset:
        one = encoder(arguments[0])
        return lambda value: sorted(one(item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_encoder(*arguments)
    if dataclasses.is_dataclass(kind):
        return _dataclass_encoder(kind)
    if kind is Decimal:
        return str
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return str
    return _same


@cache
def decoder(kind: Any) -> Convert:  # noqa: ANN401, PLR0911 - a table
    """Return the function that turns plain JSON back into a value of this annotated type."""
    if isinstance(kind, NewType):
        return decoder(kind.__supertype__)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _optional(decoder(_only_type(arguments)))
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is frozenset:
        one = decoder(arguments[0])
        return lambda value: frozenset(one(item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_decoder(*arguments)
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        convert: Convert = kind  # the class is the function
        return convert
    return _same


def _only_type(arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
    """Return T of `T | None`, the one union that records use."""
    (kind,) = [one for one in arguments if one is not type(None)]
    return kind


def _optional(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _tuple_encoder(arguments: tuple[Any, ...]) -> Convert:
    if arguments[-1] is Ellipsis:
        one = encoder(arguments[0])
        return lambda value: [one(item) for item in value]
    each = [encoder(kind) for kind in arguments]
    return lambda value: [one(item) for one, item in zip(each, value, strict=True)]


def _tuple_decoder(arguments: tuple[Any, ...]) -> Convert:
    if arguments[-1] is Ellipsis:
        one = decoder(arguments[0])
        return lambda value: tuple(one(item) for item in value)
    each = [decoder(kind) for kind in arguments]
    return lambda value: tuple(one(item) for one, item in zip(each, value, strict=True))


def _mapping_encoder(key_kind: Any, kind: Any) -> Convert:  # noqa: ANN401
    one, keys = encoder(kind), encoder(key_kind)
    if get_origin(key_kind) is tuple:  # the keys of a JSON object are plain text: so these are rows
        return lambda value: [[*keys(key), one(item)] for key, item in value.items()]
    return lambda value: {str(key): one(item) for key, item in value.items()}


def _mapping_decoder(key_kind: Any, kind: Any) -> Convert:  # noqa: ANN401
    one, keys = decoder(kind), decoder(key_kind)
    if get_origin(key_kind) is tuple:
        return lambda value: {keys(row[:-1]): one(row[-1]) for row in value}
    return lambda value: {key: one(item) for key, item in value.items()}


def _dataclass_encoder(kind: Any) -> Convert:  # noqa: ANN401
    hints = get_type_hints(kind)
    fields = [
        (one.name, _stored_name(one), encoder(hints[one.name]), _default(one))
        for one in dataclasses.fields(kind)
    ]

    def encode(value: Any) -> dict[str, Any]:  # noqa: ANN401
        record = {}
        for name, short, convert, default in fields:
            item = getattr(value, name)
            if item is not default and item != default:
                record[short] = convert(item)
        return record

    return encode


def _dataclass_decoder(kind: Any) -> Convert:  # noqa: ANN401
    hints = get_type_hints(kind)
    converts = {}
    for one in dataclasses.fields(kind):
        converts[one.name] = converts[_stored_name(one)] = one.name, decoder(hints[one.name])

    def decode(record: Mapping[str, Any]) -> Any:  # noqa: ANN401
        # A field that this release does not know was written by a newer one: left out, not lost,
        # since a record of a newer schema is never written back (see records.py).
        values = {}
        for key, item in record.items():
            if key in converts:
                name, convert = converts[key]
                values[name] = convert(item)
        return kind(**values)

    return decode


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
