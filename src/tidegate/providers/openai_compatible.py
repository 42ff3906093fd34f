"""OpenAI's wire as vLLM, SGLang, TGI, llama.cpp, Groq, Together and OpenRouter speak it."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw, structs

from tidegate.core import clock
from tidegate.core.ask import MEDIA, Answer, Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure
from tidegate.core.plan import Adapter, AdapterForm, Target
from tidegate.core.plugs import BatchWire, Passthrough, Signer, StreamReader
from tidegate.core.receipt import OPENAI_CHAT, Endpoint
from tidegate.core.spoken import Spoken
from tidegate.providers._failures import malformed
from tidegate.providers._manners import Manners
from tidegate.providers._media import PATHS as MEDIA_PATHS
from tidegate.providers._media import Media
from tidegate.providers._openai_error import (
    ENDS_NOTHING,
    broken_off,
    failure_in_answer,
    failure_of,
    is_no_adapter,
)
from tidegate.providers._openai_request import Writer
from tidegate.providers._openai_spoken import OpenAISpokenReader, spoken_of
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers._openai_usage import read_usage
from tidegate.providers._openai_whole import (
    decode_answer,
    has_output,
    read_odd_answer,
    said_of,
    text_of,
)
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.strict_json import UNREADABLE

PATHS: Mapping[Endpoint, bytes] = {
    "chat": b"/chat/completions",
    "completions": b"/completions",
    "embeddings": b"/embeddings",
}

_encode = msgspec.json.Encoder().encode
_TRUE = Raw(b"true")
_NULL = Raw(b"null")
_USAGE_ASKED_FOR = Raw(b'{"include_usage":true}')
_CEILINGS = ("max_tokens", "max_completion_tokens")


class Batches:
    """core.plugs.BatchWire: OpenAI's own paths."""

    form: Literal["files", "messages"] = "files"

    def __init__(self, price_share: float | None = None) -> None:
        self.price_share = price_share

    def path(self, target: Target, path: bytes, query: bytes = b"") -> bytes:
        del target
        return path + b"?" + query if query else path

    def url(self, endpoint: Endpoint) -> str:
        return "/v1" + PATHS[endpoint].decode()


class OpenAICompatible:
    """core.plugs.Provider, and the Passthrough of callers of OpenAI's chat. A provider that differs
    only in address is a subclass of two lines."""

    base_url: str | None = None
    hosted = False
    endpoints: frozenset[Endpoint] = frozenset(PATHS)
    headers: tuple[tuple[str, str], ...] = ()
    api = "openai_chat"  # as a refusal names it
    signer: Signer | None = None
    embedder: Embedder | None = None
    media: Passthrough = Media()  # what is no chat, where `endpoints` has any of it
    batches: BatchWire | None = None
    counts_tokens = False
    # What a dialect is asked besides usage, so that a stream says how far it is as it goes.
    stream_members: tuple[tuple[str, Raw], ...] = ()
    stream_options: tuple[tuple[str, Raw], ...] = ()
    tells_usage_of_one_choice = False
    manners = Manners()
    adapters: AdapterForm | None = None
    # It reads no other name of the ceiling than its manners': a caller's other one is renamed.
    one_ceiling = False
    # Otherwise usage comes unasked, and asking is refused.
    asks_for_usage = True
    # What callers of OpenAI's chat may say besides, in this dialect's own words.
    own_members: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.passthrough: Mapping[str, Passthrough] = {OPENAI_CHAT: self, MEDIA: self.media}

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        """The caller's body with the target's model, our bound on its output where there is one
        and, for a stream, usage asked for."""
        path = PATHS[ask.endpoint]
        members = self._ceiling_renamed(ask.members) if self.one_ceiling else ask.members
        whole: dict[str, Any] = {**members}
        if ask.stream:
            whole.update(self._added(ask))
        if target.adapter is not None:
            whole.update(self.adapter_members(target.adapter))
        if ask.output_bound_tokens is not None:
            whole.update(self._bound(ask.endpoint, members, ask.output_bound_tokens))
        if ask.model == target.model and whole == ask.members:
            return Outgoing(path, ask.body)
        whole["model"] = target.model
        return Outgoing(path, _encode(whole))

    def _ceiling_renamed(self, members: dict[str, Raw]) -> dict[str, Raw]:
        """The members, where one is a ceiling under a name that this dialect does not read."""
        known = self.manners.ceiling
        told = next((members[it] for it in _CEILINGS if members.get(it, _NULL) != _NULL), None)
        if told is None or members.get(known, _NULL) != _NULL:
            return members
        rest = {name: raw for name, raw in members.items() if name not in _CEILINGS}
        return {**rest, known: told}

    def _bound(self, endpoint: Endpoint, members: Mapping[str, Raw], tokens: int) -> dict[str, Raw]:
        """The bound, wherever the caller has set one, or where this dialect reads it."""
        bound = Raw(_encode(tokens))
        names = [name for name in _CEILINGS if members.get(name, _NULL) != _NULL]
        usual = self.manners.ceiling if endpoint == "chat" else "max_tokens"
        return dict.fromkeys(names or [usual], bound)

    def _added(self, ask: Ask) -> dict[str, Raw]:
        """The members that a stream's body must have besides the caller's own."""
        added = {}
        for name, raw in self.stream_members:
            if name not in ask.members:
                added[name] = raw
        if (ask.include_usage and not self.stream_options) or not self.asks_for_usage:
            return added
        told = ask.members.get("stream_options", _NULL)
        if told == _NULL and not self.stream_options:
            added["stream_options"] = _USAGE_ASKED_FOR
        else:
            options: dict[str, Raw] = {}
            if told != _NULL:
                options = msgspec.json.decode(told, type=dict[str, Raw])
            options.update(self.stream_options, include_usage=_TRUE)
            added["stream_options"] = Raw(_encode(options))
        return added

    def adapter_members(self, adapter: Adapter) -> dict[str, Raw]:
        """The members that say which adapter to use, where it does not stand in the model's
        place."""
        del adapter
        return {}

    def lacks_adapter(self, status: int, body: bytes) -> bool:
        """Whether an error says that the engine has not loaded the adapter it was asked for."""
        return is_no_adapter(status, body)

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "authorization", f"Bearer {secret}"

    def reader(self, ask: Ask) -> StreamReader:
        return self.chunks(ask)

    def chunks(self, ask: Ask) -> OpenAIStreamReader:
        """Follows a stream of chunks."""
        return OpenAIStreamReader(ask)

    def across(self, body: bytes, *, streamed: bool) -> bytes | None:
        """By the common middle, which is of this wire."""
        del body, streamed
        return None

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        try:
            answer = decode_answer(body)
        except UNREADABLE:
            answer = read_odd_answer(body)
        if answer.error:
            raise failure_in_answer(answer.error)
        choices, wants_output = answer.choices or [], ask.endpoint != "embeddings"
        if not choices and (wants_output or bytes(answer.data)[:1] != b"["):
            raise malformed("the provider's answer is empty")
        finish = None
        for choice in choices:
            finish = choice.finish_reason
            if finish in ENDS_NOTHING:
                raise broken_off(finish)
        tier = answer.service_tier if isinstance(answer.service_tier, str) else None
        told = answer.system_fingerprint
        made_by = told if isinstance(told, str) and told else None
        said = (said_of(choices[0]),) if len(choices) == 1 else tuple(map(said_of, choices))
        usage = None
        if answer.usage is not None:
            usage = read_usage(answer.usage, wants_output=wants_output)
            if usage.output_tokens == 0 and any(has_output(choice) for choice in choices):
                usage = CONFLICT if has_no_output(usage) else usage
            if self.tells_usage_of_one_choice and len(choices) > 1:
                usage = CONFLICT
            if not usage.conflict:
                return Answer(usage, finish, answer.model, answer.id, b"", tier, said, made_by)
        text = b"".join(text_of(choice) for choice in choices)
        return Answer(usage, finish, answer.model, answer.id, text, tier, said, made_by)

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        own = {name: raw for name, raw in said.unread.items() if name in self.own_members}
        if own:
            rest = {name: raw for name, raw in said.unread.items() if name not in own}
            said = structs.replace(said, unread=rest)
        losses = Losses(said, self.api, drop=drop)
        body = self.writer(said, target, losses).body(target.model, ask.output_bound_tokens)
        body.update(own)
        if target.adapter is not None:
            body.update(self.adapter_members(target.adapter))
        if ask.stream:
            body["stream"] = True
            # Members of the same name mean something else in the caller's wire.
            body.update(self._added(structs.replace(ask, members={}, include_usage=False)))
        return Outgoing(PATHS["chat"], _encode(body), dropped=tuple(losses.names))

    def writer(self, said: Conversation, target: Target, losses: Losses) -> Writer:
        return Writer(said, self.manners_of(target), losses)

    def manners_of(self, target: Target) -> Manners:
        return self.manners

    def spoken_reader(self, ask: Ask) -> OpenAISpokenReader:
        whole = msgspec.structs.replace(ask, include_usage=True, continuous_usage=True)
        return OpenAISpokenReader(self.chunks(whole))

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return spoken_of(body, self.read_answer(ask, body))

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return failure_of(status, headers, body, clock.wall_s())


class Anything(OpenAICompatible):
    """A server of which nothing is known: it may serve what is no chat too."""

    endpoints: frozenset[Endpoint] = frozenset({*PATHS, *MEDIA_PATHS})
    batches: BatchWire | None = Batches()


plug = Anything()
