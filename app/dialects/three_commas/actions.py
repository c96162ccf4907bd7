"""The parameters of what is done with a trade that there is (SmartTrades Api)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.schemas import ResponseType
from app.domain.identifiers import AggregateId


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """More of the same.

    Attributes:
        quantity: in base currency.
        price: limit; None buys at market.
        response_type: what is answered.
    """

    quantity: Decimal
    price: Decimal | None
    response_type: ResponseType


def funds_from(parameters: Mapping[str, object]) -> Funds:
    """Return what is to be added; `rate` is asked for by limit orders only.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    shape = found.shape(schemas.FUNDS, parameters)
    is_market = shape.get("is_market", True)
    price = None
    if not is_market:
        price = found.shape(schemas.FUNDS_LIMIT, parameters).get("rate")
    found.refuse()
    return Funds(quantity=shape["quantity"], price=price, response_type=shape["response_type"])


def step_in(parameters: Mapping[str, object]) -> AggregateId:
    """Return the step that is meant.

    Raises:
        InvalidParameters: none is named.
    """
    found = Findings()
    shape = found.shape(schemas.ONE_STEP, parameters)
    found.refuse()
    return AggregateId(shape["step_id"])
