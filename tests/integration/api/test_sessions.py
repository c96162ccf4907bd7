"""Who has signed in is let in until they sign out, by every web process alike."""

import pytest
from flask.testing import FlaskClient

from app.admin import event_stream
from app.admin.sessions import COOKIE
from app.bootstrap import Wiring, web_wiring
from app.factory import create_app
from app.settings import Settings
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.builders import must

pytestmark = pytest.mark.integration

#: Unknown fields are found before anything is changed.
WRITE = "/paper/prices"


@pytest.fixture
def client(wiring: Wiring) -> FlaskClient:
    return create_app(wiring).test_client()


def signed_in(client: FlaskClient) -> str:
    """Sign in and return the CSRF token."""
    token: str = client.post("/login", json={"token": ADMIN_TOKEN}).get_json()["csrf_token"]
    return token


def test_a_form_is_sent_on_to_the_dashboard(client: FlaskClient) -> None:
    answer = client.post("/login", data={"token": ADMIN_TOKEN})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.get("/api/orders").status_code == 200


def test_a_session_may_change_things_with_its_csrf_token_only(client: FlaskClient) -> None:
    token = signed_in(client)

    for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": f"{token}x"}):
        assert client.put(WRITE, json={"x": 1}, headers=wrong).status_code == 403
    right = client.put(WRITE, json={"x": 1}, headers={"X-CSRF-Token": token})
    form = client.put(WRITE, data={"csrf_token": token})
    assert right.status_code == form.status_code == 400


def test_who_signs_out_ends_every_copy_of_the_cookie(
    client: FlaskClient, settings: Settings
) -> None:
    token = signed_in(client)
    thief = create_app(web_wiring(settings)).test_client()
    thief.set_cookie(COOKIE, must(client.get_cookie(COOKIE)).value)
    csrf = {"X-CSRF-Token": token}
    assert thief.get("/api/orders").status_code == 200

    assert client.delete("/login").status_code == 403
    assert client.delete("/login", headers=csrf).status_code == 204

    assert thief.get("/api/orders").status_code == 401
    assert thief.put(WRITE, json={"x": 1}, headers=csrf).status_code == 401
    assert 'id="sign-in"' in thief.get("/").text
    assert thief.delete("/login", headers=csrf).status_code == 401


def test_others_stay_signed_in(client: FlaskClient, settings: Settings) -> None:
    other = create_app(web_wiring(settings)).test_client()
    signed_in(other)

    client.delete("/login", headers={"X-CSRF-Token": signed_in(client)})

    assert other.get("/api/orders").status_code == 200


def test_the_admin_token_ends_the_session_of_its_cookie_too(client: FlaskClient) -> None:
    signed_in(client)
    cookie = must(client.get_cookie(COOKIE)).value
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}

    assert client.delete("/login", headers=headers).status_code == 204

    client.set_cookie(COOKIE, cookie)
    assert client.get("/api/orders").status_code == 401


def test_an_open_stream_ends_with_its_session(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "ADMISSION_SECONDS", 0.0)
    token = signed_in(client)
    stream = client.get("/api/events", buffered=False)
    parts = stream.iter_encoded()
    assert next(parts) == b"retry: 1000\n\n"

    client.delete("/login", headers={"X-CSRF-Token": token})

    assert list(parts) == []
    stream.close()
