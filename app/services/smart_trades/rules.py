"""The market's rules for figures that a caller gives (3Commas spec, 2 and 1.6)."""

from collections.abc import Mapping
from decimal import Decimal

from app.domain.enums import Flaw, Side
from app.domain.errors import Complaint, RuleBroken
from app.domain.instrument import Instrument


def refuse_figures(
    instrument: Instrument,
    *,
    quantities: Mapping[str, Decimal | None],
    prices: Mapping[str, Decimal | None],
) -> None:
    """Refuse figures that are off the market's steps, or below its minimum.

    Args:
        instrument: the rules.
        quantities: name of the field → what was given; None was not.
        prices: likewise.

    Raises:
        RuleBroken: some are; `fields` has them all.
    """
    refused: dict[str, list[Complaint]] = {}
    for name, quantity in quantities.items():
        least = instrument.least_quantity
        if quantity is None:
            continue
        if instrument.quantity(quantity) != quantity:
            refused[name] = [Complaint(Flaw.OFF_STEP, instrument.quantity_step)]
        elif quantity < least:
            refused[name] = [Complaint(Flaw.BELOW_LEAST, least)]
    for name, price in prices.items():
        if price is not None and instrument.price(price, Side.BUY) != price:
            refused[name] = [Complaint(Flaw.OFF_STEP, instrument.price_step)]
    if refused:
        raise RuleBroken(refused)
