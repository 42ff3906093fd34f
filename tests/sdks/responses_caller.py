"""OpenAI's official client as a caller of Responses, as its documentation has it used."""

from typing import Any

import msgspec
import openai
from tests.sdks import said as facts
from tests.sdks.said import Call, Said, Tide, Tokens

DIALECT = "openai_responses"
ONCE = ("tool_choice", "text_format")
IMAGE = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{facts.PNG}"}
DOCUMENT = {
    "type": "input_file",
    "file_data": f"data:application/pdf;base64,{facts.PDF}",
    "filename": f"{facts.PDF_NAME}.pdf",
}


def tools() -> list[Any]:
    return [
        {"type": "function", "name": name, "parameters": schema, "strict": True}
        for name, schema in facts.TOOLS.items()
    ]


def asked(case: str) -> dict[str, Any]:
    content: Any = facts.QUESTION
    if case in ("image", "document"):
        part = IMAGE if case == "image" else DOCUMENT
        content = [{"type": "input_text", "text": facts.QUESTION}, part]
    if case == "image_url":
        part = {**IMAGE, "image_url": facts.IMAGE_URL}
        content = [{"type": "input_text", "text": facts.QUESTION}, part]
    more: dict[str, Any] = {
        "instructions": facts.INSTRUCTION,
        "input": [{"role": "user", "content": content}],
        "max_output_tokens": facts.CEILING_TOKENS,
        "store": False,
    }
    if case in ("tools", "named", "reasoning"):
        more["tools"] = tools()
    if case == "tools":
        more["tool_choice"] = "required"
    if case == "reasoning":
        more["reasoning"] = {"effort": "high", "summary": "auto"}
        more["include"] = ["reasoning.encrypted_content"]
    if case == "named":
        more["tool_choice"] = {"type": "function", "name": "tide"}
    if case == "any_json":
        more["text"] = {"format": {"type": "json_object"}}
    if case == "structured":
        more["text_format"] = Tide
    return more


def say(client: openai.OpenAI, ask: dict[str, Any], streamed: bool) -> Any:
    if streamed:
        with client.responses.stream(**ask) as stream:
            events = list(stream)
        assert [event.sequence_number for event in events] == list(range(len(events)))
        return events[-1].response
    return client.responses.parse(**ask) if "text_format" in ask else client.responses.create(**ask)


def go_on(ask: dict[str, Any], answer: Any) -> dict[str, Any]:
    results = [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": facts.RESULTS[item.name],
        }
        for item in answer.output
        if item.type == "function_call"
    ] or [{"role": "user", "content": facts.QUESTION}]
    rest = {name: value for name, value in ask.items() if name not in ONCE}
    return {**rest, "input": [*ask["input"], *answer.output, *results]}


def told(answer: Any) -> Said:
    calls, thought, signature = [], "", ""
    for item in answer.output:
        if item.type == "function_call":
            calls.append(Call(item.call_id, item.name, msgspec.json.decode(item.arguments)))
        elif item.type == "reasoning":
            thought += "".join(part.text for part in item.summary)
            signature = item.encrypted_content or signature
    finish = "tool_calls" if calls else "stop"
    if answer.status == "incomplete":
        assert answer.incomplete_details.reason == "max_output_tokens"
        finish = "length"
    else:
        assert answer.status == "completed"
    usage = answer.usage
    cached = usage.input_tokens_details.cached_tokens
    thinking = usage.output_tokens_details.reasoning_tokens or None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    output = usage.output_tokens - (thinking or 0)
    tokens = Tokens(usage.input_tokens - cached, cached, output, thinking)
    return Said(answer.output_text, tuple(calls), thought, signature, finish, tokens)


def formed(answer: Any) -> Any:
    return answer.output_parsed
