"""Signatures of requests, and the three digests that the documentation can be checked by."""

import pytest

from app.dialects.three_commas.signing import SignatureInvalid, refuse_bad_signature, signed

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


def test_the_query_is_signed_as_it_was_sent() -> None:
    escaped = f"{PATH}?type=SmartTrade%3A%3AClassic"

    assert is_good(signed(escaped.encode(), SECRET), escaped)
    assert not is_good(signed(f"{PATH}?type=SmartTrade::Classic".encode(), SECRET), escaped)
