"""Signatures by RSA keys, by the package `cryptography` (extra `clouds`)."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_BITS: Final = 2048


class Rsa:
    def sign(self, key_pem: str, message: bytes, algorithm: str) -> bytes:
        """ValueError where that is no key, or none that is good; it holds nothing of the key."""
        try:
            key = load_pem_private_key(key_pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("the private key cannot be read") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
            raise ValueError(f"the private key is no RSA key of {LEAST_BITS} bits or more")
        digest = SHA256()
        padding: AsymmetricPadding = PKCS1v15()
        if algorithm == "PS256":
            padding = PSS(MGF1(digest), digest.digest_size)
        return key.sign(message, padding, digest)


plug = Rsa()
