"""What a caller asks for, as the gateway reads it, and what a provider says it used.

Only the fields that we judge are typed; every other member stays the bytes that came.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Raw, Struct

from tidegate.core.metered import Metered
from tidegate.core.plan import PrefixTtl
from tidegate.core.receipt import OPENAI_CHAT, Endpoint
from tidegate.core.setters import plain_setters

OPENAI_RESPONSES: Final = "openai_responses"
ANTHROPIC_MESSAGES: Final = "anthropic_messages"
# How the wire of what is no chat is called in `Passthrough`s.
MEDIA: Final = "media"
_CONTENT: Final = {
    "chat": "messages",
    "completions": "prompt",
    "embeddings": "input",
    "rerank": "documents",
    "moderations": "input",
    "images": "prompt",
    "image_edits": "image",
    "image_variations": "image",
    "speech": "input",
    "transcriptions": "file",
    "translations": "file",
}


@plain_setters
class Ask(Struct):
    """One request of a caller; `dialect` is the file in `dialects/` whose wire it is written in.

    `members` are the body's top-level members in order, each value as raw JSON. `body` is the
    whole body as it came. `output_ceiling_tokens` is None where the caller set no limit, nor its
    route (`ceiling_of_route`) in its place;
    `output_bound_tokens` is ours, to be sent in its place, for each choice; it is
    `output_cap_tokens` at most, where that is there. `passed` are headers
    that go along where the target speaks the same wire. `counts`: no answer is wanted but how many
    tokens the conversation has. `renamed` is there where the provider stores its answer: bytes of
    it, with the answer's id, as the caller is to see them. So many rounds of tool calls are in
    stored answers as `rounds_before` says. `model_sent` is the model that a target of another wire
    is asked for, while its attempt lasts.
    `bare`: its caller sends variables of a prompt and no conversation. With `prefix_ttl` its route
    wants the stable beginning cached for so long, where its target has to be told.
    `metered` is there where something else than a text is asked for, or of it.
    """

    endpoint: Endpoint
    body: bytes
    members: dict[str, Raw]
    model: str
    stream: bool = False
    include_usage: bool = False
    continuous_usage: bool = False
    choices: int = 1
    output_ceiling_tokens: int | None = None
    ceiling_of_route: bool = False
    output_bound_tokens: int | None = None
    output_cap_tokens: int | None = None
    dialect: str = OPENAI_CHAT
    passed: tuple[tuple[str, str], ...] = ()
    counts: bool = False
    renamed: Callable[[bytes, str], bytes] | None = None
    rounds_before: int = 0
    model_sent: str = ""
    bare: bool = False
    prefix_ttl: PrefixTtl | None = None
    metered: Metered | None = None


def content_name(ask: Ask) -> str:
    """The body's member that holds the caller's text."""
    return "input" if ask.dialect == OPENAI_RESPONSES else _CONTENT[ask.endpoint]


def turns_of(ask: Ask) -> Raw | None:
    """A chat's messages; of Responses the items, or the only text. None where there are none."""
    if ask.endpoint != "chat":
        return None
    return ask.members.get("input" if ask.dialect == OPENAI_RESPONSES else "messages")


class Outgoing(Struct, frozen=True):
    """A request to a provider: path below the replica's prefix, and the JSON body.

    `headers` are this request's own, besides those that each of the provider's requests has.
    `dropped` names what of the caller's request is not in it. `content_type` None is JSON.
    """

    path: bytes
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    content_type: bytes | None = None


class Units(Struct, frozen=True):
    """What an answer says that it used of what is sold by other units than text's tokens. None is
    unknown."""

    images: int | None = None
    image_size: str | None = None
    image_quality: str | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    audio_s: float | None = None
    search_units: int | None = None


class Usage(Struct, frozen=True):
    """Token classes, disjoint. None is unknown. `conflict` marks figures that contradict. Of the
    input and the output so many are audio as two more say, and of what was written to the cache so
    many are kept for an hour."""

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    conflict: bool = False
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cache_write_1h_tokens: int | None = None


class Said(Struct, frozen=True):
    """One choice of a whole answer: its content, whether the wire says that the model refused,
    and its calls of functions as (name, arguments). `acts`: it calls tools that are none."""

    content: str = ""
    refused: bool = False
    calls: tuple[tuple[str, str], ...] = ()
    acts: bool = False


class Answer(Struct, frozen=True):
    """What a whole (not streamed) answer says about itself.

    `text` is the content as UTF-8 where its tokens have to be counted here: with usage it is empty.
    `service_tier` is the class of service in which it was produced, where that is told, and
    `model_fingerprint` what names the build of model and engine that has.
    `said` holds a part for each choice; none of what has no choices. `units` is of what is no
    chat, and `shown` its body in the caller's wire, where that is another than its provider's.
    """

    usage: Usage | None
    finish_reason: str | None
    model_served: str | None
    provider_request_id: str | None
    text: bytes
    service_tier: str | None = None
    said: tuple[Said, ...] = ()
    model_fingerprint: str | None = None
    units: Units | None = None
    shown: bytes | None = None
