"""The list goes through everything, newest first, a page at a time."""

from hypothesis import given
from hypothesis import strategies as st

from app.admin.order_list import ListQuery, cursor_of, page_of, search_from
from app.domain.aggregate import Aggregate
from app.domain.enums import Kind
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.search import EVERYTHING, Search, place_of
from tests.support.builders import NOW, an_order


def _orders(count: int) -> list[Aggregate]:
    """Return orders, newest first."""
    return [
        an_order(id=AggregateId(one), created_at_ms=EpochMs(NOW + one))
        for one in range(count, 0, -1)
    ]


def test_a_page_that_holds_everything_is_the_last() -> None:
    found, place = page_of(iter(_orders(3)), 3)

    assert [one.id for one in found] == [3, 2, 1]
    assert place is None


def test_a_cut_page_says_where_to_go_on() -> None:
    found, place = page_of(iter(_orders(3)), 2)

    assert [one.id for one in found] == [3, 2]
    assert place == place_of(found[-1])


def test_no_more_is_taken_than_tells_whether_there_is_more() -> None:
    newest = iter(_orders(9))

    page_of(newest, 2)

    assert len(list(newest)) == 6


def test_a_query_without_filters_finds_everything() -> None:
    assert search_from(ListQuery().load({}), None) == EVERYTHING


def test_a_query_becomes_a_search() -> None:
    query = {"kind": "ORDER", "symbol": "BTC/USDT", "since_ms": "5", "until_ms": "7"}

    search = search_from(ListQuery().load(query), AccountId(3))

    assert search == Search(
        kinds=frozenset({Kind.ORDER}),
        accounts=frozenset({AccountId(3)}),
        symbols=frozenset({"BTC/USDT"}),  # type: ignore[arg-type]  # as a query spells it
        since_ms=EpochMs(5),
        until_ms=EpochMs(7),
    )


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_cursor_leads_back_to_its_place(at_ms: int, number: int) -> None:
    place = (EpochMs(at_ms), AggregateId(number))

    assert ListQuery().load({"cursor": cursor_of(place)})["cursor"] == place


@given(st.text(max_size=60))
def test_any_other_text_is_no_cursor_or_a_place(text: str) -> None:
    messages = ListQuery().validate({"cursor": text})

    assert set(messages) <= {"cursor"}
