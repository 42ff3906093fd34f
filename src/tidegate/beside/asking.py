"""What a request in OpenAI's wire is to any-llm: which provider, which members, whose credential.

A caller's body passes a gateway as it came, and any-llm takes by members' names where it asks and
as whom: so only the members of OpenAI's chat are taken from it. Where is said by the plan alone, in
a header of its provider.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from tidegate.core.secret import Secret

BASE_HEADER: Final = b"x-any-llm-api-base"
_MOST_CLIENTS: Final = 64
# How long a client may take to be made: SDKs are loaded then.
MAKE_S: Final = 30.0
CHAT: Final = frozenset(
    (
        *("messages", "tools", "tool_choice", "parallel_tool_calls", "response_format"),
        *("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "n", "stop"),
        *("max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "logit_bias"),
        *("stream", "stream_options", "reasoning_effort", "service_tier"),
        *("prompt_cache_key", "user"),
    )
)
EMBEDDINGS: Final = frozenset(("input", "dimensions", "encoding_format", "user"))

# any_llm.AnyLLM.create, as far as it is used.
Create = Callable[..., Any]


class WrongRequest(Exception):
    """The caller's mistake: `code` as OpenAI's API has it, `param` the member."""

    def __init__(
        self, message: str, code: str, param: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.status = status


class Whose(Struct, frozen=True):
    """Who is asked, where, with which credential."""

    provider: str
    base: str | None
    key: Secret | None

    @property
    def digest(self) -> bytes:
        text = "" if self.key is None else self.key.reveal()
        return hashlib.sha256("\0".join((self.provider, self.base or "", text)).encode()).digest()


class Asker:
    """Keeps the clients of the providers that were asked last: to make one takes long. Of each
    provider one is made at a time, in a thread, so that one that hangs keeps no more than that."""

    def __init__(self, create: Create) -> None:
        self._create = create
        self._clients: OrderedDict[bytes, Any] = OrderedDict()
        self._making: dict[str, asyncio.Task[Any]] = {}

    async def chat(self, whose: Whose, model: str, members: dict[str, Any]) -> Any:
        """A whole answer, or an async iterator of chunks; whatever any-llm raises."""
        client = await self._client(whose)
        try:
            return await client.acompletion(model=model, **members)
        except Exception as error:
            # Some providers tell usage unasked, and refuse to be asked for it.
            if getattr(error, "parameter_name", None) != "stream_options":
                raise
        members = {name: it for name, it in members.items() if name != "stream_options"}
        return await client.acompletion(model=model, **members)

    async def embed(self, whose: Whose, model: str, members: dict[str, Any]) -> Any:
        client = await self._client(whose)
        inputs = members.pop("input")
        return await client.aembedding(model=model, inputs=inputs, **members)

    async def _client(self, whose: Whose) -> Any:
        digest = whose.digest
        if digest in self._clients:
            self._clients.move_to_end(digest)
            return self._clients[digest]
        async with asyncio.timeout(MAKE_S):
            while (making := self._making.get(whose.provider)) is not None:
                await asyncio.wait({making})
            if digest in self._clients:
                return self._clients[digest]
            making = asyncio.create_task(self._begin(whose, digest))
            self._making[whose.provider] = making
            return await asyncio.shield(making)

    async def _begin(self, whose: Whose, digest: bytes) -> Any:
        try:
            client = await asyncio.to_thread(self._make, whose)
        finally:
            del self._making[whose.provider]
        while len(self._clients) >= _MOST_CLIENTS:
            self._clients.popitem(last=False)
        self._clients[digest] = client
        return client

    def _make(self, whose: Whose) -> Any:
        """The gateway alone says what is tried again."""
        key = None if whose.key is None else whose.key.reveal()
        named = {"api_key": key, "api_base": whose.base, "unified_exceptions": True}
        try:
            return self._create(whose.provider, **named, max_retries=0)
        except Exception as error:
            if getattr(error, "parameter_name", None) != "max_retries":
                raise
        return self._create(whose.provider, **named)


def split(model: Any) -> tuple[str, str]:
    """`watsonx:ibm/granite` as provider and model. WrongRequest."""
    provider, colon, name = model.partition(":") if isinstance(model, str) else ("", "", "")
    if not colon or not provider or not name:
        message = "the target's model is written PROVIDER:MODEL, as any-llm calls them"
        raise WrongRequest(message, "model_not_found", "model", 404)
    return provider, name


def taken(body: dict[str, Any], known: frozenset[str], needed: str) -> dict[str, Any]:
    """The members that are any-llm's to see. WrongRequest for others, and where one is missing."""
    for name in body:
        if name not in known and name != "model":
            raise WrongRequest(f"`{name[:80]}` is not carried", "unsupported_parameter", name[:80])
    if needed not in body:
        raise WrongRequest(f"`{needed}` is missing", "missing_required_parameter", needed)
    return {name: value for name, value in body.items() if name in known and value is not None}
