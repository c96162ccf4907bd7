"""Exchanges by way of a proxy: whatever that does, nothing is sent around it, nor in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.domain.enums import Market
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import VenueName
from app.domain.status import OrderStatus
from app.exchanges.clients import Clients
from app.exchanges.tickers import CcxtTickers
from app.store.core.clock import RedisClock
from app.supervisor.tcp_ports import free_port
from tests.support.builders import BTC
from tests.support.proxy import LOGIN, Proxy, running_proxy
from tests.support.servers import fresh_client, serving
from tests.support.tls import Tunnel, a_certificate
from tests.support.venue_world import ExchangeWorld, running_world, venue_ports

VENUES = [
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("bybit", Market.SPOT),
    ("poloniex", Market.SPOT),
]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with running_proxy() as running:
        yield running


@pytest.fixture(params=VENUES, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(*request.param) as running:
        yield running


@pytest.fixture
def spot() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.SPOT) as running:
        yield running


@contextmanager
def by_way_of(
    world: ExchangeWorld, proxy_of: Callable[[VenueName], str | None], url: str | None = None
) -> Iterator[ExchangeWorld]:
    """Let the exchange be reached by these proxies, at another URL perhaps."""
    ports = replace(world.ports, proxy_of=proxy_of)
    if url is not None:
        ports = replace(ports, urls={world.account.venue: url})
    with closing(Clients(ports)) as clients:
        world.venue = clients.of(world.account)
        yield world


@pytest.fixture
def secure(
    spot: ExchangeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ExchangeWorld, str]]:
    """An exchange that takes TLS, as all but simulated ones do, and its URL."""
    certificate = a_certificate(tmp_path / "both.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    plain = urlsplit(spot.ports.urls[spot.account.venue])
    tunnel = Tunnel(certificate, ("127.0.0.1", int(plain.port or 0)))
    with serving(tunnel):
        yield spot, f"https://127.0.0.1:{tunnel.server_address[1]}"


def test_every_request_goes_by_the_proxy(world: ExchangeWorld, proxy: Proxy) -> None:
    with by_way_of(world, lambda _: proxy.url):
        report = world.venue.place(world.order())
        world.venue.view()

    assert report.status is OrderStatus.FILLED
    assert world.count() == 1
    assert len(proxy.asked) == len(world.gateway.log) > 0


def test_a_venue_without_one_is_asked_directly(world: ExchangeWorld, proxy: Proxy) -> None:
    other = {VenueName("kraken"): proxy.url}

    with by_way_of(world, other.get):
        world.venue.place(world.order())

    assert world.count() == 1
    assert proxy.asked == []


def test_a_secure_exchange_is_asked_through_a_tunnel(
    secure: tuple[ExchangeWorld, str], proxy: Proxy
) -> None:
    world, url = secure

    with by_way_of(world, lambda _: proxy.url, url):
        report = world.venue.place(world.order())

    assert report.status is OrderStatus.FILLED
    assert set(proxy.asked) == {f"CONNECT {urlsplit(url).netloc}"}


#: What a proxy may say in place of opening a tunnel.
REFUSALS = [
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    b"HTTP/1.1 407 Who are you?\r\n\r\n",
    b"what?\r\n\r\n",
    b"HTTP/1.1 200 ",
    b"",
]


@pytest.mark.parametrize("said", REFUSALS)
def test_a_tunnel_that_is_not_opened_is_a_venue_that_is_not_reached(
    secure: tuple[ExchangeWorld, str], proxy: Proxy, said: bytes
) -> None:
    world, url = secure
    with by_way_of(world, lambda _: proxy.url, url):
        world.venue.place(world.order())  # what must be asked first is known
    asked = len(world.gateway.log)
    proxy.says = said

    with by_way_of(world, lambda _: proxy.url, url), pytest.raises(VenueUnavailable) as caught:
        world.venue.place(world.order())

    assert (world.count(), len(world.gateway.log)) == (1, asked)
    assert not any(word in str(caught.value) for word in LOGIN.split(":") if len(word) > 2)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_a_venue_that_is_not_reached(
    secure: tuple[ExchangeWorld, str], scheme: str
) -> None:
    world, url = secure
    dead = f"{scheme}://{LOGIN}@127.0.0.1:{free_port()}"
    world.venue.place(world.order())
    asked = len(world.gateway.log)
    for target in (url, None):
        with by_way_of(world, lambda _: dead, target), pytest.raises(VenueUnavailable) as caught:
            world.venue.place(world.order())
        assert "not-to-be-seen" not in str(caught.value)

    assert (world.count(), len(world.gateway.log)) == (1, asked)


def test_an_exchange_that_cannot_prove_who_it_is_gets_no_order(
    secure: tuple[ExchangeWorld, str], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, url = secure
    world.venue.place(world.order())
    asked = len(world.gateway.log)
    monkeypatch.undo()  # nobody trusts its certificate any more

    for way in (lambda _: proxy.url, lambda _: None):
        with by_way_of(world, way, url), pytest.raises(VenueUnavailable):
            world.venue.place(world.order())

    assert (world.count(), len(world.gateway.log)) == (1, asked)


def test_prices_for_play_money_come_by_the_proxy_too(proxy: Proxy) -> None:
    proxy.says = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
    client = fresh_client()
    ports = replace(venue_ports(client, RedisClock(client), {}), proxy_of=lambda _: proxy.url)

    with closing(Clients(ports)) as clients, pytest.raises(VenueUnavailable):
        CcxtTickers(VenueName("binance"), clients).ticker(BTC)

    assert {one.partition(" ")[0] for one in proxy.asked} == {"CONNECT"}
    assert all("binance" in one for one in proxy.asked)
