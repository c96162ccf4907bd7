"""What beat starts, and how often."""

from pathlib import Path

import pytest

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName
from app.settings import Settings
from workers.schedule import schedule_for

PERIODIC = {
    TaskName.POLL_PRICES,
    TaskName.POLL_ORDERS,
    TaskName.SWEEP,
    TaskName.CANARY,
    TaskName.RECONCILE,
    TaskName.ARCHIVE,
}


@pytest.fixture(params=["0", "1"], ids=["usual", "fast"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {"HOOKFILL_DATA_DIR": str(tmp_path), "HOOKFILL_FAST": request.param}
    )


def test_every_periodic_task_is_started(settings: Settings) -> None:
    assert {entry["task"] for entry in schedule_for(settings).values()} == PERIODIC


def test_every_entry_expires_soon_after_its_next(settings: Settings) -> None:
    for entry in schedule_for(settings).values():
        assert 0 < entry["options"]["expires"] <= max(2 * entry["schedule"], 2)


def test_every_entry_waits_in_the_queue_of_its_task(settings: Settings) -> None:
    for entry in schedule_for(settings).values():
        if entry["task"] != TaskName.CANARY:
            assert entry["options"]["queue"] == QUEUE_OF[entry["task"]]
            assert entry["args"] == ([],)


def test_a_canary_sings_in_each_queue_often_enough_to_be_missed(settings: Settings) -> None:
    canaries = [one for one in schedule_for(settings).values() if one["task"] == TaskName.CANARY]

    assert [one["options"]["queue"] for one in canaries] == list(QueueName)
    assert [one["args"] for one in canaries] == [([str(one)],) for one in QueueName]
    assert all(1 <= one["schedule"] <= 5 for one in canaries)
