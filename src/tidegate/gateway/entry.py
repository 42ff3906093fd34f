"""What a path of port 4000 asks for, and in whose wire."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.plugs import Dialect
from tidegate.core.receipt import Endpoint


class Entry(Struct, frozen=True):
    """`content` is the body's member that holds the caller's text, `starts` are the first bytes
    that its JSON may have. `dialect` is None for OpenAI's own paths: errors are written in its wire
    by the gateway itself, also where no path was understood. `counted` is the member of the answer
    where only a conversation's tokens are to be counted. What is no chat says neither member nor
    first bytes: `metered_request` reads it."""

    endpoint: Endpoint
    content: str
    starts: bytes
    dialect: Dialect | None = None
    counted: str | None = None


CHAT: Final = Entry("chat", "messages", b"[")
COMPLETIONS: Final = Entry("completions", "prompt", b'["')
EMBEDDINGS: Final = Entry("embeddings", "input", b'["')
# What is no chat, by its path below `/v1`.
_MEDIA: Final[Mapping[bytes, Endpoint]] = {
    b"/rerank": "rerank",
    b"/moderations": "moderations",
    b"/images/generations": "images",
    b"/images/edits": "image_edits",
    b"/images/variations": "image_variations",
    b"/audio/speech": "speech",
    b"/audio/transcriptions": "transcriptions",
    b"/audio/translations": "translations",
}
_OPENAI: Final[Mapping[bytes, Entry]] = {
    b"/v1/chat/completions": CHAT,
    b"/v1/completions": COMPLETIONS,
    b"/v1/embeddings": EMBEDDINGS,
    b"/chat/completions": CHAT,
    b"/completions": COMPLETIONS,
    b"/embeddings": EMBEDDINGS,
}


def dialects() -> dict[str, Dialect]:
    """Every caller's dialect by its name. PlugError when one does not load."""
    return {name: plugs.load("dialects", name) for name in plugs.names("dialects")}


def entries(known: Mapping[str, Dialect]) -> dict[bytes, Entry]:
    """What each path of inference asks for."""
    found = dict(_OPENAI)
    for path, endpoint in _MEDIA.items():
        found[path] = found[b"/v1" + path] = Entry(endpoint, "", b"")
    found[b"/v2/rerank"] = found[b"/rerank"]
    for dialect in known.values():
        for path, endpoint in dialect.paths.items():
            found[path] = Entry(endpoint, dialect.content, dialect.starts, dialect)
        for path, member in dialect.count_paths.items():
            entry = Entry("count_tokens", dialect.content, dialect.starts, dialect, member)
            found[path] = entry
    return found
