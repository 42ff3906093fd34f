"""The kinds of thing that are added by adding a file, and the only lazy import in the house.

A file's name is its name in the plan. It holds one object called `plug`. Third parties register
`<kind>.<name>` in the entry-point group `tidegate.plugs`. A plug that does not load stops the
start, loudly.
"""

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, Protocol

from tidegate.core.ask import Answer, Ask, Outgoing, Usage
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint

ENTRY_POINTS = "tidegate.plugs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class PlugError(Exception):
    """A plug that is missing or does not load. The message names it and says why."""


class Follower(Protocol):
    """Is told what an answer says as it comes; what it gives back ends the answer.

    `choice` and `call` are numbers from 0. A call's name comes once, its arguments piece by piece.
    """

    def content(self, choice: int, text: str) -> Failure | None: ...

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None: ...


class StreamReader(Protocol):
    """Follows one streamed answer. Pure: bytes in, bytes to forward out.

    `feed` returns what the caller may see now, which is a part of what came: `data` itself only
    where that is all of it and neither an end nor a failure has come. The terminal event is kept
    in `terminal` until the receipt is journalled. `started` turns true with the first content
    token, `finished` with the provider's proper end; `failure` with an error event or bytes that
    are no event. `text_beyond_bytes` counts content that `text` no longer keeps. Any slicing of
    the same bytes gives the same result.

    `refused` says that the wire itself tells of a model's refusal, `called` that tools were called,
    `ended_twice` that a second end came. `follower`, where one is set, is told of every piece.
    """

    follower: Follower | None
    refused: bool
    called: bool
    ended_twice: bool

    started: bool
    finished: bool
    failure: Failure | None
    terminal: bytes
    content_chunks: int
    surplus_events: int
    text_beyond_bytes: int
    usage: Usage | None
    finish_reason: str | None
    model_served: str | None
    provider_request_id: str | None
    service_tier: str | None

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> Failure | None:
        """The connection's end: None after a proper finish, otherwise what is missing."""

    def text(self) -> bytes:
        """The content produced so far as UTF-8, for counting tokens nobody counted."""

    def opening(self, most_bytes: int) -> bytes | None:
        """How the content begins, as UTF-8, without the thinking before it; empty where it was not
        kept. None: there is no content."""

    def text_bytes(self) -> int:
        """How long all content so far is, kept in `text` or not. Cheap: asked at each chunk."""


class Provider(Protocol):
    """One wire dialect. Pure: no socket, no clock, no secret kept."""

    base_url: str | None
    hosted: bool
    endpoints: frozenset[Endpoint]

    def encode(self, ask: Ask, target: Target) -> Outgoing: ...

    def credential_header(self, secret: str) -> tuple[str, str]: ...

    def reader(self, ask: Ask) -> StreamReader: ...

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        """Failure (`malformed`) when the body is no answer of this dialect."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure: ...


def load(kind: str, name: str) -> Any:
    """The plug `name` of `kind` (`providers`, ...). PlugError when there is none or it fails."""
    if not _NAME.fullmatch(name):
        raise PlugError(f"{kind}: {name!r} is not a plug's name")
    module_name = f"tidegate.{kind}.{name}"
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise PlugError(f"{kind}: {name} does not load: {error}") from error
        found = _third_party(kind, name)
    except Exception as error:
        raise PlugError(f"{kind}: {name} does not load: {error}") from error
    plug = getattr(found, "plug", None)
    if plug is None:
        raise PlugError(f"{kind}: {name} holds no `plug`; this room has: {', '.join(names(kind))}")
    return plug


def names(kind: str) -> list[str]:
    """Every plug of `kind`, ours and third parties', sorted."""
    package = importlib.import_module(f"tidegate.{kind}")
    own = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    theirs = {
        e.name.removeprefix(f"{kind}.")
        for e in importlib.metadata.entry_points(group=ENTRY_POINTS)
        if e.name.startswith(f"{kind}.")
    }
    return sorted(own | theirs)


def _third_party(kind: str, name: str) -> Any:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=f"{kind}.{name}"):
        try:
            return entry.load()
        except Exception as error:
            raise PlugError(f"{kind}: {name} ({entry.value}) does not load: {error}") from error
    raise PlugError(f"{kind}: there is no {name!r}; this room has: {', '.join(names(kind))}")
