"""What control is told on its command line, and the socket that it listens on."""

import argparse
import socket
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tidegate.core.address import Listen, parse_listen
from tidegate.core.layout import Layout


class Settings(Struct, frozen=True):
    """`listen_fd` is a listening socket to accept on, `listen` the address to bind without one.
    Gateways listen on `gateway_host`. Control ends when `parent_fd` reads end-of-file."""

    layout: Layout
    plan_file: Path
    listen_fd: int | None
    listen: Listen
    gateway_host: str
    parent_fd: int | None


def read(argv: Sequence[str]) -> Settings:
    """Ends the process, with what is wrong, where they cannot be read."""
    parser = argparse.ArgumentParser(prog="tidegate.control", allow_abbrev=False)
    parser.add_argument("--state", type=Path, required=True, help="the state directory")
    parser.add_argument("--plan", type=Path, required=True, help="the plan file")
    parser.add_argument("--listen-fd", type=int, help="a listening socket to accept on")
    parser.add_argument(
        "--listen", type=parse_listen, default="127.0.0.1:4001", help="host:port to bind instead"
    )
    parser.add_argument(
        "--gateway-host", default="127.0.0.1", help="the host on which gateways listen"
    )
    parser.add_argument("--parent-fd", type=int, help="end when this reads end-of-file")
    given = parser.parse_args(argv)
    return Settings(
        Layout(given.state.absolute()),
        given.plan,
        given.listen_fd,
        given.listen,
        given.gateway_host,
        given.parent_fd,
    )


def listening(settings: Settings) -> socket.socket:
    """The listening socket, which does not block. OSError when the address cannot be bound."""
    if settings.listen_fd is not None:
        sock = socket.socket(fileno=settings.listen_fd)
    else:
        listen = settings.listen
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((listen.host, listen.port))
            sock.listen()  # whoever reads control.url may call before the server accepts
        except OSError:
            sock.close()
            raise
    sock.setblocking(False)
    return sock
