"""All dialects: each member of `Dialect` has a folder of its name, and in it its surface."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from app.domain.account import ApiClient
from app.domain.enums import Dialect
from app.web.surface import ConnectorKind, Surface


def _surface_of(dialect: Dialect) -> Surface:
    surface: Surface = import_module(f"app.dialects.{dialect}.surface").SURFACE
    return surface


SURFACES: Final[Mapping[Dialect, Surface]] = {one: _surface_of(one) for one in Dialect}

#: Of the one dialect that has connectors.
CONNECTORS: Final[ConnectorKind] = next(
    one.connectors for one in SURFACES.values() if one.connectors is not None
)


def weakness_of(client: ApiClient) -> str | None:
    """Return what its dialect finds weak about a client as it is set, in a sentence."""
    kind = SURFACES[client.dialect].clients
    return None if kind is None else kind.weakness(client)
