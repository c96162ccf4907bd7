"""How one order takes the place of another."""

from dataclasses import dataclass

from app.domain.identifiers import OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What an order waits for that is to take the place of another.

    Attributes:
        order_id: the old order; before it has ended the new one is not sent, or both could trade.
        takes_rest: the new one is for what the old one leaves unfilled, whatever that will be.
        proceeds: the new one is sent even if the old one ends otherwise than canceled.
    """

    order_id: OrderId
    takes_rest: bool = False
    proceeds: bool = False
