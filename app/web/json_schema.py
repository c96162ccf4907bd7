"""marshmallow schemas as JSON schemas, so that the documentation says what the code checks."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields, missing, validate

from app.web.fields import Flag, Number, Text, WholeNumber

Json = dict[str, Any]

#: How our patterns end.
_END = r"\Z"

#: Field class → what it takes; the most particular first. Numbers come as numbers or as text.
_TYPES: Sequence[tuple[type[fields.Field[Any]], Json]] = (
    (Flag, {"type": "boolean"}),
    (WholeNumber, {"type": ["integer", "string"]}),
    (Number, {"type": ["string", "number"]}),
    (Text, {"type": "string"}),
)


def object_schema(schema: Schema) -> Json:
    """Return the JSON schema of a body."""
    shape: Json = {
        "type": "object",
        "properties": {_name(name, field): field_schema(field) for name, field in _fields(schema)},
    }
    required = [_name(name, field) for name, field in _fields(schema) if field.required]
    if required:
        shape["required"] = required
    shape["additionalProperties"] = schema.unknown != "raise"
    return shape


def query_parameters(schema: Schema) -> list[Json]:
    """Return the parameters of a query."""
    return [
        {
            "name": _name(name, field),
            "in": "query",
            "required": field.required,
            "schema": field_schema(field),
        }
        for name, field in _fields(schema)
    ]


def field_schema(field: fields.Field[Any]) -> Json:
    """Return what one field takes; `{}`, which is anything, where that cannot be told."""
    shape: Json = {**_type_of(field), **_bounds(field), **field.metadata}
    if field.allow_none and "type" in shape:
        types = shape["type"]
        shape["type"] = [*([types] if isinstance(types, str) else types), "null"]
    elif field.load_default is not missing:
        shape["default"] = field.load_default
    return shape


def _type_of(field: fields.Field[Any]) -> Json:
    if isinstance(field, fields.List):
        return {"type": "array", "items": field_schema(field.inner)}
    if isinstance(field, fields.Enum):
        return {"type": "string", "enum": [str(one.value) for one in field.enum]}
    return next((shape for kind, shape in _TYPES if isinstance(field, kind)), {})


def _bounds(field: fields.Field[Any]) -> Json:
    bounds: Json = {}
    for rule in field.validators:
        match rule:
            case validate.OneOf():
                bounds["enum"] = [str(choice) for choice in rule.choices]
            case validate.Range():
                bounds |= _range(rule)
            case validate.Length(max=int(most)):
                bounds["maxItems"] = most
            case validate.Regexp():
                # JSON schemas are read by other engines, which have no `\Z`.
                bounds["pattern"] = f"^{str(rule.regex.pattern).removesuffix(_END)}$"
            case _:
                continue
    return bounds


def _range(rule: validate.Range) -> Json:
    named: Mapping[str, Any] = {
        "minimum" if rule.min_inclusive else "exclusiveMinimum": rule.min,
        "maximum" if rule.max_inclusive else "exclusiveMaximum": rule.max,
    }
    return {name: bound for name, bound in named.items() if bound is not None}


def _fields(schema: Schema) -> Sequence[tuple[str, fields.Field[Any]]]:
    return list(schema.fields.items())


def _name(name: str, field: fields.Field[Any]) -> str:
    return field.data_key or name
