"""What an order or a smart order tells its parent."""

from dataclasses import dataclass

from app.domain.identifiers import EpochMs, FreshId
from app.domain.order import Order
from app.domain.smart_order import SmartOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdated:
    """An order that concerns the aggregate has changed; `order` is how it is now.

    Attributes:
        new_ids: for what it may bring forth; at least 2.
    """

    at_ms: EpochMs
    order: Order
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderUpdated:
    """A smart order of the aggregate has changed; `smart_order` is how it is now."""

    at_ms: EpochMs
    smart_order: SmartOrder
