"""Ports of this machine: which are free, and how a server on one is reached."""

import errno
import socket

from app.settings import Address
from app.supervisor.refusals import CannotStart

LOOPBACK = "127.0.0.1"
#: What a server listens on and nobody can connect to.
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104  read, not bound


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that nobody listens on at the moment."""
    with _bound(Address(host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_free(address: Address) -> bool:
    """Tell whether a server could listen there now."""
    try:
        _bound(address).close()
    except OSError:
        return False
    return True


def listening_address(wanted: Address, setting: str) -> Address:
    """Return where to listen: as wanted, with a free port in place of port 0.

    Args:
        wanted: where to listen.
        setting: what to change if that cannot be.

    Raises:
        CannotStart: the address cannot be used.
    """
    try:
        with _bound(wanted) as listener:
            return Address(wanted.host, listener.getsockname()[1])
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise CannotStart(
            f"Port {wanted.port} of {wanted.host} {why}. Choose another one with {setting}."
        ) from error


def reachable(address: Address) -> Address:
    """Return the address at which this machine reaches a server that listens there."""
    return Address(_EVERYWHERE.get(address.host, address.host), address.port)


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As servers do: a port with closed connections only is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
    except OSError:
        listener.close()
        raise
    return listener
