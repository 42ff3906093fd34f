"""Which pages of engines a plan names, and fetching one: bounded in time and bytes.

Only the replicas' own hosts are asked, directly, with no other key than the page's own; a redirect
is not followed.
"""

import ssl
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import httpx2
from msgspec import Struct

from tidegate.core import clock, plugs
from tidegate.core.address import bracketed
from tidegate.core.engine_signals import EngineReader
from tidegate.core.plan import Plan
from tidegate.core.secret import Secret, SecretRef

MAX_BYTES = 4 * 1024 * 1024
TIMEOUT_S = 2.0
_HEADERS = {"accept": "text/plain;version=0.0.4", "accept-encoding": "identity"}


class Unreachable(Exception):
    """There is no page; the message says why, in a few words."""


class Page(Struct, frozen=True):
    """Where one engine tells of itself. `ca_file` as the provider's; `api_key` opens it, as all of
    `header`, or as a bearer's token."""

    engine: str
    url: str
    ca_file: str | None = None
    api_key: SecretRef | None = None
    header: str | None = None


class Followed(Struct, frozen=True):
    """A replica of a target, and its page. Several targets may have the same."""

    target: str
    replica: str
    page: Page


Fetch = Callable[[Page], bytes]
# None where there is no such secret.
Find = Callable[[SecretRef], Secret | None]


def pages_of(plan: Plan) -> Sequence[Followed]:
    """Every replica whose engine is to be read. PlugError when a reader does not load."""
    targets = plan.targets
    found = []
    for name, told in plan.engines.items():
        target = targets[name]
        reader: EngineReader = plugs.load("engines", told.engine)
        for replica in target.replicas:
            where = f"{replica.scheme}://{bracketed(replica.host)}:{told.port or replica.port}"
            url, keyed = where + (told.path or reader.path), (told.api_key, told.header)
            page = Page(told.engine, url, target.tls.ca_file, *keyed)
            found.append(Followed(name, replica.name, page))
    return found


def fetch(page: Page, find: Find = lambda _: None) -> bytes:
    """The page's bytes. Unreachable when there are none, too many, or not in time."""
    headers = _HEADERS | _key(page, find)
    until_s = clock.monotonic_s() + TIMEOUT_S
    try:
        # Reading all authorities takes longer than the page: not for one without TLS.
        verify: ssl.SSLContext | bool = False
        if page.url.startswith("https:"):
            verify = _trusting(page.ca_file, _changed_ns(page.ca_file))
        with (
            httpx2.Client(
                timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, verify=verify
            ) as http,
            http.stream("GET", page.url, headers=headers) as answer,
        ):
            return _whole(answer, until_s)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise Unreachable(type(error).__name__) from error


def _key(page: Page, find: Find) -> dict[str, str]:
    """Looked for anew each time: whoever changes a key need not start anything."""
    if page.api_key is None:
        return {}
    secret = find(page.api_key)
    if secret is None:
        raise Unreachable(f"its key {page.api_key} is not to be had")
    if page.header is not None:
        return {page.header.lower(): secret.reveal()}
    return {"authorization": f"Bearer {secret.reveal()}"}


def _changed_ns(ca_file: str | None) -> int:
    return 0 if ca_file is None else Path(ca_file).stat().st_mtime_ns


@lru_cache(maxsize=64)
def _trusting(ca_file: str | None, _changed_ns: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _whole(answer: httpx2.Response, until_s: float) -> bytes:
    if answer.status_code != 200:
        raise Unreachable(f"status {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unreachable("it is compressed, though that was not asked for")
    found = bytearray()
    for piece in answer.iter_raw():
        found += piece
        if len(found) > MAX_BYTES:
            raise Unreachable(f"more than {MAX_BYTES} bytes")
        if clock.monotonic_s() > until_s:
            raise Unreachable("it takes too long")
    return bytes(found)
