"""Which Host and Origin the control API answers to.

A page in the operator's browser can send requests to a loopback port, and DNS rebinding lets it
read the answers under a name of its own. So a name that we do not know is refused before anything
else, and so is every request that a foreign page has started.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.control.errors import ApiError
from tidegate.control.respond import refusal
from tidegate.core.address import is_loopback

_LOOPBACK_NAMES = frozenset(["localhost", "127.0.0.1", "::1"])


class Names(Struct, frozen=True):
    """What the plan adds: host names of control, and origins of pages that may call it."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


class Perimeter:
    """ASGI: lets through what carries a known Host and no foreign Origin."""

    def __init__(self, app: ASGIApp, listen_host: str, more: Callable[[], Names]) -> None:
        self._app = app
        self._beyond_loopback = not is_loopback(listen_host)
        self._names = _LOOPBACK_NAMES | {listen_host.lower()}
        self._more = more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            self._check(scope["headers"])
        except ApiError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, headers: list[tuple[bytes, bytes]]) -> None:
        host = _single(headers, b"host")
        if host is None or not self._knows(host):
            raise ApiError(
                "host_not_allowed",
                "This Host is none of control's; the plan adds names in control.allowed_hosts.",
            )
        origin = _single(headers, b"origin")
        if origin is not None and origin in self._more().origins:
            return
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or _single(headers, b"sec-fetch-site") in ("cross-site", "same-site"):
            raise ApiError(
                "origin_not_allowed",
                "Pages of this origin are not answered; the plan adds control.allowed_origins.",
            )

    def _knows(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port  # reading the port checks its range
        except ValueError:
            return False
        if name is None or parts.path or parts.query or parts.fragment or "@" in host:
            return False
        # An address cannot be rebound to another; beyond loopback probes and scrapers use one.
        known = name in self._names or name in {n.lower() for n in self._more().hosts}
        return known or (self._beyond_loopback and _is_address(name))


def _single(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The header's one value; an empty text, which nothing allows, when it came twice."""
    values = [value for key, value in headers if key == name]
    if not values:
        return None
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
