"""What beat starts, and how often."""

from pathlib import Path

import pytest

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName
from app.settings import Settings
from workers.schedule import Round, schedule_for


@pytest.fixture(params=["0", "1"], ids=["usual", "fast"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {"HOOKFILL_DATA_DIR": str(tmp_path), "HOOKFILL_FAST": request.param}
    )


def test_every_round_is_begun_and_in_time(settings: Settings) -> None:
    rounds = {
        Round(*entry.values): entry.every_ms
        for entry in schedule_for(settings)
        if entry.task == TaskName.ROUNDS
    }

    assert list(rounds) == list(Round)
    assert rounds[Round.PRICES] == rounds[Round.ORDERS] == settings.poll_interval_ms
    assert rounds[Round.SWEEP] == settings.sweep_interval_ms


def test_names_of_rounds_are_frozen() -> None:
    assert [str(one) for one in Round] == ["prices", "orders", "reconcile", "sweep", "archive"]


def test_every_entry_expires_soon_after_its_next(settings: Settings) -> None:
    for entry in schedule_for(settings):
        assert 0 < entry.expires_ms <= max(2 * entry.every_ms, 2_000)


def test_prices_wait_behind_no_polls_of_accounts(settings: Settings) -> None:
    queues = {one.queue for one in schedule_for(settings) if one.task == TaskName.ROUNDS}

    assert queues == {QUEUE_OF[TaskName.ROUNDS]}
    assert QUEUE_OF[TaskName.POLL_ORDERS] not in queues


def test_a_canary_sings_in_each_queue_often_enough_to_be_missed(settings: Settings) -> None:
    canaries = [one for one in schedule_for(settings) if one.task == TaskName.CANARY]

    assert [one.queue for one in canaries] == list(QueueName)
    assert [one.values for one in canaries] == [(one,) for one in QueueName]
    assert all(1_000 <= one.every_ms <= 5_000 for one in canaries)
