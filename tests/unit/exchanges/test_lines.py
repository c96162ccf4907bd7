"""ccxt's exchanges are lent to one thread each, and only so many wait for their next use."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from app.domain.identifiers import AccountId
from app.exchanges import lines
from app.exchanges.lines import Lines
from tests.support.builders import SPOT

if TYPE_CHECKING:
    from app.domain.account import Account
    from app.exchanges.line import Line


class Named:
    """Stands for a line."""

    def __init__(self, account: Account) -> None:
        self.account = account


def account(number: int) -> Account:
    return replace(SPOT, id=AccountId(number))


def lent(stack: ExitStack, pool: Lines, of: Account) -> Line:
    return stack.enter_context(pool.lent(of, lambda: cast("Line", Named(of))))


def used(pool: Lines, of: Account) -> Line:
    with ExitStack() as stack:
        return lent(stack, pool, of)


def test_one_that_was_given_back_is_lent_again() -> None:
    pool = Lines()

    assert used(pool, account(1)) is used(pool, account(1))


def test_two_at_once_get_two() -> None:
    pool = Lines()

    with ExitStack() as stack:
        assert lent(stack, pool, account(1)) is not lent(stack, pool, account(1))


def test_one_with_old_keys_is_not_lent_any_more() -> None:
    pool = Lines()
    before = used(pool, account(1))

    assert used(pool, replace(account(1), credentials="other")) is not before
    assert used(pool, replace(account(1), resets=1)) is not before


def test_those_of_longest_ago_go_first_and_none_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WAITING_MAX", 2)
    pool = Lines()
    with ExitStack() as stack:
        busy = lent(stack, pool, account(1))
        old, kept, newest = [used(pool, account(number)) for number in (2, 3, 4)]

        assert used(pool, account(3)) is kept
        assert used(pool, account(4)) is newest
        assert used(pool, account(2)) is not old
    assert used(pool, account(1)) is busy


def test_an_error_gives_it_back_as_well() -> None:
    pool = Lines()
    first = used(pool, account(1))

    with pytest.raises(LookupError), pool.lent(account(1), lambda: first):
        raise LookupError

    assert used(pool, account(1)) is first
