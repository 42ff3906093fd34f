"""One POST to a declared address: no redirect is followed, the answer is bounded in time and size.

A proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`) is used; it then judges where names lead.
"""

import base64
import contextlib
import ipaddress
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from msgspec import Struct

from tidegate.actuators import _dial
from tidegate.actuators._dial import Line, Peer
from tidegate.core.address import Url, parse_url
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place

_MOST_BYTES: Final = 64 * 1024
_SHOWN_LETTERS = 120
# As it is, it would never be taken. Whatever else is wrong, somebody may put right meanwhile.
_NEVER = frozenset({400, 413, 422})
_OURS = {"content-type": "application/json", "user-agent": "tidegate", "connection": "close"}


class Post(Struct, frozen=True):
    """What is posted, and where to. `reads_bytes`: how much of a good answer is wanted."""

    url: str
    body: bytes
    headers: Mapping[str, str] = {}
    reads_bytes: int = 0


class _Proxy(Struct, frozen=True):
    peer: Peer
    headers: dict[str, str]


def post(what: Post, to: Place) -> bytes:
    """Any answer below 300 is a receipt; what it says. NotDelivered."""
    try:
        url = parse_url(what.url)
        proxy = _proxy(url)
    except ValueError as error:
        raise NotDelivered(str(error)) from None
    declared = to.declared
    peer = Peer(url.host, url.port, declared.private is True, declared.ca_file)
    if proxy is not None:
        _refuse_literal(peer)
    with Line(peer if proxy is None else proxy.peer) as line:
        path, headers = url.path or "/", {**_OURS, **what.headers}
        if proxy is not None and url.scheme == "https":
            _tunnel(line, url, proxy)
        elif proxy is not None:
            path, headers = f"http://{url.authority}{path}", {**headers, **proxy.headers}
        if url.scheme == "https":
            line.encrypt(peer)
        headers = {**headers, "host": url.authority}
        return _exchange(line, Post(path, what.body, headers, what.reads_bytes), to.secret)


def _exchange(line: Line, what: Post, secret: Secret | None) -> bytes:
    """Send it and judge the answer. NotDelivered; `unknown` once all of it has been sent."""
    connection = HTTPConnection("")
    connection.sock = line.socket
    try:
        connection.request("POST", what.url, what.body, dict(what.headers))
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"not sent: {type(error).__name__}") from None
    try:
        answer = connection.getresponse()
        said = answer.read(what.reads_bytes if answer.status < 300 else _MOST_BYTES)
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"no answer: {type(error).__name__}", unknown=True) from None
    if answer.status >= 300:
        raise NotDelivered(
            f"status {answer.status}{_shown(said, secret)}",
            final=answer.status in _NEVER,
            retry_after_s=_retry_after_s(answer),
        )
    return said


def _shown(said: bytes, secret: Secret | None) -> str:
    """What the receiver says of it, without the secret."""
    if secret is not None:
        said = secret.conceal(said)
    text = " ".join(said.decode("utf-8", "replace").split())
    text = "".join(c if c.isprintable() else "?" for c in text[:_SHOWN_LETTERS])
    return f": {text}" if text else ""


def _retry_after_s(answer: HTTPResponse) -> float | None:
    text = (answer.getheader("retry-after") or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _proxy(url: Url) -> _Proxy | None:
    """The proxy that the environment names for this address. ValueError when it cannot be read."""
    found = getproxies_environment().get(url.scheme)
    if not found or proxy_bypass(url.host):
        return None
    parts = urlsplit(found if "://" in found else f"http://{found}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("the environment's proxy is no http:// address")
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["proxy-authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return _Proxy(Peer(parts.hostname, parts.port or 80, private=True), headers)


def _refuse_literal(peer: Peer) -> None:
    """Also behind a proxy nobody is asked to reach an address that may not be reached."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(peer.host)
        wrong = _dial.forbidden(peer.host, peer.private)
        if wrong is not None:
            raise NotDelivered(wrong)


def _tunnel(line: Line, url: Url, proxy: _Proxy) -> None:
    headers = {"host": url.authority, **proxy.headers}
    lines = [f"CONNECT {url.authority} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    try:
        line.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = HTTPResponse(line.socket, method="CONNECT")
        answer.begin()
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"the proxy does not answer: {type(error).__name__}") from None
    if answer.status != 200:
        raise NotDelivered(f"the proxy says status {answer.status}")
