"""Every route of ours and of the dialects, as the documentation tells of it.

A test compares this table with the routes that there are, so that none is undocumented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from marshmallow import Schema

from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.domain.commands import Action
from app.domain.words import Dialect
from app.ingress.account_records import AccountBody
from app.ingress.client_bodies import BODIES
from app.ingress.connector_records import ConnectorBody
from app.ingress.json_schema import Json, object_schema
from app.ingress.order_list import ListQuery
from app.ingress.paper_controls import ClockBody
from app.ingress.rows import KEYS
from app.ingress.waiting import Patience, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route.

    Attributes:
        path: the rule, as Flask writes it.
        tag: the chapter that it stands in.
        query: the schema of its query, if it takes one.
        body: the JSON schema of its body, if it takes one.
        answers: status → what it means.
    """

    method: str
    path: str
    tag: str
    summary: str
    query: Schema | None = None
    body: Json | None = None
    answers: Mapping[int, str] = field(default_factory=lambda: {200: "Done."})
    is_open: bool = False


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


