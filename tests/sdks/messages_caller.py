"""Anthropic's official client as a caller of Messages, as its documentation has it used."""

from typing import Any

import anthropic
from tests.sdks import said as facts
from tests.sdks.said import Call, Said, Tide, Tokens

DIALECT = "anthropic_messages"
ONCE = ("tool_choice", "output_format")
FINISHES = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}
BUDGET_TOKENS = 16_384
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": facts.PNG},
}
DOCUMENT = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": facts.PDF},
}


def tools() -> list[Any]:
    return [{"name": name, "input_schema": schema} for name, schema in facts.TOOLS.items()]


def asked(case: str) -> dict[str, Any]:
    content: Any = facts.QUESTION
    if case in ("image", "document"):
        part = IMAGE if case == "image" else DOCUMENT
        content = [{"type": "text", "text": facts.QUESTION}, part]
    if case == "image_url":
        part = {"type": "image", "source": {"type": "url", "url": facts.IMAGE_URL}}
        content = [{"type": "text", "text": facts.QUESTION}, part]
    if case == "cache":
        mark = {"cache_control": {"type": "ephemeral"}}
        content = [{"type": "text", "text": facts.QUESTION, **mark}]
    more: dict[str, Any] = {
        "system": facts.INSTRUCTION,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": facts.CEILING_TOKENS,
    }
    if case in ("tools", "named", "reasoning"):
        more["tools"] = tools()
    if case == "tools":
        more["tool_choice"] = {"type": "any"}
    if case == "reasoning":
        more["max_tokens"] = BUDGET_TOKENS + facts.CEILING_TOKENS
        more["thinking"] = {"type": "enabled", "budget_tokens": BUDGET_TOKENS}
    if case == "named":
        more["tool_choice"] = {"type": "tool", "name": "tide"}
    if case == "stop":
        more["stop_sequences"] = [facts.STOP]
    if case == "structured":
        more["output_format"] = Tide
    return more


def say(client: anthropic.Anthropic, ask: dict[str, Any], streamed: bool) -> Any:
    if streamed:
        with client.messages.stream(**ask) as stream:
            return stream.get_final_message()
    return client.messages.parse(**ask) if "output_format" in ask else client.messages.create(**ask)


def go_on(ask: dict[str, Any], answer: Any) -> dict[str, Any]:
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": facts.RESULTS[block.name]}
        for block in answer.content
        if block.type == "tool_use"
    ] or facts.QUESTION
    turns = [
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": results},
    ]
    rest = {name: value for name, value in ask.items() if name not in ONCE}
    return {**rest, "messages": [*ask["messages"], *turns]}


def told(answer: Any) -> Said:
    calls, text, thought, signature = [], "", "", ""
    for block in answer.content:
        if block.type == "text":
            text += block.text
        elif block.type == "tool_use":
            calls.append(Call(block.id, block.name, block.input))
        elif block.type == "thinking":
            thought += block.thinking
            signature = block.signature or signature
        else:
            assert block.type == "redacted_thinking"
            signature = block.data
    usage = answer.usage
    assert answer.id and answer.model
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    tokens = Tokens(usage.input_tokens, cached, usage.output_tokens, written=written)
    return Said(text, tuple(calls), thought, signature, FINISHES[answer.stop_reason], tokens)


def formed(answer: Any) -> Any:
    return answer.parsed_output
