"""Signatures of requests, and the three digests that the documentation can be checked by."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.three_commas.signing import (
    SignatureInvalid,
    in_one_spelling,
    refuse_bad_signature,
    signed,
)

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # noqa: S105
PATH = "/public/api/ver1/users/change_mode"
BODY = b'{"mode": "paper"}'

QUERY_DIGEST = "bca8d8c10acfbe8e76c5335d3efbe0a550487170a8bb7aaea0a13efabab55316"
S2_DIGEST = "0475b407ba6f2388d213134e478b330f74073388a232737837f79018694ae373"
S1_DIGEST = "a04435bdb0e7fc06450833a1e26d385c56ad3495c10cf3a36d432787591f5edb"


def is_good(signature: str | None, target: str = PATH, body: bytes = b"") -> bool:
    try:
        refuse_bad_signature(signature, target, body, SECRET)
    except SignatureInvalid:
        return False
    return True


@pytest.mark.parametrize(
    ("signature", "target", "body"),
    [
        (QUERY_DIGEST, f"{PATH}?mode=paper", b""),
        (QUERY_DIGEST, PATH, b"mode=paper"),
        (S2_DIGEST, PATH, BODY),
        (S1_DIGEST, PATH, BODY),
        (S1_DIGEST.upper(), PATH, BODY),
    ],
)
def test_the_fixed_digests(signature: str, target: str, body: bytes) -> None:
    assert is_good(signature, target, body)


def test_without_body_and_query_the_question_mark_makes_no_difference() -> None:
    for message in (PATH, f"{PATH}?"):
        assert is_good(signed(message.encode(), SECRET))


@pytest.mark.parametrize("body", [BODY, b"mode=paper"])
def test_a_body_must_be_signed(body: bytes) -> None:
    assert not is_good(signed(PATH.encode(), SECRET), PATH, body)
    assert not is_good(signed(f"{PATH}?".encode(), SECRET), PATH, body)


@pytest.mark.parametrize(
    ("target", "body"),
    [(PATH, BODY[:-1] + b" "), (PATH + "s", BODY), (f"{PATH}?a=1", BODY), (PATH, b"")],
)
def test_another_request_is_refused(target: str, body: bytes) -> None:
    assert not is_good(S1_DIGEST, target, body)


@pytest.mark.parametrize("signature", [None, "", "zz", S1_DIGEST[:-1], S1_DIGEST + "0", "é" * 64])
def test_what_is_no_signature_is_refused(signature: str | None) -> None:
    assert not is_good(signature, PATH, BODY)


@pytest.mark.parametrize("target", [f"https://bots.example.com{PATH}", f"/behind/a/proxy{PATH}"])
def test_what_stands_before_the_path_is_not_signed(target: str) -> None:
    assert is_good(S1_DIGEST, target, BODY)


def test_the_path_of_the_page_may_be_signed_with_and_without_its_base() -> None:
    bare = "/ver1/smart_trades"

    for message in (bare, f"/public/api{bare}"):
        assert is_good(signed(message.encode() + b"?limit=1", SECRET), f"{bare}?limit=1")
    assert not is_good(signed(b"/ver1/smart_trades", SECRET), f"/public/api{bare}")


ESCAPED = "take_profit_step_orders%5B%5D%5Bpercent%5D=50&note=a+b%2Bc%26d%3D%C3%A9&type=A%3A%3AB"
UNESCAPED = "type=A::B&pairs[]=USDT_BTC&note=it's (!)*"


@pytest.mark.parametrize(
    ("sent", "signed_text"),
    [
        # As it was sent.
        (ESCAPED, ESCAPED),
        (UNESCAPED, UNESCAPED),
        # Signed as it was written, then escaped by a library.
        ("type=SmartTrade%3A%3AClassic", "type=SmartTrade::Classic"),
        ("a%5B%5D%5Bb%5D=5&n=%C3%A9%20x", "a[][b]=5&n=\u00e9 x"),
        # Escaped, signed, and then sent as it was written.
        ("type=A::B&a[][b]=5", "type=A%3A%3AB&a%5B%5D%5Bb%5D=5"),
        ("n=it's%20(!)*", "n=it%27s+%28%21%29%2A"),
        # Each library escapes in its own way.
        ("n=a+b&a[]=1:2", "n=a%20b&a[]=1%3A2"),
        ("n=a%20b&t=x%3ay", "n=a+b&t=x%3Ay"),
    ],
)
def test_a_query_may_be_signed_before_it_is_escaped_or_after(sent: str, signed_text: str) -> None:
    message = f"{PATH}?{signed_text}".encode()

    assert is_good(signed(message, SECRET), f"{PATH}?{sent}")
    assert in_one_spelling(f"{PATH}?{sent}") == in_one_spelling(message.decode("latin-1"))


@pytest.mark.parametrize(
    ("sent", "signed_text"),
    [
        ("note=a%26stop=1", "note=a&stop=1"),
        ("note=a&stop=1", "note=a%26stop=1"),
        ("note=a%2Bb", "note=a+b"),
        ("note=a%2Bb", "note=a b"),
        ("note=a%2526b=1", "note=a%26b=1"),
        ("a=1&b=2", "b=2&a=1"),
        ("a=1", "a=1&a=1"),
        ("a=%FF", "a=%FE"),
    ],
)
def test_a_query_that_says_something_else_is_refused(sent: str, signed_text: str) -> None:
    assert not is_good(signed(f"{PATH}?{signed_text}".encode(), SECRET), f"{PATH}?{sent}")


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), min_size=1, max_size=3))
def test_what_was_signed_is_what_is_read(pairs: list[tuple[str, str]]) -> None:
    plain = "&".join(f"{name}={value}" for name, value in pairs)
    sent = urlencode(pairs)
    is_the_same = parse_qsl(plain, keep_blank_values=True) == pairs

    assert is_good(signed(f"{PATH}?{sent}".encode(), SECRET), f"{PATH}?{sent}")
    if not is_the_same and plain != sent:
        assert not is_good(signed(f"{PATH}?{plain}".encode(), SECRET), f"{PATH}?{sent}")
