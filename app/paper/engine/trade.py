"""What one execution brings about, whatever the market."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.identifiers import Currency
from app.paper.domain.account import PaperAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """The account after an execution.

    Attributes:
        fee: what the venue kept, in `fee_currency`.
        leg_size: size of the leg that it worked on, after it; None for spot.
    """

    account: PaperAccount
    fee: Decimal
    fee_currency: Currency
    leg_size: Decimal | None = None
