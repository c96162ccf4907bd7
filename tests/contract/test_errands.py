"""Errands: each is handed out once, in time, and answered to whoever waits."""

import pytest
import redis

from app.domain.adjustment import Adjustment, Outcome
from app.domain.enums import PositionMode
from app.domain.errors import NotFound
from app.domain.identifiers import EpochMs
from app.store.coordination.worker_requests import LIFE_MS, RedisErrands
from app.store.core import keys
from tests.support.builders import ETH, USDM_ID, an_id

NOW, UNTIL = EpochMs(1_000), EpochMs(3_000)
ERRAND = an_id(1, USDM_ID)
LEVERAGE = Adjustment(account=USDM_ID, symbol=ETH, leverage=5)
MODE = Adjustment(account=USDM_ID, position_mode=PositionMode.ONEWAY)


@pytest.fixture
def errands(client: redis.Redis) -> RedisErrands:
    return RedisErrands(client)


@pytest.mark.parametrize("wish", [LEVERAGE, MODE])
def test_an_errand_is_handed_out_once(errands: RedisErrands, wish: Adjustment) -> None:
    errands.leave(ERRAND, wish, UNTIL)

    assert errands.take(ERRAND, NOW) == wish
    assert errands.take(ERRAND, NOW) is None


@pytest.mark.parametrize("wish", [LEVERAGE, MODE])
def test_it_is_known_whose_an_errand_is(errands: RedisErrands, wish: Adjustment) -> None:
    errands.leave(ERRAND, wish, UNTIL)

    before = errands.account_of(ERRAND)
    errands.take(ERRAND, NOW)

    assert before == errands.account_of(ERRAND) == USDM_ID
    with pytest.raises(NotFound):
        errands.account_of(an_id(2, USDM_ID))


def test_nobody_begins_too_late(errands: RedisErrands) -> None:
    errands.leave(ERRAND, MODE, UNTIL)

    assert errands.take(ERRAND, UNTIL) is None


def test_nobody_begins_with_what_was_left_before_the_clock_was_set_back(
    errands: RedisErrands,
) -> None:
    errands.leave(ERRAND, MODE, EpochMs(NOW + 3_600_000))

    assert errands.take(ERRAND, NOW) is None


def test_nobody_gets_what_was_never_left(errands: RedisErrands) -> None:
    assert errands.take(ERRAND, NOW) is None
    assert errands.answer(ERRAND) is None


@pytest.mark.parametrize("outcome", Outcome)
def test_the_answer_is_heard(errands: RedisErrands, outcome: Outcome) -> None:
    errands.leave(ERRAND, MODE, UNTIL)
    errands.take(ERRAND, NOW)
    before = errands.answer(ERRAND)

    errands.reply(ERRAND, outcome, "because")

    assert before is None
    assert errands.answer(ERRAND) == (outcome, "because")


def test_nothing_is_kept_for_ever(errands: RedisErrands, client: redis.Redis) -> None:
    errands.leave(ERRAND, MODE, UNTIL)
    errands.reply(ERRAND, Outcome.DONE, "")

    assert 0 < client.pttl(keys.errand(ERRAND)) <= LIFE_MS
