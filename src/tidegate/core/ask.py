"""What a caller asks for, as the gateway reads it, and what a provider says it used.

Only the fields that we judge are typed; every other member stays the bytes that came.
"""

from msgspec import Raw, Struct

from tidegate.core.receipt import Endpoint
from tidegate.core.setters import plain_setters


@plain_setters
class Ask(Struct):
    """One request of a caller in OpenAI's shape.

    `members` are the body's top-level members in order, each value as raw JSON. `body` is the
    whole body as it came. `output_ceiling_tokens` is None where the caller set no limit;
    `output_bound_tokens` is ours, to be sent in its place, for each choice.
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
    output_bound_tokens: int | None = None


class Outgoing(Struct, frozen=True):
    """A request to a provider: path below the replica's prefix, and the JSON body."""

    path: bytes
    body: bytes


class Usage(Struct, frozen=True):
    """Token classes, disjoint. None is unknown. `conflict` marks figures that contradict. Of the
    input and the output so many are audio as the last two say."""

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    conflict: bool = False
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None


class Said(Struct, frozen=True):
    """One choice of a whole answer: its content, whether the wire says that the model refused,
    and its calls of tools as (name, arguments)."""

    content: str = ""
    refused: bool = False
    calls: tuple[tuple[str, str], ...] = ()


class Answer(Struct, frozen=True):
    """What a whole (not streamed) answer says about itself.

    `text` is the content as UTF-8 where its tokens have to be counted here: with usage it is empty.
    `service_tier` is the class of service in which it was produced, where that is told.
    `said` holds a part for each choice; none of what has no choices.
    """

    usage: Usage | None
    finish_reason: str | None
    model_served: str | None
    provider_request_id: str | None
    text: bytes
    service_tier: str | None = None
    said: tuple[Said, ...] = ()
