"""Every path of port 4000 by every credential and carrier."""

import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.gateway import signers
from tests.gateway.reply import Reply
from tests.gateway.rig import gateway, run, target
from tests.gateway.signers import claims, issuer, sign
from tests.gateway.tokens import KEY, file_keys
from tests.gateway.upstream import Upstream

from tidegate.gateway.chunks import PATHS as CHUNKS
from tidegate.gateway.entry import dialects, entries
from tidegate.gateway.feedback import PATHS as FEEDBACK

# Every path of port 4000 that wants to know who calls.
PATHS = (
    *(("POST", path) for path in (*entries(dialects()), *FEEDBACK, *CHUNKS)),
    *(("GET", path) for path in (b"/v1/models", b"/v1/models/small", b"/v1/usage")),
    *(("GET", path) for path in (b"/v1/responses/resp_x", b"/v1/prompts/x")),
)
CARRIERS = ("authorization", "x-api-key", "api-key")


@pytest.mark.parametrize(("method", "path"), PATHS, ids=[f"{m} {p.decode()}" for m, p in PATHS])
def test_every_path_takes_a_token_as_a_key_and_nothing_else(
    tmp_path: Path, method: str, path: bytes
) -> None:
    """Whoever is let in gets past 401, by whichever carrier; nobody else does by any."""

    async def main() -> None:
        one = issuer(file_keys(tmp_path))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            good = sign(KEY, claims())
            strangers = {
                "": "missing_api_key",
                sign(signers.ec_key(), claims()): "invalid_api_key",
                sign(KEY, claims(exp=5)): "expired_api_key",
                sign(KEY, claims(aud="x")): "invalid_api_key",
                good[:-2]: "invalid_api_key",
                _unsigned(): "invalid_api_key",
                _by_public_key(): "invalid_api_key",
            }
            for carrier in CARRIERS:
                for shown in (it.key, good, *strangers):
                    value = f"Bearer {shown}" if carrier == "authorization" else shown
                    headers = {} if not shown else {carrier: value}
                    reply = await it.ask(path.decode(), b"{}", headers, method=method)
                    code = strangers.get(shown)
                    assert (reply.status == 401) == (code is not None)
                    assert code is None or _says(reply, code)
            for elsewhere in (f"?access_token={good}", f"?api_key={good}"):
                reply = await it.ask(path.decode() + elsewhere, b"{}", {}, method=method)
                assert reply.status == 401 and _says(reply, "missing_api_key")

    run(main())


def _says(reply: Reply, code: str) -> bool:
    """Anthropic's wire has no place for our codes."""
    return set(reply.json) != {"error"} or reply.code == code


def _unsigned() -> str:
    return f"{signers.piece({'alg': 'none'})}.{signers.piece(claims())}."


def _by_public_key() -> str:
    """Signed with what is public, as if it were a secret."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = signers.piece({"alg": "HS256", "kid": "one"})
    signed = f"{head}.{signers.piece(claims())}"
    return f"{signed}.{signers.piece(hmac.digest(pem, signed.encode(), 'sha256'))}"
