"""A signed token in its compact form (JWS, RFC 7515; JWT, RFC 7519), read strictly; nothing of it
is believed yet.

Three pieces in base64url, each in the one form that its bytes have; a header and claims that are
JSON objects in which no member comes twice, at any depth. What two readers could read differently
is no token.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.plan_callers import kind_of
from tidegate.text.strict_json import JsonProblem, loses_members, read_object

MAX_TOKEN_BYTES: Final = 16 * 1024
MAX_KID_CHARS: Final = 256
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MAX_TIME_S: Final = 1e11
_NONE: Final = frozenset[str]()

Claims = dict[str, Any]


class TokenProblem(ValueError):
    """What is presented is no token; the message holds nothing of it."""


class Signed(Struct, frozen=True):
    """`signed` are the bytes that `signature` is over. `kind` is what the header says that it is
    (`plan_callers.kind_of`)."""

    algorithm: str
    key_id: str | None
    kind: str
    claims: Claims
    signed: bytes
    signature: bytes


class _Header(Struct):
    alg: str
    kid: str | None = None
    typ: str | None = None
    crit: Any = None
    b64: Any = None


_header = msgspec.json.Decoder(_Header).decode
_claims = msgspec.json.Decoder(dict[str, Any]).decode


def looks_signed(presented: bytes) -> bool:
    """Whether it may be a token at all: three pieces, the first an object's `{"`."""
    return presented.startswith(b"eyJ") and presented.count(b".") == 2


def read_signed(presented: bytes) -> Signed:
    """The pieces of a token. TokenProblem."""
    if len(presented) > MAX_TOKEN_BYTES:
        raise TokenProblem(f"the token is longer than {MAX_TOKEN_BYTES} bytes")
    head, _, rest = presented.partition(b".")
    body, _, tail = rest.partition(b".")
    header = _read_header(_object(head, "header"))
    if header.crit is not None or header.b64 is not None:
        raise TokenProblem("the token's header wants what is not known here")
    if header.kid is not None and not 0 < len(header.kid) <= MAX_KID_CHARS:
        raise TokenProblem("the token's header names no key")
    claims = _claims(_object(body, "claims"))
    signature = _decoded(tail)
    if not signature:
        raise TokenProblem("the token is not signed")
    kind, signed = kind_of(header.typ), head + b"." + body
    return Signed(header.alg, header.kid, kind, claims, signed, signature)


def time_of(claims: Claims, name: str) -> float | None:
    """A time among the claims, in seconds of the wall clock; None where there is none.
    TokenProblem where it is none."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenProblem(f"the token's `{name}` is no time")
    if not 0 <= value <= _MAX_TIME_S:
        raise TokenProblem(f"the token's `{name}` is no time")
    return float(value)


def _read_header(data: bytes) -> _Header:
    try:
        return _header(data)
    except (msgspec.DecodeError, RecursionError):
        raise TokenProblem("the token's header does not say how it is signed") from None


def _object(piece: bytes, what: str) -> bytes:
    """The JSON object that a piece is."""
    data = _decoded(piece)
    try:
        read_object(data, _NONE)
        if loses_members(data, _claims(data)):
            raise TokenProblem(f"a member of the token's {what} comes twice")
    except (JsonProblem, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenProblem(f"the token's {what} are no strict JSON object") from None
    return data


def _decoded(piece: bytes) -> bytes:
    """Base64url without padding, where the last character has no bits to spare."""
    if piece.translate(None, _ALPHABET):
        raise TokenProblem("the token is no base64url")
    try:
        data = urlsafe_b64decode(piece + b"=" * (-len(piece) % 4))
    except binascii.Error:
        raise TokenProblem("the token is no base64url") from None
    if urlsafe_b64encode(data).rstrip(b"=") != piece:
        raise TokenProblem("the token is no base64url")
    return data
