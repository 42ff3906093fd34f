"""Every member of a request in which a text may stand, in every wire: what guardrails do about it,
as docs/guardrails.md has it."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.gateway.guarded import PII, STOP
from tests.gateway.test_guard_input import guarded

from tidegate.core.guardrail import Guardrail
from tidegate.core.outcome import Refusal

MAIL, GONE = "a@x.org", "<EMAIL_1>"
SCHEMA: Any = {"type": "object", "properties": {"to": {"type": "string", "description": MAIL}}}
FUNCTION: Any = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}


def user(content: Any, **more: Any) -> Any:
    return {"messages": [{"role": "user", "content": content, **more}]}


def item(kind: str, **more: Any) -> Any:
    return {"input": [{"type": kind, **more}]}


# (as the page calls it, what happens, requests that have it there)
CASES: Final[tuple[tuple[str, str, tuple[Any, ...]], ...]] = (
    (
        "messages",
        "looked at",
        (
            user(MAIL),
            user([{"type": "text", "text": MAIL}]),
            {"messages": [{"role": "assistant", "content": None, "refusal": MAIL}]},
            {"messages": [{"role": "assistant", "reasoning_content": MAIL}]},
            user([{"type": "tool_result", "tool_use_id": "t", "content": [{"text": MAIL}]}]),
            user([{"type": "document", "title": MAIL, "source": {"type": "text", "data": MAIL}}]),
            user([{"type": "search_result", "source": MAIL, "content": [{"text": MAIL}]}]),
            user([{"type": "thing-of-tomorrow", "words": MAIL}]),
        ),
    ),
    (
        "calls",
        "looked at",
        (
            {"messages": [{"tool_calls": [{"function": {"arguments": f'{{"to":"{MAIL}"}}'}}]}]},
            {"messages": [{"tool_calls": [{"custom": {"name": "c", "input": MAIL}}]}]},
            {"messages": [{"function_call": {"name": "f", "arguments": f'["{MAIL}"]'}}]},
            user([{"type": "tool_use", "id": "i", "name": "f", "input": {MAIL: [MAIL]}}]),
            item("function_call", arguments=f'{{"{MAIL}":1}}', call_id="c"),
            item("mcp_call", arguments="{}", output=MAIL, error=MAIL),
        ),
    ),
    ("names of participants", "refused", (user("hi", name=MAIL),)),
    (
        "system",
        "looked at",
        ({"system": MAIL}, {"system": [{"text": MAIL}]}, {"instructions": MAIL}),
    ),
    (
        "input",
        "looked at",
        (
            {"input": MAIL},
            {"input": [MAIL, "b"]},
            item("message", content=[{"type": "input_text", "text": MAIL}]),
            item("function_call_output", call_id="c", output=MAIL),
            item("custom_tool_call_output", call_id="c", output=[{"text": MAIL}]),
            item("reasoning", summary=[{"type": "summary_text", "text": MAIL}]),
            item("file_search_call", queries=[MAIL], results=[{"text": MAIL}]),
            item("code_interpreter_call", code=MAIL, outputs=[{"type": "logs", "logs": MAIL}]),
            item("local_shell_call", action={"command": ["mail", MAIL], "env": {"TO": MAIL}}),
            item("mcp_list_tools", tools=[{"name": "t", "description": MAIL}]),
        ),
    ),
    (
        "prompt",
        "looked at",
        (
            {"prompt": MAIL},
            {"prompt": [MAIL]},
            {"prompt": {"id": "p", "variables": {"who": {"type": "input_text", "text": MAIL}}}},
            {"suffix": MAIL},
            {"prediction": {"type": "content", "content": MAIL}},
        ),
    ),
    (
        "documents",
        "looked at",
        (
            {"documents": [MAIL]},
            {"documents": [{"id": "1", "data": {"name": MAIL, MAIL: "x"}}]},
            {"query": MAIL},
        ),
    ),
    (
        "tools",
        "looked at",
        (
            {"tools": [FUNCTION]},
            {"tools": [{"type": "function", "name": "f", "description": MAIL}]},
            {"tools": [{"name": "f", "input_schema": SCHEMA, "input_examples": [{"to": MAIL}]}]},
            {"tools": [{"type": "custom", "name": "c", "format": {"definition": MAIL}}]},
            {"tools": [{"name": "f", "parameters": {"properties": {"to": {"enum": [MAIL]}}}}]},
            {"tools": [{"name": "f", "parameters": {"properties": {"to": {"default": MAIL}}}}]},
            {"functions": [{"name": "f", "parameters": {"title": MAIL}}]},
            {"tools": [{"type": "mcp", "server_label": "m", "server_description": MAIL}]},
        ),
    ),
    (
        "names in tools and forms",
        "refused",
        (
            {"tools": [{"name": MAIL}]},
            {"tools": [{"name": "f", "parameters": {"properties": {MAIL: {"type": "string"}}}}]},
            {"tools": [{"name": "f", "input_schema": {"required": [MAIL]}}]},
            {"response_format": {"json_schema": {"schema": {"properties": {MAIL: {}}}}}},
        ),
    ),
    (
        "servers of tools",
        "not looked at",
        (
            {"tools": [{"type": "mcp", "server_url": "https://a@x.org", "authorization": MAIL}]},
            {"tools": [{"type": "mcp", "headers": {"x-key": MAIL}}]},
            {"mcp_servers": [{"url": MAIL, "authorization_token": MAIL}]},
        ),
    ),
    (
        "forms of answers",
        "looked at",
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            {"output_format": {"type": "json_schema", "schema": SCHEMA}},
            {"guided_json": SCHEMA},
            {"guided_choice": [MAIL]},
            {"guided_regex": MAIL},
            {"structured_outputs": {"choice": [MAIL]}},
            {"stop": [MAIL]},
        ),
    ),
    (
        "metadata",
        "looked at",
        ({"metadata": {"note": MAIL}}, {"chat_template_kwargs": {"persona": MAIL}}),
    ),
    (
        "what nobody has heard of",
        "looked at",
        ({"tomorrow": MAIL}, {"tomorrow": {"deep": [{"words": MAIL}]}}),
    ),
    (
        "chat_template",
        "refused",
        (
            {"chat_template": "{{ messages[0].content | reverse }}"},
            {"prompt": [1, 2]},
            {"input": [[1, 2]]},
            {"input_ids": [1]},
            {"prompt_embeds": "AAAA"},
            {"prompt_token_ids": [1]},
        ),
    ),
    (
        "whose it is",
        "not looked at",
        (
            {"user": MAIL},
            {"safety_identifier": MAIL},
            {"prompt_cache_key": MAIL},
            {"metadata": {"user_id": MAIL}},
            {"previous_response_id": MAIL},
            {"messages": [{"role": "tool", "tool_call_id": MAIL}]},
        ),
    ),
    (
        "media",
        "not looked at",
        (
            user([{"type": "image_url", "image_url": {"url": f"https://x.org/?of={MAIL}"}}]),
            user([{"type": "input_audio", "input_audio": {"data": MAIL}}]),
            user([{"type": "image", "source": {"type": "url", "url": MAIL}}]),
            user([{"type": "file", "file": {"file_data": MAIL}}]),
            {"documents": [{"image": "data:image/png;base64,QUJD"}]},
            item("image_generation_call", result=MAIL),
        ),
    ),
    (
        "sealed thinking",
        "not looked at",
        (
            user([{"type": "thinking", "thinking": MAIL, "signature": "s"}]),
            user([{"type": "redacted_thinking", "data": MAIL}]),
            item("reasoning", encrypted_content=MAIL),
        ),
    ),
)
ASKED: Final = [
    pytest.param(what, body, id=f"{name}-{at}".replace(" ", "-"))
    for name, what, bodies in CASES
    for at, body in enumerate(bodies)
]


@pytest.mark.parametrize(("what", "body"), ASKED)
def test_what_is_done_about_a_field(what: str, body: dict[str, Any]) -> None:
    if what == "refused":
        with pytest.raises(Refusal):
            guarded(PII, **body)
        return
    sent = msgspec.json.encode(body).decode()
    made = guarded(PII, **body)
    assert made == (msgspec.json.decode(sent.replace(MAIL, GONE)) if what == "looked at" else body)


@pytest.mark.parametrize(("what", "body"), [it for it in ASKED if it.values[0] == "looked at"])
def test_what_blocks_hears_of_it_too(what: str, body: dict[str, Any]) -> None:
    sent = msgspec.json.encode(body).decode().replace(MAIL, "a falcon")
    with pytest.raises(Refusal):
        guarded(STOP, **msgspec.json.decode(sent))


def test_nobody_is_refused_where_nothing_is_stopped() -> None:
    marks = Guardrail("pii", "pii", "mark")
    for _, what, bodies in CASES:
        for body in bodies if what == "refused" else ():
            assert guarded(marks, **body) == body


def test_media_are_no_way_in_for_a_text() -> None:
    hidden = f"data:image/png;base64,QUJD {MAIL}"
    assert GONE in str(guarded(PII, **user(hidden)))


def test_words_of_a_schema_are_no_texts() -> None:
    word = Guardrail("w", "words", "block", words=("object", "properties", "string", "f"))
    assert guarded(word, tools=[{"type": "function", "parameters": {"type": "object"}}])


def test_the_page_says_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guardrails.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \|.*\| (looked at|refused|not looked at) \|$", page, re.M)
    told = {name.replace("`", ""): what for name, what in rows}
    assert told.items() >= {name: what for name, what, _ in CASES}.items()
