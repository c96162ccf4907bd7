"""The store as it would be, held to the promises of the store as it is."""

from typing import Any

import pytest
import redis

from app.domain.errors import NotDry
from app.paper.store import overlay as paper_scripts
from app.store.core.sharded import keys_of
from app.store.overlay import scripts
from app.store.overlay.client import OverlayClient
from tests.contract.test_admission import *  # noqa: F403 - the same promises
from tests.contract.test_lanes import *  # noqa: F403 - the same promises
from tests.contract.test_ledger import *  # noqa: F403 - the same promises
from tests.contract.test_live import *  # noqa: F403 - the same promises
from tests.contract.test_paper_conditions import *  # noqa: F403 - the same promises
from tests.contract.test_paper_ledger import *  # noqa: F403 - the same promises
from tests.contract.test_paper_reports import *  # noqa: F403 - the same promises
from tests.contract.test_paper_venue import *  # noqa: F403 - the same promises
from tests.contract.test_timers import *  # noqa: F403 - the same promises

#: What these ask is of no matter in a dry run: how long something is kept, how much is told, what
#: a double can tell apart, and what stands in the keys of the real store.
for _name in (
    "test_a_dedupe_key_outlives_its_window_only_to_be_tidied_up",
    "test_a_repeat_of_a_resting_order_leaves_it_in_the_book",
    "test_a_message_that_was_refused_leaves_no_key",
    "test_each_account_has_its_own_shard",
    "test_more_than_a_double_can_tell_apart_still_come_before_the_next_millisecond",
    "test_nothing_of_an_order_stays_listed_when_it_has_closed",
    "test_of_what_is_told_without_end_the_first_and_the_newest_stay",
    "test_a_signal_that_has_ended_is_listed_nowhere",
):
    del globals()[_name]


class PreparedClient(OverlayClient):
    """Lets what no dry run comes by prepare the real store."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        try:
            return super().execute_command(*args, **options)
        except NotDry:
            self._refused = None
            assert not any(self.is_touched(one) for one in keys_of(args)), args
            execute: Any = self.real.execute_command
            return execute(*args, **options)


@pytest.fixture
def client(real_client: redis.Redis) -> OverlayClient:
    """A client that keeps what is written to itself, over an empty real server."""
    return PreparedClient(real_client, {**scripts.COUNTERPARTS, **paper_scripts.COUNTERPARTS})
