"""OpenAI's official client as a caller of chat completions, as its documentation has it used."""

from typing import Any

import msgspec
import openai
from tests.sdks import said as facts
from tests.sdks.said import Call, Said, Tide, Tokens

DIALECT = "openai_chat"
ONCE = ("tool_choice", "response_format")
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{facts.PNG}"}}
DOCUMENT = {
    "type": "file",
    "file": {
        "file_data": f"data:application/pdf;base64,{facts.PDF}",
        "filename": f"{facts.PDF_NAME}.pdf",
    },
}


def tools() -> list[Any]:
    return [
        {"type": "function", "function": {"name": name, "parameters": schema, "strict": True}}
        for name, schema in facts.TOOLS.items()
    ]


def asked(case: str) -> dict[str, Any]:
    """The first request of a conversation."""
    content: Any = facts.QUESTION
    if case in ("image", "document"):
        part = IMAGE if case == "image" else DOCUMENT
        content = [{"type": "text", "text": facts.QUESTION}, part]
    if case == "image_url":
        part = {"type": "image_url", "image_url": {"url": facts.IMAGE_URL}}
        content = [{"type": "text", "text": facts.QUESTION}, part]
    if case == "cache":
        mark = {"cache_control": {"type": "ephemeral"}}
        content = [{"type": "text", "text": facts.QUESTION, **mark}]
    messages = [
        {"role": "system", "content": facts.INSTRUCTION},
        {"role": "user", "content": content},
    ]
    more: dict[str, Any] = {"messages": messages, "max_completion_tokens": facts.CEILING_TOKENS}
    if case in ("tools", "named", "reasoning"):
        more["tools"] = tools()
    if case == "tools":
        more["tool_choice"] = "required"
    if case == "reasoning":
        more["reasoning_effort"] = "high"
    if case == "structured":
        more["response_format"] = Tide
    return more | _SIMPLE.get(case, {})


_SIMPLE: dict[str, dict[str, Any]] = {
    "any_json": {"response_format": {"type": "json_object"}},
    "choices": {"n": 2},
    "named": {"tool_choice": {"type": "function", "function": {"name": "tide"}}},
    "stop": {"stop": [facts.STOP]},
}


def say(client: openai.OpenAI, ask: dict[str, Any], streamed: bool) -> Any:
    completions = client.chat.completions
    if streamed:
        options = {"include_usage": True}
        with completions.stream(**ask, stream_options=options) as stream:  # type: ignore[arg-type]
            try:
                return stream.get_final_completion()
            except openai.LengthFinishReasonError as cut:
                return cut.completion
    formed = ask.get("response_format") is Tide
    return completions.parse(**ask) if formed else completions.create(**ask)


def go_on(ask: dict[str, Any], answer: Any) -> dict[str, Any]:
    """The next request: what was said, and the results of its calls."""
    message = answer.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": facts.RESULTS[call.function.name]}
        for call in message.tool_calls or ()
    ] or [{"role": "user", "content": facts.QUESTION}]
    rest = {name: value for name, value in ask.items() if name not in ONCE}
    return {**rest, "messages": [*ask["messages"], message, *results]}


def told(answer: Any) -> Said:
    """What the client's typed objects say."""
    choice = answer.choices[0]
    message, usage = choice.message, answer.usage
    assert {one.message.content for one in answer.choices} == {message.content}
    calls = tuple(
        Call(call.id, call.function.name, msgspec.json.decode(call.function.arguments))
        for call in message.tool_calls or ()
    )
    extra = message.model_extra or {}
    thought = extra.get("reasoning_content") or extra.get("reasoning") or ""
    carried = extra.get("reasoning_details") or [{}]
    signature = carried[0].get("signature") or carried[0].get("data") or ""
    cached = usage.prompt_tokens_details.cached_tokens
    written = getattr(usage.prompt_tokens_details, "cache_write_tokens", None) or 0
    details = usage.completion_tokens_details
    thinking = details.reasoning_tokens if details is not None else None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    tokens = Tokens(
        usage.prompt_tokens - cached - written,
        cached,
        usage.completion_tokens - (thinking or 0),
        thinking,
        written,
    )
    assert answer.id and answer.model
    said = Said(message.content or "", calls, thought, signature, choice.finish_reason, tokens)
    return said._replace(choices=len(answer.choices))


def formed(answer: Any) -> Any:
    return answer.choices[0].message.parsed
