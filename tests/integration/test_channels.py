"""What brings messages to services and webhooks, over real HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.channels import services, signing, webhook
from app.channels.sender import ChannelSender
from app.domain.channel import WEBHOOK, Channel, Message
from app.domain.identifiers import AccountName, AggregateId, EpochMs
from app.domain.notice import Notice, NoticeKind
from app.ports.notices import Outcome, Sent
from app.settings import Settings
from app.store.memory.vault import Vault
from app.supervisor.tcp_ports import free_port
from tests.support.receivers import TELEGRAM, Receiver, running_receiver, running_telegram

pytestmark = pytest.mark.integration

SECRET = signing.new_secret()
NOTICE = Notice(
    id="377161-2-fill",
    kind=NoticeKind.FILL,
    at_ms=EpochMs(1_777_626_481_000),
    message="bought 0.1 BTC/USDT at 50000",
    account=AccountName("mine"),
    about=AggregateId(377161),
)
MESSAGE = Message(kind=NoticeKind.FILL, notices=(NOTICE,))
REPEATED = Message(kind=NoticeKind.FILL, notices=(NOTICE,), is_repeated=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


def hooked(receiver: Receiver, message: Message = MESSAGE) -> Sent:
    return webhook.send(f"http://{receiver.address}/hook", SECRET, message, int(time.time()))


def test_a_webhook_gets_one_event_with_its_id_and_a_signature(receiver: Receiver) -> None:
    sent = hooked(receiver)

    (request,) = receiver.received
    assert sent == Sent(Outcome.ARRIVED)
    assert request.json == {
        "id": "377161-2-fill",
        "type": "fill",
        "at_ms": 1_777_626_481_000,
        "account": "mine",
        "order_id": "377161",
        "message": "bought 0.1 BTC/USDT at 50000",
        "repeated": False,
    }
    # As whoever receives it computes it, from its document.
    event_id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{event_id}.{stamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert event_id == NOTICE.id
    assert abs(int(stamp) - time.time()) < 60


def test_a_repeat_has_the_same_id_and_says_so(receiver: Receiver) -> None:
    hooked(receiver)
    hooked(receiver, REPEATED)

    assert [one.headers["webhook-id"] for one in receiver.received] == [NOTICE.id] * 2
    assert [one.json["repeated"] for one in receiver.received] == [False, True]


def test_the_signature_is_that_of_the_published_example() -> None:
    # The example of standardwebhooks.com, section "Verifying".
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of everybody
    signature = signing.signature_of(
        signing.key_of(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, Outcome.ARRIVED),
        (302, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.UNKNOWN),
        (410, Outcome.REFUSED),
        (429, Outcome.UNKNOWN),
        (500, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
    ],
)
def test_what_a_webhook_answers(receiver: Receiver, status: int, outcome: Outcome) -> None:
    receiver.answers.append(status)

    assert hooked(receiver).outcome is outcome


def test_where_nobody_listens_nothing_has_arrived() -> None:
    address = f"http://127.0.0.1:{free_port('127.0.0.1')}/secret-path"
    gone = webhook.send(address, SECRET, MESSAGE, 0)

    assert gone.outcome is Outcome.REFUSED
    assert "secret-path" not in gone.words


def test_a_webhook_without_an_answer_may_have_taken_it_in(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", (1.0, 0.3))
    receiver.goes_on.clear()

    assert hooked(receiver) == Sent(Outcome.UNKNOWN, "no answer: ReadTimeout")
    assert len(receiver.received) == 1


def test_a_message_reaches_telegram_through_apprise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_telegram(tmp_path) as (telegram, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        arrived = services.send(TELEGRAM, MESSAGE)
        telegram.answers.append(401)
        refused = services.send(TELEGRAM, MESSAGE)
        telegram.answers.append(502)
        unknown = services.send(TELEGRAM, REPEATED)

    assert arrived.outcome is Outcome.ARRIVED
    assert refused.outcome is Outcome.REFUSED
    assert unknown.outcome is Outcome.UNKNOWN
    assert "error=401" in refused.words
    for sent in (refused, unknown):
        assert "abcdefg" not in sent.words
        assert "123456789" not in sent.words
    first, _, last = telegram.texts
    assert "Hookfill: fill" in first
    assert "mine: bought 0.1 BTC/USDT at 50000 (377161)" in first
    assert "Repeated: this may have arrived before." in last
    assert telegram.received[0].json["chat_id"] in {12315544, "12315544"}


def test_services_are_known_by_their_addresses() -> None:
    known = {
        TELEGRAM: "tgram",
        "discord://12345678901/abcdefghijklmnopqrstuvwxyz": "discord",
        "https://discord.com/api/webhooks/12345678901/abcdefghijklmnopqrstuvwxyz": "discord",
        "mailto://user:password@example.com": "mailto",
        "https://example.com/hook": None,
        "nonsense": None,
    }

    assert {url: services.service_of(url) for url in known} == known


def test_the_sender_opens_the_seal_and_knows_which_it_is(receiver: Receiver) -> None:
    vault = Vault([one.reveal() for one in Settings.from_environment({}).secret_keys])
    phone = Channel(name="phone", sealed="", service="json")
    mine = Channel(name="mine", sealed="", service=WEBHOOK)
    addresses = {
        phone: {"service_url": f"json://{receiver.address}/phone"},
        mine: {"webhook_url": f"http://{receiver.address}/mine", "secret": SECRET},
    }
    sender = ChannelSender(vault)
    for channel, address in addresses.items():
        sealed = vault.encrypt(channel.origin, address)
        known = Channel(name=channel.name, sealed=sealed, service=channel.service)
        assert sender.send(known, MESSAGE).outcome is Outcome.ARRIVED
    stolen = Channel(name="other", sealed=vault.encrypt("channel:phone", {}), service="json")

    assert [one.path for one in receiver.received] == ["/phone", "/mine"]
    assert sender.send(stolen, MESSAGE).outcome is Outcome.REFUSED
    assert json.loads(receiver.received[0].body)["title"] == "Hookfill: fill"
