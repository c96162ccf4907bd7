"""What a stranger writes into a header is never believed."""

from ipaddress import ip_network

import pytest

from app.web.peer import address_of, is_https, url_of

TRUSTED = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def _environ(peer: str, forwarded: str | None = None) -> dict[str, str]:
    environ = {"REMOTE_ADDR": peer}
    return environ if forwarded is None else {**environ, "HTTP_X_FORWARDED_FOR": forwarded}


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "192.0.2.1", "203.0.113.7"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "192.0.2.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "203.0.113.7", "203.0.113.7"),
        ("", "203.0.113.7", ""),
        ("127.0.0.1", "203.0.113.7:5555", "203.0.113.7"),
        ("127.0.0.1", " 203.0.113.7:55 , 10.1.2.3:9", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7\t:55", "203.0.113.7"),
        ("127.0.0.1", "[2001:db9::7]:55", "2001:db9::7"),
        ("127.0.0.1", "2001:db9::7, [2001:db8::1]", "2001:db9::7"),
        ("127.0.0.1", "2001:db9::7", "2001:db9::7"),
        ("127.0.0.1", "::ffff:203.0.113.7", "::ffff:203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, [::ffff:10.1.2.3]:1", "203.0.113.7"),
        ("127.0.0.1", "unknown", "unknown"),
        ("127.0.0.1", "203.0.113.7:", "203.0.113.7:"),
        ("127.0.0.1", "203.0.113.7:123456", "203.0.113.7:123456"),
        ("127.0.0.1", "[203.0.113.7", "[203.0.113.7"),
    ],
)
def test_the_caller_is_whom_trusted_proxies_name(
    peer: str, forwarded: str | None, caller: str
) -> None:
    assert address_of(_environ(peer, forwarded), TRUSTED) == caller


def test_https_is_ours_or_said_by_a_trusted_proxy() -> None:
    said = {"HTTP_X_FORWARDED_PROTO": "https"}

    assert is_https({"wsgi.url_scheme": "https"}, ())
    assert is_https({"REMOTE_ADDR": "127.0.0.1", **said}, TRUSTED)
    assert not is_https({"REMOTE_ADDR": "203.0.113.7", **said}, TRUSTED)
    assert not is_https({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "http"}, TRUSTED)


@pytest.mark.parametrize(
    ("peer", "said", "url"),
    [
        ("203.0.113.7", {}, "http://here:8000/v1/order"),
        ("127.0.0.1", {}, "http://here:8000/v1/order"),
        ("127.0.0.1", {"HTTP_X_FORWARDED_HOST": " outside "}, "http://outside/v1/order"),
        ("127.0.0.1", {"HTTP_X_FORWARDED_HOST": ""}, "http://here:8000/v1/order"),
        ("127.0.0.1", {"HTTP_X_FORWARDED_PROTO": "HTTPS"}, "https://here:8000/v1/order"),
        (
            "203.0.113.7",
            {"HTTP_X_FORWARDED_HOST": "outside", "HTTP_X_FORWARDED_PROTO": "https"},
            "http://here:8000/v1/order",
        ),
    ],
)
def test_the_url_that_was_called_is_ours_or_what_a_trusted_proxy_says(
    peer: str, said: dict[str, str], url: str
) -> None:
    environ = {"REMOTE_ADDR": peer, "HTTP_HOST": "here:8000", "PATH_INFO": "/v1/order", **said}

    called = url_of({**environ, "QUERY_STRING": "a=1"}, TRUSTED, is_host_forwarded=True)
    assert called == url


def test_a_host_that_a_proxy_hands_on_is_not_believed_unless_that_was_set() -> None:
    said = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "here", "HTTP_X_FORWARDED_HOST": "staging"}

    called = url_of({**said, "PATH_INFO": "/v1/order"}, TRUSTED, is_host_forwarded=False)

    assert called == "http://here/v1/order"
