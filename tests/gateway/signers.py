"""An issuer of tokens: its keys, what it signs with them, and where it publishes them."""

import asyncio
import contextlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tidegate.core import clock
from tidegate.core.plan_callers import FromClaim, Grant, Issuer, IssuerKeys

ISSUER = "https://issuer.example"
AUDIENCE = "tidegate"


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, key_id: str | None, **members: object) -> dict[str, object]:
    """The public half, as a JSON Web Key."""
    public = key.public_key()
    of = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    if isinstance(key, ed25519.Ed25519PrivateKey):
        of = OKPAlgorithm
    told: dict[str, object] = dict(of.to_jwk(public, as_dict=True))
    told.pop("key_ops", None)
    named = {} if key_id is None else {"kid": key_id}
    return {**told, **named, **members}


def jwks(**keys: Any) -> bytes:
    return msgspec.json.encode({"keys": [jwk(key, name) for name, key in keys.items()]})


def claims(**more: object) -> dict[str, object]:
    """Good ones; None leaves one out."""
    now_s = int(clock.wall_s())
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "service-a",
        "iat": now_s,
        "exp": now_s + 600,
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


def sign(
    key: Any,
    told: dict[str, object],
    algorithm: str = "ES256",
    key_id: str | None = "one",
    typ: str | None = "JWT",
) -> str:
    headers: dict[str, Any] = {} if key_id is None else {"kid": key_id}
    headers["typ"] = typ
    return jwt.PyJWS().encode(msgspec.json.encode(told), key, algorithm, headers)


def piece(value: object) -> str:
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def issuer(keys: IssuerKeys, *grants: Grant, **fields: Any) -> Issuer:
    """One whose callers are all of team-a, unless grants say otherwise."""
    values: dict[str, Any] = {
        "name": "example",
        "issuer": ISSUER,
        "audiences": (AUDIENCE,),
        "grants": grants or (Grant(FromClaim("team-a")),),
        "algorithms": ("RS256", "ES256", "EdDSA"),
        **fields,
    }
    return Issuer(keys=keys, **values)


class Publisher:
    """An HTTP server that answers each request with `answer`; `asked` counts them."""

    def __init__(self) -> None:
        self.answer = b'{"keys":[]}'
        self.status = 200
        self.asked: list[bytes] = []
        self.url = ""
        self.hold: asyncio.Event | None = None
        self.reset = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        if self.hold is not None:
            await self.hold.wait()
        if self.reset:
            writer.transport.abort()
            return
        head = f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(self.answer)}\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode() + self.answer)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def publisher(**options: Any) -> AsyncIterator[Publisher]:
    it = Publisher()
    server = await asyncio.start_server(it._serve, "127.0.0.1", 0, **options)
    scheme = "https" if "ssl" in options else "http"
    host = "localhost" if "ssl" in options else "127.0.0.1"
    it.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}/keys"
    try:
        yield it
    finally:
        server.close()
