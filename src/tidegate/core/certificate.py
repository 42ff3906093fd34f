"""A certificate: that one version of a prompt passed one suite at one model, and until when."""

import hmac
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

_FORM: Final = b"tidegate-certificate-1\x00"
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode
DAY_S: Final = 86_400.0


class Found(Struct, frozen=True, omit_defaults=True):
    """One check of the gate that was passed, in words."""

    check: str
    verdict: Literal["pass", "warn"]
    why: str


class Fingerprint(Struct, frozen=True, order=True):
    """What a provider of the plan says names the build of model and engine that has answered."""

    provider: str
    fingerprint: str


class Certificate(Struct, frozen=True, omit_defaults=True):
    """`digest` is the version's, `model` what it was asked at, as its provider calls it, `snapshot`
    what the provider said had answered, `fingerprints` the builds that did in the run, as far as
    providers told any. `baseline` is the version that it was compared with, None
    where there was none. `signature` is control's, over all the rest. Times are wall-clock seconds.
    """

    id: str
    prompt: str
    version: str
    digest: str
    model: str
    suite: str
    suite_digest: str
    cases: int
    findings: tuple[Found, ...]
    author: str
    issued_at_s: float
    expires_at_s: float
    snapshot: str | None = None
    baseline: str | None = None
    judge_digest: str | None = None
    run: str | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    signature: str = ""

    def is_valid(self, now_s: float) -> bool:
        """In time. A clock that was set back does not lengthen it beyond what it was given."""
        return self.issued_at_s - DAY_S <= now_s < self.expires_at_s


def signed(certificate: Certificate, secret: bytes) -> Certificate:
    """With the signature of who holds the secret."""
    return replace(certificate, signature=_signature(certificate, secret))


def is_signed(certificate: Certificate, secrets: tuple[bytes, ...]) -> bool:
    """Whether nobody else than control has written any of it."""
    return any(
        hmac.compare_digest(certificate.signature, _signature(certificate, secret))
        for secret in secrets
    )


def _signature(certificate: Certificate, secret: bytes) -> str:
    body = _encode(replace(certificate, signature=""))
    return hmac.new(secret, _FORM + body, sha256).hexdigest()
