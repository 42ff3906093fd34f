"""Signatures that the other side's library accepts."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tidegate.core import plugs
from tidegate.signatures.rsa import plug

PADDINGS = {"RS256": PKCS1v15(), "PS256": PSS(MGF1(SHA256()), 32)}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    told = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return told.decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@pytest.mark.parametrize("algorithm", PADDINGS)
def test_what_is_signed_is_accepted(key: rsa.RSAPrivateKey, algorithm: str) -> None:
    assert plugs.load("signatures", "rsa") is plug
    signature = plug.sign(pem(key), b"a.b", algorithm)
    key.public_key().verify(signature, b"a.b", PADDINGS[algorithm], SHA256())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, b"a.c", PADDINGS[algorithm], SHA256())


def test_what_is_no_good_key(key: rsa.RSAPrivateKey) -> None:
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    for text in ("", "x", pem(key)[:-200], curve):
        with pytest.raises(ValueError, match="private key") as no:
            plug.sign(text, b"a", "RS256")
        assert text[:40] not in str(no.value) or not text
