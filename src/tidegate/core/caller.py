"""Callers who show a token that somebody else has signed (a JWT) in the place of a key.

A plan names the issuers that are believed, and by grants what their callers may: the first grant
whose claims a token has decides, and a token of no grant is refused. Whoever is let in is a caller
like one with a key: its id is made of issuer and subject, and so the same with each new token.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core import plugs
from tidegate.core.key import KeyRecord
from tidegate.core.plan_callers import Algorithm

PREFIX = "jwt-"
_ID_BYTES = 15

_What = Literal["issuer", "subject", "token"]


class Meant(Struct, frozen=True, omit_defaults=True):
    """Whom a revocation means: one token by its `jti`, all of a subject, or the whole issuer."""

    issuer: str
    subject: str | None = None
    token_id: str | None = None

    @property
    def id(self) -> str:
        if self.token_id is not None:
            return id_of_token(self.issuer, self.token_id)
        if self.subject is not None:
            return id_of_caller(self.issuer, self.subject)
        return id_of_issuer(self.issuer)

    def __str__(self) -> str:
        if self.token_id is not None:
            return f"token {self.token_id} of {self.issuer}"
        return f"{self.subject or 'everybody'} of {self.issuer}"


class Revocation(Struct, frozen=True):
    """No token of `id` is good that was made until `before_s`; None: none is, whenever made.
    Wall-clock seconds, said at `at_s`."""

    id: str
    before_s: float | None
    at_s: float


class Caller(KeyRecord, frozen=True, omit_defaults=True, kw_only=True):
    """What a token's caller may, until the token ends (`expires_at_s`, leeway included) and not
    before `not_before_s`. `ids` are what a revocation may name: the caller, its issuer, the token.
    """

    end_user: str | None = None  # type: ignore[misc]
    not_before_s: float = 0.0  # type: ignore[misc]
    issued_at_s: float | None = None
    ids: tuple[str, ...] = ()  # type: ignore[misc]

    def after(self, revocations: Iterable[Revocation]) -> "Caller":
        """The same, revoked where one of these means its token."""
        made_s = self.issued_at_s
        for one in revocations:
            if one.before_s is None or made_s is None or made_s <= one.before_s:
                return replace(self, revoked_at_s=one.at_s)
        return self


class PublicKey(Protocol):
    """One key of an issuer, for one algorithm."""

    def verify(self, signed: bytes, signature: bytes) -> bool: ...


# By the id of the key (None: it has none) and the algorithm: those of one id, as they come.
Keys = Mapping[tuple[str | None, str], tuple[PublicKey, ...]]


class KeySet(Struct, frozen=True):
    """An issuer's keys. `skipped` says of each other that was meant for us what is wrong with it,
    in words that hold nothing of it."""

    keys: Keys = {}
    skipped: tuple[str, ...] = ()


class Verifier(Protocol):
    """What reads the keys of issuers; a plug, so that who has no issuer loads no cryptography."""

    def keys(self, jwks: bytes, algorithms: tuple[Algorithm, ...]) -> KeySet:
        """The keys of a JSON Web Key Set that are good for these algorithms. ValueError where it
        is none, or has none."""


def load_verifier() -> Verifier:
    """PlugError where the extra that it needs is not installed."""
    try:
        found: Verifier = plugs.load("callers", "jwt")
    except plugs.PlugError as error:
        raise plugs.PlugError(f"{error}; install tidegate with its extra `jwt`") from error
    return found


def id_of_caller(issuer: str, subject: str) -> str:
    """The id on receipts and in limits of whoever the issuer calls `subject`."""
    return _id("subject", issuer, subject)


def id_of_issuer(issuer: str) -> str:
    return _id("issuer", issuer, "")


def id_of_token(issuer: str, token_id: str) -> str:
    """Of one token, by its `jti`."""
    return _id("token", issuer, token_id)


def _id(what: _What, issuer: str, name: str) -> str:
    told = f"{what}\0{issuer}\0{name}".encode()
    short = base64.b32encode(hashlib.sha256(told).digest()[:_ID_BYTES]).decode().lower()
    return PREFIX + short
