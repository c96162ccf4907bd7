"""The list goes through everything, newest first, a bounded number at a time."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aggregate import Aggregate
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.signal import SignalState
from app.domain.status import OrderStatus
from app.domain.words import Dialect, Kind
from app.ingress import order_list
from app.ingress.order_list import Filters, ListQuery, cursor_of, page_of, place_of
from tests.builders import NOW, a_signal, an_order


def _orders(count: int) -> list[Aggregate]:
    """Return orders, newest first."""
    return [
        an_order(id=AggregateId(one), created_at_ms=EpochMs(NOW + one))
        for one in range(count, 0, -1)
    ]


def test_a_page_that_holds_everything_is_the_last() -> None:
    found, place = page_of(_orders(3), Filters(), 3)

    assert [one.id for one in found] == [3, 2, 1]
    assert place is None


def test_a_cut_page_says_where_to_go_on() -> None:
    found, place = page_of(_orders(3), Filters(), 2)

    assert [one.id for one in found] == [3, 2]
    assert place == place_of(found[-1])


def test_a_page_is_the_last_if_nothing_older_matches() -> None:
    everything = [*_orders(2), a_signal(), a_signal()]

    found, place = page_of(everything, Filters(kind=Kind.ORDER), 2)

    assert (len(found), place) == (2, None)


def test_one_request_looks_at_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "LOOKED_AT_MAX", 10)
    looked_at: list[Aggregate] = []

    def endless() -> Iterator[Aggregate]:
        for number in itertools.count():
            looked_at.append(an_order(id=AggregateId(1000 - number)))
            yield looked_at[-1]

    found, place = page_of(endless(), Filters(kind=Kind.SIGNAL), 5)

    assert (found, len(looked_at)) == ([], 10)
    assert place == place_of(looked_at[-1])


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(kind=Kind.ORDER),
        Filters(account=AccountId(1)),
        Filters(dialect=Dialect.CRYPTO_ARSENAL),
        Filters(state=OrderStatus.PENDING_NEW),
        Filters(parent=AggregateId(16)),
        Filters(caller_id="mine"),
    ],
)
def test_what_has_all_of_it_matches(filters: Filters) -> None:
    order = an_order(parent_id=AggregateId(16), caller_id="mine")

    assert filters.match(order)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(kind=Kind.SIGNAL),
        Filters(account=AccountId(2)),
        Filters(dialect=Dialect.POLONIEX),
        Filters(state=SignalState.DONE),
        Filters(parent=AggregateId(17)),
        Filters(caller_id="Mine"),
        Filters(kind=Kind.ORDER, caller_id=""),
    ],
)
def test_what_lacks_one_thing_does_not(filters: Filters) -> None:
    order = an_order(parent_id=AggregateId(16), caller_id="mine")

    assert not filters.match(order)


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_cursor_leads_back_to_its_place(at_ms: int, number: int) -> None:
    place = (EpochMs(at_ms), AggregateId(number))

    assert ListQuery().load({"cursor": cursor_of(place)})["cursor"] == place


@given(st.text(max_size=60))
def test_any_other_text_is_no_cursor_or_a_place(text: str) -> None:
    messages = ListQuery().validate({"cursor": text})

    assert set(messages) <= {"cursor"}
