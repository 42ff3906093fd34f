"""What a gateway's process is told when it is started, and what it listens on."""

import argparse
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path


def read_options(argv: Sequence[str]) -> argparse.Namespace:
    """The process ends with status 2 where they are none."""
    parser = argparse.ArgumentParser(prog="tidegate.gateway", allow_abbrev=False)
    parser.add_argument("--state", type=Path, required=True, help="the state directory")
    parser.add_argument("--slot", type=int, default=0, help="number of this gateway")
    parser.add_argument("--listen-fd", type=int, help="a bound socket to accept on")
    parser.add_argument("--listen", default="127.0.0.1:4000", help="host:port to bind instead")
    parser.add_argument("--parent-fd", type=int, help="exit when this reads end-of-file")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    return parser.parse_args(argv)


def bound_socket(options: argparse.Namespace) -> socket.socket:
    """The one that was handed down, or one of its own. OSError where the address is taken."""
    if options.listen_fd is not None:
        sock = socket.socket(fileno=options.listen_fd)
    else:
        host, _, port = options.listen.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host.strip("[]"), int(port)))
        except BaseException:
            sock.close()
            raise
    sock.setblocking(False)
    return sock


def tls_of(options: argparse.Namespace) -> ssl.SSLContext | None:
    """How callers are spoken to; None in the clear. OSError, ssl.SSLError for files that are
    none."""
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(options.tls_cert, options.tls_key)
    context.set_alpn_protocols(["http/1.1"])
    return context
