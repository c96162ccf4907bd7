"""TLS before a server that knows none, and what joins two connections."""

import socket
import socketserver
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def join(outside: socket.socket, inside: socket.socket) -> None:
    """Pass on what comes, both ways, until either end closes."""
    back = threading.Thread(target=_copy, args=[inside, outside])
    back.start()
    _copy(outside, inside)
    with suppress(OSError):
        inside.shutdown(socket.SHUT_RDWR)
    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


class Tunnel(socketserver.ThreadingTCPServer):
    """Takes TLS and passes on what is in it: the server that comes along knows none."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, certificate: Path, onward: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Through)
        self.onward = onward
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)


class _Through(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Pass on both ways until either end closes."""
        tunnel = self.server
        assert isinstance(tunnel, Tunnel)
        # A client that does not trust the certificate leaves in the middle.
        with (
            suppress(OSError),
            tunnel.tls.wrap_socket(self.request, server_side=True) as outside,
            socket.create_connection(tunnel.onward) as inside,
        ):
            join(outside, inside)


def a_certificate(path: Path, *hosts: str) -> Path:
    """Make a key and a certificate of 127.0.0.1, and of these hosts, that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), *names])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(pem, *plain) + certificate.public_bytes(pem))
    return path
