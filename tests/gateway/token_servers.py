"""Token servers of clouds, over real sockets: each believes only what its cloud would believe."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs

import trustme
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate
from tests.gateway.upstream import Exchange, Upstream, answer_bytes

EMAIL = "tide@p.iam.gserviceaccount.com"


class TokenServer(Upstream):
    """Gives `token-1`, `token-2`, ... to whoever proves itself; `down` makes it answer 503."""

    def __init__(self) -> None:
        super().__init__(self._told)
        self.given = 0
        self.lives_s = 3600
        self.down = False
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _told(self, exchange: Exchange) -> None:
        if self.down:
            exchange.send(answer_bytes(503, b'{"error":"temporarily_unavailable"}'))
            return
        try:
            self.check(exchange)
        except (AssertionError, InvalidSignature, KeyError, ValueError) as error:
            self.refused.append(repr(error))
            exchange.send(answer_bytes(400, b'{"error":"invalid_grant"}'))
            return
        self.given += 1
        told = {"access_token": f"token-{self.given}", "expires_in": self.lives_s}
        exchange.send(answer_bytes(200, json.dumps(told).encode()))

    def check(self, exchange: Exchange) -> None:
        raise NotImplementedError


class GoogleServer(TokenServer):
    """Believes the signature of one service account."""

    def __init__(self) -> None:
        super().__init__()
        self.key = rsa.generate_private_key(65_537, 2048)

    def credentials(self) -> str:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return json.dumps(
            {
                "type": "service_account",
                "client_email": EMAIL,
                "private_key_id": "k1",
                "private_key": pem.decode(),
                "token_uri": f"{self.url}/token",
            }
        )

    def check(self, exchange: Exchange) -> None:
        form = _form(exchange)
        assert form["grant_type"].endswith(":jwt-bearer")
        signed, _, signature = form["assertion"].encode().rpartition(b".")
        public = self.key.public_key()
        public.verify(_unpacked(signature), signed, PKCS1v15(), SHA256())
        header, claims = (json.loads(_unpacked(part)) for part in signed.split(b"."))
        assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        assert claims["iss"] == EMAIL and claims["aud"] == f"{self.url}/token"
        assert claims["exp"] - claims["iat"] == 3600


class EntraServer(TokenServer):
    """Believes one application by its secret, its certificate, or a workload's token."""

    def __init__(self) -> None:
        super().__init__()
        issued = trustme.CA(key_type=trustme.KeyType.RSA).issue_cert(
            "app.example", key_type=trustme.KeyType.RSA
        )
        self.pem = issued.private_key_and_cert_chain_pem.bytes().decode()
        self._certificate = load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
        key: Any = load_pem_private_key(issued.private_key_pem.bytes(), None)
        self._key = key.public_key()

    def check(self, exchange: Exchange) -> None:
        form = _form(exchange)
        assert exchange.path == b"/tenant/oauth2/v2.0/token"
        assert (form["grant_type"], form["client_id"]) == ("client_credentials", "app")
        assert form["scope"] == "https://cognitiveservices.azure.com/.default"
        if "client_secret" in form:
            assert form["client_secret"] == "app-secret"
            return
        assertion = form["client_assertion"].encode()
        if assertion == b"workload.own.token":
            return
        signed, _, signature = assertion.rpartition(b".")
        pss = PSS(MGF1(SHA256()), 32)
        self._key.verify(_unpacked(signature), signed, pss, SHA256())
        header, claims = (json.loads(_unpacked(part)) for part in signed.split(b"."))
        digest = hashlib.sha256(self._certificate.public_bytes(Encoding.DER)).digest()
        assert _unpacked(header["x5t#S256"].encode()) == digest
        assert claims["iss"] == claims["sub"] == "app"
        assert claims["aud"] == f"{self.url}/tenant/oauth2/v2.0/token"


class MetadataServer(TokenServer):
    """Google's, which gives a token to whoever says the word."""

    def check(self, exchange: Exchange) -> None:
        assert exchange.header(b"metadata-flavor") == b"Google"
        assert exchange.path.startswith(b"/computeMetadata/v1/instance/service-accounts/default/")


def _form(exchange: Exchange) -> dict[str, str]:
    return {name: one for name, (one,) in parse_qs(exchange.body.decode()).items()}


def _unpacked(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
