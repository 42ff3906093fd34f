"""What a plan says of callers goes to gateways and back as it was."""

import msgspec

from tidegate.core.plan_callers import FromClaim, Grant, GrantLimits, Issuer, IssuerKeys, Match
from tidegate.core.secret import SecretRef

_ISSUER = Issuer(
    "k8s",
    "https://kubernetes.default.svc",
    ("tidegate",),
    IssuerKeys(url="https://k/keys", credential=SecretRef(file="/token")),
    (
        Grant(
            FromClaim(None, ("a", "b"), (("x", "y"),)),
            (Match(("sub",), ("system:*",)),),
            limits=GrantLimits(requests_per_minute=5),
        ),
    ),
)


def test_an_issuer_travels_whole() -> None:
    packed = msgspec.msgpack.encode(_ISSUER)
    assert msgspec.msgpack.decode(packed, type=Issuer) == _ISSUER


def test_no_algorithm_with_a_shared_secret_can_be_named() -> None:
    told = msgspec.to_builtins(_ISSUER)
    for algorithm in ("none", "HS256", "hs256", "rs256", ""):
        try:
            msgspec.convert({**told, "algorithms": [algorithm]}, Issuer)
        except msgspec.ValidationError:
            continue
        raise AssertionError(algorithm)
