"""What the paper venue stores: read as it was written, by this release and by the one before."""

import json

from app.paper.domain.account import PaperAccount
from app.paper.store.records import text_of, value_from

#: As every release has written it; the one before refuses a record without one of them.
NAMES = {"mk", "position_mode", "balances", "held", "legs", "reserved", "leverage", "fees"}


def test_a_record_of_an_account_has_every_field_that_the_release_before_wants() -> None:
    record = json.loads(text_of(PaperAccount()))

    assert set(record) == {"s", *NAMES}


def test_an_empty_account_is_read_as_it_was_written() -> None:
    assert value_from(PaperAccount, text_of(PaperAccount())) == PaperAccount()
