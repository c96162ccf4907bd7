"""A session is what we have signed, until its time is over."""

from app.admin.sessions import LIFE_SECONDS, Sessions
from tests.support.clocks import FrozenClock


def test_a_session_lasts_twelve_hours() -> None:
    clock = FrozenClock()
    sessions = Sessions("key", lambda: clock.now_ms() // 1000)
    cookie = sessions.begin()

    clock.advance((LIFE_SECONDS - 1) * 1000)
    assert sessions.is_valid(cookie)
    clock.advance((1) * 1000)
    assert not sessions.is_valid(cookie)


def test_another_key_ends_every_session() -> None:
    cookie = Sessions("old key").begin()

    assert not Sessions("new key").is_valid(cookie)


def test_what_was_not_signed_here_is_no_session() -> None:
    sessions = Sessions("key", lambda: 1_000)
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
    sessions = Sessions("key")
    one, other = sessions.begin(), sessions.begin()

    assert sessions.is_csrf_token(one, sessions.csrf_token(one))
    assert not sessions.is_csrf_token(other, sessions.csrf_token(one))
    assert not sessions.is_csrf_token(one, "")
    assert sessions.csrf_token(one) not in one
