"""What tests of tokens share: one issuer's key, and asking with its tokens."""

from pathlib import Path
from typing import Any

from tests.gateway import signers
from tests.gateway.rig import Gateway

from tidegate.core.plan_callers import IssuerKeys

KEY = signers.ec_key()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def file_keys(folder: Path, **keys: Any) -> IssuerKeys:
    path = folder / "issuer.jwks"
    path.write_bytes(signers.jwks(**keys or {"one": KEY}))
    return IssuerKeys(file=str(path))


async def code(it: Gateway, token: str, **named: Any) -> str | None:
    """None where the caller was served."""
    reply = await it.ask(headers=bearer(token), **named)
    return None if reply.status == 200 else f"{reply.status} {reply.code}"
