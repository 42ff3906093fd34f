"""What the clouds' ways to sign in share: forms, tokens that answer them, errors, signed claims."""

import base64
import ipaddress
import re
from collections.abc import Generator
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from tidegate.core.address import is_loopback, parse_url
from tidegate.core.secret import Secret, SecretRef
from tidegate.core.sign_in import (
    Around,
    Fetch,
    Fetched,
    Lease,
    NotSignedIn,
    ReadFile,
    Sign,
    Step,
)
from tidegate.text.strict_json import UNREADABLE

T = TypeVar("T")
FORM: Final = ("content-type", "application/x-www-form-urlencoded")
MAX_LIFE_S: Final = 7 * 86_400.0
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,32768}")
_encode = msgspec.json.Encoder().encode


class _Told(Struct):
    """An OAuth 2.0 answer; some tell the seconds as text."""

    access_token: str
    expires_in: int | float | str


class _No(Struct):
    """An OAuth 2.0 error, or one of Google's APIs."""

    error: Any = None
    error_description: Any = None


def form(url: str, members: dict[str, str], *headers: tuple[str, str]) -> Fetch:
    return Fetch("POST", url, (FORM, *headers), urlencode(members).encode())


def basic(name: str, password: str) -> tuple[tuple[str, str], ...]:
    """The header by which a client of OAuth 2.0 says who it is (RFC 6749, 2.3.1)."""
    told = base64.b64encode(f"{name}:{password}".encode()).decode()
    return (("authorization", f"Basic {told}"),)


def fetched(step: Fetch, who: str, *secrets: Secret) -> Generator[Step, Any, Fetched]:
    """Its answer with status 200. NotSignedIn otherwise, with what `who` says of it."""
    answer: Fetched = yield step
    if answer.status != 200:
        raise NotSignedIn(f"{who} answered {answer.status}{_why(answer.body, secrets)}")
    return answer


def bearer(step: Fetch, who: str, *secrets: Secret) -> Generator[Step, Any, Lease]:
    """The token that an OAuth 2.0 server gives."""
    answer = yield from fetched(step, who, *secrets)
    told = decoded(answer.body, _Told, who)
    try:
        lives_s = float(told.expires_in)
    except ValueError:
        raise NotSignedIn(f"{who} answered without saying how long its token lives") from None
    return Lease(lives(lives_s, who), token=secret(told.access_token, who))


def lives(lives_s: float, who: str) -> float:
    if not 0 < lives_s < float("inf"):
        raise NotSignedIn(f"{who} gave a token that has ended already")
    return min(lives_s, MAX_LIFE_S)


def lives_until(told: str, answer: Fetched, around: Around, who: str) -> float:
    """From a moment as in `2026-11-22T09:00:00Z`, by the server's own clock where it tells."""
    try:
        until_s = datetime.fromisoformat(told).timestamp()
    except ValueError:
        raise NotSignedIn(f"{who} answered without saying how long its token lives") from None
    return lives(until_s - (answer.date_s or around.now_s), who)


def decoded(body: bytes | str, kind: type[T], who: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE:
        raise NotSignedIn(f"{who}: what is there cannot be read") from None


def secret(text: str, who: str) -> Secret:
    """NotSignedIn where it has signs that no header has."""
    if not _PRINTABLE.fullmatch(text):
        raise NotSignedIn(f"{who} holds signs that it cannot have")
    return Secret(text)


def read(path: str, what: str) -> Generator[Step, Any, str]:
    """The text of a file that has to be there."""
    text: str | None = yield ReadFile(path)
    if text is None:
        raise NotSignedIn(f"there is no file {path}: {what}")
    return text.strip()


def found(ref: SecretRef, around: Around, what: str) -> Generator[Step, Any, str]:
    """What a reference of the plan points at."""
    if ref.env is not None:
        text = around.environ.get(ref.env, "").strip()
        if not text:
            raise NotSignedIn(f"the variable {ref.env} is not set: {what}")
        return text
    return (yield from read(ref.file or "", what))


def signed(
    header: dict[str, str], claims: dict[str, Any], key_pem: str
) -> Generator[Step, Any, Secret]:
    """A JWT (RFC 7519) in its compact form; the header's `alg` says how it is signed."""
    message = b".".join(_packed(_encode(part)) for part in ({**header, "typ": "JWT"}, claims))
    algorithm: Any = header["alg"]
    signature: bytes = yield Sign(Secret(key_pem), message, algorithm)
    return Secret((message + b"." + _packed(signature)).decode())


def _packed(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def is_near(url: str) -> bool:
    """Whether an address is of this machine or of its link, where clouds serve their machines."""
    try:
        host = parse_url(url.partition("?")[0]).host
        return is_loopback(host) or ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _why(body: bytes, secrets: tuple[Secret, ...]) -> str:
    try:
        told = msgspec.json.decode(body, type=_No)
    except UNREADABLE:
        return ""
    of_api: Any = told.error if isinstance(told.error, dict) else {}  # as Google's APIs tell it
    said = (of_api.get("status"), of_api.get("message"), told.error, told.error_description)
    words = [one for one in said if isinstance(one, str) and one]
    text = ": ".join(words)
    for one in secrets:  # before anything is cut off: the beginning of one is told by nobody
        text = text.replace(one.reveal(), "[redacted]")
    text = " ".join(text.split())[:400]
    return f" ({text})" if text.isprintable() and text else ""
