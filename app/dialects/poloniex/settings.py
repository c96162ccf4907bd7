"""What can be set of a client, and of the dialect as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ByIdShape(StrEnum):
    """What `GET /smartorders/{id}` answers with: the official SDK and ccxt read it differently."""

    OBJECT = "object"
    ARRAY = "array"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The settings of one client.

    Attributes:
        by_id_shape: AUTO gives an array to whoever names a content type without a body, which
            ccxt always does and the SDK never.
    """

    by_id_shape: ByIdShape = ByIdShape.OBJECT

    def wants_array(self, content_type: str) -> bool:
        """Tell whether a request without a body, with this content type, is answered in a list."""
        if self.by_id_shape is ByIdShape.AUTO:
            return content_type.partition(";")[0].strip().lower() == "application/json"
        return self.by_id_shape is ByIdShape.ARRAY


def settings_of(record: Mapping[str, Any]) -> ClientSettings:
    """Return the settings that a client's record names; our own API has checked them."""
    return ClientSettings(by_id_shape=ByIdShape(record.get("by_id_shape", ByIdShape.OBJECT)))
