"""AWS Signature Version 4 of one request, its payload included. Pure: the time is an argument.

Signed are the host, the content type, every `x-amz-` header and a digest of the body; what else a
request has, a proxy on the way may change. The path is encoded once more than it is sent, as every
service but S3 wants it.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote

from tidegate.core.credential import SigningKey

ALGORITHM: Final = "AWS4-HMAC-SHA256"

Headers = Iterable[tuple[str, str]]


class Signed(NamedTuple):
    """One request as it will be sent; `path` is percent-encoded. It has no query."""

    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    name: str


def sign(request: Signed, key: SigningKey, scope: Scope, now_s: float) -> list[tuple[str, str]]:
    """The headers to send besides those of `request`."""
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    added = [("x-amz-date", at)]
    if key.session is not None:
        added.append(("x-amz-security-token", key.session.reveal()))
    names, canonical = canonical_request(request, added)
    place = f"{at[:8]}/{scope.region}/{scope.name}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    told = f"{ALGORITHM}\n{at}\n{place}\n{digest}"
    signature = hmac.digest(_signing_key(key, place), told.encode(), "sha256").hex()
    value = f"{ALGORITHM} Credential={key.id}/{place}, SignedHeaders={names}, Signature={signature}"
    return [*added, ("authorization", value)]


def canonical_request(request: Signed, added: Headers) -> tuple[str, str]:
    """(names of the signed headers, the request in the form that is digested)."""
    signed: dict[str, list[str]] = {"host": [request.host]}
    for name, value in (*request.headers, *added):
        lowered = name.lower()
        if lowered.startswith("x-amz-") or lowered == "content-type":
            signed.setdefault(lowered, []).append(" ".join(value.split()))
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{','.join(signed[name])}\n" for name in sorted(signed))
    path = quote(request.path, safe="/-_.~") or "/"
    digest = hashlib.sha256(request.body).hexdigest()
    return names, f"{request.method}\n{path}\n\n{lines}\n{names}\n{digest}"


def _signing_key(key: SigningKey, place: str) -> bytes:
    """The key for one day, region and service."""
    made = b"AWS4" + key.secret.reveal().encode()
    for part in place.split("/"):
        made = hmac.digest(made, part.encode(), "sha256")
    return made
