"""One gateway with a target at each provider, on a loop of its own, for the clients' threads."""

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import anthropic
import openai
import uvloop
from tests.gateway.rig import Gateway, gateway, target
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, chunk
from tests.providers.bedrock_server import STREAM, FakeBedrock
from tests.sdks import (
    anthropic_wire,
    bedrock_wire,
    chat_wire,
    cohere_wire,
    embeddings_wire,
    gemini_wire,
    mistral_wire,
    responses_wire,
    vertex_wire,
)
from tests.sdks.matrix import kind
from tests.sdks.said import Heard, Said

from tidegate.core.frames import frames
from tidegate.core.plan import Release, Replica, Route, Target
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, decode_payload
from tidegate.core.resilience import Retry

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
ENVIRON = {
    "AWS_ACCESS_KEY_ID": KEY[0],
    "AWS_SECRET_ACCESS_KEY": KEY[1],
    "AWS_REGION": "eu-central-1",
    "HOME": "/nonexistent",
}
# The model that each target serves: its name decides how it is told to think.
MODELS = {
    "openai": "gpt-5.2",
    "azure_openai": "gpt-5.2",
    "anthropic": "claude-sonnet-4-5",
    "bedrock": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini": "gemini-3-pro-preview",
    "vertex": "gemini-3-pro-preview",
    "vertex/claude": "claude-sonnet-4-5@20250929",
    "vllm": "Qwen/Qwen3-8B",
    "llama_cpp": "qwen3-8b",
    "openai_compatible": "some/model",
    "sglang": "Qwen/Qwen3-8B",
    "deepseek": "deepseek-v4-pro",
    "mistral": "magistral-medium-latest",
    "cohere": "command-a-reasoning-08-2025",
}
_WIRES = {
    "anthropic": anthropic_wire,
    "bedrock": bedrock_wire,
    "gemini": gemini_wire,
    "vertex": vertex_wire.GEMINI,
    "vertex/claude": vertex_wire.CLAUDE,
    "mistral": mistral_wire,
    "cohere": cohere_wire,
}
# What DeepSeek says to a form of the answer that it has not.
NO_SCHEMAS = (
    b'{"error":{"message":"This response_format type is unavailable now",'
    b'"type":"invalid_request_error","param":null,"code":"invalid_request_error"}}'
)
# The member in which a provider of OpenAI's shape shows what its model thought.
SHOWS = {
    "vllm": "reasoning",
    "llama_cpp": "reasoning_content",
    "openai_compatible": "reasoning_content",
    "sglang": "reasoning_content",
    "deepseek": "reasoning_content",
}
PATIENCE_S = 30.0


class Provider:
    """A provider that understands requests in its own wire and answers in it. What it could not
    understand is in `misunderstood`, and it answers 400."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: list[Said | bytes] = []
        self.heard: list[Heard] = []
        self.misunderstood: list[str] = []
        self._aws = FakeBedrock(KEY)

    async def answer(self, exchange: Exchange) -> None:
        path = exchange.path.decode()
        if self.name == "deepseek" and b'"json_schema"' in exchange.body:
            exchange.send(answer_bytes(400, NO_SCHEMAS))
            return
        try:
            wire = self._wire(exchange, path)
            heard = wire.heard(path, exchange.json)
            self.heard.append(heard)
            body = self._body(wire, heard)
        except Exception as error:
            self.misunderstood.append(f"{error!r}: {exchange.head!r} {exchange.body!r}")
            exchange.send(answer_bytes(400, b'{"error":{"message":"what?"}}'))
            return
        if not heard.stream:
            exchange.send(answer_bytes(200, body))
            return
        kind = STREAM if self.name == "bedrock" else "text/event-stream"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        parts = [body[at : at + 100] for at in range(0, len(body), 100)]
        exchange.send(head.encode() + b"".join(map(chunk, parts)) + b"0\r\n\r\n")

    def _wire(self, exchange: Exchange, path: str) -> Any:
        if self.name == "bedrock":
            lines = exchange.head.decode().split("\r\n")[1:]
            headers = {
                key.lower(): value for key, _, value in (one.partition(": ") for one in lines)
            }
            no = self._aws.refuses(path, headers, exchange.body)
            assert no is None, no
        if "mbed" in path:
            return embeddings_wire
        if path == "/v1/messages/count_tokens":
            return anthropic_wire
        if self.name == "openai" and path == "/v1/responses":
            return responses_wire
        if self.name not in _WIRES:
            assert path == _CHAT_PATHS.get(self.name, "/v1/chat/completions")
        return _WIRES.get(self.name, chat_wire)

    def _body(self, wire: Any, heard: Heard) -> bytes:
        said = self.answers.pop(0)
        if isinstance(said, bytes):
            return said
        if wire is chat_wire and heard.named:
            said = said._replace(finish="stop")  # as OpenAI and vLLM do
        shows = (SHOWS.get(self.name),) if wire is chat_wire else ()
        body: bytes = (wire.stream if heard.stream else wire.whole)(said, *shows)
        return body


_CHAT_PATHS = {
    "azure_openai": "/openai/deployments/gpt-5.2/chat/completions?api-version=2024-10-21"
}


class House:
    """The gateway, its providers by name, and both clients. `it` lives on the house's loop."""

    def __init__(self, folder: Path) -> None:
        self.providers = {name: Provider(name) for name in MODELS}
        self.it: Gateway
        self._folder = folder
        self._receipts: list[Receipt] = []
        self._read_to: dict[str, int] = {}
        self._loop = uvloop.new_event_loop()
        self._ready: Future[None] = Future()
        self._end: asyncio.Event
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "House":
        self._thread.start()
        self._ready.result(PATIENCE_S)
        host, port = self.it.address
        options: dict[str, Any] = {"api_key": self.it.key, "timeout": PATIENCE_S, "max_retries": 0}
        self.openai = openai.OpenAI(base_url=f"http://{host}:{port}/v1", **options)
        self.anthropic = anthropic.Anthropic(base_url=f"http://{host}:{port}", **options)
        return self

    def __exit__(self, *_: object) -> None:
        self.openai.close()
        self.anthropic.close()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE_S)

    def forget(self) -> None:
        for one in self.providers.values():
            one.answers, one.heard, one.misunderstood = [], [], []

    def receipts(self) -> list[Receipt]:
        """Every receipt so far; the journal is read on from where it was read to."""
        for path in sorted(self.it.journal.folder.glob("*.journal")):
            data = path.read_bytes()
            read_to = self._read_to.get(path.name, len(SEGMENT_MAGIC))
            for end, payload in frames(data, read_to):
                assert payload is not None
                self._receipts.append(decode_payload(payload))
                self._read_to[path.name] = end
        return self._receipts

    def receipts_after(self, count: int) -> list[Receipt]:
        return self.receipts()[count:]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise
        finally:
            self._loop.close()

    async def _live(self) -> None:
        self._end = asyncio.Event()
        async with _all([Upstream(one.answer) for one in self.providers.values()]) as ups:
            targets = [_target(one, up.port) for one, up in zip(self.providers, ups, strict=True)]
            routes = dict(_loose(one) for one in targets)
            async with gateway(self._folder, *targets, environ=ENVIRON, routes=routes) as self.it:
                self._ready.set_result(None)
                await self._end.wait()


class _all:
    def __init__(self, ups: list[Upstream]) -> None:
        self._ups = ups

    async def __aenter__(self) -> list[Upstream]:
        for up in self._ups:
            await up.__aenter__()
        return self._ups

    async def __aexit__(self, *_: object) -> None:
        for up in self._ups:
            await up.__aexit__()


LOOSE = "-loose"


def _loose(target: Target) -> tuple[str, Route]:
    """A route to the target by whose rule what has no place there is left out."""
    name = f"{target.name}{LOOSE}"
    release = Release(f"{name}-1", target)
    return name, Route(name, release, retry=Retry(attempts=1), drops_unsupported=True)


def _target(name: str, port: int) -> Target:
    prefix = {"bedrock": "", "azure_openai": "", "cohere": "/v2"}.get(name, "/v1")
    prefix = vertex_wire.PREFIX if kind(name) == "vertex" else prefix
    replica = Replica(f"127.0.0.1:{port}", "http", "127.0.0.1", port, prefix)
    fields: dict[str, Any] = {"dialect": kind(name), "model": MODELS[name], "replicas": (replica,)}
    return target(port, name, hides_reasoning=name in ("openai", "azure_openai"), **fields)
