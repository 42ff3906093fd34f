"""Streams of every caller's wire, rewritten as a route's guardrails have it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from tests.gateway.test_guarded_texts import LOOKING, fresh

from tidegate.core.ask import Ask, Usage
from tidegate.core.guardrail import SentenceBuffer
from tidegate.core.plugs import Dialect, Stamp
from tidegate.core.rewriting import Rewriter
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Used
from tidegate.dialects.anthropic_messages import plug as anthropic_messages
from tidegate.dialects.openai_chat import plug as openai_chat
from tidegate.dialects.openai_responses import plug as openai_responses
from tidegate.gateway.guarded_texts import GuardedTexts
from tidegate.text.sse import SseSplitter, data_of

DIALECTS: dict[str, Dialect] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic_messages": anthropic_messages,
}


def spoken(
    pieces: Sequence[str], thought: Sequence[str] = (), arguments: Sequence[str] = ()
) -> list[Event]:
    """A reasoning, a text and a call, as far as they are said, in these pieces."""
    events: list[Event] = [Began("id-1", "served", Usage(3, None, None, None))]
    several = (("reasoning", thought), ("text", pieces), ("tool_call", arguments))
    for index, (kind, said) in enumerate(several):
        if said:
            named = ("call-1", "send") if kind == "tool_call" else (None, None)
            events.append(PartBegan(0, index, kind, *named))  # type: ignore[arg-type]
            grown = "arguments" if kind == "tool_call" else "text"
            events += [PartGrew(0, index, grown, it) for it in said if it]  # type: ignore[arg-type]
            events.append(PartEnded(0, index))
    return [*events, Ended(0, "stop"), Used(Usage(3, None, None, 9))]


def written(name: str, events: list[Event]) -> tuple[list[bytes], bytes]:
    """What a caller of that wire gets: by the read, and its end."""
    ask = Ask("chat", b"{}", {}, "m", stream=True, include_usage=True, dialect=name)
    writer = DIALECTS[name].writer(ask, Stamp("r-1", 1_700_000_000.0))
    return [writer.write([event]) for event in events], writer.close()


def rewriter(name: str, buffer: SentenceBuffer | None = None, *, guards: bool = True) -> Rewriter:
    texts = fresh(LOOKING, buffer) if guards else GuardedTexts(None, None, buffer)
    return DIALECTS[name].rewriter(texts)


def through(made: Rewriter, reads: list[bytes], terminal: bytes) -> list[Any]:
    """The events that come out, each decoded. AssertionError where one is none."""
    out = b"".join([made.feed(read) for read in reads if read]) + made.end(terminal)
    splitter = SseSplitter()
    events = [data_of(event) for event in splitter.feed(out)]
    assert not splitter.rest
    return [msgspec.json.decode(it) for it in events if it is not None and it != b"[DONE]"]


def texts_of(name: str, events: list[Any]) -> dict[str, str]:
    """What a client puts together: content, reasoning and arguments."""
    told = {"content": "", "reasoning": "", "arguments": ""}
    for event in events:
        if name == "openai_chat":
            for choice in event["choices"]:
                delta = choice["delta"]
                told["content"] += delta.get("content") or ""
                told["reasoning"] += delta.get("reasoning_content") or ""
                for call in delta.get("tool_calls") or ():
                    told["arguments"] += call["function"].get("arguments") or ""
        elif name == "anthropic_messages":
            delta = event.get("delta", {})
            told["content"] += delta.get("text", "")
            told["reasoning"] += delta.get("thinking", "")
            told["arguments"] += delta.get("partial_json", "")
        elif event["type"] == "response.output_text.delta":
            told["content"] += event["delta"]
        elif event["type"] == "response.reasoning_summary_text.delta":
            told["reasoning"] += event["delta"]
        elif event["type"] == "response.function_call_arguments.delta":
            told["arguments"] += event["delta"]
    return told
