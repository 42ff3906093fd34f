"""How a run asks: one chat after another through the gateway, again where that may help."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tidegate.core import clock
from tidegate.core.grading import Answered
from tidegate.core.plan import Replica
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool, PoolFull, Way

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
# A key's money, and all else that another try cannot help with.
_MONEY: Final = "insufficient_quota"
_AGAIN: Final = frozenset((408, 409, 425, 429, 500, 502, 503, 504))
_NEVER_AGAIN: Final = frozenset(
    (_MONEY, "larger_than_limit", "session_limit_exceeded", "turn_limit_exceeded")
)
_SWEEP_S: Final = 1.0
# How the gateway calls a provider's no to the request itself: by its safety rules, or because it is
# wrong. Only the receipt tells which.
REJECTED: Final = "rejected_by_provider"


Purpose = Literal["answer", "judge", "embed"]
# What stands behind a run's id in its receipts' sessions.
SESSION_ENDS: Final[Mapping[Purpose, str]] = {"answer": "", "judge": ".judge", "embed": ".embed"}


class Patience(Struct, frozen=True):
    """How often and how long is waited, in seconds. With these a gateway may be away for 15 s."""

    tries: int = 6
    first_pause_s: float = 0.5
    most_pause_s: float = 8.0
    connect_s: float = 5.0
    answer_s: float = 600.0


class MoneySpent(Exception):
    """The key of the run may spend no more."""


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _Call(Struct, frozen=True):
    function: _Function = _Function()


class _Message(Struct, frozen=True):
    content: Any = None
    refusal: str | None = None
    tool_calls: tuple[_Call, ...] | None = None


class _Choice(Struct, frozen=True):
    message: _Message = _Message()
    finish_reason: str | None = None


class _Usage(Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Answer(Struct, frozen=True):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    model: str | None = None


class _Error(Struct, frozen=True):
    message: str = ""
    code: str | None = None


class _Refusal(Struct, frozen=True):
    error: _Error


class _Reply(Struct, frozen=True):
    status: int
    receipt: str | None
    wait_s: float | None
    body: bytes
    took_s: float


_answer: Final = msgspec.json.Decoder(_Answer).decode
_refusal: Final = msgspec.json.Decoder(_Refusal).decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Gateway:
    """The gateway at an address, asked with one key. Used inside one event loop, as a context."""

    def __init__(
        self, url: str, key: str, session: str, at_once: int, patience: Patience | None = None
    ) -> None:
        parts = urlsplit(url)
        host, secure = parts.hostname or "127.0.0.1", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        at = Replica(f"{host}:{port}", "https" if secure else "http", host, port, "")
        self._pool = Pool(Way(at, context, host, None), at_once)
        head = (
            f"POST {parts.path.rstrip('/')}/v1/chat/completions HTTP/1.1\r\n"
            f"host: {parts.netloc.rpartition('@')[2]}\r\nauthorization: Bearer {key}\r\n"
            f"content-type: application/json\r\nx-tidegate-session-id: {session}"
        ).encode()
        embed = head.replace(b"/chat/completions ", b"/embeddings ", 1)
        self._heads: dict[Purpose, bytes] = {
            purpose: (embed if purpose == "embed" else head) + end.encode()
            for purpose, end in SESSION_ENDS.items()
        }
        self._patience = patience or Patience()
        self._asked: dict[Upstream, float] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gateway":
        self._sweeper = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._pool.close()

    async def ask(self, body: bytes, purpose: Purpose = "answer") -> Answered:
        """What came of it, after as many tries as make sense; of embeddings the body as it is.
        MoneySpent."""
        patience, pause_s = self._patience, self._patience.first_pause_s
        failed = Answered(None, failure="unreachable: nothing was tried")
        for left in reversed(range(patience.tries)):
            try:
                reply = await self._exchange(body, purpose)
            except (UpstreamError, PoolFull, OSError) as error:
                failed = Answered(None, failure=f"unreachable: {error or type(error).__name__}")
                wait_s = pause_s
            else:
                if reply.status == 200:
                    return _embedded(reply) if purpose == "embed" else _answered(reply)
                failed, code = _failed(reply)
                if code == _MONEY:
                    raise MoneySpent(failed.failure or code)
                if reply.status not in _AGAIN or code in _NEVER_AGAIN:
                    return failed
                wait_s = max(pause_s, min(reply.wait_s or 0.0, patience.most_pause_s))
            if left:
                await asyncio.sleep(wait_s)
                pause_s = min(pause_s * 2, patience.most_pause_s)
        return failed

    async def _exchange(self, body: bytes, purpose: Purpose) -> _Reply:
        """One request and its whole answer. UpstreamError, OSError (a timeout too), PoolFull."""
        head = self._heads[purpose]
        request = b"%b\r\ncontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        upstream = self._pool.take_idle()
        if upstream is None:
            upstream = (await self._pool.take(self._patience.connect_s)).upstream
        self._asked[upstream] = began_s = clock.monotonic_s()
        is_over = False
        try:
            upstream.send(request, MAX_ANSWER_BYTES)
            await upstream.answered()
            headers = upstream.headers
            wait_s = _seconds(headers.get(b"retry-after"))
            receipt = headers.get(b"x-request-id", b"").decode("latin-1") or None
            took_s = clock.monotonic_s() - began_s
            reply = _Reply(upstream.status, receipt, wait_s, upstream.body(), took_s)
            is_over = True
        finally:
            del self._asked[upstream]
            if is_over:
                upstream.release()
            else:
                upstream.close()
        return reply

    async def _sweep(self) -> None:
        """Ends what takes too long: one timer for all, since there are many and few of them do."""
        most_s = self._patience.answer_s
        while True:
            await asyncio.sleep(min(_SWEEP_S, most_s))
            now_s = clock.monotonic_s()
            for upstream, began_s in list(self._asked.items()):
                if now_s - began_s > most_s:
                    upstream.fail(UpstreamError("deadline", f"no answer within {most_s:g} s"))
            self._pool.sweep(now_s)


def _embedded(reply: _Reply) -> Answered:
    return Answered(reply.body.decode(errors="replace"), receipt_id=reply.receipt)


def _answered(reply: _Reply) -> Answered:
    try:
        answer = _answer(reply.body)
    except _UNREADABLE:
        return Answered(None, failure="the answer is no chat completion", receipt_id=reply.receipt)
    if not answer.choices:
        return Answered(None, failure="the answer has no choice", receipt_id=reply.receipt)
    choice, usage = answer.choices[0], answer.usage or _Usage()
    message = choice.message
    calls = tuple((it.function.name, it.function.arguments) for it in message.tool_calls or ())
    output = _text(message)
    return Answered(
        output if output is not None or not calls else "",
        tool_calls=calls,
        finish_reason=choice.finish_reason,
        refusal="full" if message.refusal else None,
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_s=reply.took_s,
        model_snapshot=answer.model,
        receipt_id=reply.receipt,
        declined=bool(message.refusal),
    )


def _text(message: _Message) -> str | None:
    """The text of a message, of all its parts; a refusal's words where it has no other."""
    content = message.content
    if isinstance(content, list):
        parts = (it.get("text") for it in content if isinstance(it, dict))
        content = "".join(it for it in parts if isinstance(it, str))
    return content if isinstance(content, str) else message.refusal


def _failed(reply: _Reply) -> tuple[Answered, str]:
    """Why there is no answer, and its code."""
    try:
        error = _refusal(reply.body).error
    except _UNREADABLE:
        error = _Error(f"status {reply.status}")
    code = error.code or f"status {reply.status}"
    failure = f"{code}: {error.message[:300]}"
    return Answered(None, failure=failure, receipt_id=reply.receipt), code


def _seconds(header: bytes | None) -> float | None:
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
