"""A model behind an identity, and the plans that name it."""

from pathlib import Path
from typing import Any

import msgspec
from tests.gateway.rig import target
from tests.gateway.token_servers import GoogleServer
from tests.gateway.upstream import Exchange, Upstream, answer_bytes

from tidegate.core.identity import GoogleIdentity, Identity
from tidegate.core.plan import Replica, Target
from tidegate.core.secret import SecretRef
from tidegate.gateway.cloud_identity import CloudIdentity

BYTES = Path(__file__).resolve().parent.parent / "bytes"
GEMINI = (BYTES / "vertex/chat.json").read_bytes()


class Model(Upstream):
    """Answers whoever comes with a token that it takes."""

    def __init__(self, answer: bytes = GEMINI) -> None:
        super().__init__(self._told)
        self.takes: set[str] | None = None
        self.answer = answer
        self.seen: list[str] = []

    async def _told(self, exchange: Exchange) -> None:
        told = (exchange.header(b"authorization") or b"").decode()
        self.seen.append(told)
        if self.takes is None or told in self.takes:
            exchange.send(answer_bytes(200, self.answer))
            return
        error = {"code": 401, "message": f"no: {told}", "status": "UNAUTHENTICATED"}
        exchange.send(answer_bytes(401, msgspec.json.encode({"error": error})))


def vertex(port: int, identity: Identity, name: str = "small", **fields: Any) -> Target:
    path = "/v1/projects/p/locations/l"
    replica = Replica(f"127.0.0.1:{port}", "http", "127.0.0.1", port, path)
    values: dict[str, Any] = {"dialect": "vertex", "model": "gemini-2.5-flash", **fields}
    return target(port, name, identity=identity, replicas=(replica,), **values)


def google(folder: Path, server: GoogleServer) -> Identity:
    file = folder / "credentials.json"
    file.write_text(server.credentials())
    allow = (server.url,)
    credentials = SecretRef(file=str(file))
    return Identity(
        google=GoogleIdentity(credentials=credentials, allow=allow, quota_project="p-1")
    )


def only(it: Any) -> CloudIdentity:
    (found,) = it.preparer.identities
    assert isinstance(found, CloudIdentity)
    return found
