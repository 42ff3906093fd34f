"""any-llm as far as it is used: clients that answer as a test tells them, errors of its names."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any


class Dumped:
    """A typed answer, as far as it is dumped."""

    def __init__(self, **members: Any) -> None:
        self.members = members

    def model_dump(self, *, mode: str, exclude_none: bool, warnings: bool) -> dict[str, Any]:
        assert (mode, exclude_none, warnings) == ("json", True, False)
        return dict(self.members)


class AnyLLMError(Exception):
    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        for name, value in fields.items():
            setattr(self, name, value)


class RateLimitError(AnyLLMError): ...


class UnsupportedParameterError(AnyLLMError): ...


class ContextLengthExceededError(AnyLLMError): ...


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> Dumped:
    delta = {} if content is None else {"content": content}
    choice: dict[str, Any] = {"index": 0, "delta": delta, **more}
    if finish is not None:
        choice["finish_reason"] = finish
    return Dumped(id="c", object="chat.completion.chunk", model="served", choices=[choice])


USED = Dumped(
    id="c",
    object="chat.completion.chunk",
    model="served",
    choices=[],
    usage={"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
)
WHOLE = Dumped(
    id="c",
    object="chat.completion",
    model="served",
    choices=[
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
    ],
    usage={"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
)


class Library:
    """`create` is any_llm.AnyLLM.create. `answers` are given in turn, the last again and again: an
    object, an error, or a list that is streamed; a number in it are seconds, "hang" is for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.created: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        self.cancelled = 0
        self.hanging = asyncio.Event()

    def create(self, provider: str, **named: Any) -> "Client":
        self.created.append((provider, named))
        if provider == "unknown":
            raise AnyLLMError("'unknown' is not a supported provider")
        if provider == "old" and "max_retries" in named:
            raise UnsupportedParameterError("max_retries", parameter_name="max_retries")
        return Client(self)

    async def answer(self, members: dict[str, Any]) -> Any:
        self.asked.append(members)
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if told == "hang":
            await self._hang()
        if isinstance(told, Exception):
            raise told
        return self._streamed(told) if isinstance(told, list) else told

    async def _hang(self) -> None:
        self.hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1

    async def _streamed(self, parts: list[Any]) -> AsyncIterator[Any]:
        for part in parts:
            if part == "hang":
                await self._hang()
            if isinstance(part, Exception):
                raise part
            yield part


class Client:
    def __init__(self, library: Library) -> None:
        self._library = library

    async def acompletion(self, **members: Any) -> Any:
        return await self._library.answer(members)

    async def aembedding(self, **members: Any) -> Any:
        return await self._library.answer(members)
