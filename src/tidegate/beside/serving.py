"""OpenAI's chat and embeddings over HTTP, as an ASGI app: each request asked of any-llm.

When its gateway leaves, what was asked is cancelled, so that a provider stops working for nobody.
A stream begins with its first chunk: what fails before has a status of its own. What fails later is
one event with the error, and no `[DONE]`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from tidegate.beside.asking import (
    BASE_HEADER,
    CHAT,
    EMBEDDINGS,
    Asker,
    Whose,
    WrongRequest,
    split,
    taken,
)
from tidegate.beside.faults import Fault, fault_of
from tidegate.beside.places import Places
from tidegate.core.address import parse_url
from tidegate.core.secret import Secret

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_JSON: Final = (b"content-type", b"application/json")
_STREAM: Final = (b"content-type", b"text/event-stream")
_TEXT: Final = (b"content-type", b"text/plain; version=0.0.4")
_BEARER: Final = b"bearer "
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Server:
    """The app. Used inside one event loop."""

    def __init__(self, asker: Asker, places: Places) -> None:
        self._asker = asker
        self._places = places

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if (scope["method"], scope["path"]) == ("GET", "/livez"):
            await _whole(send, 200, b'{"status":"ok"}')
            return
        if (scope["method"], scope["path"]) == ("GET", "/metrics"):
            await _whole(send, 200, self._places.page(), kind=_TEXT)
            return
        try:
            body = await _body(receive)
        except WrongRequest as wrong:
            await _failed(send, fault_of(wrong, None))
            return
        if body is None:
            return
        answering = asyncio.create_task(self._answer(scope, body, send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _answer(self, scope: MutableMapping[str, Any], body: bytes, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        key = None
        try:
            key = _key(headers)
            if scope["method"] != "POST":
                raise WrongRequest("only POST is served here", "method_not_allowed", status=405)
            told = _members(body)
            provider, model = split(told.get("model"))
            whose = Whose(provider, _base(headers), key)
            known, needed = _wanted(scope["path"])
            members = taken(told, known, needed)
            with self._places.taken(provider):
                if known is EMBEDDINGS:
                    answer = await self._asker.embed(whose, model, members)
                else:
                    answer = await self._asker.chat(whose, model, members)
                if isinstance(answer, AsyncIterator):
                    await _stream(answer, key, send)
                else:
                    await _whole(send, 200, _encode(_dumped(answer)))
        except Exception as error:
            await _failed(send, fault_of(error, key))


def _wanted(path: str) -> tuple[frozenset[str], str]:
    """The members of a request to that path, and the one that has to be there. WrongRequest."""
    if path == "/v1/chat/completions":
        return CHAT, "messages"
    if path == "/v1/embeddings":
        return EMBEDDINGS, "input"
    raise WrongRequest("there is nothing at this path", "not_found", status=404)


async def _stream(chunks: AsyncIterator[Any], key: Secret | None, send: Send) -> None:
    """What any-llm raises before the first chunk is raised here."""
    try:
        first = await anext(chunks, None)
        await send({"type": "http.response.start", "status": 200, "headers": [_STREAM]})
        try:
            if first is not None:
                await _event(send, _encode(_dumped(first)))
            async for chunk in chunks:
                await _event(send, _encode(_dumped(chunk)))
            last = b"[DONE]"
        except Exception as error:
            last = fault_of(error, key).body
        await _event(send, last)
        await send({"type": "http.response.body", "body": b""})
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            with contextlib.suppress(Exception):
                await close()


async def _event(send: Send, data: bytes) -> None:
    event = b"data: %b\n\n" % data
    await send({"type": "http.response.body", "body": event, "more_body": True})


async def _failed(send: Send, fault: Fault) -> None:
    more = [] if fault.retry_after is None else [(b"retry-after", fault.retry_after.encode())]
    await _whole(send, fault.status, fault.body, *more)


async def _whole(
    send: Send,
    status: int,
    body: bytes,
    *more: tuple[bytes, bytes],
    kind: tuple[bytes, bytes] = _JSON,
) -> None:
    headers = [kind, (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes | None:
    """None where its sender has left. WrongRequest where it sends too much."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            what = f"the body is longer than {MAX_BODY_BYTES} bytes"
            raise WrongRequest(what, "request_too_large", status=413)
        if not message.get("more_body"):
            return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _members(body: bytes) -> dict[str, Any]:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WrongRequest("the body is no JSON object", "invalid_json") from None


def _key(headers: dict[bytes, bytes]) -> Secret | None:
    told = headers.get(b"authorization", b"")
    if not told.lower().startswith(_BEARER):
        return None
    return Secret(told[len(_BEARER) :].decode("latin-1").strip())


def _base(headers: dict[bytes, bytes]) -> str | None:
    told = headers.get(BASE_HEADER)
    if told is None:
        return None
    text = told.decode("latin-1")
    try:
        parse_url(text)
    except ValueError as error:
        name = BASE_HEADER.decode()
        raise WrongRequest(f"`{name}`: {error}", "invalid_parameter", name) from None
    return text


def _dumped(answer: Any) -> Any:
    """As OpenAI's API has it: any-llm tells reasoning in an object of its own, and what is none is
    left out but for two members that clients look for."""
    told = answer.model_dump(mode="json", exclude_none=True, warnings=False)
    for choice in told.get("choices", ()):
        choice.setdefault("finish_reason", None)
        for name in ("message", "delta"):
            said = choice.get(name)
            if said is None:
                continue
            if name == "message":
                said.setdefault("content", None)
            thought = said.pop("reasoning", None)
            if isinstance(thought, dict):
                thought = thought.get("content")
            if thought:
                said["reasoning_content"] = thought
    return told
