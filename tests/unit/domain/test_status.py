"""The table of moves, whole: every pair of statuses, listed or not (docs/design.md)."""

from itertools import product

import pytest

from app.domain.status import CLOSED, IN_FLIGHT, MOVES, OPEN, OrderStatus, may_move

#: As the design has it; everything else does not happen.
TABLE = """
PENDING_NEW      PLACING DENIED NEW PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED
PLACING          NEW PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED UNKNOWN PENDING_NEW
UNKNOWN          NEW PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED PENDING_NEW
NEW              PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED
PARTIALLY_FILLED FILLED CANCELED EXPIRED
CANCELED         FILLED
EXPIRED          FILLED
REJECTED         FILLED
DENIED           FILLED
FILLED
"""

LISTED = {words[0]: set(words[1:]) for line in TABLE.split("\n") if (words := line.split())}


@pytest.mark.parametrize(("before", "after"), list(product(OrderStatus, OrderStatus)))
def test_an_order_moves_exactly_as_the_table_says(before: OrderStatus, after: OrderStatus) -> None:
    assert may_move(before, after) is (after in LISTED[before])


def test_the_table_has_a_row_for_every_status() -> None:
    assert MOVES.keys() == set(OrderStatus)


def test_every_status_is_in_exactly_one_group() -> None:
    groups = [CLOSED, OPEN, IN_FLIGHT]

    assert sorted(one for group in groups for one in group) == sorted(OrderStatus)


def test_what_is_closed_moves_only_by_a_fill() -> None:
    assert all(MOVES[status] <= {OrderStatus.FILLED} for status in CLOSED)


def test_nobody_sends_again_what_is_unknown_without_asking() -> None:
    assert not may_move(OrderStatus.UNKNOWN, OrderStatus.PLACING)
