"""What all wires of Vertex AI share: names in paths, the credential's header, errors."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from msgspec import structs

from tidegate.core import clock
from tidegate.core.ask import Outgoing
from tidegate.core.outcome import Failure
from tidegate.providers import _anthropic_error, _gemini_error

# How Google's API keys begin. Anything else is a token, such as OAuth's.
_KEYS: Final = ("AIza", "AQ.")


def named(model: str) -> str:
    """Its name as the last part of a path, without its publisher."""
    return quote(model.rpartition("/")[2], safe="@")


def at(outgoing: Outgoing, path: str, body: bytes) -> Outgoing:
    return structs.replace(outgoing, path=path.encode(), body=body)


class VertexWire:
    """Before a publisher's own wire among the bases: what Vertex has otherwise."""

    def credential_header(self, secret: str) -> tuple[str, str]:
        if secret.startswith(_KEYS):
            return "x-goog-api-key", secret
        return "authorization", f"Bearer {secret}"

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Google's own errors, and those that it passes on from Anthropic."""
        is_anthropic = b'"type":"error"' in body[:64].replace(b" ", b"")
        read = _anthropic_error.fault if is_anthropic else _gemini_error.fault
        return read(status, headers, body, clock.wall_s())
