"""What a client asks of the simulated engine, read into types; and its no, in vLLM's shape."""

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct, field

from tidegate.sim import text

MAX_CHOICES = 128


class Problem(Exception):
    """The engine's no: a status and vLLM's error object."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param

    def body(self) -> bytes:
        kinds = {401: "AuthenticationError", 404: "NotFoundError", 405: "MethodNotAllowedError"}
        kind = kinds.get(self.status, "BadRequestError")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.status}
        return msgspec.json.encode({"error": error})


class Message(Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: Raw = Raw(b"null")
    tool_call_id: str | None = None


class Function(Struct):
    name: str
    parameters: dict[str, Any] | None = None


class Tool(Struct):
    function: Function
    type: str = "function"


class NamedTool(Struct):
    function: Function


class JsonSchema(Struct):
    name: str = ""
    schema: dict[str, Any] | None = None


class ResponseFormat(Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(Struct):
    include_usage: bool = False
    continuous_usage_stats: bool = False


class Asked(Struct):
    """The members that chat and completions share."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    priority: int = 0
    ignore_eos: bool = False
    min_tokens: int = 0
    cache_salt: str | None = None

    def stops(self) -> list[str]:
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else self.stop

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class Chat(Asked, kw_only=True):
    messages: list[Message]
    max_completion_tokens: int | None = None
    tools: list[Tool] = field(default_factory=list)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None


class Completion(Asked, kw_only=True):
    prompt: Raw
    echo: bool = False


class Embeddings(Struct):
    input: Raw
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


def inputs(raw: Raw, name: str) -> list[str | list[int]]:
    """`prompt` or `input` as a list: texts, or token ids. Problem."""
    for shape in (str, list[str], list[int], list[list[int]]):
        try:
            value: Any = msgspec.json.decode(raw, type=shape)
        except msgspec.ValidationError:
            continue
        if isinstance(value, str) or (value and isinstance(value[0], int)):
            value = [value]
        if value and all(len(item) or isinstance(item, str) for item in value):
            return list(value)
        raise Problem(400, f"`{name}` must not be empty", name)
    raise Problem(400, f"`{name}` must be text, token ids, or a list of either", name)


def ids_of(given: str | list[int]) -> list[int]:
    """Token ids of one input; ids that came as such are taken as they are. Problem."""
    if isinstance(given, str):
        return text.token_ids(text.pieces(given))
    if any(not 0 <= token < 2**32 for token in given):
        raise Problem(400, "token ids must be 0 to 2**32 - 1")
    return given


def read(body: bytes, kind: type[Struct]) -> Any:
    """The body as `kind`. Problem with a message that names the member."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(400, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from None
