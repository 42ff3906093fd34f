"""JSON Web Keys (RFC 7517), and the signatures that they are good for (RFC 7518, RFC 8037).

What is signed, and by whom it may be, is judged before this is asked (`gateway.issuers`): here is
the cryptography alone, PyJWT's on the package `cryptography`.
"""

from typing import Final

import jwt
import msgspec
from msgspec import Raw, Struct

from tidegate.core.caller import KeySet, PublicKey
from tidegate.core.plan_callers import Algorithm

MAX_JWKS_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
# Of one id for one algorithm, each of which is tried: so much a bad signature may cost.
MOST_OF_ONE_ID: Final = 4
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
# Which key an algorithm wants: `kty` and `crv`.
_KINDS: Final[dict[str, tuple[str, str | None]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", None)),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


class _Jwk(Struct, omit_defaults=True):
    """The public members of a key. What is private (`d`, `p`, ...) and symmetric (`k`) is not even
    read."""

    kty: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    n: str | None = None
    e: str | None = None
    x: str | None = None
    y: str | None = None


class _Jwks(Struct):
    keys: list[Raw]


_decode = msgspec.json.Decoder(_Jwks).decode
_decode_key = msgspec.json.Decoder(_Jwk).decode
_BROKEN: Final = (jwt.InvalidKeyError, ValueError, TypeError, msgspec.DecodeError, RecursionError)


class _Key:
    """One key of an issuer, for one algorithm."""

    __slots__ = ("_algorithm", "_key")

    def __init__(self, jwk: _Jwk, algorithm: str) -> None:
        self._algorithm = jwt.get_algorithm_by_name(algorithm)
        told: dict[str, object] = msgspec.to_builtins(jwk)
        self._key = self._algorithm.prepare_key(self._algorithm.from_jwk(told))
        if jwk.kty == "RSA" and not MIN_RSA_BITS <= self._key.key_size <= MAX_RSA_BITS:
            raise _Skipped(f"has not {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")

    def verify(self, signed: bytes, signature: bytes) -> bool:
        return self._algorithm.verify(signed, self._key, signature)


class _Verifier:
    """`core.caller.Verifier`."""

    def keys(self, jwks: bytes, algorithms: tuple[Algorithm, ...]) -> KeySet:
        if len(jwks) > MAX_JWKS_BYTES:
            raise ValueError(f"the key set is longer than {MAX_JWKS_BYTES} bytes")
        try:
            told = _decode(jwks).keys
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"it is no JSON Web Key Set: {error}") from None
        if len(told) > MOST_KEYS:
            raise ValueError(f"the key set has more than {MOST_KEYS} keys")
        found: dict[tuple[str | None, str], tuple[PublicKey, ...]] = {}
        skipped = []
        for number, raw in enumerate(told, 1):
            try:
                _add(_decode_key(raw), algorithms, found)
            except _BROKEN as error:  # one that is broken spoils no other
                skipped.append(f"key {number} of {len(told)} {_why(error)}")
        if not found:
            broken = f" ({'; '.join(skipped)})" if skipped else ""
            raise ValueError(f"no key of the set is good for {', '.join(algorithms)}{broken}")
        return KeySet(found, tuple(skipped))


def _add(
    jwk: _Jwk,
    algorithms: tuple[Algorithm, ...],
    found: dict[tuple[str | None, str], tuple[PublicKey, ...]],
) -> None:
    """For each algorithm that it is good for. One of `_BROKEN` where it is no key."""
    for algorithm in algorithms:
        if not _is_good_for(jwk, algorithm):
            continue
        key, of = _Key(jwk, algorithm), (jwk.kid, algorithm)
        others = found.get(of, ())
        if len(others) >= MOST_OF_ONE_ID:
            raise _Skipped(f"is one more than {MOST_OF_ONE_ID} of its id")
        found[of] = (*others, key)


class _Skipped(ValueError):
    """A key that is none to us; the message holds nothing of it."""


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, _Skipped) else "cannot be read"


def _is_good_for(jwk: _Jwk, algorithm: str) -> bool:
    kind, curve = _KINDS[algorithm]
    if jwk.kty != kind or (curve is not None and jwk.crv != curve):
        return False
    if jwk.use not in (None, "sig", "jwt-svid") or (
        jwk.key_ops is not None and "verify" not in jwk.key_ops
    ):
        return False
    return jwk.alg in (None, algorithm)


plug = _Verifier()
