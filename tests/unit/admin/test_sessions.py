"""A session is what we have signed, until its time is over or somebody ends it."""

from app.admin.sessions import LIFE_SECONDS, Sessions
from app.domain.identifiers import EpochMs
from tests.support.clocks import FrozenClock


class Kept:
    """What was ended, in memory; each for as long as it was said."""

    def __init__(self) -> None:
        self.until: dict[str, EpochMs] = {}

    def use(self, name: str, content: str, now_ms: EpochMs, until_ms: EpochMs) -> bool:
        del content, now_ms
        self.until[name] = until_ms
        return True

    def content(self, name: str, now_ms: EpochMs) -> str | None:
        return "0" if self.until.get(name, 0) > now_ms else None


def test_a_session_lasts_twelve_hours() -> None:
    clock = FrozenClock()
    sessions = Sessions("key", Kept(), lambda: clock.now_ms() // 1000)
    cookie = sessions.begin()

    clock.advance((LIFE_SECONDS - 1) * 1000)
    assert sessions.is_valid(cookie)
    clock.advance((1) * 1000)
    assert not sessions.is_valid(cookie)


def test_another_key_ends_every_session() -> None:
    cookie = Sessions("old key", Kept()).begin()

    assert not Sessions("new key", Kept()).is_valid(cookie)


def test_what_was_not_signed_here_is_no_session() -> None:
    sessions = Sessions("key", Kept(), lambda: 1_000)
    end, random, signature = sessions.begin().split(".")

    for forged in (
        "",
        ".",
        "..",
        f"9{end}.{random}.{signature}",
        f"{end}.{random}x.{signature}",
        f"{end}.{random}.{'0' * len(signature)}",
        f"{end}.{random}",
        "\udcff.\udcff.\udcff",
    ):
        assert not sessions.is_valid(forged), forged


def test_the_csrf_token_belongs_to_one_session() -> None:
    sessions = Sessions("key", Kept())
    one, other = sessions.begin(), sessions.begin()

    assert sessions.is_csrf_token(one, sessions.csrf_token(one))
    assert not sessions.is_csrf_token(other, sessions.csrf_token(one))
    assert not sessions.is_csrf_token(one, "")
    assert sessions.csrf_token(one) not in one


def test_what_was_ended_is_over_for_the_rest_of_its_time() -> None:
    clock, kept = FrozenClock(), Kept()
    sessions = Sessions("key", kept, lambda: clock.now_ms() // 1000)
    cookie, other = sessions.begin(), sessions.begin()

    sessions.end(cookie)
    sessions.end(cookie)

    assert not sessions.is_valid(cookie)
    assert sessions.is_valid(other)
    clock.advance((LIFE_SECONDS - 1) * 1000)
    assert not sessions.is_valid(cookie)


def test_of_what_was_not_signed_here_no_end_is_kept() -> None:
    kept = Kept()

    Sessions("key", kept).end("9999999999.x.y")

    assert not kept.until
