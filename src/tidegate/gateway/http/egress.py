"""The way out: TLS contexts, and the proxy that stands between us and a provider, if any.

`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` mean what they mean to Python's standard library:
`NO_PROXY` names hosts and domains, and no ranges of addresses. A certificate that does not check
out is an error; there is no way to switch the check off.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from tidegate.core.address import bracketed
from tidegate.core.plan import Replica, Tls

MAX_CONNECT_ANSWER_BYTES = 16 * 1024


class ProxyError(OSError):
    """The egress proxy would not connect us."""


class Proxy(Struct, frozen=True):
    """An egress proxy. `authorization` is the value of Proxy-Authorization, if it wants one."""

    host: str
    port: int
    authorization: bytes | None


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A client's context: the system's authorities and the plan's private one. Reads files."""
    context = ssl.create_default_context()
    if tls.ca_file is not None:
        context.load_verify_locations(cafile=tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def proxy_for(replica: Replica, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for `replica`. ValueError when it is no http URL; a
    password may be in it, so its words are in no message."""
    names = [f"{replica.scheme}_proxy", "all_proxy"]
    url = next(
        (v for n in names for v in (environ.get(n), environ.get(n.upper())) if v),
        None,
    )
    excluded = environ.get("no_proxy") or environ.get("NO_PROXY")
    if url is None or (excluded and _is_excluded(replica, excluded)):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or parts.scheme != "http":
        raise ValueError(f"the egress proxy for {replica.scheme} must be an http:// address")
    authorization = None
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(user.encode())
    return Proxy(host, port or 3128, authorization)


def _is_excluded(replica: Replica, excluded: str) -> bool:
    """Whether NO_PROXY names the host, a domain that it is of, or all; with its port or without."""
    if excluded == "*":
        return True
    host = replica.host.lower()
    for name in (it.strip().lstrip(".").lower() for it in excluded.split(",")):
        for own in (host, f"{host}:{replica.port}"):
            if name and (own == name or own.endswith(f".{name}")):
                return True
    return False


class _Tunnel(asyncio.Protocol):
    """Waits for the proxy's answer to CONNECT."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer = b""

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self.opened.done():
            return
        if b"\r\n\r\n" in self._answer:
            words = self._answer.split(b"\r\n", 1)[0].split(b" ", 2)
            if len(words) > 1 and words[1] == b"200" and self._answer.endswith(b"\r\n\r\n"):
                self.opened.set_result(None)
            else:
                status = words[1].decode("latin-1")[:3] if len(words) > 1 else "no HTTP"
                self.opened.set_exception(ProxyError(f"the egress proxy answered {status}"))
        elif len(self._answer) > MAX_CONNECT_ANSWER_BYTES:
            self.opened.set_exception(ProxyError("the egress proxy's answer is too long"))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.opened.done():
            self.opened.set_exception(ProxyError("the egress proxy closed the connection"))


async def tunnel(
    protocol: asyncio.Protocol,
    replica: Replica,
    context: ssl.SSLContext,
    proxy: Proxy,
    server_name: str,
) -> None:
    """Connects `protocol` to `replica` by TLS inside a CONNECT tunnel. OSError when it fails."""
    loop = asyncio.get_running_loop()
    transport, waiting = await loop.create_connection(_Tunnel, proxy.host, proxy.port)
    try:
        authority = f"{bracketed(replica.host)}:{replica.port}".encode()
        head = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n" % (authority, authority)
        if proxy.authorization is not None:
            head += b"Proxy-Authorization: %b\r\n" % proxy.authorization
        transport.write(head + b"\r\n")
        await waiting.opened
        secured = await loop.start_tls(
            transport, protocol, context, server_side=False, server_hostname=server_name
        )
    except BaseException:
        transport.abort()
        raise
    if secured is None:
        raise ProxyError("the egress proxy closed the connection")
    protocol.connection_made(secured)
