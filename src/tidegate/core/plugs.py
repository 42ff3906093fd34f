"""The kinds of thing that are added by adding a file, and the only lazy import in the house.

A file's name is its name in the plan. It holds one object called `plug`. Third parties register
`<kind>.<name>` in the entry-point group `tidegate.plugs`. A plug that does not load stops the
start, loudly.
"""

import functools
import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from msgspec import Raw, Struct

from tidegate.core.ask import Answer, Ask, Outgoing, Usage
from tidegate.core.conversation import Conversation
from tidegate.core.credential import Addressed, SigningKey
from tidegate.core.embeddings import Embedder
from tidegate.core.ladder import History
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint
from tidegate.core.rewriting import Rewriter, Texts
from tidegate.core.spoken import Event, Spoken

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
    are no event. `sequence` is the number that the next event has, where the caller's wire numbers
    them. `text_beyond_bytes` counts content that `text` no longer keeps. Any slicing of
    the same bytes gives the same result.

    `refused` says that the wire itself tells of a model's refusal, `called` that tools were called,
    `ended_twice` that a second end came. `follower`, where one is set, is told of every piece.
    """

    follower: Follower | None
    refused: bool
    ended_twice: bool

    started: bool
    finished: bool
    failure: Failure | None
    terminal: bytes
    content_chunks: int
    text_beyond_bytes: int
    service_tier: str | None

    @property
    def model_fingerprint(self) -> str | None: ...

    @property
    def called(self) -> bool: ...

    @property
    def surplus_events(self) -> int: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def finish_reason(self) -> str | None: ...

    @property
    def model_served(self) -> str | None: ...

    @property
    def provider_request_id(self) -> str | None: ...

    @property
    def sequence(self) -> int: ...

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


class SpokenReader(Protocol):
    """Reads one streamed answer into the common middle. Pure, and never raises.

    `finished` turns true with the provider's proper end, `failure` with an error event or bytes
    that are no event; after either nothing more is told, and `surplus_events` counts what comes:
    `ended_twice` says that a second end was among it. Any slicing of the same bytes gives the same
    events. `service_tier` is the class of service that it says it is made in, `model_fingerprint`
    what it says of the build that made it.
    """

    finished: bool
    failure: Failure | None
    surplus_events: int
    ended_twice: bool

    @property
    def service_tier(self) -> str | None: ...

    @property
    def model_fingerprint(self) -> str | None: ...

    def feed(self, data: bytes) -> list[Event]: ...

    def end(self) -> list[Event]:
        """The connection's end: what it still makes whole. Then one of `finished` and `failure`
        is there."""


class SpokenWriter(Protocol):
    """Writes one streamed answer in a caller's wire. Pure. `sequence` as StreamReader's."""

    @property
    def sequence(self) -> int: ...

    def write(self, events: list[Event]) -> bytes:
        """What the caller may see now."""

    def close(self) -> bytes:
        """The wire's proper end, with the usage where it belongs. Once, after the last event."""


class Stamp(Struct, frozen=True):
    """What a dialect writes of us into an answer: our request's id, and when it was accepted."""

    id: str
    at_s: float


class Dialect(Protocol):
    """One caller's wire. Pure: no socket, no clock.

    `paths` are where it is spoken, `count_paths` where its callers ask how many tokens a
    conversation has, by the member that says it. `content` is the member of a body that holds the
    caller's text, `starts` are the first bytes that its JSON may have, `ceiling` is the member that
    bounds the answer's tokens: where `needs_ceiling`, no request is without it. `keep_alive` is
    what its clients pass over in a stream. `passes` are headers of a caller that a provider of the
    same wire gets; `id_header` is where its clients look for the request's id.
    """

    name: str
    paths: Mapping[bytes, Endpoint]
    count_paths: Mapping[bytes, str]
    content: str
    starts: bytes
    ceiling: str
    needs_ceiling: bool
    keep_alive: bytes
    passes: tuple[str, ...]
    id_header: str

    def read(self, ask: Ask) -> Conversation:
        """The request in the common middle. Refusal that names the member."""

    def writer(self, ask: Ask, stamp: Stamp) -> SpokenWriter: ...

    def rewriter(self, texts: Texts) -> Rewriter:
        """A stream of this wire with other texts in it."""

    def whole(self, ask: Ask, stamp: Stamp, spoken: Spoken) -> bytes:
        """The body of a whole answer. Failure (`malformed`) where this wire cannot tell it."""

    def with_turns(self, content: Raw, said: str, told: str) -> Raw:
        """The caller's text, the member `content`, with two turns behind it: what the model said,
        and what it is told."""

    def trimmed(self, content: Raw, rule: History) -> Raw:
        """The member `content` made smaller by a rule (text.history); itself where it is one text,
        or nothing that can be read."""

    def status(self, no: Refusal | Failure) -> int:
        """The status that an error has in this API."""

    def error(self, no: Refusal | Failure, request_id: str) -> bytes:
        """The body of an error."""

    def error_event(self, no: Refusal | Failure, request_id: str, sequence: int) -> bytes:
        """The last event of a stream that has begun and fails; `sequence` is its number."""


class Passthrough(Protocol):
    """A provider's wire for callers who speak it themselves: their bytes pass as they are. Pure.

    `counts_tokens`: it says of a conversation how many tokens that has.
    """

    counts_tokens: bool

    def encode(self, ask: Ask, target: Target) -> Outgoing: ...

    def reader(self, ask: Ask) -> StreamReader: ...

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        """Failure (`malformed`) when the body is no answer of this dialect."""

    def across(self, body: bytes, *, streamed: bool) -> bytes | None:
        """A whole stream as a whole answer, or that as a stream. None where that goes by the common
        middle, or the body is no answer."""


class Signer(Protocol):
    """Signs requests with the machine's own AWS key where a plan names no credential.
    `bearer_variable` holds a token that goes before the key, if it is set."""

    bearer_variable: str

    def sign(
        self, outgoing: Outgoing, to: Addressed, key: SigningKey, now_s: float
    ) -> tuple[tuple[str, str], ...]:
        """The headers that this request has besides its own; good for five minutes. Refusal
        (`credential_missing`) where no region is known."""


class BatchWire(Protocol):
    """Requests by the file as one provider takes them. Pure. Found as `batches` of a provider that
    has them. `form` says in whose shapes: OpenAI's `files`, or Anthropic's `messages`, whose batch
    is one body and whose results are a path of it.

    `price_share` is what a line is known to cost, of what the same request costs at once; None
    where nobody knows whether they are taken at all: the plan says so then.
    """

    form: Literal["files", "messages"]
    price_share: float | None

    def path(self, target: Target, path: bytes, query: bytes = b"") -> bytes:
        """Where `/files` or `/batches` is, below the replica's prefix."""

    def url(self, endpoint: Endpoint) -> str:
        """What a line and a batch name to say which API is asked."""


class Provider(Protocol):
    """One wire, spoken by way of the common middle. Pure: no socket, no clock, no secret kept.

    `passthrough` says for which dialects of callers nothing has to be translated. `headers` go
    with each of its requests. `signer` is there where those can be signed, `embedder` where
    embeddings do not pass through. One whose engine serves LoRA adapters says so by two members
    more, which others leave out: `adapters`, a core.plan.AdapterForm, and `lacks_adapter(status,
    body)`, whether an error says that the adapter is not loaded. One that has no `base_url` may say
    by an `address_form` what to write, one whose models have two parts by a `model_form`, and one
    that commonly takes the identity of a cloud by its name as `cloud`.
    """

    base_url: str | None
    hosted: bool
    endpoints: frozenset[Endpoint]
    passthrough: Mapping[str, Passthrough]
    headers: tuple[tuple[str, str], ...]
    signer: Signer | None
    embedder: Embedder | None

    def credential_header(self, secret: str) -> tuple[str, str]: ...

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        """The request in this wire. Refusal that names the member which has no place in it, or,
        with `drop`, the request without it (core.losses)."""

    def spoken_reader(self, ask: Ask) -> SpokenReader: ...

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        """Failure (`malformed`) when the body is no answer of this wire."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure: ...


class Publishers(Protocol):
    """A provider that speaks the wire of each model's publisher. What it says of itself, by which a
    plan is compiled, holds for all of them; it is asked by what it gives for the model."""

    def of_model(self, model: str) -> Provider: ...


def provider_of(name: str, model: str) -> Provider:
    """The provider `name` as it serves `model`. PlugError as `load`."""
    found = load("providers", name)
    of_model = getattr(found, "of_model", None)
    provider: Provider = found if of_model is None else of_model(model)
    return provider


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
        e.name.removeprefix(f"{kind}.") for e in registered() if e.name.startswith(f"{kind}.")
    }
    return sorted(own | theirs)


@functools.cache
def registered() -> tuple[importlib.metadata.EntryPoint, ...]:
    """What third parties have registered, as it was at the first call: finding it takes long."""
    return tuple(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _third_party(kind: str, name: str) -> Any:
    for entry in (e for e in registered() if e.name == f"{kind}.{name}"):
        try:
            return entry.load()
        except Exception as error:
            raise PlugError(f"{kind}: {name} ({entry.value}) does not load: {error}") from error
    raise PlugError(f"{kind}: there is no {name!r}; this room has: {', '.join(names(kind))}")
