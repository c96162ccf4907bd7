"""From requests to commands and searches (Hummingbot spec, sections 1 to 4)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from app.dialects.hummingbot.errors import (
    BODY,
    MISSING,
    InvalidBody,
    Problem,
    located,
)
from app.dialects.hummingbot.names import statuses_behind, symbol_of
from app.domain.commands import PlaceOrder
from app.domain.enums import Kind, Side
from app.domain.errors import MalformedPayload
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.search import FillPlace, Place, Search
from app.web.cursors import numbers_of
from app.web.json_body import json_from
from app.web.raw_body import raw_body

#: A time below this is in seconds, as the official client sends it (spec, A8).
SECONDS_BELOW = 10**11

#: Later than anything; larger numbers are no times.
_TIME_MAX = 2**53

_NO_OBJECT = Problem(
    "model_attributes_type",
    "Input should be a valid dictionary or object to extract fields from",
)

#: Of a body that is shown in an answer because it was announced as something else.
_SHOWN_CHARACTERS = 1000


def shape_of_request(schema: Schema) -> dict[str, Any]:
    """Return what a schema makes of the request at hand.

    Raises:
        InvalidBody: with every problem.
        PayloadTooLarge: it is over the limit.
    """
    return shape_of(schema, body_from(raw_body()))


def body_from(content: bytes) -> Mapping[str, object]:
    """Return the JSON object that the body of the request at hand holds.

    Raises:
        InvalidBody: there is none.
    """
    return object_from(content, request.headers.get("Content-Type", ""))


def object_from(body: bytes, content_type: str) -> Mapping[str, object]:
    """Return the JSON object of a body (spec, 2.4).

    Raises:
        InvalidBody: there is none, it is no JSON, it is no object, or it was not announced as one.
    """
    content: object = body.decode(errors="replace")[:_SHOWN_CHARACTERS]
    if _is_json(content_type):
        try:
            content = json_from(body) if body else None
        except MalformedPayload as error:
            raise InvalidBody([_no_json(error)]) from error
    if not body or content is None:
        raise InvalidBody([MISSING])
    if not isinstance(content, dict):
        raise InvalidBody([replace(_NO_OBJECT, given=content)])
    return content


def _is_json(content_type: str) -> bool:
    family, _, name = content_type.partition(";")[0].strip().lower().partition("/")
    return family == "application" and (name == "json" or name.endswith("+json"))


def _no_json(error: MalformedPayload) -> Problem:
    position, why = 0, str(error)
    if isinstance(error.__cause__, json.JSONDecodeError):
        position, why = error.__cause__.pos, error.__cause__.msg
    return Problem("json_invalid", "JSON decode error", {"error": why}, (*BODY, position), {})


def shape_of(schema: Schema, body: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of all fields; keys that no field has are ignored.

    Raises:
        InvalidBody: with every problem, in the order of the fields.
    """
    try:
        shape: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        found = error.messages_dict.items()
        raise InvalidBody([located(name, one, body) for name, one in found]) from error
    return shape


def command_from(shape: Mapping[str, Any]) -> PlaceOrder:
    """Return the order that a request asks for."""
    return PlaceOrder(
        symbol=symbol_of(shape["trading_pair"]),
        side=shape["trade_type"],
        type=shape["order_type"],
        quantity=shape["amount"],
        price=shape["price"],
        action=shape["position_action"],
    )


def search_from(shape: Mapping[str, Any], accounts: Iterable[AccountId]) -> Search:
    """Return what a list of orders or fills is asked for.

    Args:
        shape: as one of the list schemas reads it; filters that it does not have ask nothing.
        accounts: those that it names, or all of the user's.
    """
    status, sides = shape.get("status"), shape.get("trade_types")
    until_ms = time_ms(shape.get("end_time"))
    return Search(
        kinds=frozenset({Kind.ORDER}),
        accounts=frozenset(accounts),
        states=frozenset(statuses_behind(status)) if status else None,
        symbols=frozenset(map(symbol_of, shape["trading_pairs"]))
        if shape.get("trading_pairs")
        else None,
        sides=frozenset(Side(one) for one in sides if one in set(Side)) if sides else None,
        since_ms=time_ms(shape.get("start_time")),
        until_ms=None if until_ms is None else EpochMs(until_ms + 1),
    )


def time_ms(given: int | None) -> EpochMs | None:
    """Return a time that was given in seconds or in milliseconds."""
    if given is None:
        return None
    in_ms = given * 1000 if abs(given) < SECONDS_BELOW else given
    return EpochMs(max(min(in_ms, _TIME_MAX), 0))


def order_place(cursor: str | None) -> Place | None:
    """Return the place after which a list of orders goes on; it begins anew without a cursor."""
    match numbers_of(cursor or ""):
        case [at_ms, order_id]:
            return EpochMs(at_ms), AggregateId(order_id)
        case _:
            return None


def fill_place(cursor: str | None) -> FillPlace | None:
    """Return the place after which a list of fills goes on; it begins anew without a cursor."""
    match numbers_of(cursor or ""):
        case [at_ms, order_id, number]:
            return EpochMs(at_ms), AggregateId(order_id), number
        case _:
            return None
