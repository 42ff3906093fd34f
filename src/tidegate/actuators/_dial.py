"""Connections to addresses that a plan names. What a name leads to is judged at each connect, and
the connection goes to the very address that was judged."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from typing import Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.notice import NotDelivered

CONNECT_S: Final = 5.0
TOTAL_S: Final = 15.0

# Where machines are told their own credentials, also where the address looks like any other.
_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
)
_NOBODYS: Final = tuple(ipaddress.ip_network(text) for text in ("0.0.0.0/8", "240.0.0.0/4"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Peer(Struct, frozen=True):
    """Whom to reach. `private`: it may have a private address, or this machine's own."""

    host: str
    port: int
    private: bool = False
    ca_file: str | None = None


class Line:
    """A connection to a peer, with an end: however busy the other side keeps it."""

    def __init__(self, peer: Peer, after_s: float = TOTAL_S) -> None:
        """NotDelivered."""
        self.socket = connect(peer)
        self._cutter = self.socket.dup()  # of the same connection, whoever wraps the other in TLS
        self._timer = threading.Timer(after_s, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def encrypt(self, peer: Peer) -> None:
        """TLS from here on, with the peer's certificate checked. NotDelivered."""
        try:
            self.socket = context(peer).wrap_socket(self.socket, server_hostname=peer.host)
        except (OSError, ValueError) as error:
            why = getattr(error, "verify_message", None) or type(error).__name__
            raise NotDelivered(f"no TLS: {why}") from None

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._cutter.close()
        self.socket.close()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self._cutter.shutdown(socket.SHUT_RDWR)


def connect(peer: Peer) -> socket.socket:
    """A connection to an address that may be reached. NotDelivered."""
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"its name is not found: {type(error).__name__}") from None
    until_s = clock.monotonic_s() + CONNECT_S
    why = "its name leads nowhere"
    for family, kind, protocol, _, place in found:
        wrong = forbidden(str(place[0]), peer.private)
        if wrong is not None:
            why = wrong
            continue
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(max(0.1, until_s - clock.monotonic_s()))
            opened.connect(place)
        except OSError as error:
            opened.close()
            why = f"no connection: {type(error).__name__}"
        else:
            opened.settimeout(TOTAL_S)
            return opened
    raise NotDelivered(why)


def forbidden(address: str, private: bool) -> str | None:
    """Why an address may not be reached; None if it may."""
    at = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if at in _METADATA or at.is_link_local or at.is_multicast or at.is_unspecified:
        return f"it leads to {at}, which is never told anything"
    if any(at in network for network in _NOBODYS if network.version == at.version):
        return f"it leads to {at}, which is nobody's"
    if not at.is_global and not private:
        return f"it leads to {at}, a private address; write `private: true` if that is meant"
    return None


def _meant(at: Address) -> Address:
    """The address that another one stands for."""
    if not isinstance(at, ipaddress.IPv6Address):
        return at
    if at.ipv4_mapped is not None:
        return at.ipv4_mapped
    if at.sixtofour is not None:
        return at.sixtofour
    if at in _NAT64 or (at in _COMPATIBLE and int(at) > 1):
        return ipaddress.IPv4Address(int(at) & 0xFFFFFFFF)
    return at if at.teredo is None else at.teredo[1]


def context(peer: Peer) -> ssl.SSLContext:
    """Who is believed: the machine's own CAs, and the one that is declared. NotDelivered."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if peer.ca_file is not None:
        try:
            made.load_verify_locations(peer.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise NotDelivered(f"its ca_file is not to be had: {type(error).__name__}") from None
    return made
